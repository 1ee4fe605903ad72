"""
Say what is wrong with a value, in the words and the order that clients of the reference gateway know.

The words are those of the validator that the reference uses. Which values are wrong at all is decided in
``openclaw.protocol.validate``; here only the ones that are get explained, so that speed does not matter much. The
walk goes as deep as the schema does, never as deep as the value.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from math import isfinite
from typing import Any, Final

#: A schema of JSON Schema draft 7, as far as ``openclaw.protocol.schema`` writes it.
Schema = Mapping[str, Any]


def explain(schema: Schema, value: Any) -> str:
    """
    Every violation in one line.

    :return: the violations in order, each once, joined by ``; ``; empty if there are none.
    """
    return "; ".join(dict.fromkeys(_violations(schema, value, "")))


def _violations(schema: Schema, value: Any, pointer: str) -> Iterator[str]:
    kind = schema.get("type")
    if kind is not None and not _TYPES[kind](value):
        yield _at(pointer, f"must be {kind}")
    else:
        yield from _typed_violations(kind, schema, value, pointer)
    if "const" in schema and not _same(schema["const"], value):
        yield _at(pointer, "must be equal to constant")
    choices = schema.get("anyOf")
    if choices is not None:
        reasons = [list(_violations(choice, value, pointer)) for choice in choices]
        if all(reasons):
            for reason in reasons:
                yield from reason
            yield _at(pointer, "must match a schema in anyOf")


def _typed_violations(kind: str | None, schema: Schema, value: Any, pointer: str) -> Iterator[str]:
    if kind in ("integer", "number"):
        yield from _number_violations(schema, value, pointer)
    elif kind == "string":
        yield from _string_violations(schema, value, pointer)
    elif kind == "array":
        yield from _array_violations(schema, value, pointer)
    elif kind == "object":
        yield from _object_violations(schema, value, pointer)


def _number_violations(schema: Schema, value: Any, pointer: str) -> Iterator[str]:
    for keyword, sign, holds in _LIMITS:
        limit = schema.get(keyword)
        if limit is not None and not holds(value, limit):
            yield _at(pointer, f"must be {sign} {limit}")


def _string_violations(schema: Schema, value: str, pointer: str) -> Iterator[str]:
    yield from _size_violations(schema, len(value), pointer, "Length", "characters")
    pattern = schema.get("pattern")
    if pattern is not None and re.search(pattern, value) is None:
        yield _at(pointer, f'must match pattern "{pattern}"')


def _array_violations(schema: Schema, value: list[Any], pointer: str) -> Iterator[str]:
    yield from _size_violations(schema, len(value), pointer, "Items", "items")
    item = schema.get("items")
    if item:
        for index, member in enumerate(value):
            yield from _violations(item, member, f"{pointer}/{index}")


def _object_violations(schema: Schema, value: Mapping[str, Any], pointer: str) -> Iterator[str]:
    for name in schema.get("required", ()):
        if name not in value:
            yield _at(pointer, f"must have required property '{name}'")
    properties = schema.get("properties", {})
    patterns = schema.get("patternProperties", {})
    if schema.get("additionalProperties", True) is False:
        for name in value:
            if name not in properties and not any(re.search(pattern, name) for pattern in patterns):
                yield f"at {pointer or 'root'}: unexpected property '{name}'"
    for name, member in properties.items():
        if name in value:
            yield from _violations(member, value[name], f"{pointer}/{_escaped(name)}")
    for pattern, member in patterns.items():
        for name in value:
            if re.search(pattern, name):
                yield from _violations(member, value[name], f"{pointer}/{_escaped(name)}")


def _size_violations(schema: Schema, size: int, pointer: str, what: str, unit: str) -> Iterator[str]:
    most = schema.get(f"max{what}")
    if most is not None and size > most:
        yield _at(pointer, f"must NOT have more than {most} {unit}")
    fewest = schema.get(f"min{what}")
    if fewest is not None and size < fewest:
        yield _at(pointer, f"must NOT have fewer than {fewest} {unit}")


def _at(pointer: str, message: str) -> str:
    return f"at {pointer}: {message}" if pointer else message


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _same(constant: Any, value: Any) -> bool:
    # 1 and true are equal for Python, not for JSON.
    return bool(constant == value) and isinstance(constant, bool) == isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and (isinstance(value, int) or isfinite(value))
    )


def _is_integer(value: Any) -> bool:
    return _is_number(value) and (isinstance(value, int) or value.is_integer())


_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "string": lambda value: isinstance(value, str),
    "integer": _is_integer,
    "number": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}

_LIMITS: Final[tuple[tuple[str, str, Callable[[Any, Any], bool]], ...]] = (
    ("maximum", "<=", lambda value, limit: bool(value <= limit)),
    ("minimum", ">=", lambda value, limit: bool(value >= limit)),
    ("exclusiveMaximum", "<", lambda value, limit: bool(value < limit)),
    ("exclusiveMinimum", ">", lambda value, limit: bool(value > limit)),
)
