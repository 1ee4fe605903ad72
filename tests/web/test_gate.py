"""
Bodies that are refused before they are read.
"""

from __future__ import annotations

from attrs import evolve
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.model import Config
from openclaw.config.model_hooks import HooksConfig
from openclaw.web.channel import LINGER_SECONDS
from openclaw.web.gate import Gate
from tests.web.asking import Everybody, Line, make_root, parsed

HOST = b"Host: 127.0.0.1:18789\r\n"


class UnreadTests(SynchronousTestCase):
    """
    Answers to bodies that are not read.
    """

    head = b"POST /v1/chat/completions HTTP/1.1\r\n" + HOST

    def test_too_large(self) -> None:
        """
        The answer is JSON as the endpoint's other errors, and what is still sent is taken for a while, so that no reset
        overtakes the answer.
        """
        hooks = evolve(Config(), hooks=HooksConfig(enabled=True, path="hk/", max_body_bytes=10))
        for path, value in (
            ("/v1/chat/completions", {"error": {"message": "payload too large", "type": "invalid_request_error"}}),
            ("/hk/wake", {"ok": False, "error": "payload too large"}),
        ):
            line = Line(make_root(), gate=Gate(config=lambda: hooks, secrets=Everybody()))
            line.send(f"POST {path} HTTP/1.1\r\n".encode() + HOST + b"Content-Length: 30000000\r\n\r\n")
            line.send(b"x" * 1_000)
            answer = parsed(line.transport.value())
            self.assertEqual((answer.status, answer.value, answer.headers["connection"]), (413, value, "close"))
            self.assertEqual((line.transport.half_closed, line.transport.disconnecting), (True, False))
            line.clock.advance(LINGER_SECONDS)
            self.assertTrue(line.transport.aborted)

    def test_without_the_secret(self) -> None:
        """
        Who lacks the secret is told so before the body is sent, and is not asked to go on.
        """
        for expect in (b"", b"Expect: 100-continue\r\n"):
            line = Line(make_root())
            line.send(self.head + expect + b"Content-Length: 1000\r\n\r\n")
            self.assertEqual(line.transport.value(), b"")
            line.clock.advance(0)
            answer = parsed(line.transport.value())
            self.assertEqual((answer.status, answer.headers["connection"], line.ended), (401, "close", True))
            self.assertEqual(answer.value, {"error": {"message": "Unauthorized", "type": "unauthorized"}})

    def test_with_the_secret(self) -> None:
        """
        Who has it is asked to go on.
        """
        line = Line(make_root(), gate=Gate(secrets=Everybody()))
        line.send(self.head + b"Expect: 100-continue\r\nContent-Length: 1000\r\n\r\n")
        line.clock.advance(0)
        self.assertEqual(line.transport.value(), b"HTTP/1.1 100 Continue\r\n\r\n")

    def test_left(self) -> None:
        """
        Who leaves meanwhile is answered nothing.
        """
        line = Line(make_root())
        line.send(self.head + b"Content-Length: 1000\r\n\r\n")
        line.channel.connectionLost(Failure(ConnectionDone()))
        line.clock.advance(0)
        self.assertEqual((line.transport.value(), line.clock.getDelayedCalls()), (b"", []))
