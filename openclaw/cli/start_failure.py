"""
What is told when another gateway, or anything else, is in the way of a start (``cli.md`` 4.3). Who is not
supervised is named by its process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from openclaw.cli.context import Context
from openclaw.cli.ports import PortUse, inspect
from openclaw.daemon.base import Supervised
from openclaw.daemon.manage import inspect_service
from openclaw.daemon.systemd import unit_name


def lines(
    context: Context,
    error: Exception,
    port: int,
    *,
    look: Callable[[int], PortUse] = inspect,
    ask: Callable[[Mapping[str, str], Path], Supervised] = inspect_service,
) -> Iterator[str]:
    """
    :param error: why the gateway did not start: it is running already, another has what it needs, or its port cannot be
        bound.
    """
    if (fix := getattr(error, "fix", None)) is not None:
        yield f"Gateway failed to start: {error}"
        yield context.command(fix)
        return
    use = look(port)
    stop = context.command("openclaw gateway stop")
    yield f"Gateway failed to start: {_reason(error, port, use)}"
    yield f"If the gateway is supervised, stop it with: {stop}"
    if use.status == "busy":
        yield from use.lines()
    if getattr(error, "host", None) is not None:
        yield f"Use a different port with: {context.command('openclaw gateway --port <port>')}"
    else:
        pid = getattr(error, "pid", None)
        yield f"Stop it with: kill {pid}" if pid else "Stop it first."
        yield "A second one needs a state of its own: openclaw --profile <name> gateway --port <port>"
    service = ask(context.environ, context.home)
    if service.loaded:
        yield "Gateway service appears enabled. Stop it first."
    elif service.runtime.get("status") == "unknown":
        yield "Gateway service status unknown; if supervised, stop it first."
    else:
        return
    yield f"Tip: {stop}"
    if service.label == "systemd":
        yield f"Or: systemctl --user stop {unit_name(context.environ)}"


def _reason(error: Exception, port: int, use: PortUse) -> str:
    host = getattr(error, "host", None)
    if host is None:
        return str(error)
    shown = f"ws://[{host}]:{port}" if ":" in host else f"ws://{host}:{port}"
    if use.status == "busy":
        return f"another gateway instance is already listening on {shown}"
    return f"failed to bind gateway socket on {shown}: {getattr(error, 'why', error)}"
