"""
``openclaw node run``: this machine as a node of a gateway.
"""

from __future__ import annotations

import json
import socket
import uuid
from collections.abc import Sequence
from typing import Any

from openclaw.cli.arguments import Arguments, add_client_options
from openclaw.cli.context import Context
from openclaw.cli.rpc import identity_path
from openclaw.cli.target import read_config, resolve_target
from openclaw.client.connection import normal_fingerprint
from openclaw.client.identity import DeviceTokens, load_identity
from openclaw.client.introduction import Credentials
from openclaw.config.files import make_private_directory, replace_file
from openclaw.config.paths import state_dir
from openclaw.config.start import OptionInvalid

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 18789


def run(context: Context, arguments: Sequence[str]) -> int:
    """
    :return: the exit code, after a signal has ended it.
    """
    parser = Arguments("node run", "Let a gateway run commands on this machine.")
    add_client_options(parser)
    parser.option("--host", metavar="<host>", help="of the gateway (127.0.0.1)")
    parser.option("--port", metavar="<n>", type=int, help="of the gateway (18789)")
    parser.option("--tls", action="store_true", help="speak TLS with the gateway")
    parser.option("--node-id", metavar="<id>", help="of this installation; kept")
    parser.option("--display-name", metavar="<name>", help="how it is shown; kept")
    words = list(arguments)
    if words[:1] == ["run"]:
        words.pop(0)
    elif "--help" not in words and "-h" not in words:
        raise OptionInvalid("openclaw node has one command: run")
    options = parser.take(words)
    known = _known(context)
    if options.url is None and (options.host or options.port or options.tls or "gateway" in known):
        told = known.get("gateway", {})
        host, port = options.host or told.get("host", DEFAULT_HOST), options.port or told.get("port", DEFAULT_PORT)
        tls = options.tls or (not options.host and told.get("tls") is True)
        options.url = f"{'wss' if tls else 'ws'}://{f'[{host}]' if ':' in host else host}:{port}"
        known["gateway"] = {"host": host, "port": port, "tls": tls}
    target = resolve_target(context, options, read_config(context, lenient=True))
    if target.fingerprint and not target.url.startswith("wss:"):
        raise OptionInvalid("gateway tls fingerprint requires wss:// gateway url")
    known["nodeId"] = options.node_id or known.get("nodeId") or str(uuid.uuid4())
    known["displayName"] = options.display_name or known.get("displayName") or socket.gethostname()
    _keep(context, known)
    identity = load_identity(identity_path(context), now=context.now)
    stored = state_dir(context.environ, context.home) / "identity" / "device-auth.json"

    from openclaw.node_host.run import Setting, run_node

    def say(line: str) -> None:
        context.line(line)
        context.out.flush()

    return run_node(
        Setting(
            url=target.url,
            credentials=Credentials(
                token=target.token,
                password=target.password,
                identity=identity,
                tokens=DeviceTokens(stored, identity.device_id, context.now),
            ),
            node_id=known["nodeId"],
            display_name=known["displayName"],
            home=context.home,
            environ=dict(context.environ),
            say=say,
            fingerprint=normal_fingerprint(target.fingerprint) if target.fingerprint else None,
        )
    )


def _known(context: Context) -> dict[str, Any]:
    """
    What was told at an earlier start.
    """
    try:
        known = json.loads((state_dir(context.environ, context.home) / "node.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _keep(context: Context, known: dict[str, Any]) -> None:
    directory = state_dir(context.environ, context.home)
    make_private_directory(directory)
    replace_file(directory / "node.json", json.dumps({"version": 1, **known}, indent=2).encode() + b"\n")
