"""
``openclaw agents delete``: out of the configuration, and its files into the trash (``cli.md`` 11.2). What was said to
it stays in the database until its sessions are deleted.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from openclaw.cli.config import when
from openclaw.cli.config_change import change
from openclaw.cli.context import Context
from openclaw.cli.exits import CommandFailed
from openclaw.cli.target import dig, read_config
from openclaw.config.editor import unset_value
from openclaw.config.loader import Snapshot
from openclaw.config.paths import expand, state_dir, workspace_dir
from openclaw.config.tokens import decode

MAIN = "main"

_LIST = ("agents", "list")
_BINDINGS = ("bindings",)
_ALLOW = ("tools", "agentToAgent", "allow")


def delete(context: Context, options: Namespace) -> None:
    """
    :raise CommandFailed: it is not there, may not go, or nobody said that it should.
    """
    agent_id: str = options.words[0]
    snapshot = read_config(context)
    config = snapshot.require()
    if agent_id == MAIN:
        raise CommandFailed(f'Error: "{MAIN}" cannot be deleted.')
    if config.agents.find(agent_id) is None:
        raise CommandFailed(f'Error: Agent "{agent_id}" not found.')
    if not options.force:
        raise CommandFailed(f'Error: Its files would go to the trash. To delete "{agent_id}" type --force as well.')
    removed: dict[str, int] = {}

    def edit(text: str) -> str:
        told = decode(text)
        if agent_id not in _ids(dig(told, *_LIST)):
            raise CommandFailed("Error: agents.list is in a file that the configuration includes; change it there.")
        text = _without(text, _LIST, _numbers(dig(told, *_LIST), lambda entry: dig(entry, "id") == agent_id))
        bound = _numbers(dig(told, *_BINDINGS), lambda entry: dig(entry, "agentId") == agent_id)
        allowed = _numbers(dig(told, *_ALLOW), lambda entry: entry == agent_id)
        removed.update(bindings=len(bound), allow=len(allowed))
        return _without(_without(text, _BINDINGS, bound), _ALLOW, allowed)

    places = _places(context, snapshot, agent_id)
    done = change(context, edit)
    moved = [_to_trash(context, path) for path in _own(context, snapshot, agent_id, places)]
    if options.json:
        told = {name: str(path) for name, path in places.items()}
        counts = {"removedBindings": removed["bindings"], "removedAllow": removed["allow"]}
        context.json({"agentId": agent_id, **told, **counts})
        return
    context.line(f"Deleted agent: {agent_id}. {when(done.waits(_LIST))}")
    for path in moved:
        context.line(f"In the trash: {context.short(path)}")
    context.line("What was said to it is still in the database; sessions.delete removes it.")


def _ids(entries: Any) -> list[Any]:
    return [dig(entry, "id") for entry in entries] if isinstance(entries, list) else []


def _numbers(entries: Any, meant: Any) -> Sequence[int]:
    """
    Which elements of a list are meant; none where there is no list.
    """
    return [number for number, entry in enumerate(entries) if meant(entry)] if isinstance(entries, list) else []


def _without(text: str, path: tuple[str, ...], numbers: Sequence[int]) -> str:
    for number in reversed(numbers):
        text = unset_value(text, (*path, number))
    return text


def _places(context: Context, snapshot: Snapshot, agent_id: str) -> dict[str, Path]:
    config = snapshot.require()
    entry = config.agents.find(agent_id)
    own = state_dir(context.environ, context.home) / "agents" / agent_id
    named = entry.agent_dir if entry is not None else None
    return {
        "workspace": workspace_dir(context.environ, context.home, config, agent_id),
        "agentDir": expand(named, context.home) if named else own / "agent",
        "sessionsDir": own / "sessions",
    }


def _own(context: Context, snapshot: Snapshot, agent_id: str, places: dict[str, Path]) -> Iterable[Path]:
    """
    The places that no other agent uses.
    """
    config = snapshot.require()
    others = [entry.id for entry in config.agents.list if entry.id != agent_id] or [config.agents.default_id]
    used = {place for other in others for place in _places(context, snapshot, other).values()}
    for place in places.values():
        if not any(other == place or place in other.parents for other in used) and place.is_dir():
            yield place


def _to_trash(context: Context, path: Path) -> Path:
    """
    Move a directory aside, where people look for what they have deleted.
    """
    # Not every command needs it, and each pays for it.
    import shutil

    trash = context.home / ".Trash"
    trash.mkdir(mode=0o700, exist_ok=True)
    target = trash / f"{path.name}-{int(context.now() * 1000)}"
    number = 2
    while target.exists():
        target = trash / f"{path.name}-{int(context.now() * 1000)}-{number}"
        number += 1
    try:
        shutil.move(path, target)
    except OSError as error:
        raise CommandFailed(f"{path} could not be moved to the trash: {error.strerror}") from error
    return target
