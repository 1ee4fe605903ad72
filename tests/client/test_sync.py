"""
The blocking client, against a gateway made of another library and against a bare socket.
"""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.client.connection import Connection, normal_fingerprint
from openclaw.client.errors import BadAddress, ConnectionClosed, GatewayTimeout, ProtocolViolation, RequestFailed
from openclaw.client.framing import BINARY, CLOSE, PING, TEXT
from openclaw.client.identity import DeviceTokens, Identity
from openclaw.client.sync import Event, GatewayClient, HandshakeRefused
from tests.client.gateway import NONCE, FakeGateway, Peer
from tests.client.test_framing import frame

IDENTITY = Identity(bytes([1] * 32))


class ClientCase(SynchronousTestCase):
    """
    With a gateway in a thread.
    """

    def setUp(self) -> None:
        self.gateway = FakeGateway()
        self.url = self.gateway.start()
        self.addCleanup(self.gateway.stop)

    def connect(self, **settings: Any) -> GatewayClient:
        """
        A client that leaves at the end of the test.
        """
        client = GatewayClient.connect(self.url, **{"token": "shared", **settings})
        self.addCleanup(client.close)
        return client


class HandshakeTests(ClientCase):
    """
    Being let in.
    """

    def test_connect(self) -> None:
        """
        The client introduces itself as the command line, with a signature over the gateway's nonce.
        """
        client = self.connect(identity=IDENTITY, now=lambda: 5.0)
        self.assertEqual(client.hello["type"], "hello-ok")
        (params,) = self.gateway.connects
        self.assertEqual((params["minProtocol"], params["maxProtocol"]), (3, 3))
        self.assertEqual((params["client"]["id"], params["client"]["mode"]), ("cli", "cli"))
        self.assertEqual(params["auth"], {"token": "shared"})
        self.assertEqual(params["device"]["nonce"], NONCE)
        self.assertEqual(params["device"]["signedAt"], 5000)
        self.assertEqual(params["scopes"], ["operator.admin", "operator.approvals", "operator.pairing"])

    def test_no_challenge(self) -> None:
        """
        A gateway that sends no challenge is asked without one after a moment.
        """
        self.gateway.challenge = False
        self.connect(identity=IDENTITY)
        self.assertNotIn("nonce", self.gateway.connects[0]["device"])

    def test_refused(self) -> None:
        """
        The reason of the close is what the user sees; the error is there for who looks closer.
        """
        error = self.assertRaises(HandshakeRefused, GatewayClient.connect, self.url, token="wrong")
        self.assertEqual(
            str(error),
            "gateway closed (1008): unauthorized: gateway token mismatch"
            " (set gateway.remote.token to match gateway.auth.token)",
        )
        self.assertEqual(error.error["code"], "INVALID_REQUEST")

    def test_nothing_in_auth(self) -> None:
        """
        Without any secret there is no ``auth``.
        """
        self.assertRaises(HandshakeRefused, GatewayClient.connect, self.url)
        self.assertNotIn("auth", self.gateway.connects[0])

    def test_nobody_there(self) -> None:
        """
        A port where nobody listens reads like a connection that was cut, as clients know it.
        """
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
            error = self.assertRaises(ConnectionClosed, GatewayClient.connect, f"ws://127.0.0.1:{port}")
        self.assertEqual(str(error), "gateway closed (1006 abnormal closure (no close frame)): no close reason")
        self.assertEqual(error.cause, f"connect ECONNREFUSED 127.0.0.1:{port}")

    def test_bad_address(self) -> None:
        """
        What is no address of a gateway is refused before anything is sent.
        """
        for url in ("http://127.0.0.1", "ws://", "nonsense", "ws://127.0.0.1:99999"):
            self.assertRaises(BadAddress, GatewayClient.connect, url)
        self.assertRaises(BadAddress, GatewayClient.connect, self.url, fingerprint="ab")


class DeviceTokenTests(ClientCase):
    """
    Device tokens.
    """

    def setUp(self) -> None:
        super().setUp()
        self.tokens = DeviceTokens(Path(self.mktemp()) / "device-auth.json", IDENTITY.device_id)

    def test_kept_and_preferred(self) -> None:
        """
        The token of the first connection is what the second one shows.
        """
        self.connect(identity=IDENTITY, tokens=self.tokens)
        self.gateway.accepted = {"device-1"}
        self.connect(identity=IDENTITY, tokens=self.tokens)
        self.assertEqual(self.gateway.connects[-1]["auth"], {"token": "device-1"})

    def test_refused(self) -> None:
        """
        A refused device token is forgotten, and the shared secret is tried.
        """
        self.tokens.put("operator", "stale", [])
        self.gateway.device_token = None
        self.connect(identity=IDENTITY, tokens=self.tokens)
        self.assertEqual([params["auth"]["token"] for params in self.gateway.connects], ["stale", "shared"])
        self.assertIsNone(self.tokens.get("operator"))

    def test_refused_without_another(self) -> None:
        """
        Without a shared secret there is nothing to try, and the token stays.
        """
        self.tokens.put("operator", "stale", [])
        connecting = {"identity": IDENTITY, "tokens": self.tokens}
        self.assertRaises(HandshakeRefused, GatewayClient.connect, self.url, **connecting)
        self.assertEqual(self.tokens.get("operator"), "stale")


class CallTests(ClientCase):
    """
    Questions and answers.
    """

    def test_answer(self) -> None:
        """
        The payload of the answer comes back; parameters default to an empty object.
        """
        self.gateway.methods["health"] = {"ok": True}
        self.assertEqual(self.connect().call("health"), {"ok": True})
        self.assertEqual(self.gateway.requests[0]["params"], {})

    def test_failure(self) -> None:
        """
        A failed request raises with the gateway's words.
        """
        error = self.assertRaises(RequestFailed, self.connect().call, "nosuch")
        self.assertEqual((error.code, str(error)), ("INVALID_REQUEST", "unknown method: nosuch"))

    def test_final(self) -> None:
        """
        The first answer of a method that answers twice is skipped when the last one is wanted.
        """

        def twice(peer: Peer, request: dict[str, Any]) -> None:
            peer.answer(request, {"status": "accepted"})
            peer.event("agent", {"stream": "assistant"}, seq=1)
            peer.answer(request, {"status": "ok"})

        self.gateway.methods["agent"] = twice
        client = self.connect()
        self.assertEqual(client.call("agent", {}, expect_final=True), {"status": "ok"})
        self.assertEqual(next(client.events(1)), Event("agent", {"stream": "assistant"}, 1))
        self.assertEqual(client.call("agent", {}), {"status": "accepted"})

    def test_several_at_once(self) -> None:
        """
        Answers are matched by id, in whatever order they come.
        """
        waiting: list[dict[str, Any]] = []

        def later(peer: Peer, request: dict[str, Any]) -> None:
            waiting.append(request)
            if len(waiting) == 2:
                for request in reversed(waiting):
                    peer.answer(request, request["params"])

        self.gateway.methods["echo"] = later
        client = self.connect()
        first, second = client.ask("echo", 1), client.ask("echo", 2)
        self.assertEqual([client.result(first), client.result(second)], [1, 2])

    def test_timeout(self) -> None:
        """
        A gateway that does not answer in time is told of in milliseconds, and can be asked again.
        """
        self.gateway.methods["never"] = lambda peer, request: None
        self.gateway.methods["health"] = {"ok": True}
        client = self.connect()
        error = self.assertRaises(GatewayTimeout, client.call, "never", timeout=0.05)
        self.assertEqual(str(error), "gateway timeout after 50ms")
        self.assertEqual(client.call("health"), {"ok": True})

    def test_closed_while_waiting(self) -> None:
        """
        A close before the answer is what the caller sees.
        """
        self.gateway.methods["health"] = lambda peer, request: peer.close(1012, "service restart")
        error = self.assertRaises(ConnectionClosed, self.connect().call, "health")
        self.assertEqual(str(error), "gateway closed (1012): service restart")

    def test_large(self) -> None:
        """
        A payload beyond what one read brings arrives whole.
        """
        self.gateway.methods["big"] = lambda peer, request: peer.answer(request, request["params"])
        text = "ü" * 100_000
        self.assertEqual(self.connect().call("big", text), text)


class SocketTests(SynchronousTestCase):
    """
    The connection alone, joined to a socket that says what it is told to.
    """

    def setUp(self) -> None:
        ours, self.theirs = socket.socketpair()
        self.connection = Connection("ws://test", ours)
        self.addCleanup(self.theirs.close)
        self.addCleanup(ours.close)

    def test_ping(self) -> None:
        """
        A ping is answered with its own data while a message is awaited.
        """
        self.theirs.sendall(frame(PING, b"now") + frame(TEXT, b"hi"))
        self.assertEqual(self.connection.receive(1), "hi")
        answer = self.theirs.recv(100)
        self.assertEqual((answer[0], len(answer)), (0x8A, 2 + 4 + 3))

    def test_lost(self) -> None:
        """
        An end without a close frame is code 1006, and stays so.
        """
        self.theirs.close()
        for _ in range(2):
            self.assertEqual(self.assertRaises(ConnectionClosed, self.connection.receive, 1).code, 1006)

    def test_close_is_answered(self) -> None:
        """
        The other end's goodbye is answered once, and nothing can be sent afterwards.
        """
        self.theirs.sendall(frame(CLOSE, b"\x03\xf4service restart"))
        error = self.assertRaises(ConnectionClosed, self.connection.receive, 1)
        self.assertEqual((error.code, error.reason), (1012, "service restart"))
        self.assertEqual(self.theirs.recv(100)[0], 0x88)
        self.assertRaises(ConnectionClosed, self.connection.send, "late")

    def test_violation(self) -> None:
        """
        What our protocol does not have ends the connection with the code that says so.
        """
        self.theirs.sendall(frame(BINARY, b"?") + frame(CLOSE, b""))
        self.assertRaises(ProtocolViolation, self.connection.receive, 1)
        self.assertEqual(self.theirs.recv(100)[0], 0x88)

    def test_nothing_comes(self) -> None:
        """
        A timeout leaves the connection usable.
        """
        self.assertRaises(GatewayTimeout, self.connection.receive, 0.01)
        self.theirs.sendall(frame(TEXT, b"hi"))
        self.assertEqual(self.connection.receive(1), "hi")


class UpgradeTests(SynchronousTestCase):
    """
    Servers that are something else.
    """

    def answer(self, text: bytes) -> ConnectionClosed:
        """
        What the client says of a server that answers like this.
        """
        with socket.create_server(("127.0.0.1", 0)) as server:

            def serve() -> None:
                peer, _ = server.accept()
                peer.recv(4096)
                peer.sendall(text)
                peer.close()

            thread = threading.Thread(target=serve)
            thread.start()
            self.addCleanup(thread.join)
            url = f"ws://127.0.0.1:{server.getsockname()[1]}"
            error: ConnectionClosed = self.assertRaises(ConnectionClosed, Connection.open, url, timeout=5)
            return error

    def test_no_upgrade(self) -> None:
        """
        A web server's refusal is told.
        """
        self.assertEqual(
            self.answer(b"HTTP/1.1 403 Forbidden\r\n\r\n").cause, "unexpected answer: HTTP/1.1 403 Forbidden"
        )

    def test_wrong_accept(self) -> None:
        """
        An answer to another request is not taken.
        """
        head = b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: eA==\r\n\r\n"
        self.assertIn("not for this request", self.answer(head).cause or "")

    def test_cut(self) -> None:
        """
        A server that hangs up says nothing more.
        """
        self.assertIn("lost", self.answer(b"").cause or "")


class FingerprintTests(SynchronousTestCase):
    """
    Pinned certificates.
    """

    def test_forms(self) -> None:
        """
        Prefix, colons and case do not matter.
        """
        for text in ("sha256:AB:CD", "SHA-256 ab cd", "abcd"):
            self.assertEqual(normal_fingerprint(text), "abcd")
