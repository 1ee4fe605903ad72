"""
``openclaw sessions``: conversations, as the gateway lists them.
"""

from __future__ import annotations

from argparse import SUPPRESS, Namespace
from collections.abc import Mapping, Sequence
from typing import Any

from openclaw.cli.arguments import Arguments, add_client_options
from openclaw.cli.context import Context, age
from openclaw.cli.exits import UsageError
from openclaw.cli.rpc import call
from openclaw.cli.tables import table, table_width

_FLAGS = {
    "thinkingLevel": "think",
    "verboseLevel": "verbose",
    "reasoningLevel": "reasoning",
    "elevatedLevel": "elevated",
    "sendPolicy": "send",
}


def run(context: Context, arguments: Sequence[str]) -> int:
    """
    :return: the exit code.
    """
    parser = Arguments("sessions", "List conversations.")
    add_client_options(parser)
    parser.option("--active", metavar="<minutes>", help="only those touched within this time")
    parser.option("--limit", metavar="<n>", help="at most so many")
    parser.option("--agent", metavar="<id>", help="only those of one agent")
    parser.option("--verbose", action="store_true", help="session ids, too")
    parser.option("--store", help=SUPPRESS)
    options = parser.take(arguments)
    if options.store is not None:
        raise UsageError(
            "--store is not here: the gateway lists its own conversations, which are in its database;"
            " a gateway reads the store of another version once, when it starts on that state directory"
        )
    active = _count(options, "active", " (minutes)")
    asked = {"activeMinutes": active, "limit": _count(options, "limit", ""), "agentId": options.agent}
    params = {"includeGlobal": True, "includeUnknown": True}
    listed = call(context, options, "sessions.list", params | {k: v for k, v in asked.items() if v is not None})
    now = context.now() * 1000
    rows = [_with_age(row, now) for row in listed.get("sessions") or []]
    if options.json:
        context.json({"path": listed.get("path"), "count": len(rows), "activeMinutes": active, "sessions": rows})
        return 0
    context.line(f"Session store: {context.short(listed.get('path') or '')}")
    context.line(f"Sessions listed: {len(rows)}")
    if not rows:
        context.line("No sessions found.")
        return 0
    columns = ["Kind", "Key", "Age", "Model", "Tokens", "Flags", *(["Session"] if options.verbose else [])]
    default = listed.get("defaults") or {}
    cells = [[*_cells(row, default), *([row.get("sessionId")] if options.verbose else [])] for row in rows]
    for line in table(columns, cells, table_width(context.out)):
        context.line(line)
    return 0


def _count(options: Namespace, name: str, unit: str) -> int | None:
    text = getattr(options, name)
    if text is None:
        return None
    if not text.isdecimal() or int(text) <= 0:
        raise UsageError(f"--{name} must be a positive integer{unit}")
    return int(text)


def _with_age(row: Mapping[str, Any], now: float) -> dict[str, Any]:
    """
    The row with its age in milliseconds behind the time of its last activity, as in ``cli.md`` 11.3.
    """
    dated = dict[str, Any]()
    for name, value in row.items():
        dated[name] = value
        if name == "updatedAt":
            dated["ageMs"] = max(int(now - value), 0) if isinstance(value, int | float) else None
    return dated


def _cells(row: Mapping[str, Any], default: Mapping[str, Any]) -> list[object]:
    return [
        row.get("kind"),
        row.get("key"),
        age(row.get("ageMs")),
        row.get("model") or default.get("model"),
        tokens(row, default),
        " ".join(flags(row)),
    ]


def tokens(row: Mapping[str, Any], default: Mapping[str, Any]) -> str:
    """
    Tokens used of those that fit, for people.
    """
    used, most = row.get("totalTokens"), row.get("contextTokens") or default.get("contextTokens")
    if not isinstance(used, int | float):
        return "-"
    if not isinstance(most, int | float) or not most:
        return f"{used / 1000:.1f}k"
    return f"{used / 1000:.1f}k/{round(most / 1000)}k ({round(100 * used / most)}%)"


def flags(row: Mapping[str, Any]) -> list[str]:
    """
    What is special about a conversation.
    """
    if isinstance(row.get("flags"), list):
        return [str(flag) for flag in row["flags"]]
    named = [f"{short}:{row[name]}" for name, short in _FLAGS.items() if row.get(name)]
    return [*named, *(["system"] if row.get("systemSent") else []), *(["aborted"] if row.get("abortedLastRun") else [])]
