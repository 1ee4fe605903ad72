"""
What plugins answer over HTTP (``http.md`` 14).
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from attrs import frozen
from twisted.internet.defer import CancelledError, maybeDeferred
from twisted.web.http_headers import Headers
from twisted.web.server import NOT_DONE_YET, Request

from openclaw.logs.subsystem import SubsystemLogger
from openclaw.plugins.loading import Plugins
from openclaw.plugins.routes import Route
from openclaw.web.answers import TEXT, answer_status

#: The word by which requests to plugins are counted.
COUNTED: Final = "plugin"

#: Answers without a body, and without its length (RFC 9110, 8.6).
_WITHOUT_BODY = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})


@frozen
class _Head:
    """
    A request as it was before a handler saw it.
    """

    headers: Headers
    code: int
    message: bytes
    cookies: list[bytes]

    def put_back(self, request: Request) -> None:
        """
        For whoever answers in place of that handler.
        """
        request.responseHeaders, request.code, request.code_message = self.headers, self.code, self.message
        request.cookies[:] = self.cookies
        if request.content is not None:
            request.content.seek(0)


@frozen
class PluginCalls:
    """
    Asks the plugins before the gateway's own routes are asked.
    """

    _log = SubsystemLogger(namespace="gateway/plugins")
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
            answered = await self._asked(route, request, may_pass=exact is None)
            if answered is not False:
                request.counted_as = COUNTED  # type: ignore[attr-defined]
                return answered
        return await maybeDeferred(otherwise, request)

    async def _asked(self, route: Route, request: Request, *, may_pass: bool) -> Any:
        """
        :param may_pass: whether ``False`` leaves the request to the next one.
        :return: the rest of the answer, or ``False``.
        """
        gone = request.notifyFinish()
        gone.addErrback(lambda _: None)
        head = _Head(request.responseHeaders.copy(), request.code, request.code_message, list(request.cookies))
        # What says nothing of itself is nothing that a browser runs.
        request.setHeader("content-type", TEXT)
        try:
            body = _judged(await maybeDeferred(route.handler, request), may_pass=may_pass)
            if body is False and request.startedWriting:
                raise TypeError("a request that was answered in part cannot be passed on")
        except (Exception, SystemExit) as error:
            if isinstance(error, CancelledError) and request.channel is None:
                # The client has left.
                raise
            path = request.path.decode("latin-1")
            self._log.failure("{path} of plugin {plugin} failed", path=path, plugin=route.plugin)
            if not request.startedWriting:
                head.put_back(request)
                return answer_status(request, HTTPStatus.INTERNAL_SERVER_ERROR)
            # What is there is not whole, and must not look so.
            request.loseConnection()
            body = NOT_DONE_YET
        if body is False:
            head.put_back(request)
            return False
        if body is NOT_DONE_YET:
            await gone
            return None
        if not request.startedWriting:
            _complete(request, body)
        return body


def _judged(given: Any, *, may_pass: bool) -> Any:
    """
    What a handler gave: bytes, ``NOT_DONE_YET``, or ``False``.

    :raise TypeError: it is something else.
    """
    if given is None:
        return b""
    if isinstance(given, str):
        return given.encode()
    # NOT_DONE_YET is a number.
    if isinstance(given, bytes) or given is NOT_DONE_YET or (given is False and may_pass):
        return given
    raise TypeError(f"a handler gives bytes, a text, None or NOT_DONE_YET, not {type(given).__name__}")


def _complete(request: Request, body: bytes) -> None:
    """
    What a handler that gives a body need not say.
    """
    headers = request.responseHeaders
    if request.code in _WITHOUT_BODY:
        headers.removeHeader(b"content-type")
    elif not headers.hasHeader(b"content-length"):
        headers.setRawHeaders(b"content-length", [b"%d" % len(body)])
