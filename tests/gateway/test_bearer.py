"""
Tests of ``openclaw.gateway.bearer``, and of ``/protocol.json`` behind it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.auth import ResolvedAuth
from openclaw.config.model import Config
from openclaw.gateway.bearer import Bearer
from openclaw.gateway.limits import FailureLimiter
from openclaw.methods.document import protocol_text
from openclaw.testing.gateway import TOKEN, MemoryGateway
from tests.web.asking import Answer, parsed

HERE = {"host": "127.0.0.1:18789"}


class BearerTests(SynchronousTestCase):
    """
    Who has the secret.
    """

    def bearer(self, login: str | None = None, **auth: object) -> Bearer:
        async def whois(peer: str, headers: Mapping[str, str]) -> str | None:
            return login

        self.clock = Clock()
        told = {"mode": "token", "token": "right-token", "password": "right-password", **auth}
        return Bearer(
            auth=ResolvedAuth(**told),  # type: ignore[arg-type]  # the members are the test's
            limiter=FailureLimiter(clock=self.clock),
            clock=self.clock,
            config=Config,
            whois=whois,
        )

    def admits(self, bearer: Bearer, authorization: str | None, peer: str = "127.0.0.1") -> bool:
        headers = HERE if authorization is None else {**HERE, "authorization": authorization}
        admitting = Deferred.fromCoroutine(bearer.admits(peer, headers))
        self.clock.advance(1)
        return self.successResultOf(admitting)

    def test_secret(self) -> None:
        """
        The secret of the mode opens, in any spelling of the scheme; nothing else does, not even from this machine.
        """
        for mode, right in (("token", "right-token"), ("password", "right-password")):
            bearer = self.bearer(mode=mode)
            for spelled in (f"Bearer {right}", f"bearer {right}", f"  BEARER   {right}  "):
                self.assertTrue(self.admits(bearer, spelled), spelled)
            others = {"right-token", "right-password"} - {right}
            for given in (None, "", "Bearer", "Bearer ", right, f"Basic {right}", f"Bearer {right}x", *others):
                self.assertFalse(self.admits(bearer, given), given)
            self.assertFalse(self.admits(bearer, f"Bearer {others.pop()}"))

    def test_no_secret(self) -> None:
        """
        Without a configured secret nobody gets in, also not with an empty one.
        """
        self.assertFalse(self.admits(self.bearer(token=None), "Bearer "))
        self.assertFalse(self.admits(self.bearer(token=""), "Bearer"))

    def test_counted(self) -> None:
        """
        Wrong secrets are counted where those of the handshake are; right ones pass all the same.
        """
        bearer = self.bearer()
        for number in range(12):
            self.assertFalse(self.admits(bearer, f"Bearer wrong-{number}", "198.51.100.4"))
        self.assertTrue(bearer.limiter.locked("198.51.100.4"))
        self.assertFalse(bearer.limiter.locked("198.51.100.5"))
        self.assertTrue(self.admits(bearer, "Bearer right-token", "198.51.100.4"))

    def test_tailscale(self) -> None:
        """
        Who Tailscale vouches for needs no secret, where that is allowed and not from this machine.
        """
        self.assertTrue(self.admits(self.bearer("ann", allow_tailscale=True), None, "198.51.100.4"))
        self.assertFalse(self.admits(self.bearer("ann", allow_tailscale=True), None))
        self.assertFalse(self.admits(self.bearer("ann"), None, "198.51.100.4"))
        self.assertFalse(self.admits(self.bearer(None, allow_tailscale=True), None, "198.51.100.4"))


class ProtocolTests(SynchronousTestCase):
    """
    ``/protocol.json``.
    """

    def ask(self, *lines: str, method: str = "GET") -> Answer:
        gateway = MemoryGateway(directory=Path(self.mktemp())).start()
        self.addCleanup(gateway.stop)
        channel = gateway.reactor.tcpServers[-1][1].buildProtocol(IPv4Address("TCP", "127.0.0.1", 50000))
        assert channel is not None
        transport = StringTransport(peerAddress=IPv4Address("TCP", "127.0.0.1", 50000))
        channel.makeConnection(transport)
        head = "".join(f"{line}\r\n" for line in (f"{method} /protocol.json HTTP/1.1", "Host: 127.0.0.1", *lines))
        channel.dataReceived(f"{head}\r\n".encode())
        gateway.advance(1)
        return parsed(transport.value())

    def test_document(self) -> None:
        """
        Who has the secret gets the document.
        """
        answer = self.ask(f"Authorization: Bearer {TOKEN}")
        self.assertEqual((answer.status, answer.headers["content-type"]), (200, "application/json; charset=utf-8"))
        self.assertEqual(answer.value, json.loads(protocol_text()))
        self.assertEqual(self.ask(f"Authorization: Bearer {TOKEN}", method="HEAD").body, b"")

    def test_refused(self) -> None:
        """
        Nobody else does; no other method is answered, with or without it.
        """
        for lines in ((), ("Authorization: Bearer wrong",)):
            answer = self.ask(*lines)
            self.assertEqual(answer.status, 401)
            self.assertEqual(answer.value, {"error": {"message": "Unauthorized", "type": "unauthorized"}})
            self.assertNotIn("www-authenticate", answer.headers)
        answer = self.ask(method="POST")
        self.assertEqual((answer.status, answer.headers["allow"]), (405, "GET, HEAD"))
