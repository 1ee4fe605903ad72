"""
Between objects of the definitions and what JSON is made of.

What comes in has been validated before, so that nothing here checks anything. What each class needs is worked out
once; for most fields that is nothing, their value is taken as it is.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from enum import Enum
from functools import cache
from typing import Any, TypeVar, cast

from openclaw.errors import OpenClawError
from openclaw.protocol.members import (
    alternatives,
    extra_member,
    is_definition,
    item_type,
    literals,
    members,
    unannotated,
    value_type,
)
from openclaw.protocol.types import ABSENT

T = TypeVar("T")

#: Turns the JSON form of one field into the field's value.
Converter = Callable[[Any], Any]


class NotEncodable(OpenClawError):
    """
    Something that has no form on the wire was about to be sent.
    """


def structure(cls: type[T], value: Mapping[str, Any]) -> T:
    """
    Build an object of a definition from its JSON form.

    :param value: valid for the definition (``openclaw.protocol.validate``).
    """
    build: Callable[[Mapping[str, Any]], T] = _structurer(cast(Any, cls))
    return build(value)


def unstructure(value: Any) -> Any:
    """
    The JSON form of a value, down to the last leaf: objects of definitions become ``dict`` without the keys that are
    absent, other mappings ``dict``, other sequences and sets ``list``. What is JSON already passes.

    :raise NotEncodable: something in it has no JSON form.
    """
    if value is None or isinstance(value, str | int | float):
        return value.value if isinstance(value, Enum) else value
    form = shallow(value)
    if isinstance(form, dict):
        return {_key(key): unstructure(member) for key, member in form.items()}
    if isinstance(form, list):
        return [unstructure(member) for member in form]
    return unstructure(form)


def shallow(value: Any) -> Any:
    """
    Like ``unstructure`` for the outermost value only: what JSON encoders call for a type that they do not know.
    """
    if isinstance(value, dict | list):
        return value
    if is_definition(type(value)):
        return _object_form(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence | Set) and not isinstance(value, bytes | bytearray | memoryview):
        return list(value)
    if isinstance(value, Enum) and value is not ABSENT:
        return value.value
    raise NotEncodable(f"has no form on the wire: {type(value).__qualname__}")


def _key(key: Any) -> str:
    if isinstance(key, str):
        return key
    raise NotEncodable(f"is no key on the wire: {key!r}")


def _object_form(value: Any) -> dict[str, Any]:
    required, optional, extra = _reader(cast(Any, type(value)))
    form = {wire: getattr(value, name) for name, wire in required}
    for name, wire, absent in optional:
        member = getattr(value, name)
        if member is not absent:
            form[wire] = member
    if extra is not None:
        form.update(getattr(value, extra))
    return form


_Reader = tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str, Any], ...], str | None]


@cache
def _reader(cls: Any) -> _Reader:
    required = tuple((member.name, member.wire) for member in members(cls) if member.required)
    optional = tuple((member.name, member.wire, member.absent) for member in members(cls) if not member.required)
    return required, optional, extra_member(cls)


@cache
def _structurer(cls: Any) -> Converter:
    # Conversion of nested definitions is looked up here, once; recursion ends because no definition contains itself.
    table = {member.wire: (member.name, _converter(member.type)) for member in members(cls)}
    extra = extra_member(cls)

    def build(value: Mapping[str, Any]) -> Any:
        arguments: dict[str, Any] = {}
        for key, item in value.items():
            name, convert = table[key]
            arguments[name] = item if convert is None else convert(item)
        return cls(**arguments)

    def build_open(value: Mapping[str, Any]) -> Any:
        known = {key: item for key, item in value.items() if key in table}
        arguments: dict[str, Any] = {str(extra): {key: item for key, item in value.items() if key not in table}}
        for key, item in known.items():
            name, convert = table[key]
            arguments[name] = item if convert is None else convert(item)
        return cls(**arguments)

    return build if extra is None else build_open


def _converter(kind: Any) -> Converter | None:
    """
    How to convert a value of a type, or ``None`` if it is taken as it is.
    """
    bare, _ = unannotated(kind)
    if bare is int:
        return _whole
    if is_definition(bare):
        return _structurer(bare)
    item = item_type(bare)
    if item is not None:
        return _each(_converter(item))
    value = value_type(bare)
    if value is not None:
        return _each_value(_converter(value))
    return _union_converter(alternatives(bare))


#: Larger integers cannot be kept, and nothing that is counted gets that far.
MOST_INTEGER = 2**63 - 1


def _whole(value: Any) -> int:
    # 3.0 is an integer on the wire, and so is 1e30.
    whole = value if type(value) is int else int(value)
    return max(-MOST_INTEGER, min(whole, MOST_INTEGER))


def _each(convert: Converter | None) -> Converter | None:
    if convert is None:
        return None
    return lambda value: [convert(item) for item in value]


def _each_value(convert: Converter | None) -> Converter | None:
    if convert is None:
        return None
    return lambda value: {key: convert(item) for key, item in value.items()}


def _union_converter(choices: tuple[Any, ...]) -> Converter | None:
    """
    Alternatives that need conversion are told apart by being numbers, or by a constant in a key that all have.
    """
    classes = [bare for bare, _ in map(unannotated, choices) if is_definition(bare)]
    if classes:
        return _classes_converter(classes)
    if any(unannotated(choice)[0] is int for choice in choices):
        return lambda value: _whole(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    return None


def _classes_converter(classes: list[type]) -> Converter:
    if len(classes) == 1:
        only = _structurer(classes[0])
        return lambda value: only(value) if isinstance(value, Mapping) else value
    key = next(member.wire for member in members(classes[0]) if literals(member.type))
    by_constant = {
        constant: _structurer(cls)
        for cls in classes
        for member in members(cls)
        if member.wire == key
        for constant in literals(member.type)
    }
    return lambda value: by_constant[value[key]](value) if isinstance(value, Mapping) else value
