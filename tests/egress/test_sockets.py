"""
Over real sockets on this machine, which only a test may reach.
"""

from __future__ import annotations

import datetime
import os
import subprocess
import sys
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from attrs import define, field
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from twisted.internet import reactor, ssl
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import capturedLogs, formatEvent
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase

from openclaw.egress.addresses import Address
from openclaw.egress.errors import Blocked, FetchFailed, FetchTimedOut
from openclaw.egress.fetch import Egress, Limits
from tests.egress.network import Names, plain

NAME = "pinned.example"
LOOPBACK = IPv4Address("127.0.0.1")
LIMITS = Limits(max_bytes=1000, seconds=20)


def certificate(*names: str) -> ssl.PrivateCertificate:
    """
    A certificate that vouches for itself.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    start = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=40_000))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    pem += key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    loaded: ssl.PrivateCertificate = ssl.PrivateCertificate.loadPEM(pem)
    return loaded


class Server(Protocol):
    """
    Answers a request, and leaves the connection to the other side.
    """

    factory: Servers

    def connectionMade(self) -> None:
        self.received = b""
        self.factory.connections += 1

    def dataReceived(self, data: bytes) -> None:
        self.received += data
        if self.received.endswith(b"\r\n\r\n"):
            self.factory.requests.append(self.received)
            assert self.transport is not None
            self.transport.write(self.factory.answer)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.factory.gone.callback(None)


@define(eq=False)
class Servers(Factory):
    """
    :ivar gone: fires when the client has left.
    """

    protocol = Server  # type: ignore[assignment]  # Twisted wants a callable
    answer: bytes
    requests: list[bytes] = field(factory=list)
    names: list[bytes | None] = field(factory=list)
    connections: int = 0
    gone: Deferred[None] = field(factory=Deferred)


class SocketTests(TestCase):
    """
    The name counts for everything but where we connect to.
    """

    timeout = 60

    def setUp(self) -> None:
        self.certificate = certificate(NAME)
        self.servers = Servers(plain(b"here"))
        self.names = Names({NAME: [["127.0.0.1"]], f"{NAME}.": [["127.0.0.1"]], "other.example": [["127.0.0.1"]]})

    def listen(self, secure: bool) -> int:
        loop: Any = reactor
        if secure:
            options = self.certificate.options()
            options.getContext().set_tlsext_servername_callback(
                lambda connection: self.servers.names.append(connection.get_servername())
            )
            port = loop.listenSSL(0, self.servers, options, interface="127.0.0.1")
        else:
            port = loop.listenTCP(0, self.servers, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        number: int = port.getHost().port
        return number

    def egress(self, trusted: bool = True) -> Egress:
        return Egress(reactor, self.names, is_loopback, self.certificate if trusted else None)

    async def test_secure(self) -> None:
        """
        The server is told the name, its certificate must be for that, and the address comes from the lookup. It cannot
        hold the connection open.
        """
        port = self.listen(secure=True)
        for host in (NAME, f"{NAME}."):
            self.servers.gone = Deferred()
            fetched = await self.egress().fetch(f"https://{host}:{port}/x", limits=LIMITS)
            await self.servers.gone
            self.assertEqual((fetched.body, fetched.url), (b"here", f"https://{host}:{port}/x"))
            self.assertIn(f"\r\nHost: {host}:{port}\r\n".encode(), self.servers.requests[-1])
        self.assertEqual(self.servers.names, [NAME.encode()] * 2)

    async def test_not_trusted(self) -> None:
        """
        A certificate for another name, or of somebody whom nobody trusts, ends it before anything is said.
        """
        port = self.listen(secure=True)
        for host, trusted in (("other.example", True), (NAME, False)):
            self.servers.gone = Deferred()
            try:
                await self.egress(trusted).fetch(f"https://{host}:{port}/x", limits=LIMITS)
            except FetchFailed as error:
                self.assertRegex(str(error), f"Failed to fetch: cannot connect to {host}: .*(?i:verif)")
            else:
                self.fail("fetched")
            await self.servers.gone
        self.assertEqual(self.servers.requests, [])

    async def test_plain(self) -> None:
        """
        Also without a certificate, and with a body that does not end. Nothing of it is in the log.
        """
        port = self.listen(secure=False)
        self.servers.answer = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100_000
        with capturedLogs() as logged:
            try:
                await self.egress().fetch(f"http://{NAME}:{port}/?key=secret", limits=LIMITS)
            except FetchFailed as error:
                self.assertRegex(str(error), r"^Content too large: \d+ bytes \(limit: 1000 bytes\)$")
            else:
                self.fail("fetched")
            await self.servers.gone
        self.assertEqual([formatEvent(event) for event in logged], [])

    async def test_silent(self) -> None:
        """
        A server that says nothing, in the clear or instead of a handshake, has its time and no more.
        """
        self.servers.answer = b""
        port = self.listen(secure=False)
        for scheme in ("http", "https"):
            self.servers.gone = Deferred()
            try:
                await self.egress().fetch(f"{scheme}://{NAME}:{port}/", limits=Limits(max_bytes=1, seconds=0.2))
            except FetchTimedOut:
                await self.servers.gone
            else:
                self.fail("fetched")

    async def test_as_it_is(self) -> None:
        """
        Without a test's opinion about addresses nothing on this machine can be reached.
        """
        port = self.listen(secure=False)
        egress = Egress(reactor, self.names)
        for host in (NAME, "127.0.0.1", "[::ffff:127.0.0.1]", "localhost", "2130706433"):
            try:
                await egress.fetch(f"http://{host}:{port}/", limits=LIMITS)
            except Blocked:
                continue
            self.fail(f"fetched from {host}")
        self.assertEqual(self.servers.connections, 0)


def is_loopback(address: Address) -> bool:
    return address == LOOPBACK


class StartTests(SynchronousTestCase):
    """
    What it costs to have it.
    """

    def test_imports(self) -> None:
        """
        No HTTP client and no TLS is loaded before something is fetched.
        """
        root = Path(__file__).parent.parent.parent
        script = "import openclaw.egress.fetch, sys; print(*sorted(sys.modules))"
        environment = {**os.environ, "PYTHONPATH": str(root)}
        done = subprocess.run(
            [sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=root, env=environment
        )
        heavy = {"twisted.web.client", "twisted.internet.endpoints", "treq", "idna", "OpenSSL"}
        self.assertEqual(set(done.stdout.split()) & heavy, set())
