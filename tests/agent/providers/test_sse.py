"""
Server-sent events, however the bytes are cut.
"""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.providers import sse
from openclaw.agent.providers.errors import StreamBroken
from openclaw.agent.providers.sse import EventParser, ServerEvent


def parse(*pieces: bytes) -> list[ServerEvent]:
    parser = EventParser()
    return [event for piece in pieces for event in parser.feed(piece)]


#: Every rule at once: a mark at the start, comments, names, several lines, three kinds of line ends, long characters.
STREAM = (
    "\ufeffdata: one\n\n: a comment\nevent: named\r\ndata: zwei ü 漢 🦞\r\ndata:second line\r\n\r\n"
    "id: 7\rdata\rdata: \r\revent: nothing\n\ndata: last\n\n"
).encode()
EVENTS = [
    ServerEvent("message", "one"),
    ServerEvent("named", "zwei ü 漢 🦞\nsecond line"),
    ServerEvent("message", "\n"),
    ServerEvent("message", "last"),
]


class ParserTests(SynchronousTestCase):
    def test_whole(self) -> None:
        """
        Names, comments, several data lines and all line ends are read as the standard says.
        """
        self.assertEqual(parse(STREAM), EVENTS)

    def test_any_byte(self) -> None:
        """
        A cut at any byte, also within a character or between CR and LF, changes nothing.
        """
        for cut in range(len(STREAM) + 1):
            self.assertEqual(parse(STREAM[:cut], STREAM[cut:]), EVENTS, cut)

    def test_byte_by_byte(self) -> None:
        """
        One byte at a time gives the same events.
        """
        self.assertEqual(parse(*(STREAM[index : index + 1] for index in range(len(STREAM)))), EVENTS)

    def test_unfinished(self) -> None:
        """
        An event without its empty line is not one.
        """
        self.assertEqual(parse(b"data: half"), [])

    def test_too_long(self) -> None:
        """
        A line that never ends does not fill the memory.
        """
        self.patch(sse, "MAX_EVENT_CHARACTERS", 100)
        self.assertRaises(StreamBroken, parse, b"data: " + b"x" * 200)
        self.assertRaises(StreamBroken, parse, *[b"data: xxxxxxxxxxxxxxxxxxxx\n"] * 10, b"data: y")

    @settings(max_examples=50, derandomize=True, deadline=None)
    @given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=5))
    def test_garbage(self, data: bytes, cuts: list[int]) -> None:
        """
        Whatever comes gives the same events however it is cut, and no error.
        """
        edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
        pieces = [data[start:end] for start, end in pairwise(edges)]
        self.assertEqual(parse(*pieces), parse(data))
