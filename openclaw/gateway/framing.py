"""
The part of RFC 6455 that nearly every frame needs: whole, masked, unfragmented messages in, unmasked ones out.

Everything else (fragments, control frames, violations, messages over the limit) is left to Autobahn, frame by frame.
"""

from __future__ import annotations

from struct import pack, unpack_from
from typing import Final

#: A plain frame that has not arrived whole.
INCOMPLETE: Final = "incomplete"

#: A frame that is not for this module.
OTHER: Final = "other"

#: First bytes of plain frames: final, no reserved bits, text or binary.
PLAIN_OPCODES = (0x81, 0x82)


def next_message(data: bytes, at: int, most: int) -> tuple[bytes, int] | str:
    """
    The message that begins at an offset.

    :param most: the largest message in bytes.
    :return: the message and the offset behind it, else ``INCOMPLETE`` or ``OTHER``.
    """
    here = len(data) - at
    if here < 2:
        return INCOMPLETE if here == 0 or data[at] in PLAIN_OPCODES else OTHER
    size = data[at + 1] - 0x80
    if data[at] not in PLAIN_OPCODES or size < 0:
        return OTHER
    head = 2
    if size == 126:
        if here < 4:
            return INCOMPLETE
        size, head = unpack_from("!H", data, at + 2)[0], 4
    elif size == 127:
        if here < 10:
            return INCOMPLETE
        size, head = unpack_from("!Q", data, at + 2)[0], 10
    if size > most:
        return OTHER
    begin = at + head + 4
    end = begin + size
    if len(data) < end:
        return INCOMPLETE
    return unmasked(data[begin:end], data[begin - 4 : begin]), end


def unmasked(payload: bytes, mask: bytes) -> bytes:
    """
    A payload without its mask. One XOR over the whole, which is what Python does fastest without help.
    """
    size = len(payload)
    if mask == b"\0\0\0\0" or not size:
        return payload
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(key, "little")).to_bytes(size, "little")


def text_head(size: int) -> bytes:
    """
    The head of an unmasked text frame.
    """
    if size < 126:
        return pack("!BB", 0x81, size)
    if size < 65_536:
        return pack("!BBH", 0x81, 126, size)
    return pack("!BBQ", 0x81, 127, size)
