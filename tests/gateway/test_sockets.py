"""
Tests of ``openclaw.gateway.sockets``: on real sockets, since they are the kernel's.
"""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Callable
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import Factory, Protocol, ServerFactory
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import TestCase

from openclaw.gateway import sockets as module
from openclaw.gateway.sockets import KeptSockets


class Greeter(Protocol):
    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(self.factory.greeting)
        self.transport.loseConnection()


def greets(text: bytes) -> ServerFactory[Greeter]:
    factory: ServerFactory[Greeter] = Factory.forProtocol(Greeter)  # type: ignore[assignment]
    factory.greeting = text  # type: ignore[attr-defined]
    return factory


class SocketsCase(TestCase):
    def setUp(self) -> None:
        self.sockets = KeptSockets(reactor=reactor)  # type: ignore[arg-type]
        self.addCleanup(self.sockets.close)

    def listen(self, port: int = 0, text: bytes = b"one") -> tuple[int, Callable[[], Deferred[Any]]]:
        """
        :return: the real port, and what stops listening.
        """
        listening = self.sockets.listen("127.0.0.1", port, greets(text))
        stop = lambda: maybeDeferred(listening.stopListening)  # noqa: E731
        self.addCleanup(stop)
        return listening.getHost().port, stop  # type: ignore[attr-defined]

    def call(self, port: int) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", port), timeout=5)
        self.addCleanup(client.close)
        return client

    async def read(self, client: socket.socket) -> bytes:
        client.setblocking(False)
        for _ in range(500):
            try:
                return client.recv(100)
            except BlockingIOError:
                turn: Deferred[None] = Deferred()
                reactor.callLater(0.01, turn.callback, None)
                await turn
        raise AssertionError("nothing came")


class KeptSocketsTests(SocketsCase):
    async def test_kept(self) -> None:
        """
        Who connects while nobody listens waits for the next who does, and is not refused.
        """
        port, stop = self.listen()
        self.assertEqual(await self.read(self.call(port)), b"one")
        await stop()
        client = self.call(port)
        self.sockets.begin()
        again, _ = self.listen(text=b"two")
        self.assertEqual(again, port)
        self.assertEqual(await self.read(client), b"two")

    async def test_unused(self) -> None:
        """
        What the next tree does not ask for is closed, and so is all at the end.
        """
        port, stop = self.listen()
        await stop()
        self.sockets.begin()
        other, _ = self.listen(port=_free())
        self.sockets.drop_unused()
        self.assertRaises(ConnectionRefusedError, self.call, port)
        self.call(other)

    def test_any_port(self) -> None:
        """
        Who asks for any free port twice gets two.
        """
        self.assertNotEqual(self.listen()[0], self.listen()[0])

    def test_taken(self) -> None:
        """
        An address that somebody has cannot be had.
        """
        port, _ = self.listen()
        other = KeptSockets(reactor=reactor)  # type: ignore[arg-type]
        self.assertRaises(CannotListenError, other.listen, "127.0.0.1", port, greets(b""))


class TakenOverTests(SocketsCase):
    """
    Sockets that systemd has opened.
    """

    def take(self, *given: int, pid: int | None = None) -> list[str]:
        """
        :param given: descriptors.
        :return: what was told.
        """
        first = given[0]
        self.patch(module, "LISTEN_FDS_START", first)
        environ = {
            "LISTEN_PID": str(pid or os.getpid()),
            "LISTEN_FDS": str(len(given)),
            "LISTEN_FDNAMES": "x",
            "A": "b",
        }
        with capturedLogs() as events:
            self.sockets.take_over(environ, os.getpid())
        self.assertEqual(environ, {"A": "b"})
        return [str(formatEvent(event)) for event in events]

    def opened(self, kind: int = socket.SOCK_STREAM) -> socket.socket:
        made = socket.socket(socket.AF_INET, kind)
        made.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            made.listen()
        self.addCleanup(made.close)
        return made

    async def test_taken_over(self) -> None:
        """
        The address that the configuration names is that socket; nobody else's variables count.
        """
        made = self.opened()
        port = made.getsockname()[1]
        copy = socket.socket(fileno=os.dup(made.fileno()))
        self.addCleanup(copy.close)
        self.take(copy.fileno(), pid=1)
        self.assertRaises(CannotListenError, self.listen, port)
        self.take(copy.fileno())
        copy.detach()
        client = self.call(port)
        self.assertEqual(self.listen(port=port)[0], port)
        self.assertEqual(await self.read(client), b"one")

    def test_not_named(self) -> None:
        """
        One that the configuration does not name is closed, and that is told; what does not listen is not taken.
        """
        made = self.opened()
        copy = socket.socket(fileno=os.dup(made.fileno()))
        port = made.getsockname()[1]
        made.close()
        self.take(copy.fileno())
        copy.detach()
        with capturedLogs() as events:
            self.sockets.drop_unused()
        told = f"closed 127.0.0.1:{port}: systemd opened it, the configuration does not name it"
        self.assertEqual([formatEvent(event) for event in events], [told])
        self.assertRaises(ConnectionRefusedError, self.call, port)
        datagrams = self.opened(socket.SOCK_DGRAM)
        number = datagrams.fileno()
        told = self.take(number)[0]
        datagrams.detach()
        self.assertEqual(told, f"descriptor {number} of LISTEN_FDS is no listening TCP socket")

    def test_no_sockets(self) -> None:
        """
        What is none, or is not even open, is told and nothing else; a file stays open for whoever has it.
        """
        with tempfile.TemporaryFile() as file:
            number = file.fileno()
            wanted = [f"descriptor {number} of LISTEN_FDS is no listening TCP socket"]
            self.assertEqual(self.take(number), wanted)
            file.write(b"x")
        self.assertEqual(self.take(number), wanted)


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
