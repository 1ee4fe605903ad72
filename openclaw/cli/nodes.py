"""
``openclaw nodes``: the nodes, who of them waits to be let in, and what they are asked.
"""

from __future__ import annotations

import json
import re
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import frozen

from openclaw.cli import node_devices
from openclaw.cli.arguments import Arguments, add_client_options, positive
from openclaw.cli.context import Context, age
from openclaw.cli.exits import UsageError, unknown_command
from openclaw.cli.node_choice import shown
from openclaw.cli.node_link import Asking, Node, asking, invoke, required
from openclaw.cli.tables import plain, table, table_width

_USAGE = """\
nodes status [--connected] [--last-connected <duration>]
       openclaw nodes list [--connected] [--last-connected <duration>]
       openclaw nodes describe --node <node>
       openclaw nodes pending
       openclaw nodes approve|reject <requestId>
       openclaw nodes rename --node <node> --name <name>
       openclaw nodes invoke --node <node> --command <command> [--params <json>]
       openclaw nodes notify|canvas|camera|screen|location|run --help"""

#: How long a node has to answer, in milliseconds.
INVOKE_MS = 15_000

_UNITS = {"": 1, "ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def run(context: Context, arguments: Sequence[str]) -> int:
    """
    :return: the exit code.
    """
    first = next((word for word in arguments if not word.startswith("-")), "")
    if node_devices.begins(first):
        return node_devices.run(context, arguments)
    parser = Arguments("nodes", "The nodes, and what they are asked.", _USAGE)
    add_client_options(parser)
    parser.option("--connected", action="store_true", help="status, list: only those that are connected")
    parser.option(
        "--last-connected", metavar="<duration>", help="status, list: only those that were in that time: 24h, 7d"
    )
    parser.option("--node", metavar="<node>", help="describe, rename, invoke: id, name, address, or how the id begins")
    parser.option("--name", metavar="<name>", help="rename: what it is called from now on")
    parser.option("--command", metavar="<command>", help="invoke: what it is asked")
    parser.option("--params", metavar="<json>", help="invoke: with which parameters")
    parser.option(
        "--invoke-timeout", metavar="<ms>", type=positive, help=f"invoke: how long it has (default {INVOKE_MS})"
    )
    parser.option("--idempotency-key", metavar="<key>", help="invoke: tells a repeated question from a new one")
    options, words = parser.split(arguments)
    name = words.pop(0) if words else "status"
    if name not in COMMANDS:
        raise unknown_command(name, (*COMMANDS, *node_devices.GROUPS), parent="nodes")
    command = COMMANDS[name]
    parser.command = f"nodes {name}"
    parser.check_words(words, command.words)
    parser.check_options(options, *(option for option in _OPTIONS if option not in command.options))
    options.words = words
    command.check(options)
    with asking(context, options, name) as ask:
        command.work(ask)
    return 0


# -- lists ------------------------------------------------------------------------------------------------------------


def _status(ask: Asking) -> None:
    listed = ask.call("node.list", {})
    nodes = _wanted(ask, listed.get("nodes") or [])
    context = ask.context
    if ask.options.json:
        context.json({"ts": listed.get("ts"), "nodes": nodes})
        return
    paired = sum(bool(node.get("paired")) for node in nodes)
    here = sum(bool(node.get("connected")) for node in nodes)
    context.line(f"Known: {len(nodes)} · Paired: {paired} · Connected: {here}")
    now = context.now() * 1000
    rows = [
        (
            shown(node),
            node["nodeId"],
            node.get("remoteIp"),
            _detail(node),
            _state(node, now),
            ", ".join(node.get("caps") or ()),
        )
        for node in nodes
    ]
    _print(context, ("Node", "ID", "IP", "Detail", "Status", "Caps"), rows)


def _detail(node: Node) -> str:
    facts = (node.get("platform"), node.get("deviceFamily"), node.get("modelIdentifier"), node.get("version"))
    return " · ".join(str(fact) for fact in facts if fact)


def _state(node: Node, now_ms: float) -> str:
    since = node.get("connectedAtMs")
    here = "connected" if node.get("connected") else "disconnected"
    if node.get("connected") and since is not None:
        here = f"{here} for {age(now_ms - since)}"
    return f"{'paired' if node.get('paired') else 'unpaired'} · {here}"


def _wanted(ask: Asking, nodes: Sequence[Node]) -> list[Node]:
    """
    Those that ``--connected`` and ``--last-connected`` leave.
    """
    options = ask.options
    found = [node for node in nodes if node.get("connected") or not options.connected]
    if options.last_connected is None:
        return found
    since = ask.context.now() * 1000 - duration_ms(options.last_connected)
    paired = ask.call("node.pair.list", {}).get("paired") or []
    seen = {node["nodeId"]: node.get("lastConnectedAtMs") or 0 for node in paired}
    return [node for node in found if node.get("connected") or max(seen.get(node["nodeId"], 0), last(node)) >= since]


def last(node: Node) -> int:
    """
    When a node was last connected, as far as it says itself.
    """
    return max(int(node.get("connectedAtMs") or 0), int(node.get("lastConnectedAtMs") or 0))


def duration_ms(text: str) -> float:
    """
    :raise UsageError: it is no span of time.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|)", text.strip().lower())
    if found is None:
        raise UsageError("--last-connected must be a duration, such as 24h or 7d")
    return float(found[1]) * _UNITS[found[2]]


def _list(ask: Asking) -> None:
    listed = ask.call("node.pair.list", {})
    pending, paired = listed.get("pending") or [], listed.get("paired") or []
    options, context = ask.options, ask.context
    if options.connected or options.last_connected is not None:
        here = {node["nodeId"] for node in ask.nodes() if node.get("connected")}
        if options.connected:
            paired = [node for node in paired if node["nodeId"] in here]
        if options.last_connected is not None:
            since = context.now() * 1000 - duration_ms(options.last_connected)
            paired = [node for node in paired if node["nodeId"] in here or last(node) >= since]
    if options.json:
        context.json({"pending": pending, "paired": paired})
        return
    context.line(f"Pending: {len(pending)} · Paired: {len(paired)}")
    now = context.now() * 1000
    if pending:
        context.line(context.paint("Pending", "bold"))
        _print_pending(context, pending, now)
    if paired:
        context.line(context.paint("Paired", "bold"))
        rows = [
            (
                shown(node),
                node["nodeId"],
                node.get("remoteIp"),
                f"{age(now - last(node))} ago" if last(node) else "unknown",
            )
            for node in paired
        ]
        _print(context, ("Node", "ID", "IP", "Last Connect"), rows)


def _pending(ask: Asking) -> None:
    pending = ask.call("node.pair.list", {}).get("pending") or []
    if ask.options.json:
        ask.context.json(pending)
    elif not pending:
        ask.context.line("No pending pairing requests.")
    else:
        _print_pending(ask.context, pending, ask.context.now() * 1000)


def _print_pending(context: Context, pending: Sequence[Node], now: float) -> None:
    rows = [
        (
            request.get("requestId"),
            shown(request),
            request.get("remoteIp"),
            f"{age(now - request['ts'])} ago" if "ts" in request else "",
            "yes" if request.get("isRepair") else "",
        )
        for request in pending
    ]
    _print(context, ("Request", "Node", "IP", "Requested", "Repair"), rows)


def _print(context: Context, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    for line in table(columns, rows, table_width(context.out)) if rows else ():
        context.line(line)


# -- one node ---------------------------------------------------------------------------------------------------------


def _describe(ask: Asking) -> None:
    told = ask.call("node.describe", {"nodeId": ask.node()})
    if ask.options.json:
        ask.context.json(told)
        return
    now = ask.context.now() * 1000
    rows = [
        ("ID", told.get("nodeId")),
        ("Name", told.get("displayName")),
        ("IP", told.get("remoteIp")),
        ("Device", " ".join(filter(None, (told.get("deviceFamily"), told.get("modelIdentifier"))))),
        ("Platform", told.get("platform")),
        ("Version", told.get("version")),
        ("Status", _state(told, now)),
        ("Caps", ", ".join(told.get("caps") or ())),
        (
            "Permissions",
            ", ".join(f"{name}={'yes' if held else 'no'}" for name, held in (told.get("permissions") or {}).items()),
        ),
        ("PATH", told.get("pathEnv")),
    ]
    _print(ask.context, ("Field", "Value"), [row for row in rows if row[1]])
    ask.context.line("Commands")
    for command in told.get("commands") or ("(none)",):
        ask.context.line(f"- {plain(command)}")


def _approve(ask: Asking) -> None:
    ask.context.json(ask.call("node.pair.approve", {"requestId": ask.options.words[0]}))


def _reject(ask: Asking) -> None:
    ask.context.json(ask.call("node.pair.reject", {"requestId": ask.options.words[0]}))


def _rename(ask: Asking) -> None:
    told = ask.call("node.rename", {"nodeId": ask.node(), "displayName": ask.options.name.strip()})
    if ask.options.json:
        ask.context.json(told)
    else:
        ask.context.line(f"node rename ok: {told.get('nodeId')} -> {plain(str(told.get('displayName')))}")


def _invoke(ask: Asking) -> None:
    options = ask.options
    ask.context.json(invoke(ask, ask.node(), options.command.strip(), _params(options), default_ms=INVOKE_MS))


def _params(options: Namespace) -> Any:
    if options.params is None:
        return {}
    try:
        return json.loads(options.params)
    except json.JSONDecodeError as error:
        raise UsageError(f"--params is no JSON: {error}") from error


@frozen(kw_only=True)
class Subcommand:
    """
    One of them.

    :ivar options: those that it takes of the ones that not all take.
    :ivar needed: of these, those that it cannot do without.
    """

    work: Callable[[Asking], None]
    words: Sequence[str] = ()
    options: Sequence[str] = ()
    needed: Sequence[str] = ()

    def check(self, options: Namespace) -> None:
        """
        :raise UsageError: something is missing or makes no sense.
        """
        for name in self.needed:
            required(options, name)
        if options.last_connected is not None:
            duration_ms(options.last_connected)
        _params(options)


_OPTIONS = ("connected", "last_connected", "node", "name", "command", "params", "invoke_timeout", "idempotency_key")
_SEEN = ("connected", "last_connected")
_ASKED = ("node", "command", "params", "invoke_timeout", "idempotency_key")

COMMANDS: Mapping[str, Subcommand] = {
    "status": Subcommand(work=_status, options=_SEEN),
    "list": Subcommand(work=_list, options=_SEEN),
    "describe": Subcommand(work=_describe, options=("node",), needed=("node",)),
    "pending": Subcommand(work=_pending),
    "approve": Subcommand(work=_approve, words=("requestId",)),
    "reject": Subcommand(work=_reject, words=("requestId",)),
    "rename": Subcommand(work=_rename, options=("node", "name"), needed=("node", "name")),
    "invoke": Subcommand(work=_invoke, options=_ASKED, needed=("node", "command")),
}
