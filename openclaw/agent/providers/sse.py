"""
Server-sent events, read as they arrive.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from attrs import define, field, frozen

from openclaw.agent.providers.errors import StreamBroken

#: The longest event we hold; a line that never ends must not fill the memory.
MAX_EVENT_CHARACTERS = 8 * 1024 * 1024


@frozen
class ServerEvent:
    """
    One event.

    :ivar name: ``message`` unless the stream says otherwise.
    :ivar data: the ``data`` lines joined by newlines.
    """

    name: str
    data: str


@define
class EventParser:
    """
    Bytes in, events out; how the bytes are cut makes no difference.
    """

    _decoder: codecs.IncrementalDecoder = field(factory=lambda: codecs.getincrementaldecoder("utf-8")("replace"))
    _rest: str = ""
    _name: str = ""
    _data: list[str] = field(factory=list)
    _size: int = 0
    _begun: bool = False
    _after_cr: bool = False

    def feed(self, data: bytes) -> Iterator[ServerEvent]:
        """
        :raise StreamBroken: an event is longer than we are willing to hold.
        """
        text = self._decoder.decode(data)
        if not text:
            return
        if not self._begun:
            self._begun = True
            text = text.removeprefix("\ufeff")
        if self._after_cr:
            # The second half of a CRLF that was cut in two.
            text = text.removeprefix("\n")
            self._after_cr = False
        if text.endswith("\r"):
            self._after_cr = True
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        lines = (self._rest + text).split("\n")
        self._rest = lines.pop()
        if len(self._rest) + self._size > MAX_EVENT_CHARACTERS:
            raise StreamBroken("The model's answer contains an event that is too long.")
        for line in lines:
            event = self._line(line)
            if event is not None:
                yield event

    def _line(self, line: str) -> ServerEvent | None:
        if not line:
            return self._dispatch()
        name, colon, value = line.partition(":")
        if colon and not name:
            return None
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
            self._size += len(value)
        elif name == "event":
            self._name = value
        return None

    def _dispatch(self) -> ServerEvent | None:
        name, data = self._name, self._data
        self._name, self._data, self._size = "", [], 0
        if not data:
            return None
        return ServerEvent(name or "message", "\n".join(data))
