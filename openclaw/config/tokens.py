"""
JSON5 text as a tree that knows where each token stands.

Values are decoded by pyjson5; this tree is for what it cannot say: positions, duplicate keys, numbers that are
no numbers. Texts of errors are those of the JSON5 reference parser, which clients show.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from attrs import frozen

from openclaw.config.issues import ConfigError

MAX_DEPTH = 200

_SPACE = re.compile(
    r"(?:[\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]|//[^\n\r\u2028\u2029]*|/\*.*?\*/)*",
    re.DOTALL,
)
_ESCAPE = r"\\(?:\r\n|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|0(?![0-9])|[^xu0-9])"
_DOUBLE = rf'"(?:[^"\\\n\r]|{_ESCAPE})*'
_SINGLE = rf"'(?:[^'\\\n\r]|{_ESCAPE})*"
_STRING = {'"': re.compile(_DOUBLE, re.DOTALL), "'": re.compile(_SINGLE, re.DOTALL)}
_NUMBER = re.compile(
    r"[+-]?(?:0[xX][0-9a-fA-F]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?)"
)
_NO_NUMBER = re.compile(r"[+-]?(?:Infinity|NaN)\b")
_WORD = re.compile(r"(?:true|false|null)\b")
_IDENTIFIER = re.compile(r"(?:[^\W\d]|[$])(?:[\w$\u200c\u200d])*")
_NAME = re.compile(r"[\w$]")


class Json5Error(ConfigError):
    """
    The text is not JSON5; ``str()`` is the text clients know, such as
    ``SyntaxError: JSON5: invalid character 'j' at 1:7``.
    """

    def __init__(self, message: str, line: int, column: int) -> None:
        self.message = message
        self.line = line
        self.column = column
        super().__init__(message, line, column)

    def __str__(self) -> str:
        return f"SyntaxError: JSON5: {self.message} at {self.line}:{self.column}"


@frozen
class Scalar:
    """
    A string, number, ``true``, ``false`` or ``null``: ``text[start:end]``.
    """

    start: int
    end: int


@frozen
class Member:
    """
    One key and its value in an object; ``key`` is decoded.
    """

    key: str
    key_start: int
    key_end: int
    value: Node


@frozen
class Object:
    """
    From brace to brace.
    """

    start: int
    end: int
    members: Sequence[Member]

    def find(self, key: str) -> Member | None:
        """
        The member of that name.
        """
        return next((member for member in self.members if member.key == key), None)


@frozen
class Array:
    """
    From bracket to bracket.
    """

    start: int
    end: int
    items: Sequence[Node]


Node = Scalar | Object | Array


def position(text: str, offset: int) -> tuple[int, int]:
    """
    Line and column of an offset, both from 1.
    """
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def skip_space(text: str, offset: int) -> int:
    """
    The offset of the first character that is neither white space nor comment.
    """
    found = _SPACE.match(text, offset)
    return found.end() if found else offset


def comments(text: str) -> Iterator[tuple[int, int]]:
    """
    Where the comments of a well-formed text stand.
    """
    pattern = rf"(//[^\n\r\u2028\u2029]*|/\*.*?\*/)|{_DOUBLE}\"|{_SINGLE}'"
    return (found.span(1) for found in re.finditer(pattern, text, re.DOTALL) if found.group(1) is not None)


def parse(text: str) -> Node:
    """
    Read one JSON5 document.

    :raise Json5Error: bad syntax, a key twice in one object, ``NaN`` or ``Infinity``, or too deep a nesting.
    """
    parser = _Parser(text)
    node = parser.value(skip_space(text, 0), 0)
    end = skip_space(text, node.end)
    if end < len(text):
        raise parser.surprise(end)
    return node


class _Parser:
    """
    Recursive descent over one text.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    def surprise(self, offset: int) -> Json5Error:
        """
        The error for a character that cannot stand at ``offset``.
        """
        text = self.text
        if offset >= len(text) or text.startswith("/*", offset):
            # An open block comment swallows the rest of the text.
            return Json5Error("invalid end of input", *position(text, len(text)))
        char = text[offset]
        shown = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "'": "\\'", "\\": "\\\\"}.get(char, char)
        return self.error(f"invalid character '{shown}'", offset)

    def error(self, message: str, offset: int) -> Json5Error:
        return Json5Error(message, *position(self.text, offset))

    def value(self, offset: int, depth: int) -> Node:
        text = self.text
        char = text[offset : offset + 1]
        if depth > MAX_DEPTH:
            raise self.error("nesting is too deep", offset)
        if char == "{":
            return self.object(offset, depth)
        if char == "[":
            return self.array(offset, depth)
        if char in _STRING:
            return Scalar(offset, self.string(offset))
        if found := _NO_NUMBER.match(text, offset):
            raise self.error(f"invalid number '{found.group()}'", offset)
        found = _WORD.match(text, offset) or _NUMBER.match(text, offset)
        if found is None:
            raise self.surprise(self.first_wrong(offset))
        if _NAME.match(text, found.end()):
            raise self.surprise(found.end())
        return Scalar(offset, found.end())

    def first_wrong(self, offset: int) -> int:
        """
        How far a misspelt literal or a lone sign was right.
        """
        text = self.text
        for word in ("true", "false", "null"):
            if text.startswith(word[0], offset):
                right = next((n for n in range(1, len(word)) if not text.startswith(word[: n + 1], offset)), None)
                return offset + (right or len(word))
        return offset + (text[offset : offset + 1] in ("+", "-", "."))

    def string(self, offset: int) -> int:
        """
        :return: the end of the string that begins at ``offset``.
        """
        quote = self.text[offset]
        found = _STRING[quote].match(self.text, offset)
        assert found is not None
        if not self.text.startswith(quote, found.end()):
            raise self.surprise(found.end() + self.text.startswith("\\", found.end()))
        return found.end() + 1

    def key(self, offset: int) -> tuple[str, int]:
        """
        :return: the decoded key and where it ends.
        """
        if self.text[offset : offset + 1] in _STRING:
            end = self.string(offset)
            return decode_string(self.text[offset:end]), end
        found = _IDENTIFIER.match(self.text, offset)
        if found is None:
            raise self.surprise(offset)
        return found.group(), found.end()

    def object(self, start: int, depth: int) -> Object:
        text = self.text
        members: list[Member] = []
        seen: set[str] = set()
        offset = skip_space(text, start + 1)
        while not text.startswith("}", offset):
            key, key_end = self.key(offset)
            if key in seen:
                raise self.error(f"duplicate key '{key}'", offset)
            seen.add(key)
            colon = skip_space(text, key_end)
            if not text.startswith(":", colon):
                raise self.surprise(colon)
            value = self.value(skip_space(text, colon + 1), depth + 1)
            members.append(Member(key, offset, key_end, value))
            offset = self.separator(value.end, "}")
        return Object(start, offset + 1, members)

    def array(self, start: int, depth: int) -> Array:
        text = self.text
        items: list[Node] = []
        offset = skip_space(text, start + 1)
        while not text.startswith("]", offset):
            items.append(self.value(offset, depth + 1))
            offset = self.separator(items[-1].end, "]")
        return Array(start, offset + 1, items)

    def separator(self, offset: int, closing: str) -> int:
        """
        Step over a comma, or stay before the closing bracket.
        """
        offset = skip_space(self.text, offset)
        if self.text.startswith(",", offset):
            return skip_space(self.text, offset + 1)
        if not self.text.startswith(closing, offset):
            raise self.surprise(offset)
        return offset


def decode_string(token: str) -> str:
    """
    The value of a quoted token.
    """
    if "\\" not in token:
        return token[1:-1]
    return str(decode(token))


def decode(text: str) -> object:
    """
    The value of a text that :func:`parse` has accepted.
    """
    import pyjson5

    try:
        value: object = pyjson5.decode(text, MAX_DEPTH + 10)
    except pyjson5.Json5DecoderException as error:
        # Both readers agree on what JSON5 is (a test holds them to it), but for numbers beyond a double.
        # Not chained: the decoder's exception carries what it has read, secrets included.
        raise Json5Error(f"unreadable value ({error.args[0]})", 1, 1) from None
    if "\\" in text:
        _refuse_half_characters(value)
    return value


def _refuse_half_characters(value: object) -> None:
    """
    Text with half of a surrogate pair in it could be read, but never be written.
    """
    parts: Iterable[object] = (value,)
    if isinstance(value, dict):
        parts = (*value, *value.values())
    elif isinstance(value, list):
        parts = value
    for part in parts:
        if isinstance(part, str):
            if not part.isascii() and any("\ud800" <= char <= "\udfff" for char in part):
                raise Json5Error("half of a surrogate pair in a string", 1, 1)
        elif part is not value:
            _refuse_half_characters(part)
