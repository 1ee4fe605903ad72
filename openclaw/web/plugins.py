"""
What plugins answer over HTTP (``http.md`` 14).
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from attrs import frozen
from twisted.internet.defer import CancelledError, maybeDeferred
from twisted.logger import Logger
from twisted.web.server import NOT_DONE_YET, Request

from openclaw.plugins.loading import Plugins
from openclaw.plugins.routes import Route
from openclaw.web.answers import TEXT, answer_status

#: The word by which requests to plugins are counted.
COUNTED: Final = "plugin"


@frozen
class PluginCalls:
    """
    Asks the plugins before the gateway's own routes are asked.
    """

    _log = Logger(namespace="gateway/plugins")
    plugins: Plugins

    def takes(self, path: str) -> bool:
        """
        Whether a path is a plugin's, so far as that is known without asking it.
        """
        return path in self.plugins.routes.exact

    async def answer(self, request: Request, otherwise: Callable[[Request], Any]) -> Any:
        """
        :param otherwise: answers what no plugin does.
        """
        await self.plugins.ready()
        routes = self.plugins.routes
        exact = routes.exact.get(request.path.decode("latin-1"))
        for route in routes.handlers if exact is None else (exact,):
            answered = await self._asked(route, request)
            if answered is not False or exact is not None:
                request.counted_as = COUNTED  # type: ignore[attr-defined]
                return answered
        return await maybeDeferred(otherwise, request)

    async def _asked(self, route: Route, request: Request) -> Any:
        """
        :return: the rest of the answer, or ``False``.
        """
        gone = request.notifyFinish()
        gone.addErrback(lambda _: None)
        try:
            answered = await maybeDeferred(route.handler, request)
        except CancelledError:
            # The client has left.
            raise
        except Exception:
            path = request.path.decode("latin-1")
            self._log.failure("{path} of plugin {plugin} failed", path=path, plugin=route.plugin)
            if not request.startedWriting:
                return answer_status(request, HTTPStatus.INTERNAL_SERVER_ERROR)
            # What is there is not whole, and must not look so.
            request.loseConnection()
            answered = NOT_DONE_YET
        if answered is NOT_DONE_YET:
            await gone
            return None
        if isinstance(answered, str):
            answered = answered.encode()
        if not request.startedWriting and answered is not False:
            _complete(request, answered or b"")
        return answered


def _complete(request: Request, body: bytes) -> None:
    """
    What a handler that gives a body need not say.
    """
    headers = request.responseHeaders
    if not headers.hasHeader(b"content-type"):
        headers.setRawHeaders(b"content-type", [TEXT.encode()])
    if request.method != b"HEAD" and not headers.hasHeader(b"content-length"):
        headers.setRawHeaders(b"content-length", [b"%d" % len(body)])
