"""
Paths to values as people type them: ``agents.list[0].id``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from openclaw.config.editor import EditRefused, PathNotFound
from openclaw.config.keys import shape_at
from openclaw.config.schema import AnyOf, Each, Shape


def parse_path(text: str) -> tuple[str, ...]:
    """
    The parts of a path: separated by dots, or in brackets; a backslash takes the next character as it is.

    :raise EditRefused: the path is empty or a bracket is open.
    """
    parts: list[str] = []
    current = ""
    at = 0
    while at < len(text):
        char = text[at]
        if char == "\\":
            current += text[at + 1 : at + 2]
            at += 1
        elif char in ".[":
            _push(parts, current)
            current = ""
            if char == "[":
                close = text.find("]", at)
                if close < 0:
                    raise EditRefused(f'Invalid path (missing "]"): {text}')
                _push(parts, text[at + 1 : close])
                at = close
        else:
            current += char
        at += 1
    _push(parts, current)
    if not parts:
        raise EditRefused("Path is empty.")
    return tuple(parts)


def _push(parts: list[str], part: str) -> None:
    if part.strip():
        parts.append(part.strip())


def typed_path(parts: Sequence[str]) -> tuple[str | int, ...]:
    """
    The same parts, with indexes as numbers where the known keys say that an array stands.
    """
    typed: list[str | int] = []
    for part in parts:
        indexed = part.isascii() and part.isdigit() and _is_array(shape_at(tuple(typed)))
        typed.append(int(part) if indexed else part)
    return tuple(typed)


def _is_array(shape: Shape | None) -> bool:
    return isinstance(shape, Each) or (isinstance(shape, AnyOf) and any(map(_is_array, shape.shapes)))


def value_at(config: Any, parts: Sequence[str | int]) -> Any:
    """
    The value at a path of plain data.

    :raise PathNotFound: there is none.
    :raise EditRefused: a part that is no number points into an array.
    """
    value = config
    for part in parts:
        if isinstance(value, list):
            if not (str(part).isascii() and str(part).isdigit()):
                raise EditRefused(f'Expected numeric index for array segment "{part}"')
            if int(part) >= len(value):
                raise PathNotFound(parts)
            value = value[int(part)]
        elif isinstance(value, dict) and str(part) in value:
            value = value[str(part)]
        else:
            raise PathNotFound(parts)
    return value
