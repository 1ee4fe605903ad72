"""
Server-sent events.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from attrs import define, field
from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.web.server import Request
from zope.interface import implementer

#: Seconds between two lines that only keep proxies from closing the connection.
KEEP_ALIVE = 15.0

HEADERS = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache", "x-accel-buffering": "no"}

DONE = b"data: [DONE]\n\n"


@implementer(IPushProducer)
@define(eq=False)
class EventStream:
    """
    Writes events as fast as the client takes them. What it does not take yet waits here, and so does whoever asks
    ``full``, until the channel cuts off a client that takes nothing.

    :ivar full: whether the client is behind.
    """

    _log = Logger()
    request: Request
    clock: IReactorTime
    full: bool = field(default=False, init=False)
    _waiting: list[bytes] = field(factory=list, init=False)
    _ended: bool = field(default=False, init=False)
    _alive: LoopingCall = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._alive = LoopingCall(self._comment)
        self._alive.clock = self.clock

    def start(self) -> None:
        """
        Send the head.
        """
        for name, value in HEADERS.items():
            self.request.setHeader(name, value)
        self.request.registerProducer(self, True)
        self.request.write(b"")
        ticking = self._alive.start(KEEP_ALIVE, now=False)
        ticking.addErrback(lambda failure: self._log.failure("A stream was not kept alive.", failure))

    def send(self, value: Mapping[str, Any], event: str | None = None) -> None:
        """
        One event.
        """
        name = b"" if event is None else f"event: {event}\n".encode()
        self._write(name + b"data: " + orjson.dumps(value) + b"\n\n")

    def done(self) -> None:
        """
        The last event, after which nothing follows.
        """
        self._write(DONE)

        self._end()
        self.resumeProducing()
        self.request.unregisterProducer()

    def left(self) -> None:
        """
        The client is gone.
        """
        self._waiting = []
        self._end()

    def _end(self) -> None:
        self._ended = True
        self._alive.stop()

    def pauseProducing(self) -> None:
        self.full = not self._ended

    def resumeProducing(self) -> None:
        self.full = False
        waiting, self._waiting = self._waiting, []
        if waiting:
            self.request.write(b"".join(waiting))

    def stopProducing(self) -> None:
        """
        Twisted calls it when the connection is lost; who waits for the run is told then, too.
        """

    def _comment(self) -> None:
        if not self.full:
            self.request.write(b": still here\n\n")

    def _write(self, data: bytes) -> None:
        if self._ended:
            return
        if self.full:
            self._waiting.append(data)
        else:
            self.request.write(data)
