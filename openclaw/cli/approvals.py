"""
``openclaw approvals``: the file that says which commands may run, here, at the gateway or on a node.
"""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from attrs import frozen

from openclaw.approvals.errors import ApprovalsChanged
from openclaw.approvals.file import approvals_path, read_approvals, set_approvals
from openclaw.cli.arguments import Arguments, add_client_options
from openclaw.cli.context import Context, age
from openclaw.cli.exits import TRY_AGAIN, CommandFailed, UsageError, unknown_command
from openclaw.cli.node_choice import matching
from openclaw.cli.rpc import connected
from openclaw.cli.tables import table, table_width
from openclaw.cli.target import read_config, resolve_target
from openclaw.client.errors import RequestFailed
from openclaw.config.issues import ConfigError
from openclaw.config.tokens import decode
from openclaw.protocol.approvals import ExecApprovalsFile
from openclaw.protocol.validate import violations

_USAGE = """\
approvals get
       openclaw approvals set --file <path>|--stdin
       openclaw approvals allowlist add|remove <pattern> [--agent <id>]"""
_HASH_MISSING = "Exec approvals hash missing; reload and retry."
_EVERYBODY = "*"

#: What only some of them take.
_NOT_OF: Mapping[str, tuple[str, ...]] = {
    "get": ("file", "stdin", "agent"),
    "set": ("agent",),
    "allowlist": ("file", "stdin"),
}

Snapshot = Mapping[str, Any]


class Source(Protocol):
    """
    One such file.
    """

    @property
    def target(self) -> str: ...

    def read(self) -> Snapshot:
        """
        As ``exec.approvals.get`` answers.
        """
        ...

    def write(self, file: Mapping[str, Any], base_hash: str) -> Snapshot: ...


def run(context: Context, arguments: Sequence[str]) -> int:
    """
    :return: the exit code.
    """
    parser = Arguments("approvals", "Which commands may run.", _USAGE)
    add_client_options(parser)
    parser.option("--gateway", action="store_true", help="the file of the gateway's machine")
    parser.option("--node", metavar="<node>", help="the file of a node: its id or name")
    parser.option("--file", metavar="<path>", help="set: where the new rules are")
    parser.option("--stdin", action="store_true", help="set: read the new rules from standard input")
    parser.option("--agent", metavar="<id>", help='allowlist: whose list (default: "*", everybody\'s)')
    options, words = parser.split(arguments)
    name = words.pop(0) if words else "get"
    if name not in _NOT_OF:
        raise unknown_command(name, _NOT_OF, parent="approvals")
    parser.command = f"approvals {name}"
    parser.check_options(options, *_NOT_OF[name])
    if options.gateway and options.node:
        raise UsageError("--gateway and --node exclude each other")
    action: Callable[[Source], Snapshot | None] = _get
    if name == "set":
        parser.check_words(words, ())
        file = _given(context, options)
        action = lambda source: _write(source, source.read(), file)  # noqa: E731 - closes over what was given
    elif name == "allowlist":
        action = _allowlist(context, parser, options, words)
    else:
        parser.check_words(words, ())
    with _source(context, options) as source:
        snapshot = action(source)
        if snapshot is not None:
            _show(context, options, source.target, snapshot)
    return 0


def _get(source: Source) -> Snapshot:
    return source.read()


def _allowlist(
    context: Context, parser: Arguments, options: Namespace, words: list[str]
) -> Callable[[Source], Snapshot | None]:
    change = words.pop(0) if words else ""
    if change not in ("add", "remove"):
        raise unknown_command(change, ("add", "remove"), parent="approvals allowlist")
    parser.command = f"approvals allowlist {change}"
    parser.check_words(words, ("pattern",))
    pattern = words[0].strip()
    if not pattern:
        raise UsageError("Pattern required.")
    agent_id = (options.agent or _EVERYBODY).strip() or _EVERYBODY

    def act(source: Source) -> Snapshot | None:
        found = source.read()
        file = found["file"]
        agents = dict(file.get("agents") or {})
        agent = dict(agents.get(agent_id) or {})
        before = list(agent.get("allowlist") or ())
        if change == "add":
            if any(entry["pattern"] == pattern for entry in before):
                context.line("Already allowlisted.")
                return None
            after = [*before, {"pattern": pattern, "lastUsedAt": int(context.now() * 1000)}]
        else:
            after = [entry for entry in before if entry["pattern"] != pattern]
            if len(after) == len(before):
                context.line("Pattern not found.")
                return None
        agents[agent_id] = {**agent, "allowlist": after}
        return _write(source, found, {**file, "agents": agents})

    return act


def _write(source: Source, found: Snapshot, file: Mapping[str, Any]) -> Snapshot:
    """
    :raise CommandFailed: the file has changed since it was found.
    """
    if not found.get("hash"):
        raise CommandFailed(_HASH_MISSING)
    try:
        return source.write(file, found["hash"])
    except ApprovalsChanged as error:
        raise CommandFailed(str(error), TRY_AGAIN) from error


def _given(context: Context, options: Namespace) -> Mapping[str, Any]:
    """
    The rules that were given.

    :raise UsageError: they are none.
    """
    if bool(options.file) == bool(options.stdin):
        raise UsageError("Use either --file or --stdin (not both)." if options.file else "Provide --file or --stdin.")
    try:
        text = sys.stdin.read() if options.stdin else (context.directory / options.file).read_text(encoding="utf-8")
        file = decode(text)
    except (ConfigError, UnicodeDecodeError) as error:
        raise UsageError(f"these are no approvals: {error}") from error
    wrong = violations(ExecApprovalsFile, file)
    if wrong is not None or not isinstance(file, dict):
        raise UsageError(f"these are no approvals: {wrong}")
    return file


# -- where the file is ------------------------------------------------------------------------------------------------


@frozen
class Local:
    """
    The file of this machine, without a gateway.
    """

    context: Context
    target: str = "local"

    def read(self) -> Snapshot:
        return read_approvals(approvals_path(self.context.home)).shown()

    def write(self, file: Mapping[str, Any], base_hash: str) -> Snapshot:
        return set_approvals(approvals_path(self.context.home), file, base_hash).shown()


@frozen
class Remote:
    """
    A file that the gateway asks for.

    :ivar ask: sends a request.
    :ivar params: of every request.
    """

    target: str
    ask: Callable[[str, Mapping[str, Any]], Any]
    method: str = "exec.approvals"
    params: Mapping[str, Any] = {}

    def read(self) -> Snapshot:
        return self._checked(self.ask(f"{self.method}.get", self.params))

    def write(self, file: Mapping[str, Any], base_hash: str) -> Snapshot:
        return self._checked(self.ask(f"{self.method}.set", {**self.params, "file": file, "baseHash": base_hash}))

    def _checked(self, answer: Any) -> Snapshot:
        if not isinstance(answer, dict) or not isinstance(answer.get("file"), dict):
            raise CommandFailed(f"Error: {self.target} did not answer with its approvals.")
        return answer


@contextmanager
def _source(context: Context, options: Namespace) -> Any:
    if not options.gateway and not options.node:
        yield Local(context)
        return
    target = resolve_target(context, options, read_config(context))
    with connected(context, options, target) as client:

        def ask(method: str, params: Mapping[str, Any]) -> Any:
            return client.call(method, params, timeout=options.timeout / 1000)

        if options.gateway:
            yield Remote("gateway", ask)
            return
        node_id = _node_id(options.node.strip(), ask)
        # A node has its own half minute to answer.
        options.timeout = max(options.timeout, 35_000)
        yield Remote(f"node:{node_id}", ask, "exec.approvals.node", {"nodeId": node_id})


def _node_id(name: str, ask: Callable[[str, Mapping[str, Any]], Any]) -> str:
    """
    The id of the node that somebody means; what they wrote where no node is known by that.

    :raise CommandFailed: it is known for several.
    """
    try:
        nodes = ask("node.list", {}).get("nodes") or []
    except RequestFailed:
        return name
    found = matching(name, nodes)
    if len(found) > 1:
        raise CommandFailed(f"Error: ambiguous node: {name} (matches: {', '.join(found)})")
    return found[0] if found else name


# -- showing ----------------------------------------------------------------------------------------------------------


def _show(context: Context, options: Namespace, target: str, snapshot: Snapshot) -> None:
    path = context.short(snapshot.get("path", ""))
    if options.json:
        told = {**snapshot, "path": path} if target == "local" else snapshot
        context.line(json.dumps(told, separators=(",", ":")))
        return
    if target == "local":
        context.line(context.paint("Showing local approvals.", "muted"))
    file = snapshot["file"]
    agents = file.get("agents") or {}
    entries = [
        (name, entry) for name, agent in agents.items() for entry in (agent or {}).get("allowlist") or () if entry
    ]
    rows = [
        ("Target", target),
        ("Path", path),
        ("Exists", "yes" if snapshot.get("exists") else "no"),
        ("Hash", snapshot.get("hash")),
        ("Version", file.get("version")),
        ("Socket", context.short((file.get("socket") or {}).get("path") or "default")),
        ("Defaults", _rules(file.get("defaults") or {})),
        ("Agents", len(agents)),
        ("Allowlist", len(entries)),
    ]
    width = table_width(context.out)
    for line in table(("Field", "Value"), rows, width):
        context.line(line)
    context.line()
    if not entries:
        context.line(context.paint("No allowlist entries.", "muted"))
        return
    now = context.now() * 1000
    listed = [(target, name, entry.get("pattern"), _used(entry, now)) for name, entry in entries]
    context.line(context.paint("Allowlist", "bold"))
    for line in table(("Target", "Agent", "Pattern", "Last used"), listed, width):
        context.line(line)


def _rules(rules: Mapping[str, Any]) -> str:
    words = {True: "on", False: "off"}
    return ", ".join(f"{name}={words.get(value, value)}" for name, value in rules.items()) or "none"


def _used(entry: Mapping[str, Any], now_ms: float) -> str:
    used = entry.get("lastUsedAt")
    return f"{age(now_ms - used)} ago" if isinstance(used, int | float) else "unknown"
