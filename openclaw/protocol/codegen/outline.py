"""
What the generators share: which types need a name, in which order, and how a type is spelled.
"""

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final, Protocol

from attrs import frozen

from openclaw.protocol import cron
from openclaw.protocol.calls import Call
from openclaw.protocol.definitions import DEFINITIONS
from openclaw.protocol.events import EVENT_TABLE
from openclaw.protocol.members import (
    Member,
    alternatives,
    is_definition,
    item_type,
    literals,
    members,
    unannotated,
    value_type,
)

NOTICE: Final = "Written by `openclaw protocol gen` from the protocol's definitions. Do not edit."

#: Unions that stand in definitions and have a name in our code.
UNIONS: Final[Mapping[str, Any]] = {
    "CronSchedule": cron.CronSchedule,
    "CronPayload": cron.CronPayload,
    "CronPayloadPatch": cron.CronPayloadPatch,
}


@frozen(kw_only=True)
class Doc:
    """
    A docstring taken apart.

    :ivar text: what it says of the class, a paragraph a line.
    :ivar members: what it says of single fields, by our name of the field.
    """

    text: Sequence[str]
    members: Mapping[str, str]


class Speller(Protocol):
    """
    How one language writes types.
    """

    anything: str

    @property
    def primitives(self) -> Mapping[Any, str]: ...

    def array(self, item: str) -> str: ...

    def mapping(self, value: str) -> str: ...

    def constants(self, values: Sequence[Any]) -> str: ...

    def union(self, choices: Sequence[str]) -> str: ...


def named_types(calls: Mapping[str, Call]) -> Mapping[str, Any]:
    """
    Every type that gets a name of its own, those first that others are made of: the definitions, and what methods
    answer and events carry.
    """
    found: dict[str, Any] = {}
    for name, kind in DEFINITIONS.items():
        _collect(name, kind, found)
    kinds = [kind for row in calls.values() for kind in (params_of(row), row.first, row.result, row.failure)]
    for kind in (*kinds, *(event.payload for event in EVENT_TABLE.values())):
        for part in (kind, *_parts(kind)):
            name_of_part = name_of(part)
            if name_of_part is not None:
                _collect(name_of_part, part, found)
    return found


def params_of(row: Call) -> Any:
    """
    What a method takes: ``None`` for nothing.
    """
    return row.params or row.takes


def constant_name(wire: str) -> str:
    """
    The name of a method or an event as one word: ``chat.send`` is ``chatSend``.
    """
    head, *tail = re.split(r"[.-]", wire)
    return head + "".join(word[:1].upper() + word[1:] for word in tail)


def name_of(kind: Any) -> str | None:
    """
    The name of a type, if it has one.
    """
    bare, _ = unannotated(kind)
    if is_definition(bare):
        return str(bare.__name__)
    return next((name for name, union in UNIONS.items() if alternatives(union) == alternatives(bare)), None)


def spelled(kind: Any, speller: Speller) -> str:
    """
    How a language writes a type of ours.
    """
    name = name_of(kind)
    if name is not None:
        return name
    bare, _ = unannotated(kind)
    if bare is Any:
        return speller.anything
    if bare in speller.primitives:
        return speller.primitives[bare]
    if item_type(bare) is not None:
        return speller.array(spelled(item_type(bare), speller))
    if value_type(bare) is not None:
        return speller.mapping(spelled(value_type(bare), speller))
    if literals(bare):
        return speller.constants(literals(bare))
    return speller.union(list(dict.fromkeys(spelled(choice, speller) for choice in alternatives(bare))))


@cache
def doc(cls: Any) -> Doc:
    """
    What a class and its fields are for, as its docstring tells, without the marks of reStructuredText.
    """
    text, *parts = re.split(r"^:ivar (\w+): ", inspect.getdoc(cls) or "", flags=re.MULTILINE)
    inherited = doc(cls.__base__).members if is_definition(cls.__base__) else {}
    return Doc(
        text=[_joined(paragraph) for paragraph in text.strip().split("\n\n")],
        members={**inherited, **{name: _joined(part) for name, part in zip(parts[::2], parts[1::2], strict=True)}},
    )


def _joined(text: str) -> str:
    return " ".join(text.split()).replace("``", "`")


def _collect(name: str, kind: Any, found: dict[str, Any]) -> None:
    if name in found:
        return
    for inner in _parts(kind):
        inner_name = name_of(inner)
        if inner_name is not None:
            _collect(inner_name, inner, found)
    found[name] = kind


def _parts(kind: Any) -> Iterator[Any]:
    """
    The types that a type mentions, at any depth that has no name.
    """
    bare, _ = unannotated(kind)
    direct: tuple[Any, ...]
    if is_definition(bare):
        direct = tuple(member.type for member in members(bare))
    elif item_type(bare) is not None:
        direct = (item_type(bare),)
    elif value_type(bare) is not None:
        direct = (value_type(bare),)
    else:
        direct = tuple(choice for choice in alternatives(bare) if choice is not bare)
    for part in direct:
        yield part
        if name_of(part) is None:
            yield from _parts(part)


def chosen_members(cls: Any, names: Sequence[str], chosen: str) -> list[Member]:
    """
    The fields of one alternative of a definition that is marked with ``one_of``.
    """
    return [member for member in members(cls) if member.name == chosen or member.name not in names]
