"""
Programs that are not ours talk to the gateway, and to the same agent.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint

from tests.process.case import ProcessCase
from tests.process.gateway import LIMIT
from tests.process.peer import Peer, connect_params, text_of

KEY = bytes(range(32))


class Dialog(WebSocketClientProtocol):
    """
    A minimal Autobahn client: it connects, sends one chat message and reads until that run ends.
    """

    done: Deferred[dict[str, Any]]
    key: Ed25519PrivateKey
    hello: dict[str, Any]
    deltas: list[str]

    def onMessage(self, payload: bytes, is_binary: bool) -> None:
        frame = json.loads(payload)
        if frame.get("event") == "connect.challenge":
            self.say("c", "connect", connect_params(frame["payload"]["nonce"], key=self.key))
        elif frame.get("id") == "c":
            self.hello = frame["payload"]
            said = {"sessionKey": "main", "message": "from autobahn", "idempotencyKey": "autobahn-1"}
            self.say("s", "chat.send", said)
        elif frame.get("event") == "chat" and frame["payload"]["state"] == "delta":
            self.deltas.append(text_of(frame["payload"]["message"]))
        elif frame.get("event") == "chat":
            self.done.callback(frame["payload"])

    def onClose(self, clean: bool, code: int, reason: str) -> None:
        if not self.done.called:
            self.done.errback(AssertionError(f"closed: {code} {reason}"))

    def say(self, name: str, method: str, params: dict[str, Any]) -> None:
        self.sendMessage(json.dumps({"type": "req", "id": name, "method": method, "params": params}).encode())


class AutobahnTests(ProcessCase):
    """
    A client made with Autobahn.
    """

    async def test_device_chats(self) -> None:
        """
        It proves its device, gets a token for it, and sees its message answered.
        """
        gateway = self.start_gateway(self.start_model())
        factory = WebSocketClientFactory(gateway.url)
        factory.protocol = Dialog
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", gateway.port)
        client: Any = await endpoint.connect(factory)
        client.key, client.deltas = Ed25519PrivateKey.from_private_bytes(KEY), []
        client.done = Deferred()
        client.done.addTimeout(LIMIT, reactor)
        try:
            ended = await client.done
            self.assert_ended(ended, "final")
            self.assertEqual(text_of(ended["message"]), "re: from autobahn")
            self.assertRegex(client.hello["auth"]["deviceToken"], r"^[0-9a-f]{32}$")
            self.assertEqual(client.hello["protocol"], 3)
        finally:
            client.sendClose(1000)
            await client.is_closed


class WebsocketsTests(ProcessCase):
    """
    A client made with the websockets library.
    """

    def test_shared_history(self) -> None:
        """
        What one client says, another one sees while it happens and reads later; so does a device with its own token.
        """
        gateway = self.start_gateway(self.start_model())
        key = Ed25519PrivateKey.from_private_bytes(KEY)
        speaker, watcher = self.join(gateway, key=key), self.join(gateway)
        self.assert_ended(speaker.chat("hello", "one"), "final")
        self.assert_ended(watcher.wait_chat("one", "final"), "final")
        again = self.join(gateway, token=speaker.hello["auth"]["deviceToken"], key=key)
        for client in (speaker, watcher, again):
            self.assertEqual(client.history(), [("user", "hello"), ("assistant", "re: hello")])

    def test_wrong_secret(self) -> None:
        """
        A wrong secret is told so, and the connection closed.
        """
        gateway = self.start_gateway()
        peer = Peer.open(gateway.url)
        self.addCleanup(peer.close)
        challenge = peer.wait_event(lambda event: event["event"] == "connect.challenge")
        name = peer.send("connect", connect_params(challenge["payload"]["nonce"], token="wrong"))
        answer = peer.answer(name)
        self.assertFalse(answer["ok"])
        self.assertIn("token mismatch", answer["error"]["message"])
        code, reason = peer.wait_closed()
        self.assertEqual(code, 1008)
        self.assertIn("token mismatch", reason)


class CurlTests(ProcessCase):
    """
    curl.
    """

    def setUp(self) -> None:
        if shutil.which("curl") is None:
            self.skipTest("curl is not installed")
        self.gateway = self.start_gateway()

    def curl(self, path: str, *options: str) -> tuple[int, str]:
        """
        One request.

        :return: its status and body.
        """
        url = f"http://127.0.0.1:{self.gateway.port}{path}"
        command = ["curl", "-sS", "--noproxy", "*", "--max-time", str(LIMIT), "-w", "\n%{http_code}", *options, url]
        body, _, status = subprocess.run(command, capture_output=True, text=True, check=True).stdout.rpartition("\n")
        return int(status), body

    def test_probes_and_page(self) -> None:
        """
        The probes and the page need no secret; the page and the probes tell none.
        """
        for path in ("/healthz", "/readyz", "/"):
            status, body = self.curl(path)
            self.assertEqual(status, 200, path)
            self.assertNotIn("process-test-token", body)
        self.assertIn("<html", self.curl("/")[1])

    def test_bad_upgrades(self) -> None:
        """
        What is no WebSocket upgrade is refused, and the gateway goes on.
        """
        upgrade = ["-H", "Connection: Upgrade", "-H", "Upgrade: websocket"]
        key = ["-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
        for expected, options in (
            (405, [*upgrade, *key, "-H", "Sec-WebSocket-Version: 13", "-X", "POST"]),
            (400, [*upgrade, "-H", "Sec-WebSocket-Version: 13"]),
            (400, [*upgrade, *key, "-H", "Sec-WebSocket-Version: 7"]),
            (403, [*upgrade, *key, "-H", "Sec-WebSocket-Version: 13", "-H", "Origin: https://evil.example"]),
        ):
            self.assertEqual(self.curl("/", "--http1.1", *options)[0], expected, options)
        self.assertEqual(self.curl("/healthz")[0], 200)
