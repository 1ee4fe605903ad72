"""
The canvas on a port of its own (``http.md`` 12.6): nothing else is there.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from openclaw.web.answers import answer_status, named_headers
from openclaw.web.canvas.host import CanvasHost
from openclaw.web.site import begin
from openclaw.web.upgrade import is_upgrade


class CanvasPort(Resource):
    """
    The leaf that sees every request of the port.
    """

    isLeaf = True
    _log = Logger()

    def __init__(self, host: CanvasHost) -> None:
        super().__init__()
        self._host = host

    def render(self, request: Request) -> Any:
        refused = begin(request)
        if refused is not None:
            return refused
        headers = named_headers(request)
        if is_upgrade(headers):
            taken = self._host.upgrade(request, headers)
            if taken is None:
                # There is nothing here that could be spoken to.
                request.loseConnection()
                return NOT_DONE_YET
            return taken
        answered = self._host.render(request)
        if answered is None:
            return answer_status(request, HTTPStatus.NOT_FOUND)
        if isinstance(answered, Deferred):
            return self._later(request, answered)
        return answered

    def _later(self, request: Request, sending: Deferred[Any]) -> Any:
        """
        Finish when the file is sent, and send no more to who is gone.
        """

        def gone(reason: Failure) -> None:
            sending.cancel()

        def failed(failure: Failure) -> None:
            if not failure.check(CancelledError):
                self._log.failure("A request failed.", failure)
                request.loseConnection()

        request.notifyFinish().addErrback(gone)
        sending.addCallbacks(lambda _: request.finish(), failed)
        return NOT_DONE_YET
