"""
Frames of the blocking client.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from openclaw.client.errors import ProtocolViolation
from openclaw.client.framing import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    TEXT,
    Decoder,
    Message,
    encode,
    encode_close,
    masked,
)

KEY = b"\x01\x02\x03\x04"


def frame(opcode: int, data: bytes, *, final: bool = True) -> bytes:
    """
    A frame as a server sends it.
    """
    first = (0x80 if final else 0) | opcode
    if len(data) < 126:
        return bytes((first, len(data))) + data
    if len(data) < 0x10000:
        return bytes((first, 126)) + len(data).to_bytes(2, "big") + data
    return bytes((first, 127)) + len(data).to_bytes(8, "big") + data


def decoded(data: bytes, *, limit: int = 1000) -> list[Message]:
    """
    All messages in some bytes.
    """
    decoder = Decoder(limit)
    decoder.feed(data)
    return list(iter(decoder.next, None))


class EncodeTests(SynchronousTestCase):
    """
    What we send.
    """

    def test_short(self) -> None:
        """
        A short text is one final, masked frame (the example of RFC 6455, 5.7).
        """
        key = bytes.fromhex("37fa213d")
        self.assertEqual(encode(TEXT, b"Hello", lambda size: key).hex(), "818537fa213d7f9f4d5158")

    def test_lengths(self) -> None:
        """
        Lengths take one, three or nine bytes, whichever is the shortest that fits.
        """
        heads = {size: encode(TEXT, bytes(size), lambda size: KEY)[:10] for size in (125, 126, 65535, 65536)}
        self.assertEqual(heads[125][1], 0x80 | 125)
        self.assertEqual(heads[126][1:4], bytes((0x80 | 126, 0, 126)))
        self.assertEqual(heads[65535][1:4], bytes((0x80 | 126, 255, 255)))
        self.assertEqual(heads[65536][1:10], bytes((0x80 | 127, 0, 0, 0, 0, 0, 1, 0, 0)))

    def test_long_close_reason(self) -> None:
        """
        A reason is cut between characters to what a control frame holds.
        """
        data = encode_close(1008, "é" * 100)
        self.assertEqual(data[1] & 0x7F, 2 + 122)

    @given(st.binary(max_size=200), st.binary(min_size=4, max_size=4))
    @settings(max_examples=50, derandomize=True)
    def test_mask_twice(self, data: bytes, key: bytes) -> None:
        """
        Masking twice gives the data back, and once is what the RFC says.
        """
        self.assertEqual(masked(masked(data, key), key), data)
        self.assertEqual(masked(data, key), bytes(byte ^ key[i % 4] for i, byte in enumerate(data)))


class DecodeTests(SynchronousTestCase):
    """
    What we receive.
    """

    @given(st.lists(st.binary(max_size=300), max_size=4), st.integers(1, 50))
    @settings(max_examples=50, derandomize=True)
    def test_any_pieces(self, messages: list[bytes], size: int) -> None:
        """
        However the bytes are cut, the same messages come out.
        """
        decoder, found = Decoder(), []
        data = b"".join(frame(BINARY, message) for message in messages)
        for start in range(0, len(data), size):
            decoder.feed(data[start : start + size])
            found += [message.data for message in iter(decoder.next, None)]
        self.assertEqual(found, messages)

    def test_fragments(self) -> None:
        """
        Fragments are put together, and a ping between them is not lost.
        """
        data = frame(TEXT, b"one ", final=False) + frame(PING, b"?") + frame(CONTINUATION, b"two")
        self.assertEqual(decoded(data), [Message(PING, b"?"), Message(TEXT, b"one two")])

    def test_violations(self) -> None:
        """
        Whatever no server may send is refused, with the right code to close with.
        """
        cases = {
            frame(CONTINUATION, b"x"): 1002,
            frame(TEXT, b"a", final=False) + frame(TEXT, b"b"): 1002,
            frame(0x3, b""): 1002,
            frame(PING, b"x", final=False): 1002,
            frame(PING, bytes(126)): 1002,
            bytes((0xC1, 0)): 1002,
            encode(TEXT, b"masked"): 1002,
            frame(TEXT, bytes(1001)): 1009,
            frame(TEXT, bytes(600), final=False) + frame(CONTINUATION, bytes(600)): 1009,
        }
        for data, code in cases.items():
            error = self.assertRaises(ProtocolViolation, decoded, data)
            self.assertEqual(error.close_code, code, data[:10])

    @given(st.binary(max_size=60))
    @settings(max_examples=50, derandomize=True)
    def test_junk(self, data: bytes) -> None:
        """
        Junk either waits for more or is a violation.
        """
        try:
            decoded(data)
        except ProtocolViolation:
            return

    def test_close(self) -> None:
        """
        A close frame has a code and a reason, or neither.
        """
        self.assertEqual(Message(CLOSE, b"\x03\xf0bye").close(), (1008, "bye"))
        self.assertEqual(Message(CLOSE, b"").close(), (1005, ""))

    def test_not_utf8(self) -> None:
        """
        A text that is not UTF-8 is a violation of its own kind.
        """
        self.assertEqual(self.assertRaises(ProtocolViolation, Message(TEXT, b"\xff").text).close_code, 1007)
