"""
The one port: WebSocket upgrades go to Autobahn, everything else to Klein.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote_to_bytes
from weakref import WeakSet

from autobahn.twisted.resource import WebSocketResource
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.web.http import Request as HTTPRequest
from twisted.web.resource import IResource, Resource
from twisted.web.server import Request, Site

from openclaw.web.answers import answer_refused, answer_status, answer_text, named_headers, refuse_host
from openclaw.web.channel import IDLE_SECONDS, LimitedChannel, LimitedRequest, Waiting
from openclaw.web.context import WebContext
from openclaw.web.gate import Gate
from openclaw.web.routes import route_of
from openclaw.web.upgrade import check_upgrade, is_upgrade

#: Between two looks whether everything is answered, once the port is given up.
LOOK_SECONDS = 0.05

#: A name or address, and perhaps a port.
HOST = re.compile(rb"(\[[0-9A-Fa-f:.%]+\]|[\w-]{1,63}(\.[\w-]{1,63})*\.?)?(:[0-9]*)?")

#: What lets a client see the canvas is not written down.
CAPABILITY_IN_PATH = re.compile(r"(/__openclaw__/cap/)[^/]+")

__all__ = ["WebContext", "make_root_resource", "make_site"]


class RootResource(Resource):
    """
    The leaf that sees every request.
    """

    isLeaf = True

    def __init__(self, websocket: IResource, context: WebContext) -> None:
        super().__init__()
        self._websocket = websocket
        self._context = context

    @cached_property
    def _plain(self) -> IResource:
        """
        The HTTP side. Klein costs a tenth of a second to import, which the start does not wait for.
        """
        from openclaw.web.app import make_app

        return make_app(self._context)

    def render(self, request: Request) -> Any:
        refused = begin(request)
        if refused is not None:
            return refused
        headers = named_headers(request)
        if is_upgrade(headers):
            return self._upgrade(request, headers)
        if "origin" in headers and not self._context.knows_host(request, headers):
            return refuse_host(request)
        return self._plain.render(request)

    def _upgrade(self, request: Request, headers: Mapping[str, str]) -> Any:
        canvas = self._context.canvas
        taken = canvas.upgrade(request, headers) if canvas is not None else None
        if taken is not None:
            return taken
        refused = check_upgrade(request.method.decode("latin-1"), headers)
        return self._websocket.render(request) if refused is None else answer_refused(request, refused)


def begin(request: Request) -> bytes | None:
    """
    What every answer of every port has.

    :return: the body of an answer to what cannot be understood, or ``None``.
    """
    request.responseHeaders.removeHeader(b"server")
    request.setHeader("x-content-type-options", "nosniff")
    expected = request.requestHeaders.getRawHeaders(b"expect", [])
    if any(value.strip().lower() != b"100-continue" for value in expected):
        return answer_status(request, HTTPStatus.EXPECTATION_FAILED, {"connection": "close"})
    return _refuse_malformed(request)


def _refuse_malformed(request: Request) -> bytes | None:
    """
    Refuse what cannot be understood in one way only: no ``Host`` or several (a proxy and we could see different ones),
    one that is no name, a path that is no UTF-8.
    """
    hosts = request.requestHeaders.getRawHeaders(b"host", [])
    if not hosts and request.clientproto != b"HTTP/1.1":
        hosts = [b""]
    try:
        unquote_to_bytes(request.path).decode()
        readable = len(hosts) == 1 and HOST.fullmatch(hosts[0].strip()) is not None
    except UnicodeDecodeError:
        readable = False
    if readable:
        return None
    return answer_text(request, HTTPStatus.BAD_REQUEST, "Bad Request", {"connection": "close"})


class QuietSite(Site):
    """
    Twisted's site without its access log, which would write down tokens that stand in addresses.
    """

    _log = Logger()
    # Else Twisted logs the start and the stop of every factory, by its address in memory.
    noisy = False

    def __init__(
        self, root: IResource, clock: IReactorTime, gate: Gate, counted: Callable[[str, int], None] | None
    ) -> None:
        super().__init__(root, LimitedRequest, reactor=clock, timeout=IDLE_SECONDS, parsePOSTFormSubmission=False)
        self._reactor = clock
        self._waiting = Waiting()
        #: Those that have become WebSockets are nobody's.
        self._channels: WeakSet[LimitedChannel] = WeakSet()
        self._gate = gate
        self._counted = counted
        # Without the wrapper that speaks HTTP/2 where a library for it happens to be installed.
        self.protocol = self._channel  # type: ignore[assignment]  # Twisted has the wrapper in its type

    def acceptableProtocols(self) -> list[bytes]:  # noqa: N802 - Twisted calls it
        # Nor may TLS settle on it.
        return [b"http/1.1"]

    def _channel(self) -> LimitedChannel:
        channel = LimitedChannel()
        channel.waiting, channel.gate, channel.said = self._waiting, self._gate, self._count
        self._channels.add(channel)
        return channel

    def stopFactory(self) -> None:  # noqa: N802 - Twisted calls it
        """
        Nobody listens any more. A proxy would go on to ask on the connections that it keeps, also after a restart in
        place, and there is nobody behind them then.
        """
        super().stopFactory()
        for channel in list(self._channels):
            channel.end()

    async def answered(self) -> None:
        """
        Wait until nobody waits for an answer any more.
        """
        while any(channel.is_answering for channel in self._channels):
            await deferLater(self._reactor, LOOK_SECONDS)

    def _count(self, path: bytes, status: int, route: str | None = None) -> None:
        if self._counted is not None:
            self._counted(route or route_of(self._gate.config(), path.decode("latin-1")), status)

    def log(self, request: HTTPRequest) -> None:
        self._count(request.path, request.code, getattr(request, "counted_as", None))
        self._log.debug(
            "{method} {path} {code}",
            method=request.method.decode("latin-1"),
            path=CAPABILITY_IN_PATH.sub(r"\1*", request.path.decode("latin-1")),
            code=request.code,
        )


def make_root_resource(websocket: Any, context: WebContext) -> IResource:
    """
    The root of the gateway's port.

    :param websocket: Autobahn's factory, or a resource that takes over upgrades.
    """
    if not IResource.providedBy(websocket):
        websocket = WebSocketResource(websocket)
    return RootResource(websocket, context)


def make_site(
    root: IResource,
    clock: IReactorTime,
    gate: Gate | None = None,
    counted: Callable[[str, int], None] | None = None,
) -> QuietSite:
    """
    The factory for the listening port.

    :param gate: decides of bodies; without one nobody has the secret.
    :param counted: told of each answer: what kind of address was asked for (``routes``), and the status.
    """
    return QuietSite(root, clock, gate or Gate(), counted)
