"""
The sockets over which pages are told to load again (``http.md`` 12.5).

They say nothing but ``reload``, whoever is at the other end; what comes in is not looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define, field
from autobahn.twisted.resource import WebSocketResource
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet.interfaces import IReactorTime

RELOAD = b"reload"

#: Pages that are told at the same time; where there are more, the oldest goes.
MOST_SOCKETS = 256
MOST_MESSAGE_BYTES = 64 * 1024
GOING_AWAY = 1001


class ReloadProtocol(WebSocketServerProtocol):
    """
    One page.

    :ivar capability: by which it came in, if by one.
    """

    factory: ReloadFactory
    capability: str | None = None

    def onConnect(self, request: Any) -> str | None:
        self.capability = self.factory.coming
        return request.protocols[0] if request.protocols else None

    def onOpen(self) -> None:
        self.factory.opened(self)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:  # noqa: N803 - Autobahn names it
        self.factory.closed(self)

    def end(self) -> None:
        """
        Close, without waiting for a page that does not answer.
        """
        self.factory.closed(self)
        self.sendCloseFrame(code=GOING_AWAY)
        self.dropConnection(abort=False)


class ReloadFactory(WebSocketServerFactory):
    """
    Makes the protocols. Autobahn's own limits run on the global reactor, so they are off.

    :ivar coming: the capability of the upgrade that is under way; an upgrade is answered within one call.
    """

    protocol = ReloadProtocol  # type: ignore[assignment]  # Autobahn's protocols are their own kind
    coming: str | None = None

    def __init__(self, clock: IReactorTime, on_opened: Callable[[], None]) -> None:
        super().__init__(server="openclaw", reactor=clock)
        self.pages: dict[ReloadProtocol, None] = {}
        self._on_opened = on_opened
        self.setProtocolOptions(
            versions=[8, 13],
            webStatus=False,
            maxMessagePayloadSize=MOST_MESSAGE_BYTES,
            failByDrop=True,
            echoCloseCodeReason=True,
            openHandshakeTimeout=0,
            closeHandshakeTimeout=0,
            tcpNoDelay=True,
            autoPingInterval=0,
            perMessageCompressionAccept=lambda offers: None,
        )

    def opened(self, page: ReloadProtocol) -> None:
        self.pages[page] = None
        if len(self.pages) > MOST_SOCKETS:
            next(iter(self.pages)).end()
        self._on_opened()

    def closed(self, page: ReloadProtocol) -> None:
        self.pages.pop(page, None)


def nobody_cares() -> None:
    """
    Nothing has to begin when a page comes.
    """


@define(kw_only=True, eq=False, repr=False)
class ReloadSockets:
    """
    The pages that are open.

    :ivar on_opened: called when one more is there.
    """

    clock: IReactorTime
    on_opened: Callable[[], None] = nobody_cares
    _factory: ReloadFactory = field(init=False)
    _resource: WebSocketResource = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._factory = ReloadFactory(self.clock, lambda: self.on_opened())
        self._resource = WebSocketResource(self._factory)

    def __len__(self) -> int:
        return len(self._factory.pages)

    def take(self, request: Any, capability: str | None) -> Any:
        """
        Take over an upgrade that is a good one and may be.

        :return: what a resource renders.
        """
        self._factory.coming = capability
        return self._resource.render(request)

    def reload(self) -> None:
        """
        Have every page load again.
        """
        for page in list(self._factory.pages):
            if page.state == page.STATE_OPEN:  # else it has said that it goes
                page.sendMessage(RELOAD, isBinary=False)

    def revoked(self, capability: str) -> None:
        """
        Who came in by this may not stay.
        """
        for page in [page for page in self._factory.pages if page.capability == capability]:
            page.end()

    def close(self) -> None:
        for page in list(self._factory.pages):
            page.end()
