"""
What belongs to the process and outlives the service tree (``design.md`` 1).

A restart in place builds a new tree on the same life: listening sockets, boot id, uptime, presence and counters go on.
"""

from __future__ import annotations

import platform
import socket
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any, cast

from attrs import define, field
from twisted.internet.interfaces import IReactorTCP, IReactorTime
from twisted.python.failure import Failure

from openclaw import __version__
from openclaw.clock import millis
from openclaw.config.model_gateway import TailscaleMode
from openclaw.gateway.heartbeat_switch import HeartbeatSwitch
from openclaw.gateway.limits import FailureLimiter
from openclaw.gateway.presence import Presence
from openclaw.gateway.restarts import Restarts
from openclaw.gateway.sockets import ReactorSockets, Sockets
from openclaw.logs.observe import Logging
from openclaw.store.claims import Claims
from openclaw.store.lock import ProcessLock

FAMILIES = {"linux": "Linux", "darwin": "Mac", "windows": "Windows"}


def own_entry() -> Mapping[str, Any]:
    """
    The gateway's own presence entry, without its time.
    """
    host = socket.gethostname()
    ip = first_address()
    system = platform.system().lower()
    shown = f" ({ip})" if ip else ""
    entry = {
        "host": host,
        "version": __version__,
        "platform": f"{'macos' if system == 'darwin' else system} {platform.release()}",
        "deviceFamily": FAMILIES.get(system, system),
        "modelIdentifier": {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine()),
        "mode": "gateway",
        "reason": "self",
        "text": f"Gateway: {host}{shown} · app {__version__} · mode gateway · reason self",
    }
    return entry | ({"ip": ip} if ip else {})


def first_address() -> str | None:
    """
    The address that this machine would use towards others; nothing is sent to find it.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            address = str(probe.getsockname()[0])
        except OSError:
            return None
    return None if address.startswith("127.") else address


@define(kw_only=True, eq=False, repr=False)
class Life:
    """
    One process's life.

    :ivar started_ms: when it began, milliseconds since the epoch.
    :ivar heartbeats: whether heartbeats may run, and the last one.
    :ivar own: the gateway's own presence entry; looked up once.
    :ivar lock: that no other process works on the same state; kept while a tree follows another.
    :ivar claims: what else is ours alone.
    :ivar sockets: what is listened on.
    :ivar event_numbers: of what is published in this life.
    :ivar limiter: who has guessed at secrets; a restart is no fresh start for them.
    :ivar published: how Tailscale publishes the gateway until its end, by our doing.
    :ivar fatal: why the process has to end, if it has to.
    :ivar on_fatal: ends it.
    """

    clock: IReactorTime
    make_id: Callable[[], str]
    own: Mapping[str, Any] = field(factory=own_entry)
    boot_id: str = field(init=False)
    started_ms: int = field(init=False)
    presence: Presence = field(init=False)
    health_version: int = field(default=1, init=False)
    heartbeats: HeartbeatSwitch = field(factory=HeartbeatSwitch, init=False)
    exit_code: int = field(default=0, init=False)
    logging: Logging | None = field(default=None, init=False)
    lock: ProcessLock | None = field(default=None, init=False)
    claims: Claims = field(factory=Claims, init=False)
    sockets: Sockets = field(init=False)
    restarts: Restarts = field(init=False)
    limiter: FailureLimiter = field(init=False)
    event_numbers: Iterator[int] = field(factory=lambda: count(1), init=False)
    published: TailscaleMode = field(default="off", init=False)
    fatal: BaseException | None = field(default=None, init=False)
    on_fatal: Callable[[], Any] | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self.boot_id = self.make_id()
        self.started_ms = millis(self.clock)
        self.presence = Presence(clock=self.clock, own=lambda: self.own)
        self.restarts = Restarts(clock=self.clock)
        self.limiter = FailureLimiter(clock=self.clock)
        self.sockets = ReactorSockets(cast(IReactorTCP, self.clock))

    def fail(self, failure: Failure) -> None:
        """
        End the process: without this part it is of no use.
        """
        if self.fatal is None:
            self.fatal = failure.value
            self.exit_code = 1
            if self.on_fatal is not None:
                self.on_fatal()

    def release(self) -> None:
        """
        Leave the sockets and the state to others.
        """
        self.sockets.close()
        self.claims.release()
        if self.lock is not None:
            self.lock.release()

    def uptime_ms(self) -> int:
        return millis(self.clock) - self.started_ms
