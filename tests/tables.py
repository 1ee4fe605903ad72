"""
Tables of the documents, as the code has them.
"""

from __future__ import annotations

import ast
import json
import re
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
from attrs import frozen

import openclaw
from openclaw.config.keys import ROOT as KEYS
from openclaw.config.model import Config
from openclaw.config.schema import AnyOf, Choice, Each, Flag, Number, Obj, Record, Shape, Text
from openclaw.methods.families import METHODS
from openclaw.methods.table import Method
from openclaw.protocol.features import EVENT_ORDER

ROOT = Path(openclaw.__file__).resolve().parent.parent

ANY = "<name>"
ITEM = "[]"


@frozen(kw_only=True)
class Key:
    """
    One key that the model has an attribute for.

    :ivar default: as it would stand in the file; empty when there is none.
    """

    name: str
    value: str
    default: str


def model_keys() -> list[Key]:
    """
    Every key of the model, in its order.
    """
    return [
        Key(name=dotted(path), value=words(shape_of(path)), default=shown(default))
        for path, default in _leaves(Config, Config(), ())
    ]


def _leaves(kind: Any, made: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    hints = typing.get_type_hints(kind)
    for attribute in attrs.fields(kind):
        if attribute.name == "effective":
            continue
        value = getattr(made, attribute.name) if made is not None else _default(attribute)
        yield from _below(hints[attribute.name], value, (*path, _camel(attribute.name)))


def _below(hint: Any, value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    classes = [kind for kind in (hint, *typing.get_args(hint)) if isinstance(kind, type) and attrs.has(kind)]
    if not classes:
        yield path, value
        return
    origin = typing.get_origin(hint)
    if origin is tuple:
        yield from _leaves(classes[0], None, (*path, ITEM))
    elif isinstance(origin, type) and issubclass(origin, Mapping):
        yield from _leaves(classes[0], None, (*path, ANY))
    else:
        yield from _leaves(classes[0], value, path)


def _default(attribute: Any) -> Any:
    default = attribute.default
    if default is attrs.NOTHING:
        return None
    return default.factory() if isinstance(default, attrs.Factory) else default  # type: ignore[arg-type]  # a class to attrs


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def dotted(path: tuple[str, ...]) -> str:
    """
    A path as the documents write it: ``agents.list[].id``.
    """
    return ".".join(path).replace(f".{ITEM}", ITEM)


def shape_of(path: tuple[str, ...]) -> Shape:
    """
    The shape of a key.
    """
    shape: Shape | None = KEYS
    for part in path:
        assert shape is not None, path
        if part == ITEM:
            shape = shape.child(0)
        elif part == ANY and isinstance(shape, Obj):
            shape = next(iter(shape.members.values()))
        else:
            shape = shape.child(part)
    assert shape is not None, path
    return shape


def words(shape: Shape) -> str:
    """
    A shape in a few words.
    """
    if isinstance(shape, Choice):
        return ", ".join(f"`{json.dumps(value)}`" for value in shape.values)
    if isinstance(shape, Number):
        return shape.expected.removeprefix("a ")
    if isinstance(shape, Text):
        return "secret" if shape.secret else (shape.meaning or "text").removeprefix("a ").removeprefix("an ")
    if isinstance(shape, Each | Record):
        return f"{'list' if isinstance(shape, Each) else 'map'} of {words(shape.item)}"
    if isinstance(shape, AnyOf):
        return " or ".join(dict.fromkeys(words(one) for one in shape.shapes))
    return "true, false" if isinstance(shape, Flag) else "object"


def shown(default: Any) -> str:
    """
    A default as it would stand in the file.
    """
    if default is None or default == "" or (isinstance(default, tuple | Mapping) and not default):
        return ""
    return f"`{json.dumps(list(default) if isinstance(default, tuple) else default)}`"


def text(name: str) -> str:
    """
    A file of the project.
    """
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(path: Path, language: str) -> list[str]:
    """
    The fenced blocks of a language.
    """
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def rows(document: str, heading: str) -> list[list[str]]:
    """
    The cells of the tables below a heading, up to the next one, without head and rule.
    """
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", document, re.MULTILINE | re.DOTALL)
    assert found is not None, f"no heading {heading!r}"
    lines = [line for line in found[1].splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [row for row in cells[1:] if not row[0].startswith("---")]


def method_rows() -> list[list[str]]:
    """
    Name, scope, parameters and marks of every method, in alphabetical order.
    """
    return [
        [f"`{method.name}`", f"`{method.scope}`", _parameters(method.params), _marks(method)]
        for _, method in sorted(METHODS.items())
    ]


def _parameters(params: type | None) -> str:
    if params is None:
        return ""
    names = [_camel(field.name) + ("" if field.default is attrs.NOTHING else "?") for field in attrs.fields(params)]
    return ", ".join(f"`{name}`" for name in names)


def _marks(method: Method) -> str:
    marks = {"unlisted": not method.advertised, "repeatable": method.idempotent, "durable": method.durable}
    return ", ".join(name for name, holds in marks.items() if holds)


def event_rows() -> list[str]:
    """
    The events that are advertised, in their order.
    """
    return [f"`{name}`" for name in EVENT_ORDER]


def attributes_read() -> frozenset[tuple[str, ...]]:
    """
    The ends of every chain of attributes in the program outside the configuration itself: ``a.b.c`` as three names,
    ``a.b`` with a variable in front as two.
    """
    found = set()
    for path in (ROOT / "openclaw").rglob("*.py"):
        if path.relative_to(ROOT / "openclaw").parts[0] in ("config", "protocol"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                found.add(tuple(ast.unparse(node).split(".")[-3:]))
    return frozenset(found)


def is_read(key: Key, chains: frozenset[tuple[str, ...]]) -> bool:
    """
    Whether some chain of attributes looks like this key.
    """
    parts = [part.removesuffix(ITEM) for part in key.name.split(".") if part != ANY]
    names = tuple(re.sub(r"[A-Z]", lambda found: f"_{found[0].lower()}", part) for part in parts)
    if len(names) == 2:
        return any(chain[-2:] == names for chain in chains)
    return names[-3:] in chains or names[-2:] in chains
