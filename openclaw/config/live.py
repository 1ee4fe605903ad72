"""
Which changes of the configuration a running gateway follows at once, and what it runs with after a change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from openclaw.config.rewrite import changed_paths

Path = tuple[str, ...]

#: Read each time they are needed, so that a new value counts from the next use on.
LIVE: tuple[Path, ...] = (
    ("agents",),
    ("audio",),
    ("bindings",),
    ("commands",),
    ("cron",),
    ("gateway", "controlUi"),
    ("gateway", "nodes"),
    ("gateway", "reload"),
    ("gateway", "remote"),
    ("gateway", "shutdown"),
    ("gateway", "trustedProxies"),
    ("hooks",),
    ("logging",),
    ("media",),
    ("messages",),
    ("meta",),
    ("models",),
    ("session",),
    ("skills",),
    ("talk",),
    ("tools",),
    ("ui",),
    ("wizard",),
)

#: Below those, what is looked at only once.
AT_START: tuple[Path, ...] = (("cron", "store"), ("logging", "file"), ("session", "store"))


def is_live(path: Path) -> bool:
    """
    Whether a change of this value needs no restart. What is not known here does.
    """
    return _below(path, LIVE) and not _below(path, AT_START)


def _below(path: Path, places: Sequence[Path]) -> bool:
    return any(path[: len(place)] == place for place in places)


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
