"""
Whatever a client sends, the gateway answers it as the protocol says, and goes on serving others.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from openclaw.gateway.connection import HANDSHAKE_MESSAGE_BYTES
from openclaw.protocol.frames import NotJson, parse_json
from openclaw.testing.client import GatewayClient
from openclaw.testing.gateway import TOKEN
from tests.gateway.fuzz_storm import Storm, advertised
from tests.gateway.fuzz_values import CHECKS, MESSAGES_OF_BYTES, SCHEMAS, examples, mutated, params, valid, wire

#: Close codes before ``hello-ok`` (``protocol.md`` 3).
CODES = {1000, 1002, 1008, 1009}


class FuzzCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.directory = Path(self.mktemp())

    def begin(self) -> Storm:
        return Storm.begin(self, self.directory)


class RequestTests(FuzzCase):
    """
    Requests, with all scopes.
    """

    def test_each_method(self) -> None:
        """
        Every advertised method answers, whatever parameters it gets.
        """
        for method in advertised():
            self.storms_of(method)

    def storms_of(self, method: str) -> None:
        """
        Many requests of one method, which see what those before them left.
        """

        @examples(3)
        @given(st.lists(params(method), min_size=1, max_size=12))
        def answered(told: list[Any]) -> None:
            storm = self.begin()
            for one in told:
                storm.ask(method, one)
            storm.end()

        answered()

    def test_repeated_runs(self) -> None:
        """
        Runs that are asked for again while they are under way: a storm knows that a repeat is answered once.
        """
        storm = self.begin()
        for run, told in (("k1", {}), ("k1", {}), ("k2", {"agentId": "main"}), ("k2", {"agentId": "main"})):
            storm.ask("agent", {"message": "hello", "idempotencyKey": run, **told})
        storm.end()

    @examples(25)
    @given(st.data())
    def test_all_methods(self, data: st.DataObject) -> None:
        """
        Requests of all kinds, one upon the other: with and without time between them.
        """
        storm = self.begin()
        for _ in range(data.draw(st.integers(1, 20))):
            method = data.draw(st.sampled_from(advertised()))
            storm.ask(method, data.draw(params(method)))
            storm.gateway.advance(data.draw(st.sampled_from([0, 0, 0.15, 2.0])))
        storm.end()


class FrameTests(FuzzCase):
    """
    Messages that are no requests, or only nearly.
    """

    @examples(30)
    @given(st.lists(MESSAGES_OF_BYTES, min_size=1, max_size=10))
    def test_after_hello(self, messages: list[bytes]) -> None:
        """
        What is JSON is answered once, what is not is passed over; the connection stays.
        """
        storm = self.begin()
        for message in messages:
            storm.send(message)
        storm.end()

    @examples(30)
    @given(MESSAGES_OF_BYTES)
    def test_before_hello(self, message: bytes) -> None:
        """
        The first message is no ``connect``: the socket is closed as the table says, with at most one answer.
        """
        storm = self.begin()
        client = storm.gateway.client()
        client.send(message)
        storm.gateway.flush()
        self.refused(storm, client)
        if len(message) > HANDSHAKE_MESSAGE_BYTES:
            self.assertEqual((client.closed, len(client.frames)), ((1009, ""), 1))
            storm.finish()
            return
        try:
            frame = parse_json(message)
        except NotJson:
            self.assertEqual((client.closed, len(client.frames)), ((1000, ""), 1))
        else:
            if not CHECKS["RequestFrame"](frame):
                self.assertEqual((client.closed, len(client.frames)), ((1008, "invalid request frame"), 1))
        storm.finish()

    @examples(30)
    @given(valid(SCHEMAS["ConnectParams"]) | mutated(SCHEMAS["ConnectParams"]), st.booleans())
    def test_hello(self, told: Any, with_token: bool) -> None:
        """
        A ``connect`` that is right or nearly right gets in or is refused with a reason, and its client is listed well.
        """
        storm = self.begin()
        client = storm.gateway.client()
        if with_token and isinstance(told, dict):
            told = {**told, "minProtocol": 1, "maxProtocol": 3, "auth": {"token": TOKEN}, "role": "operator"}
            told.pop("device", None)
        client.send(wire({"type": "req", "id": "c", "method": "connect", "params": told}))
        storm.gateway.advance(2)
        if client.answers("c") and client.answers("c")[0]["ok"]:
            storm.valid("HelloOk", client.answers("c")[0]["payload"])
        elif client.closed != (1000, ""):
            self.refused(storm, client)
        storm.finish()

    def refused(self, storm: Storm, client: GatewayClient) -> None:
        """
        A client was told no, and why.
        """
        assert client.closed is not None
        code, reason = client.closed
        self.assertIn(code, CODES)
        self.assertLess(len(reason.encode()), 124)
        for frame in client.frames[1:]:
            storm.valid("ResponseFrame", frame)
            self.assertFalse(frame["ok"])
            self.assertTrue(frame["error"]["message"].startswith(reason))

    @examples(20)
    @given(st.lists(st.binary(max_size=60), min_size=1, max_size=4), st.booleans())
    def test_no_frames_at_all(self, chunks: list[bytes], hello: bool) -> None:
        """
        Bytes that are no WebSocket frames end the socket, or wait for more; nobody else notices.
        """
        storm = self.begin()
        client = storm.gateway.connected() if hello else storm.gateway.client()
        for chunk in chunks:
            client.protocol.transport.write(chunk)
            storm.gateway.flush()
        storm.gateway.advance(15)
        storm.finish()
