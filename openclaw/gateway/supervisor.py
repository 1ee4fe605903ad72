"""
What systemd is told of this process, and that it works: ``sd_notify(3)``, ``Type=notify`` and ``WatchdogSec=``.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, MutableMapping
from typing import Any

from attrs import define, field
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger


def send_datagram(path: str, message: bytes) -> None:
    """
    :param path: of a socket of the file system, or with ``@`` in front a name in the abstract name space.
    :raise OSError: nobody takes it.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        sender.connect(f"\0{path[1:]}" if path.startswith("@") else path)
        sender.sendall(message)


@define(kw_only=True, eq=False, repr=False)
class Supervisor:
    """
    The supervisor that waits for word from us; without an address nothing is told.

    :ivar address: ``$NOTIFY_SOCKET``.
    :ivar watchdog: seconds without a word after which it takes us for dead; 0 if it does not watch.
    :ivar monotonic: its clock, in seconds.
    """

    _log = Logger(namespace="gateway")
    address: str = ""
    watchdog: float = 0.0
    send: Callable[[str, bytes], None] = send_datagram
    monotonic: Callable[[], float] = time.monotonic
    _beat: LoopingCall | None = field(default=None, init=False)

    @classmethod
    def of(cls, environ: MutableMapping[str, str], pid: int) -> Supervisor:
        """
        As the variables say; they are taken out, as our children are not to speak for us.

        :param pid: of this process.
        """
        address = environ.pop("NOTIFY_SOCKET", "")
        micros, watched = environ.pop("WATCHDOG_USEC", ""), environ.pop("WATCHDOG_PID", str(pid))
        seconds = int(micros) / 1e6 if micros.isdecimal() and watched == str(pid) else 0.0
        return cls(address=address, watchdog=seconds)

    def ready(self, clock: IReactorTime, status: str) -> None:
        """
        We take connections. From here on the reactor shows that it is not stuck, twice in the time that it has.
        """
        self._tell("READY=1", f"STATUS={status}")
        if self.address and self.watchdog and self._beat is None:
            self._beat = LoopingCall(self._tell, "WATCHDOG=1")
            self._beat.clock = clock
            self._beat.start(self.watchdog / 2)

    def restarting(self) -> None:
        """
        Not ready for a while, and back soon.
        """
        self._tell("RELOADING=1", f"MONOTONIC_USEC={int(self.monotonic() * 1e6)}", "STATUS=restarting")

    def stopping(self) -> None:
        """
        On our way out; the heart beats until we are gone.
        """
        self._tell("STOPPING=1", "STATUS=stopping")

    def gone(self) -> None:
        """
        Nothing more is told.
        """
        beat, self._beat = self._beat, None
        if beat is not None:
            beat.stop()

    def _tell(self, *lines: str) -> None:
        if not self.address:
            return
        try:
            self.send(self.address, "\n".join(lines).encode())
        except OSError as error:
            self._log.warn("systemd could not be told {line}: {why}", line=lines[0], why=error)


def status_line(ports: Any) -> str:
    """
    What ``systemctl status`` shows of us.
    """
    return "listening on " + ", ".join(f"{address.host}:{address.port}" for address in ports)
