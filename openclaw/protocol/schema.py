"""
JSON Schema from the definitions.
"""

from collections.abc import Mapping
from types import NoneType
from typing import Any, Final

from openclaw.errors import OpenClawError
from openclaw.protocol.members import (
    Member,
    alternatives,
    exclusive,
    extra_member,
    is_definition,
    item_type,
    literals,
    members,
    unannotated,
    value_type,
)

DIALECT: Final = "http://json-schema.org/draft-07/schema#"

#: Keys of a mapping are free; the pattern says so in the way that generators of client code know.
ANY_KEY: Final = "^(.*)$"

_PRIMITIVES: Final[Mapping[Any, str]] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    NoneType: "null",
}


class NotDescribable(OpenClawError):
    """
    A definition uses a type that has no form on the wire.
    """


def schema_of(kind: Any) -> dict[str, Any]:
    """
    The schema of a definition, or of any type that a definition's field may have.

    Nested definitions are written out, since known readers of the schema do not follow references.

    :raise NotDescribable: the type has no form on the wire.
    """
    bare, constraints = unannotated(kind)
    schema = {constraint.keyword: _json(constraint.value) for constraint in constraints}
    schema.update(_bare_schema(bare))
    return schema


def document(title: str, definitions: Mapping[str, Any], roots: tuple[str, ...]) -> dict[str, Any]:
    """
    One schema document for many definitions.

    :param roots: the definitions of which a whole message is one.
    """
    return {
        "$schema": DIALECT,
        "title": title,
        "oneOf": [{"$ref": f"#/definitions/{name}"} for name in roots],
        "definitions": {name: schema_of(kind) for name, kind in definitions.items()},
    }


def _json(value: Any) -> Any:
    # Annotations must be hashable, so that an empty array stands there as a tuple.
    return list(value) if isinstance(value, tuple) else value


def _bare_schema(kind: Any) -> dict[str, Any]:
    if kind is Any:
        return {}
    if kind in _PRIMITIVES:
        return {"type": _PRIMITIVES[kind]}
    if is_definition(kind):
        return _object_schema(kind)
    item = item_type(kind)
    if item is not None:
        return {"type": "array", "items": schema_of(item)}
    value = value_type(kind)
    if value is not None:
        return {"type": "object", "patternProperties": {ANY_KEY: schema_of(value)}}
    choices = [schema for choice in alternatives(kind) for schema in _choice_schemas(choice, kind)]
    return choices[0] if len(choices) == 1 else {"anyOf": choices}


def _choice_schemas(choice: Any, union: Any) -> list[dict[str, Any]]:
    constants = literals(choice)
    if constants:
        return [
            {"const": constant, "type": "string" if isinstance(constant, str) else "number"} for constant in constants
        ]
    if choice is union:
        raise NotDescribable(f"no form on the wire: {union!r}")
    return [schema_of(choice)]


def _object_schema(cls: type) -> dict[str, Any]:
    names = exclusive(cls)
    if not names:
        return _members_schema(cls, members(cls), frozenset())
    return {
        "anyOf": [
            _members_schema(
                cls,
                tuple(member for member in members(cls) if member.name == chosen or member.name not in names),
                frozenset({chosen}),
            )
            for chosen in names
        ]
    }


def _members_schema(cls: type, listed: tuple[Member, ...], chosen: frozenset[str]) -> dict[str, Any]:
    schema: dict[str, Any] = {"additionalProperties": extra_member(cls) is not None, "type": "object"}
    required = [member.wire for member in listed if member.required or member.name in chosen]
    if required:
        schema["required"] = required
    schema["properties"] = {member.wire: schema_of(member.type) for member in listed}
    return schema
