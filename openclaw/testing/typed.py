"""
What a gateway says, as objects of the protocol's definitions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from openclaw.protocol.convert import structure
from openclaw.protocol.members import (
    alternatives,
    extra_member,
    is_definition,
    item_type,
    members,
    unannotated,
    value_type,
)

T = TypeVar("T")


def read(kind: type[T], value: Any) -> T:
    """
    An object of a definition. Answers and events may carry more than their definitions say; that is left out.
    """
    return structure(kind, known(kind, value))


def known(kind: Any, value: Any) -> Any:
    """
    The part of a value that a type knows.
    """
    bare, _ = unannotated(kind)
    if is_definition(bare) and isinstance(value, Mapping):
        types = {member.wire: member.type for member in members(bare)}
        keeps = extra_member(bare) is not None
        return {
            name: known(types[name], item) if name in types else item
            for name, item in value.items()
            if keeps or name in types
        }
    if item_type(bare) is not None and isinstance(value, list):
        return [known(item_type(bare), item) for item in value]
    if value_type(bare) is not None and isinstance(value, Mapping):
        return {name: known(value_type(bare), item) for name, item in value.items()}
    definitions = [choice for choice in alternatives(bare) if is_definition(unannotated(choice)[0])]
    return known(definitions[0], value) if bare not in definitions and len(definitions) == 1 else value
