"""
The Autobahn edge: the only module that knows which library speaks RFC 6455.

Autobahn never awaits its callbacks and lets errors in ``onMessage`` escape into the transport, so every callback here
is synchronous, short, and inside one guard that logs and closes with 1011.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.types import ConnectionDeny
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from openclaw.gateway.connection import HANDSHAKE_MESSAGE_BYTES, INTERNAL_ERROR, Connection, Outlet, Upgrade

MESSAGE_TOO_BIG = 1009

#: Limits the close handshake: a peer that does not answer our close is cut after this many seconds.
CLOSE_LIMIT = 2.0

MakeConnection = Callable[[Outlet, Upgrade], Connection]
AllowUpgrade = Callable[[Upgrade], bool]


class GatewayProtocol(WebSocketServerProtocol):
    """
    One accepted socket, from the upgrade on.
    """

    _log = Logger()
    factory: GatewayFactory
    connection: Connection | None = None
    upgrade: Upgrade

    def onConnect(self, request: Any) -> Any:
        transport: Any = self.transport
        self.upgrade = Upgrade(
            peer=host_of(transport.getPeer()),
            headers={name.lower(): value for name, value in request.headers.items()},
            secure=bool(getattr(transport, "TLS", False)),
            server_address=host_of(transport.getHost()),
            server_port=getattr(transport.getHost(), "port", 0),
        )
        if not self.factory.allow(self.upgrade):
            raise ConnectionDeny(403, "Forbidden")
        return request.protocols[0] if request.protocols else None

    def onOpen(self) -> None:
        self.maxMessagePayloadSize = HANDSHAKE_MESSAGE_BYTES
        self._guarded(self._opened)

    def _opened(self) -> None:
        self.connection = self.factory.make_connection(self, self.upgrade)
        self.connection.opened()

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: N803 - Autobahn names it
        if self.connection is not None:
            self._guarded(self.connection.received, payload)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:  # noqa: N803
        self._drop_limit()
        if self.connection is not None:
            self._guarded(self.connection.lost, code, reason or "")

    # Outlet.

    def send(self, frame: bytes) -> None:
        if self.state == self.STATE_OPEN:
            self.sendMessage(frame, isBinary=False)

    def close(self, code: int, reason: str) -> None:
        if self.state == self.STATE_OPEN:
            # Autobahn's ``sendClose`` takes only the codes of applications; ours are the protocol's.
            self.sendCloseFrame(code, reason.encode("utf-8"))
            if self._closing is None:
                self._closing = self.factory.clock.callLater(CLOSE_LIMIT, self._cut)

    def allow_bytes(self, most: int) -> None:
        """
        Raise the limit of a message: the client has said hello.
        """
        self.maxMessagePayloadSize = most

    def waiting_bytes(self) -> int:
        """
        Bytes that are written but not yet handed to the network.
        """
        transport = self.transport
        inner = getattr(transport, "transport", None)
        transport = inner if hasattr(inner, "dataBuffer") else transport
        # Twisted has no public name for this; without it the limit is simply never reached.
        tail = getattr(transport, "dataBuffer", b"")
        return len(tail) - getattr(transport, "offset", 0) + getattr(transport, "_tempDataLen", 0)

    _closing: Any = None

    def _cut(self) -> None:
        self._closing = None
        transport: Any = self.transport
        transport.abortConnection()

    def _drop_limit(self) -> None:
        if self._closing is not None and self._closing.active():
            self._closing.cancel()
        self._closing = None

    def _max_message_size_exceeded(self, msg_size: int, max_msg_size: int, reason: str) -> None:
        self.wasMaxMessagePayloadSizeExceeded = True
        self._fail_connection(MESSAGE_TOO_BIG, "")

    def _guarded(self, work: Callable[..., object], *arguments: Any) -> None:
        try:
            work(*arguments)
        except Exception:
            self._log.failure("A connection failed.")
            self.close(INTERNAL_ERROR, "internal error")


class GatewayFactory(WebSocketServerFactory):
    """
    Makes the protocols; every option that costs and is not needed is off.
    """

    protocol = GatewayProtocol  # type: ignore[assignment]  # Autobahn's protocols are their own kind

    def __init__(
        self, *, make_connection: MakeConnection, allow: AllowUpgrade, clock: IReactorTime, max_payload: int
    ) -> None:
        super().__init__(server="openclaw", reactor=clock)
        self.make_connection = make_connection
        self.allow = allow
        self.clock = clock
        self.setProtocolOptions(
            versions=[8, 13],
            webStatus=False,
            maxMessagePayloadSize=max_payload,
            maxFramePayloadSize=0,
            failByDrop=False,
            echoCloseCodeReason=True,
            openHandshakeTimeout=0,
            closeHandshakeTimeout=0,
            tcpNoDelay=True,
            autoPingInterval=0,
            perMessageCompressionAccept=lambda offers: None,
            utf8validateIncoming=False,
        )


def host_of(address: object) -> str:
    """
    The host of a Twisted address; a UNIX socket is as local as loopback.
    """
    return address.host if isinstance(address, IPv4Address | IPv6Address) else "127.0.0.1"
