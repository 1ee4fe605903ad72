"""
What a change of the configuration does to a running gateway: one table of rules (``config.md`` 7.3), read by the
gateway that follows the file and by ``openclaw config plan``.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Literal

from attrs import frozen

from openclaw.config.rewrite import changed_paths

Path = tuple[str, ...]

#: ``dynamic``: read each time it is needed, so that a new value counts from the next use on; ``hot``: a part of the
#: gateway is made anew; ``restart``: the whole gateway is.
Effect = Literal["dynamic", "hot", "restart"]
#: What becomes of a change as a whole: nothing until the next start, all of it in place, or a restart.
Outcome = Literal["ignored", "applied", "restart"]


@frozen
class Rule:
    """
    What a change at or below a path does.

    :ivar action: what is made anew.
    """

    path: Path
    effect: Effect
    action: str = ""


def _rule(path: str, effect: Effect = "dynamic", action: str = "") -> Rule:
    return Rule(tuple(path.split(".")), effect, action)


#: The first that fits counts.
RULES: tuple[Rule, ...] = (
    # Looked at only once.
    _rule("cron.store", "restart"),
    _rule("logging.file", "restart"),
    _rule("session.store", "restart"),
    _rule("agents.defaults.heartbeat", "hot", "restart-heartbeat"),
    _rule("cron", "hot", "restart-cron"),
    _rule("hooks", "hot", "reload-hooks"),
    _rule("agents"),
    # Nothing of these is read yet, or only by commands.
    _rule("approvals"),
    _rule("broadcast"),
    _rule("browser"),
    _rule("channels"),
    _rule("diagnostics"),
    _rule("nodeHost"),
    _rule("update"),
    _rule("web"),
    _rule("audio"),
    _rule("bindings"),
    _rule("commands"),
    _rule("gateway.controlUi"),
    _rule("gateway.nodes"),
    _rule("gateway.reload"),
    _rule("gateway.remote"),
    _rule("gateway.shutdown"),
    _rule("gateway.trustedProxies"),
    _rule("logging"),
    _rule("media"),
    _rule("messages"),
    _rule("meta"),
    _rule("models"),
    _rule("session"),
    _rule("skills"),
    _rule("talk"),
    _rule("tools"),
    _rule("ui"),
    _rule("wizard"),
)
#: What is not known to be harmless is not.
UNKNOWN = Rule((), "restart")


def rule_of(path: Path) -> Rule:
    """
    The rule for a change of the value at a path.
    """
    return next((rule for rule in RULES if path[: len(rule.path)] == rule.path), UNKNOWN)


def is_live(path: Path) -> bool:
    """
    Whether a change of this value needs no restart.
    """
    return rule_of(path).effect != "restart"


@frozen(kw_only=True)
class Plan:
    """
    What a change would do.

    :ivar mode: ``gateway.reload.mode`` of the new configuration.
    :ivar changes: by the name of what changed, as people are told it, in the order of the file.
    """

    mode: str
    changes: Mapping[str, Rule]

    def names(self, *effects: Effect) -> str:
        """
        The changes with one of these effects, or all of them.
        """
        return ", ".join(name for name, rule in self.changes.items() if not effects or rule.effect in effects)

    @property
    def outcome(self) -> Outcome:
        waits = bool(self.names("restart"))
        if not self.changes or self.mode == "off" or (self.mode == "hot" and waits):
            return "ignored"
        return "restart" if waits or self.mode == "restart" else "applied"


def plan(old: Mapping[str, Any], new: Mapping[str, Any], mode: str) -> Plan:
    """
    What it does to go from one effective configuration to another.
    """
    changes: dict[str, Rule] = {}
    for path in changed_paths(old, new):
        name, rule = _named(path, old, new), rule_of(path)
        # Under one name, the change that asks for most counts.
        if name not in changes or rule.effect == "restart":
            changes[name] = rule
    return Plan(mode=mode, changes=changes)


def _named(path: Path, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """
    A changed path as people are told it: the topmost key that only one side has.
    """
    for depth in range(1, len(path)):
        if not (_has(old, path[:depth]) and _has(new, path[:depth])):
            return ".".join(path[:depth])
    return ".".join(path)


def _has(value: Any, path: Path) -> bool:
    for key in path:
        if not isinstance(value, Mapping) or key not in value:
            return False
        value = value[key]
    return True


def follow(running: Mapping[str, Any], written: Mapping[str, Any]) -> tuple[dict[str, Any], list[Path]]:
    """
    What to run with after another configuration was written.

    :param running: the effective configuration that counts.
    :param written: that of the file.
    :return: ``written`` with the values of ``running`` wherever only a restart can change them, and the paths of
        those.
    """
    waiting = [path for path in changed_paths(running, written) if not is_live(path)]
    following = deepcopy(dict(written))
    for path in waiting:
        _copy(running, following, path)
    return following, waiting


def _copy(source: Mapping[str, Any], target: dict[str, Any], path: Path) -> None:
    """
    Make the value at a path what it is in ``source``, or nothing; then objects go too that were only there for it.
    """
    value: Any = source
    for depth, key in enumerate(path):
        if not isinstance(value, Mapping) or key not in value:
            return _remove(target, path, depth)
        value = value[key]
    place = target
    for key in path[:-1]:
        below = place.get(key)
        if not isinstance(below, dict):
            below = place[key] = {}
        place = below
    place[path[-1]] = deepcopy(value)
    return None


def _remove(target: dict[str, Any], path: Path, keep: int) -> None:
    """
    :param keep: how many of the first parts of the path stay, even if empty.
    """
    places: list[dict[str, Any]] = [target]
    for key in path[:-1]:
        below = places[-1].get(key)
        if not isinstance(below, dict):
            return
        places.append(below)
    places[-1].pop(path[-1], None)
    for depth in reversed(range(keep, len(path) - 1)):
        if not places[depth + 1]:
            del places[depth][path[depth]]
