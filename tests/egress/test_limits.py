"""
Answers that are too large, or do not end.
"""

from __future__ import annotations

from collections.abc import Iterator

from twisted.internet.error import ConnectionAborted

from openclaw.egress.fetch import Limits
from openclaw.egress.pinned import MOST_HEAD_BYTES
from tests.egress.network import EgressCase, Peer, plain


class BodyTests(EgressCase):
    """
    Bodies of 1000 bytes at most.
    """

    def test_announced(self) -> None:
        """
        What is said to be too large is not read.
        """
        fetching = self.fetch("http://example.com/")
        peer = self.accept()
        peer.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n")
        self.assertEqual(self.why(fetching), "Error: Content too large: 1001 bytes (limit: 1000 bytes)")
        self.assertIs(peer.ended, ConnectionAborted)

    def test_just_fits(self) -> None:
        """
        The limit itself is allowed.
        """
        for answer in (
            plain(b"x" * 1000),
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n" + b"x" * 1000 + b"\r\n0\r\n\r\n",
        ):
            fetching = self.fetch("http://example.com/")
            self.accept().answer(answer)
            self.assertEqual(self.successResultOf(fetching).body, b"x" * 1000)

    def test_more_than_announced(self) -> None:
        """
        What comes after the announced length is not part of the body.
        """
        fetching = self.fetch("http://example.com/")
        self.accept().answer(plain(b"x" * 10) + b"y" * 5000)
        self.assertEqual(self.successResultOf(fetching).body, b"x" * 10)

    def test_endless(self) -> None:
        """
        A body without an end is given up at the limit, in chunks or without, announced falsely or not at all.
        """
        chunk = b"64\r\n" + b"x" * 100 + b"\r\n"
        for head, piece in (
            (b"Transfer-Encoding: chunked\r\n", chunk),
            (b"Transfer-Encoding: chunked\r\nContent-Length: 10\r\n", chunk),
            (b"", b"x" * 100),
        ):
            fetching = self.fetch("http://example.com/")
            peer = self.accept()
            peer.answer(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n")
            self.assertEqual(flood(peer, piece), 11)
            self.assertEqual(self.why(fetching), "Error: Content too large: 1100 bytes (limit: 1000 bytes)")
            self.assertIs(peer.ended, ConnectionAborted)

    def test_many_at_once(self) -> None:
        """
        Chunks of one read that come after the limit make no difference.
        """
        fetching = self.fetch("http://example.com/")
        peer = self.accept()
        peer.answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1f4\r\n" + b"x" * 500 + b"\r\n")
        peer.answer((b"1f4\r\n" + b"x" * 500 + b"\r\n") * 100)
        self.assertEqual(self.why(fetching), "Error: Content too large: 1500 bytes (limit: 1000 bytes)")


class HeadTests(EgressCase):
    """
    What comes before a body.
    """

    def assert_given_up(self, start: bytes, piece: bytes) -> None:
        fetching = self.fetch("http://example.com/")
        peer = self.accept()
        peer.answer(start)
        self.assertLessEqual(flood(peer, piece) * len(piece), MOST_HEAD_BYTES + len(piece))
        why = "Error: Failed to fetch: example.com did not answer properly: its headers are too long"
        self.assertEqual(self.why(fetching), why)
        self.assertIs(peer.ended, ConnectionAborted)

    def test_endless(self) -> None:
        """
        Headers, continued lines, and interim answers have to end.
        """
        self.assert_given_up(b"HTTP/1.1 200 OK\r\n", b"X-Header: " + b"x" * 1000 + b"\r\n")
        self.assert_given_up(b"HTTP/1.1 200 OK\r\nX-Header: x\r\n", b" " + b"x" * 1000 + b"\r\n")
        self.assert_given_up(b"", b"HTTP/1.1 102 Processing\r\nX-Header: " + b"x" * 1000 + b"\r\n\r\n")

    def test_interim(self) -> None:
        """
        A few interim answers are no answer, and no offence.
        """
        fetching = self.fetch("http://example.com/")
        self.accept().answer(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 3 + plain(b"x"))
        self.assertEqual(self.successResultOf(fetching).body, b"x")

    def test_large(self) -> None:
        """
        The limit of heads does not count bodies, also in one read.
        """
        for together in (True, False):
            fetching = self.fetch("http://example.com/", Limits(max_bytes=300_000))
            answer = plain(b"x" * 300_000)
            peer = self.accept()
            for piece in [answer] if together else pieces(answer, 50_000):
                peer.answer(piece)
            self.assertEqual(len(self.successResultOf(fetching).body), 300_000)


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def flood(peer: Peer, piece: bytes) -> int:
    """
    Send the same again and again, for as long as somebody takes it.

    :return: how often.
    """
    for count in range(10_000):
        if peer.ended is not None:
            return count
        peer.answer(piece)
    raise AssertionError("it takes anything")
