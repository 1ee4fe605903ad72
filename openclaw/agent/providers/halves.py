"""
Characters that a stream has cut in two: JavaScript counts an emoji as two, and a server that cuts between them sends
half of a surrogate pair with one event and the other half with the next.
"""

from __future__ import annotations

import json
from typing import Any

import orjson
from attrs import define

#: Of what never becomes a character.
REPLACEMENT = "\ufffd"


def read_event(data: str) -> Any:
    """
    The JSON of one event, in which halves are left as they are.

    :raise ValueError: it is not JSON.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        if "\\ud" not in data.lower():
            raise
        return json.loads(data)


def whole(text: str) -> str:
    """
    Two halves that stand beside each other as the character that they are, and others as U+FFFD.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


@define
class Joined:
    """
    One text of a stream, piece by piece.
    """

    _half: str = ""

    def add(self, text: str) -> str:
        """
        :return: what can be shown now, which is nothing while there is only half a character.
        """
        text, self._half = self._half + text, ""
        if "\ud800" <= text[-1:] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        return whole(text)

    def rest(self) -> str:
        """
        What is left when the text has ended.
        """
        half, self._half = self._half, ""
        return REPLACEMENT if half else ""
