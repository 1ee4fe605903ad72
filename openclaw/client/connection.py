"""
One WebSocket over the standard library's sockets, blocking; for programs that ask a question and leave.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from attrs import define, field

from openclaw.client import framing
from openclaw.client.errors import ABNORMAL_CLOSURE, BadAddress, ConnectionClosed, GatewayTimeout, ProtocolViolation

if TYPE_CHECKING:
    import ssl

_ACCEPT_SALT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_MAX_RESPONSE_HEAD = 16 * 1024
#: How long a polite goodbye may take, in seconds.
_CLOSE_WAIT = 1.0


def normal_fingerprint(text: str) -> str:
    """
    A certificate's SHA-256 as people write it, as lower-case hex without separators.
    """
    return re.sub(r"[^0-9a-f]", "", re.sub(r"^\s*sha-?256:?", "", text, flags=re.IGNORECASE).lower())


@define(eq=False)
class Connection:
    """
    An open WebSocket. Pings are answered while waiting for a message.

    :ivar clock: seconds that never go back.
    """

    url: str
    _socket: socket.socket
    clock: Callable[[], float] = time.monotonic
    _decoder: framing.Decoder = field(factory=framing.Decoder)
    _closed: ConnectionClosed | None = field(default=None, init=False)

    @classmethod
    def open(
        cls,
        url: str,
        *,
        timeout: float,
        fingerprint: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> Connection:
        """
        Connect and upgrade.

        :param timeout: seconds for all of it.
        :param fingerprint: SHA-256 of the certificate to accept; authorities and names are then not asked.
        :raise ConnectionClosed: nobody listens there, or it does not want us; ``cause`` says more.
        :raise GatewayTimeout: it took too long.
        :raise BadAddress: the URL is none, or the certificate is another.
        """
        parts = _parse(url, fingerprint)
        deadline = clock() + timeout
        try:
            plain = socket.create_connection((parts.hostname or "", _port(parts)), timeout=timeout)
        except TimeoutError as error:
            raise GatewayTimeout(timeout) from error
        except OSError as error:
            raise ConnectionClosed(ABNORMAL_CLOSURE, "", _describe(error, parts)) from error
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            plain.settimeout(max(deadline - clock(), 0.001))
            wrapped = _secure(plain, parts, fingerprint, timeout) if parts.scheme == "wss" else plain
            connection = cls(url, wrapped, clock)
            connection._upgrade(parts, deadline)
        except BaseException as error:
            plain.close()
            if isinstance(error, TimeoutError):
                raise GatewayTimeout(timeout) from error
            if isinstance(error, OSError):
                raise ConnectionClosed(ABNORMAL_CLOSURE, "", _describe(error, parts)) from error
            raise
        return connection

    def send(self, text: str) -> None:
        """
        Send one message.

        :raise ConnectionClosed: it is gone.
        """
        self._write(framing.encode(framing.TEXT, text.encode()))

    def receive(self, timeout: float | None) -> str:
        """
        The next message.

        :param timeout: seconds; ``None`` waits for as long as the connection lives.
        :raise ConnectionClosed: it ended first.
        :raise GatewayTimeout: nothing came in time; the connection can still be used.
        """
        deadline = None if timeout is None else self.clock() + timeout
        while True:
            message = self._next(deadline, timeout or 0)
            if message.opcode == framing.TEXT:
                return message.text()
            if message.opcode == framing.PING:
                self._write(framing.encode(framing.PONG, message.data))
            elif message.opcode == framing.CLOSE:
                self._answer_close(*message.close())
            elif message.opcode == framing.BINARY:
                self._fail(ProtocolViolation("binary message", 1003))

    def close(self, code: int = 1000, reason: str = "") -> None:
        """
        Say goodbye and let go. The other end's goodbye is awaited for at most a second.
        """
        if self._closed is None:
            self._closed = ConnectionClosed(code, reason)
            try:
                self._socket.sendall(framing.encode_close(code, reason))
                deadline = self.clock() + _CLOSE_WAIT
                while (message := self._decoder.next()) is None or message.opcode != framing.CLOSE:
                    if (left := deadline - self.clock()) <= 0:
                        break
                    self._socket.settimeout(left)
                    if message is None and not self._feed():
                        break
            except (OSError, ProtocolViolation):
                pass  # We are leaving anyway, and nobody can act on it.
            self._socket.close()

    def _answer_close(self, code: int, reason: str) -> None:
        self._closed = ConnectionClosed(code, reason)
        try:
            self._socket.sendall(framing.encode_close(1000 if code == 1005 else code, reason))
        except OSError:
            pass  # It said what it had to say; our echo is a courtesy.
        finally:
            self._socket.close()
        raise self._closed

    def _fail(self, error: ProtocolViolation) -> None:
        self.close(error.close_code, error.message)
        raise error

    def _next(self, deadline: float | None, timeout: float) -> framing.Message:
        if self._closed is not None:
            raise self._closed
        try:
            while (message := self._decoder.next()) is None:
                if deadline is not None and deadline <= self.clock():
                    raise GatewayTimeout(timeout)
                self._socket.settimeout(None if deadline is None else max(deadline - self.clock(), 0.001))
                if not self._feed():
                    raise self._lost("connection lost")
        except TimeoutError as error:
            raise GatewayTimeout(timeout) from error
        except OSError as error:
            raise self._lost(error.strerror or str(error)) from error
        except ProtocolViolation as error:
            self.close(error.close_code, error.message)
            raise
        return message

    def _feed(self) -> bool:
        data = self._socket.recv(65536)
        self._decoder.feed(data)
        return bool(data)

    def _write(self, data: bytes) -> None:
        if self._closed is not None:
            raise self._closed
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise self._lost(error.strerror or str(error)) from error

    def _lost(self, cause: str) -> ConnectionClosed:
        self._closed = ConnectionClosed(ABNORMAL_CLOSURE, "", cause)
        self._socket.close()
        return self._closed

    def _upgrade(self, parts: SplitResult, deadline: float) -> None:
        key = base64.b64encode(os.urandom(16))
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        head = (
            f"GET {path} HTTP/1.1\r\nHost: {parts.netloc.rpartition('@')[2]}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key.decode()}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        self._socket.sendall(head.encode("ascii", "backslashreplace"))
        received = b""
        while b"\r\n\r\n" not in received:
            if len(received) > _MAX_RESPONSE_HEAD:
                raise ConnectionClosed(ABNORMAL_CLOSURE, "", "no WebSocket server there")
            if deadline <= self.clock():
                raise TimeoutError
            self._socket.settimeout(max(deadline - self.clock(), 0.001))
            if not (data := self._socket.recv(4096)):
                raise ConnectionClosed(ABNORMAL_CLOSURE, "", "connection lost during the upgrade")
            received += data
        answer, _, rest = received.partition(b"\r\n\r\n")
        _check_answer(answer.decode("latin-1"), key)
        self._decoder.feed(rest)


def _check_answer(head: str, key: bytes) -> None:
    status, *lines = head.split("\r\n")
    if status.split(" ")[1:2] != ["101"]:
        raise ConnectionClosed(ABNORMAL_CLOSURE, "", f"unexpected answer: {status.strip()}")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    digest = hashlib.sha1(key + _ACCEPT_SALT, usedforsecurity=False).digest()
    if headers.get("sec-websocket-accept") != base64.b64encode(digest).decode():
        raise ConnectionClosed(ABNORMAL_CLOSURE, "", "the answer to the upgrade is not for this request")


def _parse(url: str, fingerprint: str | None) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("ws", "wss") and bool(parts.hostname) and _port(parts) > 0
    except ValueError:
        usable = False
    if not usable:
        raise BadAddress(f"invalid gateway url: {url}")
    if fingerprint and parts.scheme != "wss":
        raise BadAddress("gateway tls fingerprint requires wss:// gateway url")
    return parts


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "wss" else 80)


def _describe(error: OSError, parts: SplitResult) -> str:
    """
    The failure as clients of the reference know it: ``connect ECONNREFUSED 127.0.0.1:18789``.
    """
    import errno

    if isinstance(error, socket.gaierror):
        return f"getaddrinfo ENOTFOUND {parts.hostname}"
    if parts.scheme == "wss" and (refusal := _tls_refusal(error, parts)) is not None:
        return refusal
    name = errno.errorcode.get(error.errno or 0)
    return f"connect {name} {parts.hostname}:{_port(parts)}" if name else str(error)


def _tls_refusal(error: OSError, parts: SplitResult) -> str | None:
    """
    Why there is no TLS with the other end. OpenSSL's own numbers must not be read as those of the system.
    """
    import ssl

    where = f"{parts.hostname}:{_port(parts)}"
    if isinstance(error, ssl.SSLCertVerificationError):
        hint = "pin it with --tls-fingerprint or gateway.remote.tlsFingerprint"
        return f"TLS refused: the certificate of {where} is not trusted ({error.verify_message}); {hint}"
    if isinstance(error, ssl.SSLError):
        plain = error.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE")
        told = (error.reason or "handshake failed").replace("_", " ").lower()
        return f"TLS refused by {where}: {told}" + ("; it speaks plain ws:// there" if plain else "")
    return None


def _secure(plain: socket.socket, parts: SplitResult, fingerprint: str | None, timeout: float) -> ssl.SSLSocket:
    import ssl

    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    wanted = None
    if fingerprint is not None:
        wanted = normal_fingerprint(fingerprint)
        if not wanted:
            raise BadAddress("gateway tls fingerprint missing")
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    try:
        wrapped = context.wrap_socket(plain, server_hostname=parts.hostname)
    except TimeoutError as error:
        where = f"{parts.hostname}:{_port(parts)}"
        raise GatewayTimeout(timeout, f"no answer to TLS from {where}; it may speak plain ws:// there") from error
    if wanted is not None:
        certificate = wrapped.getpeercert(binary_form=True)
        if certificate is None:
            raise BadAddress("gateway tls fingerprint unavailable")
        if hashlib.sha256(certificate).hexdigest() != wanted:
            raise BadAddress("gateway tls fingerprint mismatch")
    return wrapped
