"""
``openclaw agents``: the agents of the configuration (``cli.md`` 11.2).
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from openclaw.cli.agents_delete import delete
from openclaw.cli.arguments import Arguments
from openclaw.cli.config import when
from openclaw.cli.config_change import change
from openclaw.cli.context import Context
from openclaw.cli.exits import CommandFailed, UsageError, unknown_command
from openclaw.cli.target import dig, read_config
from openclaw.config.editor import set_value
from openclaw.config.loader import Snapshot
from openclaw.config.paths import expand, state_dir, workspace_dir
from openclaw.config.tokens import decode

_USAGE = """\
agents list [--bindings] [--json]
       openclaw agents add <id> --workspace <dir> [--name <name>] [--model <model>] [--agent-dir <dir>] [--json]
       openclaw agents delete <id> --force [--json]
       openclaw agents set-identity [--agent <id>] [--name <name>] [--theme <text>] [--emoji <emoji>]
              [--avatar <picture>] [--json]"""
_WORDS: Mapping[str, tuple[str, ...]] = {"list": (), "add": ("id",), "delete": ("id",), "set-identity": ()}
_IDENTITY = ("name", "theme", "emoji", "avatar")
_OPTIONS = ("workspace", "model", "agent", "agent_dir", "bind", "bindings", "force", "non_interactive", *_IDENTITY)
_TAKES: Mapping[str, tuple[str, ...]] = {
    "list": ("bindings",),
    "add": ("workspace", "model", "name", "agent_dir", "bind", "non_interactive"),
    "delete": ("force",),
    "set-identity": ("agent", *_IDENTITY),
}
_LIST = ("agents", "list")


def run(context: Context, arguments: Sequence[str]) -> int:
    """
    :return: the exit code.
    """
    parser = Arguments("agents", "The agents of the configuration.", _USAGE)
    parser.option("--workspace", metavar="<dir>", help="add: where its files are")
    parser.option("--model", metavar="<model>", help="add: which model it uses (default: as all do)")
    parser.option("--agent-dir", metavar="<dir>", help="add: where its state is")
    parser.option("--bind", metavar="<channel>", action="append", help="add: a channel whose messages it gets")
    parser.option("--bindings", action="store_true", help="list: also which channels lead to them")
    parser.option("--force", action="store_true", help="delete: do it")
    parser.option("--non-interactive", action="store_true", help="add: ask nothing, as this command never does")
    parser.option("--agent", metavar="<id>", help="set-identity: whose (default: the default agent's)")
    parser.option("--name", metavar="<name>", help="add, set-identity: what it is called")
    parser.option("--theme", metavar="<text>", help="set-identity: what it is like")
    parser.option("--emoji", metavar="<emoji>", help="set-identity: a sign of its own")
    parser.option("--avatar", metavar="<picture>", help="set-identity: address, or a file in its workspace")
    parser.option("--json", action="store_true", help="print JSON")
    options, words = parser.split(arguments)
    name = words.pop(0) if words else "list"
    if name not in _WORDS:
        raise unknown_command(name, _WORDS, parent="agents")
    parser.command = f"agents {name}"
    parser.check_words(words, _WORDS[name])
    parser.check_options(options, *(option for option in _OPTIONS if option not in _TAKES[name]))
    options.words = words
    commands: Mapping[str, Callable[[Context, Namespace], None]] = {
        "list": _list,
        "add": _add,
        "delete": delete,
        "set-identity": _set_identity,
    }
    commands[name](context, options)
    return 0


def _list(context: Context, options: Namespace) -> None:
    rows = _rows(context, read_config(context), options.bindings)
    if options.json:
        context.json(rows)
        return
    for row in rows:
        called = f" ({row['name']})" if row.get("name") else ""
        context.line(f"- {row['id']}{called}{' (default)' if row['isDefault'] else ''}")
        context.line(f"  Workspace: {context.short(row['workspace'])}")
        context.line(f"  Agent dir: {context.short(row['agentDir'])}")
        if row.get("model"):
            context.line(f"  Model: {row['model']}")
        context.line(f"  Routing rules: {row['bindings']}")
        if not row["bindings"] and row["isDefault"]:
            context.line("  Routing: default (no explicit rules)")
        for told in row.get("bindingDetails", ()):
            context.line(f"  - {told}")


def _rows(context: Context, snapshot: Snapshot, bindings: bool) -> list[dict[str, Any]]:
    """
    :param bindings: whether to tell which channels lead to each.
    """
    config = snapshot.require()
    default = config.agents.default_id
    rows = []
    for agent_id in [agent.id for agent in config.agents.list] or [default]:
        agent = config.agents.find(agent_id)
        bound = [one for one in dig(snapshot.config, "bindings") or () if dig(one, "agentId") == agent_id]
        model = agent.model.primary if agent is not None and agent.model is not None else None
        told = {
            "id": agent_id,
            "name": agent.name if agent is not None else None,
            "identityName": agent.identity.name if agent is not None else None,
            "identityEmoji": agent.identity.emoji if agent is not None else None,
            "workspace": str(workspace_dir(context.environ, context.home, config, agent_id)),
            "agentDir": str(_agent_dir(context, agent_id, agent.agent_dir if agent is not None else None)),
            "model": model or config.agents.defaults.model.primary,
            "bindings": len(bound),
            "bindingDetails": [_route(binding) for binding in bound] if bindings else None,
            "isDefault": agent_id == default,
        }
        rows.append({name: value for name, value in told.items() if value is not None})
    return rows


def _agent_dir(context: Context, agent_id: str, named: str | None) -> Path:
    if named:
        return expand(named, context.home)
    return state_dir(context.environ, context.home) / "agents" / agent_id / "agent"


def _route(binding: Any) -> str:
    """
    One of ``bindings`` for people: ``telegram accountId=work``.
    """
    match = dig(binding, "match") or {}
    more = [f"{name}={value}" for name, value in match.items() if name != "channel" and isinstance(value, str)]
    return " ".join([str(match.get("channel", "")), *more])


def _add(context: Context, options: Namespace) -> None:
    from openclaw.agent.workspace import ensure_workspace
    from openclaw.sessions.keys import normalize_agent_id

    agent_id = options.words[0]
    if agent_id != normalize_agent_id(agent_id):
        raise UsageError(f'"{agent_id}" is no id of an agent; "{normalize_agent_id(agent_id)}" would be')
    if not options.workspace:
        raise UsageError("required option '--workspace <dir>' not specified")
    workspace = expand(options.workspace, context.home)
    for channel in options.bind or ():
        # There is none yet that could be bound.
        raise CommandFailed(f'Unknown channel "{channel.partition(":")[0]}".')
    agent_dir = str(_agent_dir(context, agent_id, options.agent_dir)) if options.agent_dir else None
    entry = {
        "id": agent_id,
        "name": options.name,
        "workspace": str(workspace),
        "agentDir": agent_dir,
        "model": options.model,
    }
    entry = {name: value for name, value in entry.items() if value is not None}
    snapshot = read_config(context)
    default = snapshot.require().agents.default_id

    def edit(text: str) -> str:
        ids = _ids(text, snapshot)
        if agent_id in (ids or [default]):
            raise CommandFailed(f'Error: Agent "{agent_id}" exists already.')
        if not ids:
            # Without a list there is the default agent, which must not vanish behind the first entry.
            return set_value(text, _LIST, [{"id": default}, entry])
        return set_value(text, (*_LIST, len(ids)), entry)

    done = change(context, edit)
    if dig(snapshot.config, "agents", "defaults", "skipBootstrap") is True:
        workspace.mkdir(parents=True, exist_ok=True)
    else:
        ensure_workspace(workspace)
    if options.json:
        told = {"agentId": agent_id, "name": options.name or agent_id, **entry}
        told["agentDir"] = agent_dir or str(_agent_dir(context, agent_id, None))
        bindings: Mapping[str, list[str]] = {"added": [], "skipped": [], "conflicts": []}
        context.json({**{name: value for name, value in told.items() if name != "id"}, "bindings": bindings})
    else:
        context.line(f"Agent: {agent_id}. Workspace: {context.short(workspace)}. {when(done.waits(_LIST))}")


def _set_identity(context: Context, options: Namespace) -> None:
    given = {name: getattr(options, name) for name in _IDENTITY if getattr(options, name) is not None}
    if not given:
        raise UsageError("give at least one of --name, --theme, --emoji, --avatar")
    snapshot = read_config(context)
    default = snapshot.require().agents.default_id
    agent_id = options.agent or default

    def edit(text: str) -> str:
        ids = _ids(text, snapshot)
        if agent_id not in (ids or [default]):
            raise CommandFailed(f'Error: Unknown agent id "{agent_id}". Use "openclaw agents list" to see them.')
        if not ids:
            return set_value(text, _LIST, [{"id": agent_id, "identity": given}])
        at = (*_LIST, ids.index(agent_id), "identity")
        for name, value in given.items():
            text = set_value(text, (*at, name), value)
        return text

    done = change(context, edit)
    if options.json:
        context.json({"agentId": agent_id, "identity": given})
    else:
        context.line(f"Identity of {agent_id}: {', '.join(given)}. {when(done.waits(_LIST))}")


def _ids(text: str, snapshot: Snapshot) -> list[str]:
    """
    The ids of the list in the file's own text, in its order.

    :raise CommandFailed: part of the list is from an included file, which is not written to.
    """
    listed = dig(decode(text), *_LIST)
    ids = [dig(entry, "id") for entry in listed] if isinstance(listed, list) else []
    included = {agent.id for agent in snapshot.require().agents.list} - set(ids)
    if included or None in ids:
        raise CommandFailed("Error: agents.list is in a file that the configuration includes; change it there.")
    return ids
