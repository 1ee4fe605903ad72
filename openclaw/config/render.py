"""
How new values are written into a text: in the manner of what stands there already.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from openclaw.config.tokens import Array, Node, Object, skip_space

_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")


@frozen
class Style:
    """
    The habits of one text.

    :param unit: one level of indentation.
    :param spread: containers are written over several lines.
    :param bare: keys that can go without quotes do.
    """

    text: str
    newline: str
    unit: str
    spread: bool
    bare: bool
    quote: str

    @classmethod
    def of(cls, text: str, tree: Node) -> Style:
        """
        Read the habits from the outermost object.
        """
        spread = "\n" in text[tree.start : tree.end]
        unit = "  "
        first = next(iter(_starts(tree)), None)
        if first is not None and _begins_line(text, first):
            unit = text[text.rfind("\n", 0, first) + 1 : first] or unit
        mark = text[first] if first is not None and isinstance(tree, Object) else '"'
        return cls(
            text=text,
            newline="\r\n" if "\r\n" in text else "\n",
            unit=unit,
            spread=spread,
            bare=mark not in "\"'",
            quote="'" if mark == "'" else '"',
        )

    def begins_line(self, offset: int) -> bool:
        """
        Whether nothing but blanks stands before this place in its line.
        """
        return _begins_line(self.text, offset)

    def line_indent(self, offset: int) -> str:
        """
        The blanks at the beginning of the line.
        """
        start = self.text.rfind("\n", 0, offset) + 1
        line = self.text[start:offset]
        return line[: len(line) - len(line.lstrip(" \t"))]

    def end_of_line(self, offset: int) -> int:
        """
        Step over blanks and comments that end the line; otherwise stay.
        """
        stop = self.text.find("\n", offset)
        stop = len(self.text) if stop < 0 else stop
        if skip_space(self.text, offset) < stop:
            return offset
        # A block comment may go on beyond the line: then the new text stands before it.
        opened = self.text.rfind("/*", offset, stop)
        if opened >= 0 and self.text.find("*/", opened, stop) < 0 and "//" not in self.text[offset:opened]:
            return offset
        return stop - (self.text[stop - 1 : stop] == "\r" and stop > offset)

    def key(self, key: str, like: Object | None = None) -> str:
        """
        A key as its neighbours are written.
        """
        bare, quote = self.bare, self.quote
        if like is not None and like.members:
            mark = self.text[like.members[-1].key_start]
            bare, quote = mark not in "\"'", "'" if mark == "'" else '"'
        if bare and _IDENTIFIER.fullmatch(key):
            return key
        return string(key, quote)

    def value(self, value: Any, indent: str, *, quote: str = "") -> str:
        """
        A value; containers over several lines where the text does so.

        :param indent: of the line on which the value begins.
        :param quote: the character with which the replaced value began.
        """
        if isinstance(value, str):
            return string(value, quote if quote in ("'", '"') else self.quote)
        if isinstance(value, Mapping):
            members = [
                f"{self.key(str(key))}: {self.value(member, indent + self.unit)}" for key, member in value.items()
            ]
            return self._container("{", members, "}", indent)
        if isinstance(value, list | tuple):
            return self._container("[", [self.value(item, indent + self.unit) for item in value], "]", indent)
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{value} cannot be written")
        return json.dumps(value)

    def _container(self, opening: str, members: list[str], closing: str, indent: str) -> str:
        if not members:
            return opening + closing
        if not self.spread:
            blank = " " if opening == "{" else ""
            return f"{opening}{blank}{', '.join(members)}{blank}{closing}"
        inner = self.newline + indent + self.unit
        return f"{opening}{inner}{(',' + inner).join(members)}{self.newline}{indent}{closing}"


def string(text: str, quote: str) -> str:
    """
    A quoted string.
    """
    written = json.dumps(text, ensure_ascii=any("\ud800" <= char <= "\udfff" for char in text))
    if quote == '"':
        return written
    return "'" + written[1:-1].replace('\\"', '"').replace("'", "\\'") + "'"


def _begins_line(text: str, offset: int) -> bool:
    start = text.rfind("\n", 0, offset) + 1
    return start > 0 and not text[start:offset].strip(" \t")


def _starts(node: Node) -> list[int]:
    if isinstance(node, Object):
        return [member.key_start for member in node.members]
    return [item.start for item in node.items] if isinstance(node, Array) else []
