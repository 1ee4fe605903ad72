"""
Old keys carried to where they belong now, for ``doctor --fix``: plain values in, plain values out.

What stands at the new place already is kept: the old key is then only removed. Values are never read for what they
mean, so that ``${NAME}`` and ``$include`` go along as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from openclaw.config.issues import ConfigError
from openclaw.config.raw import dig
from openclaw.config.schema import KeyPath

Tree = dict[str, Any]

_CHANNELS = ("whatsapp", "telegram", "discord", "slack", "signal", "imessage", "msteams")
_MENTIONING = ("whatsapp", "telegram", "imessage")

#: From, to; in this order, since later ones find what earlier ones have moved.
_MOVES: tuple[tuple[KeyPath, KeyPath], ...] = (
    *(((name,), ("channels", name)) for name in _CHANNELS),
    (("routing", "bindings"), ("bindings",)),
    (("routing", "agentToAgent"), ("tools", "agentToAgent")),
    (("routing", "groupChat", "mentionPatterns"), ("messages", "groupChat", "mentionPatterns")),
    (("routing", "groupChat", "historyLimit"), ("messages", "groupChat", "historyLimit")),
    (("routing", "queue"), ("messages", "queue")),
    (("messages", "queue", "byProvider"), ("messages", "queue", "byChannel")),
    (("agent", "tools", "allow"), ("tools", "allow")),
    (("agent", "tools", "deny"), ("tools", "deny")),
    (("agent", "elevated"), ("tools", "elevated")),
    (("agent", "bash"), ("tools", "exec")),
    (("agent", "sandbox", "tools"), ("tools", "sandbox", "tools")),
    (("agent", "subagents", "tools"), ("tools", "subagents", "tools")),
    (("tools", "bash"), ("tools", "exec")),
    (("gateway", "token"), ("gateway", "auth", "token")),
)

#: Members of an array's objects: array, from, to.
_RENAMES: tuple[tuple[KeyPath, str, str], ...] = (
    (("bindings",), "provider", "channel"),
    (("bindings",), "accountID", "accountId"),
    (("session", "sendPolicy", "rules"), "provider", "channel"),
)


class CannotMigrate(ConfigError):
    """
    A value on the way is of another kind than its key has; people have to look first.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(path)

    def __str__(self) -> str:
        return f"Old keys cannot be moved while {self.path} is not what it should be."


def migrate(config: Tree) -> tuple[Tree, list[str]]:
    """
    A configuration with its old keys moved.

    :param config: as the file has it, before includes and variables.
    :return: the new one, and what was done, a sentence for each change.
    :raise CannotMigrate: it holds values of wrong kinds, which validation tells of, too.
    """
    moved = deepcopy(config)
    changes: list[str] = []
    for source, target in _MOVES:
        changes.extend(_move(moved, source, target))
    for step in (_rename, _allow_from, _mentions, _agents, _identity, _models, _agent, _speech, _transcription):
        changes.extend(step(moved))
    _drop_empty(moved, ("routing", "groupChat"))
    _drop_empty(moved, ("routing",))
    return moved, changes


def _take(tree: Tree, path: KeyPath) -> Any:
    """
    Remove a value and return it; ``None`` when there is none.
    """
    parent = dig(tree, *path[:-1])
    return parent.pop(path[-1], None) if isinstance(parent, dict) else None


def _drop_empty(tree: Tree, path: KeyPath) -> None:
    if dig(tree, *path) == {}:
        _take(tree, path)


def _give(tree: Tree, path: KeyPath, value: Any) -> bool:
    """
    Put a value where nothing stands; into an object only what it lacks.

    :return: whether all of it found a place.
    """
    place = tree
    for depth, key in enumerate(path[:-1]):
        place = place.setdefault(str(key), {})
        if not isinstance(place, dict):
            raise CannotMigrate(".".join(map(str, path[: depth + 1])))
    last = str(path[-1])
    if last not in place:
        place[last] = value
        return True
    if not (isinstance(place[last], dict) and isinstance(value, dict)):
        return False
    # Not "all()" of a generator: every member must be offered.
    return False not in [_give(place[last], (key,), member) for key, member in value.items()]


def _move(tree: Tree, source: KeyPath, target: KeyPath) -> Iterator[str]:
    value = _take(tree, source)
    if value is None:
        return
    before, after = (".".join(map(str, path)) for path in (source, target))
    if _give(tree, target, value):
        yield f"Moved {before} → {after}."
    else:
        yield f"Removed {before} where {after} is set already, moved the rest."
    _drop_empty(tree, source[:-1])


def _rename(tree: Tree) -> Iterator[str]:
    for path, before, after in _RENAMES:
        entries = dig(tree, *path)
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            match = entry.get("match") if isinstance(entry, dict) else None
            if isinstance(match, dict) and before in match:
                match.setdefault(after, match.pop(before))
                match.pop(before, None)
                place = ".".join(map(str, path))
                yield f"Renamed {place}[{index}].match.{before} → {after}."


def _allow_from(tree: Tree) -> Iterator[str]:
    value = _take(tree, ("routing", "allowFrom"))
    if value is None:
        return
    if dig(tree, "channels", "whatsapp") is None:
        yield "Removed routing.allowFrom (channels.whatsapp is not configured)."
    elif _give(tree, ("channels", "whatsapp", "allowFrom"), value):
        yield "Moved routing.allowFrom → channels.whatsapp.allowFrom."
    else:
        yield "Removed routing.allowFrom (channels.whatsapp.allowFrom is set already)."


def _mentions(tree: Tree) -> Iterator[str]:
    for source, channels in (
        (("channels", "telegram", "requireMention"), ("telegram",)),
        (("routing", "groupChat", "requireMention"), _MENTIONING),
    ):
        value = _take(tree, source)
        if value is None:
            continue
        configured = [name for name in channels if isinstance(dig(tree, "channels", name), dict)]
        for name in configured:
            if _give(tree, ("channels", name, "groups", "*", "requireMention"), value):
                yield f'Moved {".".join(source)} → channels.{name}.groups."*".requireMention.'
        if not configured:
            yield f"Removed {'.'.join(source)} (no channel it applies to is configured)."


def _agents(tree: Tree) -> Iterator[str]:
    agents, default = _take(tree, ("routing", "agents")), _take(tree, ("routing", "defaultAgentId"))
    if isinstance(agents, dict):
        known = {entry.get("id") for entry in _list(tree)}
        for name, settings in agents.items():
            if name not in known and isinstance(settings, dict):
                _list(tree).append({"id": name, **settings})
        yield "Moved routing.agents → agents.list."
    if isinstance(default, str) and default:
        _entry(tree, default)["default"] = True
        yield f'Moved routing.defaultAgentId → agents.list (id "{default}").default.'


def _list(tree: Tree) -> list[Any]:
    agents = tree.setdefault("agents", {})
    entries: Any = agents.setdefault("list", []) if isinstance(agents, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise CannotMigrate("agents.list")
    return entries


def _entry(tree: Tree, name: str) -> Tree:
    """
    An agent of the list, made when it is missing.
    """
    entries = _list(tree)
    found: Tree | None = next((entry for entry in entries if entry.get("id") == name), None)
    if found is None:
        found = {"id": name}
        entries.append(found)
    return found


def _identity(tree: Tree) -> Iterator[str]:
    value = _take(tree, ("identity",))
    if value is None:
        return
    entries = _list(tree)
    chosen = next((entry for entry in entries if entry.get("default")), entries[0] if entries else None)
    if chosen is None:
        chosen = _entry(tree, "main")
        chosen["default"] = True
    if _give(chosen, ("identity",), value):
        yield f'Moved identity → agents.list (id "{chosen.get("id")}").identity.'
    else:
        yield "Removed identity where the default agent has one already, moved the rest."


def _models(tree: Tree) -> Iterator[str]:
    """
    Models of ``agent``, which were texts beside lists.
    """
    agent = dig(tree, "agent")
    if not isinstance(agent, dict):
        return
    for name, fallbacks in (("model", "modelFallbacks"), ("imageModel", "imageModelFallbacks")):
        value = agent.get(name)
        model = {"primary": value} if isinstance(value, str) else value if isinstance(value, dict) else {}
        if fallbacks in agent:
            model.setdefault("fallbacks", agent.pop(fallbacks))
            yield f"Moved agent.{fallbacks} → agents.defaults.{name}.fallbacks."
        if model:
            agent[name] = model
    allowed, aliases = agent.pop("allowedModels", []), agent.pop("modelAliases", {})
    if not isinstance(allowed, list) or not isinstance(aliases, dict):
        raise CannotMigrate("agent")
    listed: Tree = {name: {} for name in allowed if isinstance(name, str)}
    for alias, name in aliases.items():
        if isinstance(name, str):
            listed.setdefault(name, {}).setdefault("alias", alias)
    if listed:
        _give(tree, ("agents", "defaults", "models"), listed)
        yield "Moved agent.allowedModels and agent.modelAliases → agents.defaults.models."


def _agent(tree: Tree) -> Iterator[str]:
    value = _take(tree, ("agent",))
    if value is None:
        return
    if _give(tree, ("agents", "defaults"), value):
        yield "Moved agent → agents.defaults."
    else:
        yield "Removed members of agent that agents.defaults has already, moved the rest."


def _speech(tree: Tree) -> Iterator[str]:
    value = _take(tree, ("messages", "tts", "enabled"))
    if isinstance(value, bool) and _give(tree, ("messages", "tts", "auto"), "always" if value else "off"):
        yield f'Moved messages.tts.enabled → messages.tts.auto ("{"always" if value else "off"}").'
    elif value is not None:
        yield "Removed messages.tts.enabled (messages.tts.auto is set already)."


def _transcription(tree: Tree) -> Iterator[str]:
    value = _take(tree, ("routing", "transcribeAudio"))
    command = value.get("command") if isinstance(value, dict) else None
    if isinstance(command, list) and command:
        model: Tree = {"type": "cli", "command": command[0], "args": command[1:]}
        if "timeoutSeconds" in value:
            model["timeoutSeconds"] = value["timeoutSeconds"]
        if _give(tree, ("tools", "media", "audio", "models"), [model]):
            _give(tree, ("tools", "media", "audio", "enabled"), True)
            yield "Moved routing.transcribeAudio → tools.media.audio.models."
            return
    if value is not None:
        yield "Removed routing.transcribeAudio (no command in it, or tools.media.audio.models is set already)."
