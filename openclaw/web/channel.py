"""
Twisted's HTTP/1.1 with the limits that a port needs to which anybody may connect.

Twisted counts the time since the last byte, takes bodies of any length, and answers what is pipelined whether or not
the client takes the answers. Here a request has to be there whole in a certain time and with a body that is not too
large, and who takes no answers gets no more of them and is cut off after a while. Of too many connections that wait for
a request the oldest one goes.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

from attrs import define, field
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel
from twisted.web.server import Request

#: The time for a request's head, from the connection or from the answer before it; then an idle connection is closed.
#: Also the time in which a client has to take something of an answer.
IDLE_SECONDS = 60.0

#: The time for a request's body, from the end of its head.
BODY_SECONDS = 300.0

#: The largest body. No route takes one yet.
MOST_BODY_BYTES = 1024 * 1024

#: The most connections on which no whole request is, so that nobody uses up the open files that others need.
MOST_WAITING = 512

#: What stands before the path in the form in which proxies are asked, which servers have to know too.
_AUTHORITY = re.compile(rb"https?://[^/?#]*", re.IGNORECASE)


class LimitedRequest(Request):
    """
    A request with a body that is not too large, and with a path.
    """

    channel: LimitedChannel
    content: Any
    _refused = False

    def gotLength(self, length: int | None) -> None:
        if length is not None and length > MOST_BODY_BYTES:
            self._refuse()
            # Nobody is to go on and send it.
            self.requestHeaders.removeHeader(b"expect")
            length = 0
        super().gotLength(length)

    def handleContentChunk(self, data: bytes) -> None:
        if not self._refused and self.content.tell() + len(data) > MOST_BODY_BYTES:
            self._refuse()
        if not self._refused:
            super().handleContentChunk(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        if self._refused:
            return
        written = _AUTHORITY.match(path)
        if written is not None:
            path = path[written.end() :]
            path = path if path.startswith(b"/") else b"/" + path
        # Twisted would answer ``*`` itself, and say what it is. Nothing of ours is called so.
        super().requestReceived(command, b"/*" if path == b"*" else path, version)

    def _refuse(self) -> None:
        self._refused = True
        self.channel.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


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
    """

    waiting: Waiting
    transport: Any
    #: Between the last byte of a request and the end of its answer.
    _answering = False
    #: Whether the transport holds more than the client takes.
    _full = False

    def connectionMade(self) -> None:
        super().connectionMade()
        self.waiting.add(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.waiting.remove(self)
        super().connectionLost(reason)

    def resetTimeout(self) -> None:
        """
        A byte now and then buys no time.
        """

    def dataReceived(self, data: bytes) -> None:
        if self.transport is not None and not self.transport.disconnecting:
            super().dataReceived(data)

    def allHeadersReceived(self) -> None:
        super().allHeadersReceived()
        if self.length != 0:
            self.setTimeout(BODY_SECONDS)

    def allContentReceived(self) -> None:
        self.setTimeout(IDLE_SECONDS)  # what Twisted goes back to after the answer
        self._answering = True
        self.waiting.remove(self)
        super().allContentReceived()

    def requestDone(self, request: Any) -> None:
        self._answering = False
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
        if self.requests and not self._answering:
            self._say(HTTPStatus.REQUEST_TIMEOUT)
        super().timeoutConnection()

    def lineLengthExceeded(self, line: bytes) -> None:
        self.refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def refuse(self, status: HTTPStatus) -> None:
        """
        Answer what is not read to its end, and close.
        """
        self._say(status)
        self.loseConnection()

    def _say(self, status: HTTPStatus) -> None:
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        self.transport.write(head.encode())
