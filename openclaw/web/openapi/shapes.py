"""
Small parts of JSON Schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Schema = dict[str, Any]

STRING: Final[Schema] = {"type": "string"}
NON_EMPTY: Final[Schema] = {"type": "string", "minLength": 1}
BOOLEAN: Final[Schema] = {"type": "boolean"}
NUMBER: Final[Schema] = {"type": "number"}
COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
POSITIVE: Final[Schema] = {"type": "integer", "exclusiveMinimum": 0}
NULL: Final[Schema] = {"type": "null"}
OBJECT: Final[Schema] = {"type": "object"}
#: Seconds since the epoch.
TIME: Final[Schema] = {"type": "integer", "minimum": 0}
ANYTHING: Final[Schema] = {}


def record(
    required: Mapping[str, Schema],
    optional: Mapping[str, Schema] | None = None,
    *,
    more: bool = False,
    told: str | None = None,
) -> Schema:
    """
    An object.

    :param more: whether it may have other members, which mean nothing.
    :param told: what it is.
    """
    return {
        **({"description": told} if told else {}),
        "type": "object",
        **({"required": [*required]} if required else {}),
        "properties": {**required, **(optional or {})},
        "additionalProperties": more,
    }


def array(item: Schema, **limits: int) -> Schema:
    return {"type": "array", "items": item, **limits}


def const(value: str | int | bool) -> Schema:
    return {"const": value}


def choice(*values: str) -> Schema:
    return {"type": "string", "enum": [*values]}


def either(*schemas: Schema) -> Schema:
    return {"anyOf": [*schemas]}


def or_null(schema: Schema) -> Schema:
    return either(schema, NULL)


def ref(name: str) -> Schema:
    """
    A schema of the document, by its name.
    """
    return {"$ref": f"#/components/schemas/{name}"}
