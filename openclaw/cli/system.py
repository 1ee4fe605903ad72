"""
``openclaw system``: telling the agent something, heartbeats, and who is here.
"""

from __future__ import annotations

from collections.abc import Sequence

from openclaw.cli.arguments import Arguments, add_client_options
from openclaw.cli.context import Context
from openclaw.cli.exits import CommandFailed, UsageError, unknown_command
from openclaw.cli.rpc import call

_USAGE = """\
system event --text <text> [--mode now|next-heartbeat]
       openclaw system heartbeat last|enable|disable
       openclaw system presence"""
_COMMANDS = ("event", "heartbeat", "presence")
_HEARTBEAT = ("last", "enable", "disable")


def run(context: Context, arguments: Sequence[str]) -> int:
    """
    :return: the exit code.
    """
    parser = Arguments("system", "Tell the agent something; heartbeats; who is here.", _USAGE)
    add_client_options(parser)
    parser.option("--text", metavar="<text>", help="event: what the agent is told")
    parser.option("--mode", metavar="<now|next-heartbeat>", help="event: when (next-heartbeat)")
    options, words = parser.split(arguments)
    name = words.pop(0) if words else ""
    if name not in _COMMANDS:
        raise (
            unknown_command(name, _COMMANDS, parent="system")
            if name
            else UsageError("missing required argument 'command'")
        )
    parser.command = f"system {name}"
    parser.check_words(words, ("action",) if name == "heartbeat" else ())
    parser.check_options(options, *(() if name == "event" else ("text", "mode")))
    if name == "presence":
        context.json(call(context, options, "system-presence", {}))
    elif name == "heartbeat":
        (action,) = words
        if action not in _HEARTBEAT:
            raise unknown_command(action, _HEARTBEAT, parent="system heartbeat")
        if action == "last":
            context.json(call(context, options, "last-heartbeat", {}))
        else:
            context.json(call(context, options, "set-heartbeats", {"enabled": action == "enable"}))
    else:
        if not (options.text or "").strip():
            raise CommandFailed("Error: --text is required")
        mode = options.mode or "next-heartbeat"
        if mode not in ("now", "next-heartbeat"):
            raise CommandFailed("Error: --mode must be now or next-heartbeat")
        answer = call(context, options, "wake", {"mode": mode, "text": options.text})
        if options.json:
            context.json(answer)
        else:
            context.line("ok")
    return 0
