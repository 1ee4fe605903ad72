"""
``openclaw logs``: the gateway's log, read through the gateway.
"""

from __future__ import annotations

import json
import time
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import frozen

from openclaw.cli.arguments import Arguments, add_client_options, positive
from openclaw.cli.context import Context
from openclaw.cli.rpc import NotReached, connect
from openclaw.cli.target import Target, read_config, resolve_target
from openclaw.client.errors import ConnectionClosed, GatewayTimeout, ProtocolViolation
from openclaw.client.sync import GatewayClient

_UNREACHABLE = "Gateway not reachable. Is it running and accessible?"
_TRUNCATED = "Log tail truncated (increase --max-bytes)."
_RESET = "Log cursor reset (file rotated)."
_STYLES = {"fatal": "error", "error": "error", "warn": "warn", "info": "info"}


def run(context: Context, arguments: Sequence[str], *, pause: Callable[[float], None] = time.sleep) -> int:
    """
    :return: 1 when the gateway cannot be reached, also when a follow loses it.
    """
    parser = Arguments("logs", "Read the gateway's log.")
    add_client_options(parser)
    parser.option("--limit", metavar="<n>", type=positive, default=200, help="lines (200)")
    parser.option("--max-bytes", metavar="<n>", type=positive, default=250_000, help="bytes (250000)")
    parser.option("-f", "--follow", action="store_true", help="go on until interrupted")
    parser.option("--interval", metavar="<ms>", type=positive, default=1000, help="between looks (1000)")
    parser.option("--plain", action="store_true", help="no colours, full times")
    options = parser.take(arguments)
    target = resolve_target(context, options, read_config(context, lenient=True))
    try:
        with connect(context, target, timeout_ms=options.timeout) as client:
            _read(context, options, client, pause)
    except (NotReached, ConnectionClosed, GatewayTimeout, ProtocolViolation) as error:
        _complain(context, options, target, error.error if isinstance(error, NotReached) else error)
        return 1
    except BrokenPipeError:
        context.problem("openclaw logs: output stdout closed (EPIPE). Stopping tail.")
        raise
    return 0


def _read(context: Context, options: Namespace, client: GatewayClient, pause: Callable[[float], None]) -> None:
    cursor = None
    while True:
        params = {"limit": options.limit, "maxBytes": options.max_bytes}
        if cursor is not None:
            params["cursor"] = cursor
        tail = client.call("logs.tail", params, timeout=options.timeout / 1000)
        if cursor is None:
            _head(context, options, tail)
        if tail.get("reset") or (tail.get("truncated") and cursor is None):
            _notice(context, options, _RESET if tail.get("reset") else _TRUNCATED)
        for line in tail.get("lines", ()):
            _show(context, options, line)
        context.out.flush()
        if not options.follow:
            return
        cursor = tail.get("cursor", cursor)
        pause(options.interval / 1000)


def _head(context: Context, options: Namespace, tail: Mapping[str, Any]) -> None:
    if options.json:
        _json(context, {"type": "meta", **{name: tail.get(name) for name in ("file", "cursor", "size")}})
    elif tail.get("file"):
        context.line(f"Log file: {context.short(tail['file'])}")


def _notice(context: Context, options: Namespace, text: str) -> None:
    if options.json:
        _json(context, {"type": "notice", "message": text})
    else:
        context.problem(text)


def _show(context: Context, options: Namespace, raw: str) -> None:
    entry = parse_line(raw)
    if options.json:
        _json(context, {"type": "raw", "raw": raw} if entry is None else entry.payload(raw))
    elif entry is None:
        context.line(raw)
    else:
        context.line(entry.pretty(context) if context.color and not options.plain else entry.plain())


def _json(context: Context, value: object) -> None:
    context.line(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


@frozen(kw_only=True)
class LogEntry:
    """
    One line of the log file (``service.md`` 7.2).
    """

    time: str
    level: str
    subsystem: str | None
    module: str | None
    message: str

    def payload(self, raw: str) -> dict[str, str]:
        """
        The shape of ``logs --json``.
        """
        named = {"subsystem": self.subsystem, "module": self.module}
        return {
            "type": "log",
            "time": self.time,
            "level": self.level,
            **{name: value for name, value in named.items() if value},
            "message": self.message,
            "raw": raw,
        }

    def plain(self) -> str:
        """
        For files and pipes.
        """
        return " ".join(filter(None, (self.time, self.level, self.subsystem or self.module, self.message)))

    def pretty(self, context: Context) -> str:
        """
        For a terminal.
        """
        where = self.subsystem or self.module
        clock = self.time.partition("T")[2][:8] or self.time
        level = context.paint(self.level, _STYLES.get(self.level, "muted"))
        parts = (context.paint(clock, "muted"), level, context.paint(where, "accent") if where else "", self.message)
        return " ".join(filter(None, parts))


def parse_line(raw: str) -> LogEntry | None:
    """
    A line of the file, or ``None`` when it is none of ours.
    """
    try:
        record = json.loads(raw)
    except ValueError:
        return None
    meta = record.get("_meta") if isinstance(record, dict) else None
    if not isinstance(meta, dict):
        return None
    name = _name(meta.get("name"))
    # Numbered members are the arguments of the call; the first one repeats the name where there is one.
    values = [record[key] for key in sorted((key for key in record if key.isdecimal()), key=int)]
    if values and name and values[0] == meta.get("name"):
        del values[0]
    told = [value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in values]
    return LogEntry(
        time=str(record.get("time") or meta.get("date") or ""),
        level=str(meta.get("logLevelName", "info")).lower(),
        subsystem=name.get("subsystem"),
        module=name.get("module"),
        message=" ".join(told),
    )


def _name(text: object) -> dict[str, str]:
    try:
        name = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return {}
    return {key: str(value) for key, value in name.items()} if isinstance(name, dict) else {}


def _complain(context: Context, options: Namespace, target: Target, error: Exception) -> None:
    hint = f"Hint: run `{context.command('openclaw doctor')}`."
    if not options.json:
        # Without it who has the wrong token would look for a gateway that is not down.
        told = [f"Cause: {getattr(error, 'cause', None) or error}"]
        context.problem("\n".join([_UNREACHABLE, *target.lines(), *told, hint]))
        return
    block = "\n".join(target.lines())
    details = {"url": target.url, "urlSource": target.source, "bindDetail": target.bind, "message": block}
    record = {"type": "error", "message": _UNREACHABLE, "error": str(error), "details": details, "hint": hint}
    context.problem(json.dumps(record, ensure_ascii=False, separators=(",", ":")))
