"""
What a definition consists of, read off its class once: the common ground of schema, conversion and generated code.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from attrs import NOTHING, Attribute, fields, frozen, has

from openclaw.protocol.types import ABSENT, Absent, Constraint, Extra, wire_name


@frozen(kw_only=True)
class Member:
    """
    One field of a definition.

    :ivar name: the field's name in our code.
    :ivar wire: its key on the wire.
    :ivar type: what it holds when it is there: for an optional field without the mark of its absence.
    :ivar required: whether the key is always on the wire.
    :ivar absent: the value that says that the key is missing, if it may be.
    """

    name: str
    wire: str
    type: Any
    required: bool
    absent: Any = None


def is_definition(kind: Any) -> bool:
    """
    Whether something is a class of ours that stands for an object on the wire.
    """
    return isinstance(kind, type) and has(kind)


def alternatives(kind: Any) -> tuple[Any, ...]:
    """
    The members of a union in order; anything else is its own only alternative.
    """
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def unannotated(kind: Any) -> tuple[Any, tuple[Constraint, ...]]:
    """
    Take a type apart into the bare type and what constrains it.
    """
    if get_origin(kind) is not Annotated:
        return kind, ()
    bare, *notes = get_args(kind)
    return bare, tuple(note for note in notes if isinstance(note, Constraint))


def item_type(kind: Any) -> Any:
    """
    What a sequence holds, or ``None`` if it is not a sequence.
    """
    return get_args(kind)[0] if get_origin(kind) is Sequence else None


def value_type(kind: Any) -> Any:
    """
    What a mapping of free keys holds, or ``None`` if it is not a mapping.
    """
    return get_args(kind)[1] if get_origin(kind) is Mapping else None


def literals(kind: Any) -> tuple[Any, ...]:
    """
    The constants of a ``Literal``, or nothing.
    """
    return get_args(kind) if get_origin(kind) is Literal else ()


@cache
def members(cls: type) -> tuple[Member, ...]:
    """
    The fields of a definition in schema order, without the one that collects unnamed keys.
    """
    return tuple(_member(attribute) for attribute in fields(cls) if not _is_extra(attribute))


@cache
def extra_member(cls: type) -> str | None:
    """
    The name of the field that collects unnamed keys, if the definition has one.
    """
    return next((attribute.name for attribute in fields(cls) if _is_extra(attribute)), None)


def exclusive(cls: type) -> tuple[str, ...]:
    """
    The fields of which exactly one is on the wire (``types.one_of``).
    """
    names: tuple[str, ...] = getattr(cls, "__one_of__", ())
    return names


def _member(attribute: "Attribute[Any]") -> Member:
    default = attribute.default
    required = default is NOTHING or (default is not None and default is not ABSENT)
    kind = attribute.type
    if not required:
        kind = _without(kind, NoneType if default is None else Absent)
    return Member(
        name=attribute.name,
        wire=wire_name(attribute.name),
        type=kind,
        required=required,
        absent=None if required else default,
    )


def _without(kind: Any, mark: type) -> Any:
    left = [choice for choice in alternatives(kind) if choice is not mark]
    return left[0] if len(left) == 1 else Union[tuple(left)]  # noqa: UP007  # the members are known at run time only


def _is_extra(attribute: "Attribute[Any]") -> bool:
    kind = attribute.type
    return get_origin(kind) is Annotated and any(isinstance(note, Extra) for note in get_args(kind)[1:])
