"""
Changes to JSON5 text that leave all that was not changed as it is, to the byte.

Every change is a few splices: what is replaced, what is put in, what is cut out. Comments, the order of keys,
quotes, ``$include`` and ``${NAME}`` elsewhere are never written again, because they are never decoded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve, frozen

from openclaw.config.issues import ConfigError
from openclaw.config.render import Style
from openclaw.config.tokens import Array, Node, Object, decode, parse, skip_space

Splice = tuple[int, int, str]
Parts = Sequence[str | int]


class EditRefused(ConfigError):
    """
    The text has no place for such a change.
    """

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)

    def __str__(self) -> str:
        return self.message


class PathNotFound(EditRefused):
    """
    Nothing in this file stands at the path; an ``$include`` may still bring it.
    """

    def __init__(self, path: Parts) -> None:
        self.path = tuple(path)
        super().__init__("Config path not found: " + ".".join(map(str, path)))


def get_span(text: str, path: Parts) -> tuple[int, int] | None:
    """
    Where the value at ``path`` stands: ``text[start:end]``.

    :raise Json5Error: ``text`` is not JSON5.
    """
    node = _find(parse(text), path)
    return None if node is None else (node.start, node.end)


def set_value(text: str, path: Parts, value: Any) -> str:
    """
    Make the value at ``path`` be ``value``, which is plain data. Members that stay equal are not touched; objects on
    the way that are missing are made, arrays where the part of the path is a number.

    :raise Json5Error: ``text`` is not JSON5.
    :raise EditRefused: a scalar stands in the way, or an index is beyond the end of its array.
    """
    tree = parse(text)
    node: Node = tree
    for depth, part in enumerate(path):
        child = _child(node, part)
        if child is None:
            added = _nest(path[depth + 1 :], value)
            return _splice(text, _insertion(text, tree, node, path[: depth + 1], added))
        node = child
    return _make_equal(text, tree, node, tuple(path), value)


def unset_value(text: str, path: Parts) -> str:
    """
    Remove the member or array element at ``path``; comments around it stay.

    :raise Json5Error: ``text`` is not JSON5.
    :raise PathNotFound: there is nothing.
    """
    parent = _find(parse(text), path[:-1]) if path else None
    child = _child(parent, path[-1]) if parent is not None else None
    if parent is None or child is None:
        raise PathNotFound(path)
    elements = _elements(parent)
    index = next(number for number, element in enumerate(elements) if element.end == child.end)
    return _splice(text, _removal(text, elements, index))


@frozen
class _Element:
    """
    A member from its key to the end of its value, or an array element.
    """

    start: int
    end: int


def _elements(node: Node) -> list[_Element]:
    if isinstance(node, Object):
        return [_Element(member.key_start, member.value.end) for member in node.members]
    if isinstance(node, Array):
        return [_Element(item.start, item.end) for item in node.items]
    return []


def _find(node: Node | None, path: Parts) -> Node | None:
    for part in path:
        node = None if node is None else _child(node, part)
    return node


def _child(node: Node, part: str | int) -> Node | None:
    if isinstance(node, Object):
        member = node.find(str(part))
        return None if member is None else member.value
    if isinstance(node, Array):
        index = _index(part)
        return node.items[index] if index < len(node.items) else None
    return None


def _index(part: str | int) -> int:
    text = str(part)
    if not (text.isascii() and text.isdigit()):
        raise EditRefused(f'Expected numeric index for array segment "{part}"')
    return int(text)


def _nest(path: Parts, value: Any) -> Any:
    """
    The value inside the containers that the rest of its path asks for.
    """
    for part in reversed(path):
        if isinstance(part, int) and part > 0:
            raise EditRefused(f"Array index {part} is beyond the end of the array")
        value = [value] if isinstance(part, int) else {part: value}
    return value


def _splice(text: str, splices: Sequence[Splice]) -> str:
    """
    Carry out changes that do not overlap; of those at one place, the first given stands first.
    """
    for start, end, added in sorted(splices, key=lambda splice: splice[:2], reverse=True):
        text = text[:start] + added + text[end:]
    return text


def _make_equal(text: str, tree: Node, node: Node, path: tuple[str | int, ...], value: Any) -> str:
    """
    Change an existing value, going down as far as old and new are containers of one kind.
    """
    old = decode(text[node.start : node.end])
    if same(old, value):
        return text
    if isinstance(node, Object) and isinstance(value, Mapping):
        assert isinstance(old, dict)
        for key in [key for key in old if key not in value]:
            text = unset_value(text, (*path, key))
        for key in value:
            if key not in old or not same(old[key], value[key]):
                text = set_value(text, (*path, key), value[key])
        return text
    if isinstance(node, Array) and isinstance(value, list | tuple):
        assert isinstance(old, list)
        for index in _gone(old, value):
            text = unset_value(text, (*path, index))
            del old[index]
        for index, member in enumerate(value):
            if index >= len(old) or not same(old[index], member):
                text = set_value(text, (*path, index), member)
        return text
    style = Style.of(text, tree)
    written = style.value(value, style.line_indent(node.start), quote=text[node.start])
    return _splice(text, [(node.start, node.end, written)])


def _gone(old: Sequence[Any], new: Sequence[Any]) -> list[int]:
    """
    Which elements to take out, last first, so that those that stay keep their text: by ``id`` where all have one, else
    those in the middle, between what begins and ends alike.
    """
    names = [[element.get("id") if isinstance(element, Mapping) else None for element in many] for many in (old, new)]
    if None not in names[0] and None not in names[1]:
        stay = [index for index, name in enumerate(names[0]) if name in names[1]]
        if len(stay) <= len(new):
            return [index for index in reversed(range(len(old))) if index not in stay]
    more = max(len(old) - len(new), 0)
    alike = 0
    while alike < len(new) and same(old[alike] if alike < len(old) else None, new[alike]):
        alike += 1
    start = min(alike, len(old) - more)
    return list(reversed(range(start, start + more)))


def same(old: Any, new: Any) -> bool:
    """
    Equality as the file knows it, in which ``1`` is not ``true``.
    """
    if isinstance(old, bool) or isinstance(new, bool):
        return old is new
    if isinstance(old, dict) and isinstance(new, Mapping):
        return old.keys() == new.keys() and all(same(old[key], new[key]) for key in old)
    if isinstance(old, list) and isinstance(new, list | tuple):
        return len(old) == len(new) and all(map(same, old, new))
    return bool(old == new)


def _insertion(text: str, tree: Node, node: Node, path: Parts, value: Any) -> list[Splice]:
    """
    Put a new member or element at the end of a container.

    :param path: of the new value; its last part is the key or index in ``node``.
    """
    style = Style.of(text, tree)
    if isinstance(node, Array):
        if _index(path[-1]) > len(node.items):
            raise EditRefused(f"Array index {path[-1]} is beyond the end of the array")
        prefix = ""
    elif isinstance(node, Object):
        prefix = style.key(str(path[-1]), like=node) + ": "
    else:
        where = ".".join(map(str, path[:-1])) or "<root>"
        raise EditRefused(f"Cannot set {'.'.join(map(str, path))}: {where} is neither an object nor an array")
    elements = _elements(node)
    if not elements:
        return _first_element(text, style, node, prefix, value, spread=node is tree or style.spread)
    last = elements[-1]
    comma = skip_space(text, last.end)
    trailing = text.startswith(",", comma)
    after = comma + 1 if trailing else last.end
    own_line = style.line_indent(last.start) if style.begins_line(last.start) else None
    written = prefix + style.value(value, own_line if own_line is not None else style.line_indent(last.start))
    if own_line is None:
        return [(after, after, f" {written}," if trailing else f", {written}")]
    place = style.end_of_line(after)
    added = f"{style.newline}{own_line}{written}"
    if trailing:
        return [(place, place, added + ",")]
    if place == after:
        return [(after, after, "," + added)]
    return [(after, after, ","), (place, place, added)]


def _first_element(text: str, style: Style, node: Node, prefix: str, value: Any, *, spread: bool) -> list[Splice]:
    """
    Put something into an empty container, after comments that it may hold.
    """
    inside = text[node.start + 1 : node.end - 1]
    start = node.start + 1 + len(inside.rstrip())
    end = node.end - 1
    outer = style.line_indent(node.start)
    if not spread and not inside.strip():
        return [(start, end, prefix + style.value(value, outer))]
    inner = outer + style.unit
    style = evolve(style, spread=True)
    added = f"{style.newline}{inner}{prefix}{style.value(value, inner)}"
    if "\n" in text[start:end]:
        return [(start, start, added)]
    return [(start, end, added + style.newline + outer)]


def _removal(text: str, elements: Sequence[_Element], index: int) -> list[Splice]:
    """
    Cut one element, the comma that goes with it, and the line that would be left empty.
    """
    start, end = elements[index].start, elements[index].end
    splices: list[Splice] = []
    comma = skip_space(text, end)
    if text.startswith(",", comma):
        if text[end:comma].strip():
            splices.append((comma, comma + 1, ""))  # a comment stands before the comma, and stays
        else:
            end = comma + 1
    elif index > 0:
        before = skip_space(text, elements[index - 1].end)
        splices.append((before, before + 1, ""))
        if not text[before + 1 : start].strip() and "\n" not in text[before + 1 : start]:
            start = before + 1
    line = text.rfind("\n", 0, start) + 1
    alone = not text[line:start].strip() and line > 0
    spaces = end + len(text[end:]) - len(text[end:].lstrip(" \t"))
    if alone and text.startswith(("\n", "\r\n"), spaces):
        # With the line break before it; the one after it then ends the line above.
        start = line - 1 - (text[line - 2 : line] == "\r\n")
        end = spaces
    elif alone or index + 1 < len(elements) or index == 0:
        end = spaces
    return [*splices, (start, end, "")]
