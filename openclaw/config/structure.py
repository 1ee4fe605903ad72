"""
From plain values of the file to frozen attrs classes, by their annotations.
"""

from __future__ import annotations

import re
import types
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import attrs

T = TypeVar("T")


def wire_name(name: str) -> str:
    """
    The key in the file for an attribute: ``base_url`` is ``baseUrl``.
    """
    return re.sub(r"_([a-z0-9])", lambda found: found.group(1).upper(), name)


def structure(cls: type[T], value: Mapping[str, Any]) -> T:
    """
    Build ``cls`` from the members of ``value`` that it knows; an attribute whose key is absent, or a secret that
    is empty, keeps its default.

    :param value: already found valid, so that a wrong type here is a mistake of the program.
    """
    given: dict[str, Any] = {}
    for name, key, hint, secret in _fields(cast(Any, cls)):
        member = value.get(key)
        if member is None or (secret and not str(member).strip()):
            continue
        given[name] = _convert(hint, member)
    return cls(**given)


@cache
def _fields(cls: Any) -> tuple[tuple[str, str, Any, bool], ...]:
    hints = get_type_hints(cls)
    return tuple(
        (attribute.name, wire_name(attribute.name), hints[attribute.name], "secret" in attribute.metadata)
        for attribute in attrs.fields(cls)
        if attribute.init
    )


def _convert(hint: Any, value: Any) -> Any:
    if attrs.has(hint):
        from_text = getattr(hint, "from_text", None)
        return from_text(value) if isinstance(value, str) and from_text else structure(hint, value)
    origin, args = get_origin(hint), get_args(hint)
    if origin is tuple:
        return tuple(_convert(args[0], member) for member in value)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return MappingProxyType({key: _convert(args[1], member) for key, member in value.items()})
    if origin in (Union, types.UnionType):
        return _convert_union([arg for arg in args if arg is not types.NoneType], value)
    if hint is int:
        return int(value)  # 5.0 is whole in the file, and a float here
    if hint is float:
        return float(value)
    return value


def _convert_union(options: list[Any], value: Any) -> Any:
    """
    A union is one type beside ``None``, or plain values that need no change.
    """
    if len(options) == 1 and get_origin(options[0]) is not Literal:
        return _convert(options[0], value)
    return value
