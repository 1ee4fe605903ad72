"""
What ``config.patch`` makes of a value: a JSON merge patch (RFC 7396) in which arrays of objects merge by ``id``.

``null`` removes a member. In an array whose members all have an ``id``, each changes the element of that id, is added
where there is none, or removes it with ``"$delete": true``; elements that the patch does not name stay. An array
whose members all lack an ``id`` replaces the old one, so that ``[]`` empties it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from openclaw.config.issues import ConfigError
from openclaw.config.schema import KeyPath

ID = "id"
DELETE = "$delete"


class PatchRefused(ConfigError):
    """
    A part of a patch says two things at once.
    """

    def __init__(self, path: KeyPath, why: str) -> None:
        self.path = path
        self.why = why
        super().__init__(path, why)

    def __str__(self) -> str:
        return f"config.patch {'.'.join(map(str, self.path)) or '<root>'}: {self.why}"


def merge_patch(old: Any, patch: Any, path: KeyPath = ()) -> Any:
    """
    Apply a patch to plain data, which is not changed.

    :param path: where ``old`` stands, for what is told of a refusal.
    :raise PatchRefused: of an array's members only some have an ``id``, or two have the same; or ``$delete`` is not
        ``true``.
    """
    if isinstance(patch, Mapping):
        merged = dict(old) if isinstance(old, Mapping) else {}
        for key, member in patch.items():
            if member is None:
                merged.pop(key, None)
            else:
                merged[key] = merge_patch(merged.get(key), member, (*path, key))
        return merged
    if isinstance(patch, list):
        return _merge_array(old if isinstance(old, list) else [], patch, path)
    return patch


def _merge_array(old: Sequence[Any], patch: Sequence[Any], path: KeyPath) -> list[Any]:
    named = [_has_id(member) for member in patch]
    for index, member in enumerate(patch):
        if isinstance(member, Mapping) and DELETE in member and (member[DELETE] is not True or not named[index]):
            raise PatchRefused((*path, index), f'"{DELETE}" is true, and stands beside an "{ID}"')
    if not any(named):
        return list(patch)
    if not all(named):
        raise PatchRefused(path, f'either all members have an "{ID}", or none')
    ids = [member[ID] for member in patch]
    if len(set(ids)) < len(ids):
        raise PatchRefused(path, f'two members have the same "{ID}"')
    merged = list(old)
    for index, member in enumerate(patch):
        places = [place for place, element in enumerate(merged) if _has_id(element) and element[ID] == member[ID]]
        if DELETE in member:
            merged = [element for place, element in enumerate(merged) if place not in places]
        elif places:
            merged[places[0]] = merge_patch(merged[places[0]], member, (*path, index))
        else:
            merged.append(merge_patch({}, member, (*path, index)))
    return merged


def _has_id(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get(ID), str)
