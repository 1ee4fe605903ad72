"""
The words that definitions are written in: constraints, names on the wire, and the mark for what is not there.

A field's default says whether its key may be missing:

* no default, or a default that is a value: the key is always on the wire (the value only saves typing);
* ``None``: the key may be missing, ``None`` means that it is, and ``null`` on the wire is refused;
* ``ABSENT``: the key may be missing, and ``None`` means a ``null`` that was really there.
"""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Annotated, Any, ClassVar, Final, TypeVar

from attrs import frozen

T = TypeVar("T")


class Absent(Enum):
    """
    The type of ``ABSENT``, an enumeration of one so that type checkers can narrow by identity.
    """

    ABSENT = object()  # no encoder has a form for it, so that it cannot get onto the wire by mistake

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent.ABSENT


@frozen
class Constraint:
    """
    A JSON Schema keyword that narrows the type it annotates.
    """

    keyword: ClassVar[str]
    value: Any


class MinLength(Constraint):
    """
    The fewest code points of a string.
    """

    keyword = "minLength"


class MaxLength(Constraint):
    """
    The most code points of a string.
    """

    keyword = "maxLength"


class Minimum(Constraint):
    """
    The least number, itself allowed.
    """

    keyword = "minimum"


class Maximum(Constraint):
    """
    The greatest number, itself allowed.
    """

    keyword = "maximum"


class MinItems(Constraint):
    """
    The fewest items of an array.
    """

    keyword = "minItems"


class MaxItems(Constraint):
    """
    The most items of an array.
    """

    keyword = "maxItems"


class Default(Constraint):
    """
    What the schema says a missing key stands for. Nobody fills it in.
    """

    keyword = "default"


class Discriminator(Constraint):
    """
    The key whose constant tells the alternatives of a union apart.
    """

    keyword = "discriminator"


@frozen
class Extra:
    """
    Marks the one field that collects the keys which the definition does not name; without it they are refused.
    """


NonEmptyString = Annotated[str, MinLength(1)]
Label = Annotated[str, MinLength(1), MaxLength(64)]
NonNegative = Annotated[int, Minimum(0)]
Positive = Annotated[int, Minimum(1)]
NonEmptyStrings = Sequence[NonEmptyString]

#: Wire names that the rule of ``wire_name`` does not give.
IRREGULAR_NAMES: Final = {
    "params_json": "paramsJSON",
    "payload_json": "payloadJSON",
    "has_openai_key": "hasOpenAIKey",
}


def wire_name(name: str) -> str:
    """
    The key on the wire for a field of ours: ``uptime_ms`` is ``uptimeMs``.
    """
    irregular = IRREGULAR_NAMES.get(name)
    if irregular is not None:
        return irregular
    head, *tail = name.split("_")
    return head + "".join(word[:1].upper() + word[1:] for word in tail)


def field_name(wire: str) -> str:
    """
    The name of ours for a key on the wire: ``uptimeMs`` is ``uptime_ms``.
    """
    for name, irregular in IRREGULAR_NAMES.items():
        if wire == irregular:
            return name
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in wire)


def one_of(*names: str) -> Callable[[type[T]], type[T]]:
    """
    Say that exactly one of some fields is on the wire: the schema becomes one alternative for each of them.

    :param names: fields of the class, in the order of the alternatives; all have ``None`` as default.
    """

    def mark(cls: type[T]) -> type[T]:
        cls.__one_of__ = names  # type: ignore[attr-defined]  # read by openclaw.protocol.members alone
        return cls

    return mark
