"""
The listening sockets: one port, HTTP and WebSocket on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import ServerFactory
from twisted.logger import Logger

from openclaw.config.binding import LOOPBACK
from openclaw.errors import OpenClawError
from openclaw.gateway.sockets import Sockets


@define(kw_only=True)
class PortTaken(OpenClawError):
    """
    The port cannot be bound.
    """

    host: str
    port: int
    why: str

    def __str__(self) -> str:
        return f"Port {self.port} on {self.host} cannot be used: {self.why}."


@define(kw_only=True, eq=False, repr=False)
class Listener(Service):
    """
    Listens on every host at one port. The first host must work; the others are a gain (``::1`` beside ``127.0.0.1``).

    :ivar ports: what is listening now.
    """

    _log = Logger()
    sockets: Sockets
    factory: ServerFactory[Any]
    hosts: Sequence[str]
    port: int
    ports: list[IListeningPort] = field(factory=list, init=False)

    def startService(self) -> None:
        """
        :raise PortTaken: the first host cannot be bound.
        """
        super().startService()
        port = self.port
        for host in self.hosts:
            try:
                listening = self.sockets.listen(host, port, self.factory)
            except CannotListenError as error:
                if not self.ports:
                    raise PortTaken(host=host, port=port, why=str(error.socketError)) from error
                kind = "loopback alias" if host in LOOPBACK else "second address"
                self._log.warn(
                    "failed to bind {kind} {host}:{port} ({why})",
                    kind=kind,
                    host=host,
                    port=port,
                    why=error.socketError,
                )
                continue
            self.ports.append(listening)
            port = getattr(listening.getHost(), "port", port)

    def stopService(self) -> Deferred[Any]:
        super().stopService()
        ports, self.ports = self.ports, []
        return gatherResults([maybeDeferred(port.stopListening) for port in ports], consumeErrors=True)

    def bound_port(self) -> int:
        """
        The real port, also when 0 was asked for.
        """
        return int(getattr(self.ports[0].getHost(), "port", self.port)) if self.ports else self.port
