"""
The text that a client's change makes of the configuration file.

A client that shows a form sends back the whole effective configuration as plain JSON: with what an ``$include``
brought, with variables replaced, with defaults, without comments. None of that belongs in the file, so that only what
differs from what the client was shown is changed in the text that is there.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from openclaw.config import include
from openclaw.config.defaults import expand_paths, with_defaults
from openclaw.config.editor import same, set_value
from openclaw.config.environment import MissingVariable, substitute
from openclaw.config.files import NEW_FILE
from openclaw.config.issues import ConfigError
from openclaw.config.legacy import find_legacy
from openclaw.config.loader import Snapshot, evaluate
from openclaw.config.merge import merge_patch
from openclaw.config.migrate import CannotMigrate, migrate
from openclaw.config.redact import redact_value, restore, restore_text
from openclaw.config.tokens import decode, parse

_MISSING: Any = object()


class NoPatchOfInvalid(ConfigError):
    """
    The file is not valid, so that nobody can tell what a part of it would mean.
    """

    def __str__(self) -> str:
        return "invalid config; fix before patching"


class NoObject(ConfigError):
    """
    A patch is something else than an object.
    """

    def __str__(self) -> str:
        return "config.patch raw must be an object"


class FromInclude(ConfigError):
    """
    What is to be changed stands in another file.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(path)

    def __str__(self) -> str:
        return f"{self.path} comes from an $include; change it in the included file"


def patched(snapshot: Snapshot, raw: str) -> str:
    """
    The text with a patch merged into it.

    :param raw: the patch, an object in JSON5.
    :raise NoPatchOfInvalid: the file is not valid.
    :raise Json5Error: the patch is no JSON5.
    :raise NoObject: it is something else than an object.
    :raise PatchRefused: as ``merge_patch``.
    :raise RedactedValueLost: it holds a redacted value that stands for nothing.
    :raise FromInclude: it would change or remove what an ``$include`` brings.
    """
    if not snapshot.valid:
        raise NoPatchOfInvalid
    patch = _value(raw)
    if not isinstance(patch, dict):
        raise NoObject
    patch = restore(patch, snapshot.parsed, snapshot.config)
    merged = merge_patch(snapshot.parsed, patch)
    if snapshot.raw is not None and include.KEY in snapshot.raw:
        wanted = include.resolve(merge_patch(include.resolve(snapshot.parsed, snapshot.path), patch), snapshot.path)
        found = include.resolve(merged, snapshot.path)
        different = next(iter(changed_paths(found, wanted)), None)
        if different is not None:
            raise FromInclude(".".join(different))
    if find_legacy(merged):
        with suppress(CannotMigrate):  # Then validation tells what is wrong with it.
            merged, _ = migrate(merged)
    return set_value(NEW_FILE if snapshot.raw is None else snapshot.raw, (), merged)


def replaced(
    snapshot: Snapshot, raw: str, environ: Mapping[str, str], home: Path, *, keep: Collection[str] = ()
) -> str:
    """
    The text that a client's whole text makes: the client's, with the secrets that it was not shown; and where a program
    wrote it, the old text with the changes in it, if that means the same.

    :param raw: the client's text, JSON5.
    :param environ: as in ``load``.
    :param keep: as in ``redact``: secrets that the client was shown.
    :raise Json5Error: it is no JSON5.
    :raise RedactedValueLost: it holds a redacted value that stands for nothing.
    :raise FromInclude: a form has changed what an ``$include`` brings.
    """
    value = _value(raw)
    if snapshot.raw is not None and snapshot.valid and isinstance(value, dict) and _by_program(raw, value):
        text = _edited(snapshot, value, environ, home, keep)
        if text is not None:
            return text
    return restore_text(raw, value, snapshot)


def changed_paths(old: Any, new: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """
    The paths of all values that differ, down to what is no object; arrays are compared as wholes, by value.
    """
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        paths = []
        for key in dict.fromkeys((*old, *new)):
            paths += changed_paths(old.get(key, _MISSING), new.get(key, _MISSING), (*path, key))
        return paths
    for one, other in ((old, new), (new, old)):
        if one is _MISSING and isinstance(other, Mapping) and other:
            return [found for key in other for found in changed_paths(_MISSING, other[key], (*path, key))]
    return [] if same(old, new) else [path]


def _value(raw: str) -> Any:
    parse(raw)
    return decode(raw)


def _by_program(raw: str, value: Any) -> bool:
    """
    Whether a text is what ``JSON.stringify`` makes.
    """
    text = raw.strip()
    return text in (
        json.dumps(value, ensure_ascii=False, indent=2),
        json.dumps(value, ensure_ascii=False, separators=(",", ":")),
    )


def _edited(
    snapshot: Snapshot, value: dict[str, Any], environ: Mapping[str, str], home: Path, keep: Collection[str]
) -> str | None:
    """
    The old text with the differences in it; ``None`` where it would not mean what was asked for.
    """
    assert snapshot.raw is not None
    shown = redact_value(snapshot.config, keep=keep)
    if not _made_from_effective(value, snapshot.parsed, snapshot.config):
        # Made from ``parsed``: it says what the file is to say.
        target = restore(value, snapshot.parsed, snapshot.config)
        return set_value(snapshot.raw, (), target)
    target = restore(_rebase(value, shown, snapshot.parsed), snapshot.parsed, snapshot.config)
    text = set_value(snapshot.raw, (), target)
    meant = evaluate(text, snapshot.path, environ, home)
    try:
        wanted = _meaning(value, shown, snapshot.config, meant.environment)
    except MissingVariable:
        return text  # Validation tells of it.
    if not meant.valid:
        return text
    wanted = expand_paths(with_defaults(wanted, meant.environment, home), home)
    if same(meant.config, wanted):
        return text
    if include.KEY in snapshot.raw:
        raise FromInclude(".".join(next(iter(changed_paths(meant.config, wanted)))))
    return None


def _made_from_effective(value: Any, parsed: Any, effective: Any) -> bool:
    """
    Whether a value was made from the effective configuration: it has most of what the file does not say.
    """
    unsaid = [path for path in changed_paths({}, effective) if _at(parsed, path) is _MISSING]
    there = [path for path in unsaid if _at(value, path) is not _MISSING]
    return 2 * len(there) >= len(unsaid)


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        value = value.get(key, _MISSING) if isinstance(value, dict) else _MISSING
    return value


def _rebase(new: Any, shown: Any, parsed: Any) -> Any:
    """
    What the file has to say so that it means ``new``, where it said ``parsed`` for what was ``shown``.

    :return: ``_MISSING`` where it says nothing of it and need not.
    """
    if same(new, shown):
        return parsed
    if isinstance(new, dict) and isinstance(shown, dict):
        said = parsed if isinstance(parsed, dict) else {}
        kept = {key: member for key, member in said.items() if key in new or key == include.KEY}
        for key, member in new.items():
            based = _rebase(member, shown.get(key, _MISSING), said.get(key, _MISSING))
            if based is not _MISSING:
                kept[key] = based
        return kept
    if isinstance(new, list) and isinstance(shown, list) and isinstance(parsed, list) and len(shown) == len(parsed):
        places = [_place(member, index, shown) for index, member in enumerate(new)]
        return [
            member if place is None else _rebase(member, shown[place], parsed[place])
            for place, member in zip(places, new, strict=True)
        ]
    return new


def _place(new: Any, index: int, shown: list[Any]) -> int | None:
    """
    Where the element stood that ``new`` was: one like it, or the one of the same id, or the one in the same place.
    """
    name = new.get("id") if isinstance(new, dict) else None
    alike = [place for place, member in enumerate(shown) if same(member, new)]
    named = [place for place, member in enumerate(shown) if isinstance(member, dict) and member.get("id") == name]
    places = alike or (named if name is not None else [index] if index < len(shown) else [])
    return index if index in places else next(iter(places), None)


def _meaning(new: Any, shown: Any, effective: Any, environ: Mapping[str, str]) -> Any:
    """
    The effective configuration that a client asks for: what it has not changed means what it meant.
    """
    if same(new, shown):
        return effective
    if isinstance(new, dict):
        old = shown if isinstance(shown, dict) else {}
        meant = effective if isinstance(effective, dict) else {}
        return {
            key: _meaning(member, old.get(key, _MISSING), meant.get(key, _MISSING), environ)
            for key, member in new.items()
        }
    if isinstance(new, list) and isinstance(shown, list) and isinstance(effective, list):
        places = [_place(member, index, shown) for index, member in enumerate(new)]
        return [
            substitute(member, environ) if place is None else _meaning(member, shown[place], effective[place], environ)
            for place, member in zip(places, new, strict=True)
        ]
    return substitute(new, environ)
