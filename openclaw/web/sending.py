"""
Sending an open file as an answer's body.
"""

from __future__ import annotations

from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from twisted.logger import Logger
from twisted.web.server import Request
from zope.interface import implementer

from openclaw.files import OpenedFile

CHUNK = 64 * 1024


@implementer(IPushProducer)
@define(eq=False)
class FileSending:
    """
    Writes a file as fast as the client takes it.

    Twisted's own ``FileSender`` is a pull producer, which web turns into a push producer on the global reactor.
    """

    _log = Logger()
    request: Request
    opened: OpenedFile
    _left: int = field(init=False)
    _paused: bool = field(default=False, init=False)
    _done: Deferred[None] = field(init=False)

    def start(self) -> Deferred[None]:
        """
        :return: fires when all of it is written, or is cancelled when the client goes away.
        """
        self._left = self.opened.stat.st_size
        self._done = Deferred(lambda done: self.opened.file.close())
        self.request.registerProducer(self, True)
        self.resumeProducing()
        return self._done

    def pauseProducing(self) -> None:
        self._paused = True

    def resumeProducing(self) -> None:
        self._paused = False
        while not self._paused and not self.opened.file.closed:
            chunk = self.opened.file.read(min(CHUNK, self._left))
            self._left -= len(chunk)
            if chunk:
                self.request.write(chunk)
            if not chunk or not self._left:
                self._end()

    def stopProducing(self) -> None:
        self.opened.file.close()

    def _end(self) -> None:
        self.opened.file.close()
        self.request.unregisterProducer()
        if self._left:
            # The length that was promised is wrong now; only an end of the connection tells the client.
            self._log.warn("A file became shorter while it was sent.")
            self.request.loseConnection()
        if not self._done.called:
            self._done.callback(None)


def send_file(request: Request, opened: OpenedFile) -> Any:
    """
    The body of an answer whose head is filled in but for its length.

    :return: what a Klein handler returns.
    """
    if request.method == b"HEAD":
        opened.file.close()
        return b""
    request.setHeader("content-length", str(opened.stat.st_size))
    return FileSending(request, opened).start()
