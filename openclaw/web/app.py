"""
The routes of the HTTP side.

The probes and the page ask for no secret, so they look at ``Host`` (``hosts``); everything else asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import cached_property, wraps
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from attrs import define, field
from klein import Klein
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.resource import IResource
from twisted.web.server import Request
from werkzeug.exceptions import NotFound
from werkzeug.routing import RequestRedirect

from openclaw.web.answers import (
    JSON,
    NO_STORE,
    answer,
    answer_json,
    answer_status,
    answer_text,
    named_headers,
    refuse_host,
)
from openclaw.web.context import WebContext
from openclaw.web.gate import NOT_FOUND, UNAUTHORIZED
from openclaw.web.page import Page
from openclaw.web.paths import METRICS, TOOLS_INVOKE, hooks_path, is_below

if TYPE_CHECKING:
    from openclaw.web.hooks.endpoint import Hooks
    from openclaw.web.openai.endpoint import OpenAI
    from openclaw.web.tools.endpoint import Tools

Handler = Callable[..., Any]

READ_METHODS = (b"GET", b"HEAD")
ALLOW_READ = {"allow": "GET, HEAD"}

#: Prometheus's text format.
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
NO_METRICS = "Metrics are not installed here. What writes them comes with: pip install 'openclaw[metrics]'\n"


def asks_no_secret(handler: Handler) -> Handler:
    """
    Answer 403 when the client calls us by a name that cannot be ours.
    """

    @wraps(handler)
    def checked(app: App, request: Request, **segments: str) -> Any:
        if not app.context.knows_host(request, named_headers(request)):
            return refuse_host(request)
        return handler(app, request, **segments)

    return checked


def asks_secret(handler: Callable[[App, Request], Coroutine[Any, Any, bytes]]) -> Handler:
    """
    Read for who has the gateway's secret; all others get 401.
    """

    async def asked(app: App, request: Request) -> bytes:
        peer = getattr(request.getClientAddress(), "host", "127.0.0.1")
        if not await app.context.secrets.admits(peer, named_headers(request)):
            return answer_json(request, HTTPStatus.UNAUTHORIZED, UNAUTHORIZED)
        return await handler(app, request)

    @wraps(handler)
    def checked(app: App, request: Request) -> Any:
        if request.method not in READ_METHODS:
            return answer_status(request, HTTPStatus.METHOD_NOT_ALLOWED, ALLOW_READ)
        return Deferred.fromCoroutine(asked(app, request))

    return checked


@define(eq=False, slots=False)
class App:
    """
    Klein's routes; ``slots=False`` because Klein keeps the bound application on the instance.
    """

    _log = Logger()
    routes = Klein()
    # A path is what the client wrote; no redirect to what it might have meant.
    routes.url_map.merge_slashes = False

    context: WebContext
    page: Page = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.page = Page(context=self.context)

    @routes.route("/healthz")
    @asks_no_secret
    def healthz(self, request: Request) -> bytes:
        """
        The process answers.
        """
        return self._probe(request, HTTPStatus.OK, {"ok": True})

    @routes.route("/readyz")
    @asks_no_secret
    def readyz(self, request: Request) -> bytes:
        """
        Every part is ready.
        """
        pending = list(self.context.pending())
        if pending:
            return self._probe(request, HTTPStatus.SERVICE_UNAVAILABLE, {"ok": False, "pending": pending})
        return self._probe(request, HTTPStatus.OK, {"ok": True})

    def _probe(self, request: Request, status: HTTPStatus, value: object) -> bytes:
        if request.method not in READ_METHODS:
            return answer_status(request, HTTPStatus.METHOD_NOT_ALLOWED, ALLOW_READ)
        return answer_json(request, status, value, NO_STORE)

    @routes.route("/protocol.json")
    @asks_secret
    async def protocol(self, request: Request) -> bytes:
        """
        What the gateway speaks.
        """
        return answer(request, HTTPStatus.OK, await self.context.protocol(), JSON, NO_STORE)

    @routes.route("/openapi.json")
    @asks_secret
    async def openapi(self, request: Request) -> bytes:
        """
        What is answered over HTTP.
        """
        return answer(request, HTTPStatus.OK, await self.context.openapi(), JSON, NO_STORE)

    @routes.route(METRICS)
    @asks_secret
    async def metrics(self, request: Request) -> bytes:
        """
        What is measured, as Prometheus reads it.
        """
        text = await self.context.metrics()
        if text is None:
            return answer_text(request, HTTPStatus.NOT_FOUND, NO_METRICS, NO_STORE)
        return answer(request, HTTPStatus.OK, text, METRICS_TYPE, NO_STORE)

    @routes.route("/v1/", branch=True)
    def openai(self, request: Request) -> Any:
        """
        What OpenAI's clients ask. Programs that speak to it get JSON and never the page.
        """
        return self._in_order(request, self._openai_or_nothing)

    def _openai_or_nothing(self, request: Request) -> Any:
        if self._openai is None:
            return answer_json(request, HTTPStatus.NOT_FOUND, NOT_FOUND)
        return self._openai.render(request)

    @cached_property
    def _openai(self) -> OpenAI | None:
        return self.context.openai() if self.context.openai is not None else None

    @routes.route(TOOLS_INVOKE)
    def invoke_tool(self, request: Request) -> Any:
        """
        One tool, without a model.
        """
        if self._tools is None:
            return answer_json(request, HTTPStatus.NOT_FOUND, NOT_FOUND)
        return self._tools.render(request)

    @cached_property
    def _tools(self) -> Tools | None:
        return self.context.tools() if self.context.tools is not None else None

    @routes.route("/__openclaw__/", branch=True)
    def canvas(self, request: Request) -> Any:
        """
        Canvas and A2UI, which check for themselves who asks; what is not theirs is the page's.
        """
        return self._in_order(request, self._canvas_or_page)

    def _canvas_or_page(self, request: Request) -> Any:
        answered = self.context.canvas.render(request) if self.context.canvas is not None else None
        return self.open(request) if answered is None else answered

    @routes.route("/", branch=True)
    def everything_else(self, request: Request) -> Any:
        """
        What is open to everybody, where nobody else answers.
        """
        return self._in_order(request, self.open)

    def _in_order(self, request: Request, last: Callable[[Request], Any]) -> Any:
        """
        Hooks, wherever they are configured to be; then the plugins, and ours after them.
        """
        hooks = self.context.hooks()
        if hooks.enabled and is_below(request.path.decode("latin-1"), hooks_path(hooks)) and self._hooks is not None:
            return self._hooks.render(request)
        if self.context.plugins is None:
            return last(request)
        return Deferred.fromCoroutine(self.context.plugins.answer(request, last))

    @cached_property
    def _hooks(self) -> Hooks | None:
        return self.context.hook_calls() if self.context.hook_calls is not None else None

    @asks_no_secret
    def open(self, request: Request) -> Any:
        """
        The page, its files and its avatars; else 404 or 405.
        """
        return self.page.render(request)

    @routes.handle_errors(NotFound, RequestRedirect)
    def unrouted(self, request: Any, failure: Failure) -> Any:
        """
        What no rule of Werkzeug matches, such as ``//x`` and what has a line break in it, and what it would send
        elsewhere, such as ``/v1``: to whom it belongs by its beginning.
        """
        if request.path.startswith(b"/v1/"):
            return self.openai(request)
        if request.path.startswith(b"/__openclaw__/"):
            return self.canvas(request)
        return self.everything_else(request)

    @routes.handle_errors(Exception)
    def failed(self, request: Any, failure: Failure) -> Any:
        """
        A bug: told in the log, not to the client.
        """
        self._log.failure("A request failed.", failure)
        return answer_status(request, HTTPStatus.INTERNAL_SERVER_ERROR)


def make_app(context: WebContext) -> IResource:
    """
    The HTTP side as one resource.
    """
    resource: IResource = App(context).routes.resource()
    return resource
