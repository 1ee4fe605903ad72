"""
WebSocket frames as RFC 6455 has them, seen from the client: plain functions over bytes, no sockets.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from attrs import define, field, frozen

from openclaw.client.errors import ProtocolViolation

CONTINUATION = 0x0
TEXT = 0x1
BINARY = 0x2
CLOSE = 0x8
PING = 0x9
PONG = 0xA

#: The largest message that we take from a gateway.
MAX_MESSAGE_BYTES = 25 * 1024 * 1024

_NO_CODE = 1005


@frozen
class Message:
    """
    A whole message, or a control frame.
    """

    opcode: int
    data: bytes

    def text(self) -> str:
        """
        :raise ProtocolViolation: it is not UTF-8.
        """
        try:
            return self.data.decode()
        except UnicodeDecodeError as error:
            raise ProtocolViolation("message is not UTF-8", 1007) from error

    def close(self) -> tuple[int, str]:
        """
        Code and reason of a close frame; 1005 when it has none.
        """
        if len(self.data) < 2:
            return _NO_CODE, ""
        return int.from_bytes(self.data[:2], "big"), self.data[2:].decode(errors="replace")


def masked(data: bytes, key: bytes) -> bytes:
    """
    Apply a masking key; doing it twice gives the data back.
    """
    size = len(data)
    pad = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "big") ^ int.from_bytes(pad, "big")).to_bytes(size, "big")


def encode(opcode: int, data: bytes, make_key: Callable[[int], bytes] = os.urandom) -> bytes:
    """
    One unfragmented frame, masked as a client must.

    :param make_key: given a number of bytes, returns that many unpredictable ones.
    """
    size = len(data)
    if size < 126:
        head = bytes((0x80 | opcode, 0x80 | size))
    elif size < 0x10000:
        head = bytes((0x80 | opcode, 0x80 | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 0x80 | 127)) + size.to_bytes(8, "big")
    key = make_key(4)
    return head + key + masked(data, key)


def encode_close(code: int, reason: str = "") -> bytes:
    """
    A close frame; the reason is cut to what fits.
    """
    text = reason.encode()[:123].decode(errors="ignore").encode()
    return encode(CLOSE, code.to_bytes(2, "big") + text)


@define
class Decoder:
    """
    Puts messages together from the bytes that a server sends.

    :ivar limit: largest message in bytes.
    """

    limit: int = MAX_MESSAGE_BYTES
    _buffer: bytearray = field(factory=bytearray, init=False)
    _opcode: int | None = field(default=None, init=False)
    _parts: bytearray = field(factory=bytearray, init=False)

    def feed(self, data: bytes) -> None:
        """
        Take bytes as they arrive.
        """
        self._buffer += data

    def next(self) -> Message | None:
        """
        The next message or control frame, or ``None`` until more bytes come.

        :raise ProtocolViolation: these bytes are no WebSocket frames, or the message is too big.
        """
        while (frame := self._frame()) is not None:
            final, opcode, data = frame
            if opcode >= CLOSE:
                return Message(opcode, data)
            if (opcode == CONTINUATION) == (self._opcode is None):
                raise ProtocolViolation("fragments out of order")
            if self._opcode is None:
                self._opcode = opcode
            self._parts += data
            if final:
                message = Message(self._opcode, bytes(self._parts))
                self._opcode, self._parts = None, bytearray()
                return message
        return None

    def _frame(self) -> tuple[bool, int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        final, opcode = bool(buffer[0] & 0x80), buffer[0] & 0x0F
        size, start = buffer[1] & 0x7F, 2
        self._check_head(buffer[0], buffer[1])
        if size >= 126:
            start = 4 if size == 126 else 10
            if len(buffer) < start:
                return None
            size = int.from_bytes(buffer[2:start], "big")
        if size + len(self._parts) > self.limit:
            raise ProtocolViolation("message too big", 1009)
        if len(buffer) < start + size:
            return None
        data = bytes(buffer[start : start + size])
        del buffer[: start + size]
        return final, opcode, data

    @staticmethod
    def _check_head(first: int, second: int) -> None:
        opcode = first & 0x0F
        if first & 0x70:
            raise ProtocolViolation("reserved bits are set")
        if second & 0x80:
            raise ProtocolViolation("server frames must not be masked")
        if opcode not in (CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG):
            raise ProtocolViolation(f"unknown opcode {opcode}")
        if opcode >= CLOSE and (not first & 0x80 or second & 0x7F > 125):
            raise ProtocolViolation("control frame is fragmented or too big")
