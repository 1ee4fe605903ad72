"""
A gateway that sends whatever it likes: the client ends with one of its own exceptions, in the time it was given.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from openclaw.client.connection import Connection
from openclaw.client.errors import ClientError, ConnectionClosed, GatewayTimeout, ProtocolViolation
from openclaw.client.framing import PING, TEXT
from openclaw.client.identity import DeviceTokens, Identity
from openclaw.client.sync import GatewayClient
from tests.client.test_framing import frame

few = settings(max_examples=50, deadline=None, derandomize=True)
scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
plain = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner))
frames = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["res", "event", "req"]) | scalars,
        "id": st.sampled_from(["r1", "r2"]) | plain,
        "ok": st.booleans() | plain,
        "payload": st.just({"status": "accepted"}) | plain,
        "error": st.fixed_dictionaries({}, optional={"code": plain, "message": plain, "retryable": plain}) | plain,
        "event": plain,
        "seq": plain,
    },
)


def text_frame(value: object) -> bytes:
    """
    A text message with JSON in it.
    """
    return frame(TEXT, json.dumps(value).encode())


@contextmanager
def joined(data: bytes) -> Iterator[GatewayClient]:
    """
    A client whose other end has sent these bytes, and will send no more.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.sendall(data)
        theirs.shutdown(socket.SHUT_WR)
        with GatewayClient(Connection("ws://127.0.0.1:1", ours)) as client:
            yield client


@contextmanager
def listener(handle: Callable[[socket.socket], None], family: int = socket.AF_INET) -> Iterator[int]:
    """
    Somebody who listens, and does what it likes with each connection.
    """
    with socket.socket(family) as server:
        server.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        server.listen()

        def serve() -> None:
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                with peer:
                    try:
                        handle(peer)
                    except OSError:
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def upgrade(peer: socket.socket) -> str:
    """
    Answer the upgrade.

    :return: the request's head.
    """
    head = b""
    while b"\r\n\r\n" not in head:
        head += peer.recv(4096)
    key = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
    digest = hashlib.sha1(key.partition(b":")[2].strip() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    peer.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        + base64.b64encode(digest)
        + b"\r\n\r\n"
    )
    return head.decode()


class FuzzTests(SynchronousTestCase):
    """
    Bytes and frames nobody should send.
    """

    def setUp(self) -> None:
        self.directory = Path(self.mktemp())
        self.directory.mkdir()

    @few
    @given(st.lists(st.binary(max_size=40) | frames.map(text_frame), max_size=6))
    def test_answers(self, sent: list[bytes]) -> None:
        """
        A call ends with an answer or one of our exceptions.
        """
        with joined(b"".join(sent)) as client:
            try:
                client.call("health", timeout=1, expect_final=True)
            except ClientError as error:
                self.assertTrue(str(error))

    @few
    @given(st.lists(frames, max_size=4), plain)
    def test_handshakes(self, before: list[object], hello: object) -> None:
        """
        So does a handshake, whatever is in it.
        """
        answer = {"type": "res", "id": "r1", "ok": True, "payload": hello}
        sent = b"".join(text_frame(value) for value in [*before, answer])

        def handle(peer: socket.socket) -> None:
            upgrade(peer)
            peer.sendall(sent)
            peer.shutdown(socket.SHUT_WR)
            while peer.recv(4096):
                pass

        tokens = DeviceTokens(self.directory / "device-auth.json", "d")
        with listener(handle) as port:
            try:
                GatewayClient.connect(
                    f"ws://127.0.0.1:{port}", token="t", identity=Identity(bytes(32)), tokens=tokens, timeout=2
                ).close()
            except ClientError as error:
                self.assertTrue(str(error))

    def test_hello(self) -> None:
        """
        What is no object is no welcome; token members of other types are not kept.
        """
        for hello, stored in (
            ([], None),
            ({"auth": {"deviceToken": "x", "role": [], "scopes": "all"}}, False),
            ({"auth": {"deviceToken": "x", "role": "operator", "scopes": ["a"]}}, True),
        ):
            sent = text_frame({"type": "event", "event": "connect.challenge", "payload": []})
            sent += text_frame({"type": "res", "id": "r1", "ok": True, "payload": hello})

            def handle(peer: socket.socket, sent: bytes = sent) -> None:
                upgrade(peer)
                peer.sendall(sent)
                while peer.recv(4096):
                    pass

            tokens = DeviceTokens(self.directory / "device-auth.json", "d")
            with listener(handle) as port:
                url = f"ws://127.0.0.1:{port}"
                if stored is None:
                    error = self.assertRaises(ProtocolViolation, GatewayClient.connect, url, timeout=5)
                    self.assertEqual(str(error), "hello-ok is not an object")
                    continue
                GatewayClient.connect(url, tokens=tokens, timeout=5).close()
                self.assertEqual(tokens.get("operator"), "x" if stored else None)

    def test_deep(self) -> None:
        """
        Brackets without end are no frame.
        """
        with joined(frame(TEXT, b"[" * 100_000)) as client:
            error = self.assertRaises(ProtocolViolation, client.call, "health", timeout=5)
        self.assertEqual(str(error), "frame is nested too deeply")

    def test_floods(self) -> None:
        """
        Neither pings nor events without end keep a caller beyond its time limit.
        """
        for flood in (frame(PING, b""), text_frame({"type": "event", "event": "x"})):

            def handle(peer: socket.socket, flood: bytes = flood) -> None:
                upgrade(peer)
                peer.settimeout(0.01)
                while True:
                    peer.sendall(flood * 100)
                    try:
                        peer.recv(65536)
                    except TimeoutError:
                        continue

            with listener(handle) as port:
                client = GatewayClient(Connection.open(f"ws://127.0.0.1:{port}", timeout=5))
                began = time.monotonic()
                self.assertRaises(GatewayTimeout, client.call, "health", timeout=0.2)
                client.close()
                self.assertLess(time.monotonic() - began, 4)

    def test_slow_head(self) -> None:
        """
        A head that comes byte by byte is not awaited for longer than was agreed.
        """

        def handle(peer: socket.socket) -> None:
            while True:
                peer.sendall(b"H")
                time.sleep(0.01)

        with listener(handle) as port:
            began = time.monotonic()
            self.assertRaises(GatewayTimeout, Connection.open, f"ws://127.0.0.1:{port}", timeout=0.2)
            self.assertLess(time.monotonic() - began, 3)


class AddressTests(SynchronousTestCase):
    """
    IPv6, proxies and TLS.
    """

    def test_ipv6(self) -> None:
        """
        An address in brackets is connected to, and named so in ``Host``.
        """
        heads: list[str] = []
        with listener(lambda peer: heads.append(upgrade(peer)), socket.AF_INET6) as port:
            Connection.open(f"ws://[::1]:{port}/x?y=1", timeout=5).close()
        self.assertIn(f"\r\nHost: [::1]:{port}\r\n", heads[0])
        self.assertTrue(heads[0].startswith("GET /x?y=1 HTTP/1.1\r\n"))

    def test_proxies(self) -> None:
        """
        Variables that name proxies lead nowhere.
        """
        names = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "ws_proxy")
        heads: list[str] = []
        with (
            listener(lambda peer: heads.append(upgrade(peer))) as port,
            patch.dict(os.environ, dict.fromkeys(names, "http://127.0.0.1:9")),
        ):
            Connection.open(f"ws://127.0.0.1:{port}", timeout=5).close()
        self.assertTrue(heads[0].startswith("GET / HTTP/1.1\r\n"))

    def test_plain_behind_wss(self) -> None:
        """
        TLS with someone who speaks none fails with what to do, not with a number of OpenSSL's.
        """

        def handle(peer: socket.socket) -> None:
            peer.recv(4096)
            peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        with listener(handle) as port:
            error = self.assertRaises(ConnectionClosed, Connection.open, f"wss://127.0.0.1:{port}", timeout=5)
        self.assertRegex(str(error.cause), rf"^TLS refused by 127.0.0.1:{port}: .*; it speaks plain ws:// there$")

    def test_silent_behind_wss(self) -> None:
        """
        One that waits for the end of what it takes for a request is named as what it may be.
        """
        with listener(lambda peer: time.sleep(0.5)) as port:
            error = self.assertRaises(GatewayTimeout, Connection.open, f"wss://127.0.0.1:{port}", timeout=0.2)
        self.assertEqual(error.cause, f"no answer to TLS from 127.0.0.1:{port}; it may speak plain ws:// there")

    def test_untrusted(self) -> None:
        """
        A certificate that nobody vouches for is refused, with the way to accept it.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate())

        def handle(peer: socket.socket) -> None:
            with context.wrap_socket(peer, server_side=True) as secure:
                upgrade(secure)

        with listener(handle) as port:
            error = self.assertRaises(ConnectionClosed, Connection.open, f"wss://127.0.0.1:{port}", timeout=5)
        self.assertIn(f"TLS refused: the certificate of 127.0.0.1:{port} is not trusted (self", str(error.cause))
        self.assertIn("--tls-fingerprint", str(error.cause))

    def test_nobody(self) -> None:
        """
        A closed port stays a closed port, also with TLS.
        """
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        error = self.assertRaises(ConnectionClosed, Connection.open, f"wss://127.0.0.1:{port}", timeout=5)
        self.assertEqual(error.cause, f"connect ECONNREFUSED 127.0.0.1:{port}")

    def certificate(self) -> str:
        """
        A certificate of our own, with its key, in one file.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "openclaw-gateway")])
        start = datetime.now(UTC) - timedelta(days=1)
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=9))
            .sign(key, hashes.SHA256())
        )
        path: str = self.mktemp()
        with open(path, "wb") as file:
            file.write(made.public_bytes(serialization.Encoding.PEM))
            file.write(
                key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
            )
        return path
