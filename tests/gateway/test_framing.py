"""
Plain frames: what the short way takes, and what it leaves alone.
"""

from __future__ import annotations

from struct import pack

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from openclaw.gateway.framing import INCOMPLETE, OTHER, next_message, text_head, unmasked

MOST = 100_000


def masked(payload: bytes, mask: bytes, first: int = 0x81) -> bytes:
    """
    A client frame, byte by byte as the RFC writes it.
    """
    size = len(payload)
    if size < 126:
        head = pack("!BB", first, 0x80 | size)
    elif size < 65_536:
        head = pack("!BBH", first, 0x80 | 126, size)
    else:
        head = pack("!BBQ", first, 0x80 | 127, size)
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


class NextMessageTests(SynchronousTestCase):
    @settings(max_examples=50, derandomize=True, deadline=None)
    @given(st.lists(st.binary(max_size=300), max_size=5), st.binary(min_size=4, max_size=4), st.binary(max_size=3))
    def test_messages_come_out_whole(self, payloads: list[bytes], mask: bytes, before: bytes) -> None:
        """
        Whatever frames follow one another, their payloads come out in order, and then nothing.
        """
        data = before + b"".join(masked(payload, mask) for payload in payloads)
        at, found = len(before), []
        while not isinstance(message := next_message(data, at, MOST), str):
            payload, at = message
            found.append(payload)
        self.assertEqual((found, at, message), (payloads, len(data), INCOMPLETE))

    @settings(max_examples=50, derandomize=True, deadline=None)
    @given(st.sampled_from([0, 1, 125, 126, 127, 65_535, 65_536]), st.data())
    def test_cut_anywhere(self, size: int, data: st.DataObject) -> None:
        """
        A frame that is cut anywhere is incomplete, never something else.
        """
        frame = masked(b"x" * size, b"abcd")
        cut = data.draw(st.integers(0, len(frame) - 1))
        self.assertEqual(next_message(frame[:cut], 0, MOST), INCOMPLETE)
        self.assertEqual(next_message(frame, 0, MOST), (b"x" * size, len(frame)))

    def test_others(self) -> None:
        """
        Control frames, fragments, reserved bits, unmasked frames and too large ones are not for the short way.
        """
        for first in (0x88, 0x89, 0x8A, 0x01, 0x80, 0xC1, 0x83):
            self.assertEqual(next_message(masked(b"x", b"abcd", first), 0, MOST), OTHER)
        self.assertEqual(next_message(b"\x81\x01x", 0, MOST), OTHER)
        self.assertEqual(next_message(masked(b"x" * 11, b"abcd"), 0, 10), OTHER)
        self.assertEqual(next_message(masked(b"x" * 10, b"abcd"), 0, 10), (b"x" * 10, 16))

    @settings(max_examples=50, derandomize=True, deadline=None)
    @given(st.binary(max_size=200), st.binary(min_size=4, max_size=4))
    def test_mask_undoes_itself(self, payload: bytes, mask: bytes) -> None:
        """
        Masking twice is nothing.
        """
        self.assertEqual(unmasked(unmasked(payload, mask), mask), payload)

    def test_heads(self) -> None:
        """
        Heads have the three lengths of the RFC.
        """
        sizes = (0, 125, 126, 65_535, 65_536)
        heads = [text_head(size).hex() for size in sizes]
        self.assertEqual(heads, ["8100", "817d", "817e007e", "817effff", "817f0000000000010000"])
