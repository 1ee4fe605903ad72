"""
The listening sockets of the process: they stay open between two service trees, so that nobody is refused meanwhile.

Those that systemd has opened for us are taken over where they are what the configuration asks for
(``sd_listen_fds(3)``).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any, Final, Protocol

from attrs import define, field, frozen
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IReactorSocket, IReactorTCP
from twisted.logger import Logger

BACKLOG: Final = 512
#: The first descriptor that systemd hands over.
LISTEN_FDS_START: Final = 3
_MOST_SOCKETS: Final = 64
_VARIABLES = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")
_BEGAN = Path("/proc/self/environ")

#: Host, port, and how often the same was asked for before: any free port is another one each time.
Address = tuple[str, int, int]


class Sockets(Protocol):
    """
    Where listening ports come from.
    """

    def listen(self, host: str, port: int, factory: Any) -> IListeningPort:
        """
        :raise CannotListenError: the address cannot be bound.
        """
        ...

    def begin(self) -> None:
        """
        Another tree asks for what it needs from here on.
        """
        ...

    def drop_unused(self) -> None:
        """
        Close what nobody has asked for since ``begin``.
        """
        ...

    def close(self) -> None:
        """
        Refuse connections from here on.
        """
        ...


@frozen
class ReactorSockets:
    """
    Those of the reactor, which end with their ports.
    """

    reactor: IReactorTCP

    def listen(self, host: str, port: int, factory: Any) -> IListeningPort:
        return self.reactor.listenTCP(port, factory, backlog=BACKLOG, interface=host)

    def begin(self) -> None:
        """
        Nothing is kept.
        """

    drop_unused = close = begin


@define(kw_only=True, eq=False, repr=False)
class KeptSockets:
    """
    Sockets by the host and port that were asked for.

    :ivar reactor: listens on duplicates of them: a port that is stopped does not end the socket.
    """

    _log = Logger(namespace="gateway")
    reactor: IReactorSocket
    _sockets: dict[Address, socket.socket] = field(factory=dict, init=False)
    _used: set[Address] = field(factory=set, init=False)
    _given: set[Address] = field(factory=set, init=False)

    def listen(self, host: str, port: int, factory: Any) -> IListeningPort:
        """
        Listen on the socket that is there, or on a new one.

        :raise CannotListenError: the address cannot be bound.
        """
        address = (host, port, 0)
        while port == 0 and address in self._used:
            address = (host, port, address[2] + 1)
        kept = self._sockets.get(address)
        if kept is None:
            kept = self._sockets[address] = _bound(host, port)
        self._used.add(address)
        listening = self.reactor.adoptStreamPort(kept.fileno(), kept.family, factory)
        # Twisted has asked for its own, shorter queue.
        kept.listen(BACKLOG)
        return listening

    def begin(self) -> None:
        self._used.clear()

    def drop_unused(self) -> None:
        for address in [one for one in self._sockets if one not in self._used]:
            if address in self._given:
                host, port, _ = address
                self._log.warn(
                    "closed {host}:{port}: systemd opened it, the configuration does not name it", host=host, port=port
                )
            self._sockets.pop(address).close()

    def close(self) -> None:
        self._given.clear()
        self.begin()
        self.drop_unused()

    def take_over(self, environ: MutableMapping[str, str], pid: int, began: Path = _BEGAN) -> None:
        """
        Take what systemd has opened for this process; its variables are not for our children.

        :param pid: of this process.
        :param began: the environment with which it began. Twisted takes the variables out when it is imported, for
            endpoints that nobody asks for here.
        """
        first = _variables(began)
        told = {name: environ.pop(name, "") or first.get(name, "") for name in _VARIABLES}
        for descriptor in _descriptors(told, pid):
            given = _listening(descriptor)
            if given is None:
                self._log.warn("descriptor {number} of LISTEN_FDS is no listening TCP socket", number=descriptor)
                continue
            host, port = given.getsockname()[:2]
            given.setblocking(False)
            self._sockets[host, port, 0] = given
            self._given.add((host, port, 0))


def _variables(began: Path) -> dict[str, str]:
    try:
        lines = began.read_bytes().split(b"\0")
    except OSError:
        return {}
    return dict(line.decode(errors="replace").partition("=")[::2] for line in lines)


def _listening(descriptor: int) -> socket.socket | None:
    """
    What listens for TCP; another socket is closed, and what is none is left alone.
    """
    try:
        os.set_inheritable(descriptor, False)
        given = socket.socket(fileno=descriptor)
    except OSError:
        return None
    try:
        stream = given.family in (socket.AF_INET, socket.AF_INET6) and given.type == socket.SOCK_STREAM
        if stream and given.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return given
    except OSError:
        pass
    given.close()
    return None


def _descriptors(told: Mapping[str, str], pid: int) -> range:
    given = told["LISTEN_FDS"]
    # systemd would not open more, and each is told that is none.
    count = min(int(given), _MOST_SOCKETS) if given.isdecimal() and len(given) < 5 else 0
    if told["LISTEN_PID"] != str(pid):
        count = 0
    return range(LISTEN_FDS_START, LISTEN_FDS_START + count)


def _bound(host: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            # As Twisted does: the last process's connections that are not quite over are no reason to wait.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setblocking(False)
        made.bind((host, port))
        made.listen(BACKLOG)
    except OSError as error:
        made.close()
        raise CannotListenError(host, port, error) from error
    return made
