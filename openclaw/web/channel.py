"""
Twisted's HTTP/1.1 with the limits that a port needs to which anybody may connect.

Twisted counts the time since the last byte, takes bodies of any length, and answers what is pipelined whether or not
the client takes the answers. Here a request has to be there whole in a certain time and with a body that is not too
large, and who takes no answers gets no more of them and is cut off after a while. Of too many connections that wait for
a request the oldest one goes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from attrs import define, field
from twisted.internet.interfaces import ISSLTransport
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel, datetimeToString
from twisted.web.server import Request

from openclaw.web.answers import JSON, named_headers
from openclaw.web.gate import Gate, Refusal

#: The time for a request's head, from the connection or from the answer before it; then an idle connection is closed.
#: Also the time in which a client has to take something of an answer.
IDLE_SECONDS = 60.0

#: The time for a request's body, from the end of its head.
BODY_SECONDS = 300.0

#: The time in which a client may go on sending what is not read any more. Closing at once would reset the connection,
#: and the client would lose the answer that says why.
LINGER_SECONDS = 5.0

#: The most connections on which no whole request is, so that nobody uses up the open files that others need.
MOST_WAITING = 512

#: What stands before the path in the form in which proxies are asked, which servers have to know too.
_AUTHORITY = re.compile(rb"https?://[^/?#]*", re.IGNORECASE)

#: A segment of dots, in a path and perhaps behind it: only then a path is looked at closely.
_DOTS = re.compile(rb"^/(?:[^?]*/)?(?:\.|%2e){1,2}(?:[/?]|$)", re.IGNORECASE)


class LimitedRequest(Request):
    """
    A request with a path, and with a body that is not too large and is wanted.
    """

    channel: LimitedChannel
    content: Any
    _most = 0
    #: Whether the body is passed over, as nobody will look at it.
    _unread = False

    def gotLength(self, length: int | None) -> None:
        if length != 0:
            length = self._begin_body(length)
        super().gotLength(length)

    def _begin_body(self, length: int | None) -> int | None:
        """
        Decide what becomes of the body.

        :return: the length for which room is made.
        """
        gate, path = self.channel.gate, self._asked_path()
        self._most = gate.most(path)
        headers, peer = named_headers(self), getattr(self.channel.getPeer(), "host", "127.0.0.1")
        if gate.closed_to(self.channel.method, path, peer, headers):
            self._pass_over()
            # What came with the head is refused where everything is answered, and the connection stays.
            self.channel.refuse_unread(self, peer, headers)
            return 0
        if length is not None and length > self._most:
            self._refuse()
            return 0
        return length

    def handleContentChunk(self, data: bytes) -> None:
        if self._unread:
            return
        if self.content.tell() + len(data) > self._most:
            self._refuse()
        else:
            super().handleContentChunk(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        if self.channel.refusing:
            return
        path = _path_of(path)
        # Twisted would answer ``*`` itself, and say what it is. Nothing of ours is called so.
        super().requestReceived(command, b"/*" if path == b"*" else path, version)

    def _asked_path(self) -> str:
        return self.channel.asked_path.decode("latin-1")

    def _pass_over(self) -> None:
        self._unread = True
        # Nobody is to go on and send it.
        self.requestHeaders.removeHeader(b"expect")

    def _refuse(self) -> None:
        self._pass_over()
        self.channel.refuse(self.channel.gate.too_large(self._asked_path()))


def _path_of(target: bytes) -> bytes:
    written = _AUTHORITY.match(target)
    path = target if written is None else target[written.end() :]
    if written is not None and not path.startswith(b"/"):
        path = b"/" + path
    return _collapsed(path) if _DOTS.search(path) else path


def _collapsed(target: bytes) -> bytes:
    """
    A path without ``.`` and ``..``, as clients that know addresses send it (the URL standard, 4.4).
    """
    path, mark, query = target.partition(b"?")
    kept: list[bytes] = []
    segments = path.split(b"/")[1:]
    for number, segment in enumerate(segments, start=1):
        plain = segment.lower().replace(b"%2e", b".")
        if plain == b"..":
            kept = kept[:-1]
        elif plain != b".":
            kept.append(segment)
        if plain in (b".", b"..") and number == len(segments):
            kept.append(b"")
    return b"/" + b"/".join(kept) + mark + query


@define
class Waiting:
    """
    The connections that wait for a whole request, in the order in which they began to.
    """

    _channels: dict[LimitedChannel, None] = field(factory=dict)

    def add(self, channel: LimitedChannel) -> None:
        """
        Let one wait. Where there are too many the oldest is cut off.
        """
        self._channels[channel] = None
        if len(self._channels) > MOST_WAITING:
            oldest = next(iter(self._channels))
            self.remove(oldest)
            oldest.transport.abortConnection()

    def remove(self, channel: LimitedChannel) -> None:
        """
        One waits no longer.
        """
        self._channels.pop(channel, None)


class LimitedChannel(HTTPChannel):
    """
    One connection, until it becomes a WebSocket: then it has no transport any more.

    :ivar waiting: shared by all connections of a port.
    :ivar gate: decides of bodies.
    :ivar said: told of answers that come from here: the path and the status.
    :ivar refusing: whether nothing is read any more, and the connection ends with an answer that says why.
    """

    waiting: Waiting
    gate: Gate
    said: Callable[[bytes, int], None]
    transport: Any
    refusing = False
    #: Twisted sets it with the first line.
    _path = b""
    _lost = False
    #: Between the last byte of a request and the end of its answer.
    _answering = False
    #: Whether the transport holds more than the client takes.
    _full = False
    #: Whether a request was answered.
    _served = False
    _ending = False

    def connectionMade(self) -> None:
        super().connectionMade()
        self.waiting.add(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._lost = True
        self.waiting.remove(self)
        super().connectionLost(reason)

    def resetTimeout(self) -> None:
        """
        A byte now and then buys no time.
        """

    def dataReceived(self, data: bytes) -> None:
        if self.transport is not None and not self.transport.disconnecting and not self.refusing:
            super().dataReceived(data)

    @property
    def method(self) -> str:
        """
        Of the request that arrives.
        """
        return bytes(self._command).decode("latin-1")

    @property
    def asked_path(self) -> bytes:
        """
        Of the request that arrives, as it was written, without query; empty before its first line is there.
        """
        return _path_of(bytes(self._path)).partition(b"?")[0]

    @property
    def is_answering(self) -> bool:
        """
        Whether somebody waits for an answer here. Who has gone on to a WebSocket does not.
        """
        return self._answering and not self._lost and self.transport is not None

    def refuse_unread(self, request: LimitedRequest, peer: str, headers: Mapping[str, str]) -> None:
        """
        Refuse a request whose body nobody will look at, unless that came with its head.
        """

        def refuse() -> None:
            if not self._answering and self.requests[-1:] == [request] and not self._lost:
                self.refusing = True
                self.gate.refusal(peer, headers).addCallback(self.refuse)

        # When what has come so far is read.
        self.callLater(0, refuse)

    def allHeadersReceived(self) -> None:
        super().allHeadersReceived()
        if self.length != 0 and not self.refusing:
            self.setTimeout(BODY_SECONDS)

    def allContentReceived(self) -> None:
        self.setTimeout(IDLE_SECONDS)  # what Twisted goes back to after the answer
        self._answering = True
        self.waiting.remove(self)
        super().allContentReceived()

    def checkPersistence(self, request: Any, version: bytes) -> bool:
        if self._ending:
            request.responseHeaders.setRawHeaders(b"connection", [b"close"])
            return False
        return bool(super().checkPersistence(request, version))

    def end(self) -> None:
        """
        The port is given up: what is asked for is answered, and nothing after it. Whoever came and has not asked yet
        may do so, once.
        """
        self._ending = True
        if self.requests:
            self.persistent = False
        elif self._served and not self._lost and self.transport is not None:
            self.loseConnection()

    def requestDone(self, request: Any) -> None:
        self._answering, self._served = False, True
        self.paused = self._full
        if self.persistent:
            self.waiting.add(self)
        else:
            self.setTimeout(IDLE_SECONDS)
        super().requestDone(request)
        if self.paused and self.transport is not None:
            self.transport.pauseProducing()

    def pauseProducing(self) -> None:
        super().pauseProducing()
        self._full = True
        if self.transport is not None:
            self.setTimeout(IDLE_SECONDS)

    def resumeProducing(self) -> None:
        self._full = False
        super().resumeProducing()
        if self._full:
            return  # again, by what the answer went on with
        if self._answering:
            self.setTimeout(None)
        if self.paused:
            self.paused = False
            self.dataReceived(b"")

    def timeoutConnection(self) -> None:
        if self.refusing and self.transport is not None:
            self.transport.abortConnection()
            return
        if self.requests and not self._answering:
            self._say(HTTPStatus.REQUEST_TIMEOUT)
        super().timeoutConnection()

    def lineLengthExceeded(self, line: bytes) -> None:
        self._say(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        self.loseConnection()

    def refuse(self, refusal: Refusal) -> None:
        """
        Answer what is not read to its end, and close.
        """
        self.refusing = True
        if self._lost:
            return
        self._say(refusal.status, refusal.body)
        if ISSLTransport.providedBy(self.transport):
            # TLS has no half of a connection, and waits by itself for the other side to end it.
            self.loseConnection()
        else:
            self.transport.loseWriteConnection()
            self.setTimeout(LINGER_SECONDS)

    def _say(self, status: HTTPStatus, body: bytes = b"") -> None:
        self.said(self.asked_path, status)
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
        head += f"Date: {datetimeToString().decode()}\r\nX-Content-Type-Options: nosniff\r\n"
        if body:
            head += f"Content-Type: {JSON}\r\n"
        self.transport.write(f"{head}\r\n".encode() + body)
