"""
A network in memory: names with answers that may change, and servers that a test plays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.error import ConnectionRefusedError as Refused
from twisted.internet.interfaces import IProtocol
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from openclaw.egress.addresses import Address, is_public
from openclaw.egress.errors import FetchFailed, NameNotFound
from openclaw.egress.fetch import Egress, Fetched, Limits

PUBLIC = "93.184.215.14"
PUBLIC_6 = "2606:2800:21f:cb07:6820:80da:af6b:8b2c"

LIMITS = Limits(max_bytes=1000, max_redirects=3, seconds=10)


@define(eq=False)
class Names:
    """
    :ivar answers: of a name, one for each time that it is asked for; the last stays.
    :ivar asked: names, in order.
    """

    answers: Mapping[str, Sequence[Sequence[str]]]
    asked: list[str] = field(factory=list)

    async def __call__(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        if host not in self.answers:
            raise NameNotFound(host)
        answers = self.answers[host]
        return answers[min(self.asked.count(host), len(answers)) - 1]


class Peer(StringTransport):
    """
    A server's side of one connection.

    :ivar ended: how, if it has.
    """

    protocol: IProtocol
    clock: Clock
    ended: type[Exception] | None = None

    def answer(self, data: bytes) -> None:
        if self.ended is None:
            self.protocol.dataReceived(data)

    def hang_up(self) -> None:
        if self.ended is None:
            self.ended = ConnectionDone
            self.protocol.connectionLost(Failure(ConnectionDone()))

    def loseConnection(self) -> None:
        self._leave(ConnectionDone)

    def abortConnection(self) -> None:
        self._leave(ConnectionAborted)

    def _leave(self, how: type[Exception]) -> None:
        if self.ended is None:
            self.ended = how
            # As with a socket, the protocol hears of it in the next turn.
            self.clock.callLater(0, self.protocol.connectionLost, Failure(how()))


class EgressCase(SynchronousTestCase):
    """
    Fetches from a network in memory, in which ``example.com`` is public.
    """

    allowed: Callable[[Address], bool] = staticmethod(is_public)

    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()
        self.names = Names({"example.com": [[PUBLIC]]})
        self.egress = Egress(self.reactor, self.names, lambda address: self.allowed(address))

    def tearDown(self) -> None:
        """
        Nothing is left: no timer, no connection.
        """
        self.reactor.advance(0)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def fetch(self, url: str, limits: Limits = LIMITS, **options: Any) -> Deferred[Fetched]:
        return Deferred.fromCoroutine(self.egress.fetch(url, limits=limits, **options))

    def connected(self) -> list[tuple[str, int]]:
        """
        Where it has tried to connect to.
        """
        return [(host, port) for host, port, *_ in self.reactor.tcpClients]

    def accept(self, place: int = -1) -> Peer:
        """
        Be the server of an attempt to connect.
        """
        peer = Peer()
        peer.clock = self.reactor
        protocol = self.reactor.tcpClients[place][2].buildProtocol(None)
        assert protocol is not None
        peer.protocol = protocol
        protocol.makeConnection(peer)
        return peer

    def refuse(self, place: int = -1) -> None:
        self.reactor.tcpClients[place][2].clientConnectionFailed(None, Failure(Refused()))  # type: ignore[arg-type]  # none is looked at

    def why(self, fetching: Deferred[Fetched]) -> str:
        """
        What a client sees of a failure.
        """
        self.reactor.advance(0)
        error = self.failureResultOf(fetching, FetchFailed).value
        return f"{error.name}: {error}"

    def redirected(self, location: str, status: int = 302) -> bytes:
        """
        Be a server that sends elsewhere.

        :return: what it was sent.
        """
        peer = self.accept()
        peer.answer(f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 5\r\n\r\n".encode())
        self.assertIs(peer.ended, ConnectionAborted)
        sent: bytes = peer.value()
        return sent


def plain(body: bytes, *headers: str) -> bytes:
    """
    An answer with everything in order.
    """
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body
