"""
The Autobahn edge: the only module that knows which library speaks RFC 6455.

Autobahn never awaits its callbacks and lets errors in ``onMessage`` escape into the transport, so every callback here
is synchronous, short, and inside one guard that logs and closes with 1011.

Autobahn does the opening and closing handshakes and every unusual frame. Plain messages take a shorter way: they are
parsed in bulk as they arrive, and what is sent is corked, so that a reactor turn costs one write for each connection.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.types import ConnectionDeny
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IReactorTime, ISSLTransport
from twisted.internet.tcp import Connection as TCPConnection
from twisted.logger import Logger

from openclaw.gateway.connection import (
    CLOSE_LIMIT,
    HANDSHAKE_MESSAGE_BYTES,
    INTERNAL_ERROR,
    Connection,
    Outlet,
    Upgrade,
)
from openclaw.gateway.framing import INCOMPLETE, OTHER, next_message, text_head

MESSAGE_TOO_BIG = 1009

MakeConnection = Callable[[Outlet, Upgrade], Connection]
RefuseUpgrade = Callable[[Upgrade], HTTPStatus | None]


class GatewayProtocol(WebSocketServerProtocol):
    """
    One accepted socket, from the upgrade on.
    """

    #: Autobahn copies these options with a formatted log line for each socket, which cost as much as all the rest.
    CONFIG_ATTRS: list[str] = []  # noqa: RUF012 - declared so by Autobahn

    _log = Logger()
    factory: GatewayFactory
    connection: Connection | None = None
    upgrade: Upgrade

    def __init__(self) -> None:
        super().__init__()
        self._corked: list[bytes] = []
        self._corked_bytes = 0

    def _connectionMade(self) -> None:
        for name in WebSocketServerProtocol.CONFIG_ATTRS:
            setattr(self, name, getattr(self.factory, name))
        super()._connectionMade()

    def onConnect(self, request: Any) -> Any:
        transport: Any = self.transport
        self.upgrade = Upgrade(
            peer=host_of(transport.getPeer()),
            headers={name.lower(): value for name, value in request.headers.items()},
            secure=ISSLTransport.providedBy(transport),
            server_address=host_of(transport.getHost()),
            server_port=getattr(transport.getHost(), "port", 0),
        )
        refused = self.factory.refuse(self.upgrade)
        if refused is not None:
            raise ConnectionDeny(refused.value, refused.phrase)
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

    def _dataReceived(self, data: bytes) -> None:
        if self.state != self.STATE_OPEN or self.current_frame is not None or self.inside_message:
            super()._dataReceived(data)
            return
        if self.data:
            data = self.data + data
        at = 0
        found: tuple[bytes, int] | str = INCOMPLETE
        while self.state == self.STATE_OPEN:
            found = next_message(data, at, self.maxMessagePayloadSize)
            if isinstance(found, str):
                break
            payload, at = found
            self.onMessage(payload, False)
        self.data = data[at:]
        if self.data and (found is OTHER or self.state != self.STATE_OPEN):
            self.consumeData()

    # Outlet.

    def send(self, frame: bytes) -> None:
        if self.state == self.STATE_OPEN:
            if not self._corked:
                self.factory.cork(self)
            head = text_head(len(frame))
            self._corked += (head, frame)
            self._corked_bytes += len(head) + len(frame)

    def uncork(self) -> None:
        """
        Write what was sent in this reactor turn.
        """
        if not self._corked:
            return
        corked, self._corked, self._corked_bytes = self._corked, [], 0
        if self.transport is not None:
            self._write(b"".join(corked))

    def _write(self, data: bytes) -> None:
        transport: Any = self.transport
        sent = 0
        if isinstance(transport, TCPConnection) and self.waiting_bytes() == 0:
            # Straight to the socket. Twisted would have the reactor watch it, write, and have it watched no more, which
            # costs twice as much as the write; what does not fit takes that way, and so does every error.
            done = transport.writeSomeData(data) if transport.connected and not transport.disconnecting else 0
            sent = done if isinstance(done, int) and done > 0 else 0
        if sent < len(data):
            transport.write(data[sent:])

    def sendFrame(self, *arguments: Any, **named: Any) -> None:
        # Autobahn's own frames keep their place behind what was sent before.
        self.uncork()
        super().sendFrame(*arguments, **named)

    def close(self, code: int, reason: str, limit: float = CLOSE_LIMIT) -> None:
        if self.state == self.STATE_OPEN:
            self._close_limit = limit
            # Autobahn's ``sendClose`` takes only the codes of applications; ours are the protocol's.
            self.sendCloseFrame(code, reason.encode("utf-8"))

    def sendCloseFrame(self, *arguments: Any, **named: Any) -> None:  # noqa: N802 - Autobahn names it
        # Also where Autobahn itself ends a connection whose frames are wrong. It would wait for the peer for ever.
        super().sendCloseFrame(*arguments, **named)
        if self._closing is None and self.state == self.STATE_CLOSING:
            self._closing = self.factory.clock.callLater(self._close_limit, self._cut)

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
        waiting = len(tail) - getattr(transport, "offset", 0) + getattr(transport, "_tempDataLen", 0)
        return int(waiting) + self._corked_bytes

    _closing: Any = None
    _close_limit = CLOSE_LIMIT

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
        self, *, make_connection: MakeConnection, refuse: RefuseUpgrade, clock: IReactorTime, max_payload: int
    ) -> None:
        super().__init__(server="openclaw", reactor=clock)
        self.make_connection = make_connection
        self.refuse = refuse
        self.clock = clock
        self._to_uncork: list[GatewayProtocol] = []
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

    def cork(self, protocol: GatewayProtocol) -> None:
        """
        Have a protocol write at the end of this reactor turn.
        """
        if not self._to_uncork:
            self.clock.callLater(0, self._uncork)
        self._to_uncork.append(protocol)

    def _uncork(self) -> None:
        protocols, self._to_uncork = self._to_uncork, []
        for protocol in protocols:
            protocol.uncork()


def host_of(address: object) -> str:
    """
    The host of a Twisted address; a UNIX socket is as local as loopback.
    """
    return address.host if isinstance(address, IPv4Address | IPv6Address) else "127.0.0.1"
