"""
The canvas in the gateway: its directory, its own port, live reload, and the address that clients are told.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.defer import Deferred, gatherResults
from twisted.logger import Logger

from openclaw.config.model import Config
from openclaw.config.paths import canvas_port, expand, is_true
from openclaw.gateway.connection import Upgrade
from openclaw.gateway.listener import Listener, PortTaken
from openclaw.sessions.keys import default_agent
from openclaw.web.canvas.host import CanvasHost
from openclaw.web.canvas.places import CANVAS, CAPABILITY
from openclaw.web.canvas.port import CanvasPort
from openclaw.web.canvas.sockets import ReloadSockets
from openclaw.web.canvas.starter import prepare
from openclaw.web.canvas.watching import Watching, look
from openclaw.web.gate import Gate
from openclaw.web.local import LOCAL_NAMES, host_name, is_local, is_trusted
from openclaw.web.site import HOST, make_site

if TYPE_CHECKING:
    from openclaw.gateway.setting import Setting
from openclaw.gateway.sockets import Sockets

InThread = Callable[..., Deferred[Any]]


@define(kw_only=True, eq=False, repr=False)
class CanvasUrls:
    """
    What ``hello-ok`` says of the canvas (``http.md`` 12.6, ``design.md`` 5).

    :ivar own_port: where the canvas listens by itself, if it does.
    """

    host: CanvasHost
    own_port: Callable[[], int | None]

    def url(self, connection_id: str, upgrade: Upgrade) -> str:
        """
        Where a client reaches the canvas; it appends ``/__openclaw__/canvas/`` or ``/__openclaw__/a2ui/``.

        A client on this machine, which calls it by a name of loopback, needs no more than the port. To all others only
        the way by which they came is open for sure, a tunnel or a proxy perhaps, and they need to show who they are.
        """
        headers = upgrade.headers
        proxies = self.host.config().gateway.trusted_proxies
        name = host_name(headers.get("host"))
        if name in LOCAL_NAMES and is_local(upgrade.peer, headers, proxies):
            port = self.own_port()
            forwarded = headers.get("x-forwarded-proto") == "https"
            scheme = "https" if forwarded or (upgrade.secure and port is None) else "http"
            return f"{scheme}://{bracketed(name)}:{port or upgrade.server_port}"
        scheme = "https" if upgrade.secure or headers.get("x-forwarded-proto") == "https" else "http"
        authority = used_authority(upgrade, trusted=is_trusted(upgrade.peer, proxies))
        return f"{scheme}://{authority}{CAPABILITY}{self.host.capabilities.issue(connection_id)}"

    def left(self, connection_id: str) -> None:
        """
        The client is gone, and what it was told is of no use any more.
        """
        self.host.capabilities.revoke(connection_id)


def bracketed(host: str) -> str:
    """
    A host as it stands in addresses.
    """
    return f"[{host}]" if ":" in host else host


def used_authority(upgrade: Upgrade, *, trusted: bool) -> str:
    """
    Host and port by which a client called us.

    :param trusted: whether the peer is a proxy that may say so.
    """
    told = [upgrade.headers.get("x-forwarded-host", "").partition(",")[0].strip()] if trusted else []
    told.append(upgrade.headers.get("host", "").strip())
    named = next((one for one in told if one and HOST.fullmatch(one.encode("latin-1", "replace"))), None)
    return named or f"{bracketed(upgrade.server_address)}:{upgrade.server_port}"


@define(kw_only=True, eq=False, repr=False)
class CanvasService(Service):
    """
    What runs for the canvas. That it cannot have its port, or its directory, is no reason not to start.
    """

    _log = Logger()
    host: CanvasHost
    listener: Listener
    watching: Watching | None
    gateway_port: int
    in_thread: InThread
    urls: CanvasUrls = field(init=False)
    _preparing: Deferred[Any] | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self.urls = CanvasUrls(host=self.host, own_port=self.own_port)

    def own_port(self) -> int | None:
        return self.listener.bound_port() if self.listener.ports else None

    def startService(self) -> None:
        super().startService()
        self._preparing = self.in_thread(prepare, self.host.root)
        self._preparing.addErrback(self._unprepared)
        try:
            self.listener.startService()
        except PortTaken as error:
            self._log.warn("failed to start on {host}:{port}: {why}", host=error.host, port=error.port, why=error.why)
        self._log.info(
            "canvas host mounted at http://{host}:{port}{path}/ (root {root})",
            host=bracketed(self.listener.hosts[0]),
            port=self.own_port() or self.gateway_port,
            path=CANVAS,
            root=str(self.host.root),
        )

    def _unprepared(self, failure: Any) -> None:
        failure.trap(OSError)
        self._log.warn("no canvas in {root}: {why}", root=str(self.host.root), why=failure.getErrorMessage())

    def stopService(self) -> Deferred[Any]:
        super().stopService()
        ends = [self.listener.stopService()]
        if self.watching is not None:
            ends.append(self.watching.stop())
        if self.host.sockets is not None:
            self.host.sockets.close()
        if self._preparing is not None:
            ends.append(self._preparing)
        return gatherResults(ends, consumeErrors=True)


def make_canvas(
    setting: Setting,
    reactor: Any,
    listening: Sockets,
    config: Callable[[], Config],
    workspace_of: Callable[[str], Path],
    names: frozenset[str],
    in_thread: InThread,
) -> CanvasService | None:
    """
    The canvas, unless it is off.

    :param listening: gives its port.
    :param names: the names of this machine.
    """
    told = setting.config.canvas_host
    if not told.enabled or is_true(setting.environ.get("OPENCLAW_SKIP_CANVAS_HOST")):
        return None
    root = expand(told.root, setting.home) if told.root else workspace_of(default_agent(setting.config)) / "canvas"
    sockets = ReloadSockets(clock=reactor) if told.live_reload else None
    host = CanvasHost(root=root, config=config, names=names, sockets=sockets)
    watching = None
    if sockets is not None:
        host.capabilities.on_revoked = sockets.revoked
        watching = Watching(
            clock=reactor, look=lambda: in_thread(look, root), tell=sockets.reload, audience=sockets.__len__
        )
        sockets.on_opened = watching.wake
    listener = Listener(
        sockets=listening,
        # What asks for a secret elsewhere is not here, and so asks for none.
        factory=make_site(CanvasPort(host), reactor, Gate(config=config, secret_paths=())),
        hosts=setting.hosts,
        # A gateway on any free port has its canvas on any other.
        port=canvas_port(setting.port, setting.environ, setting.config) if setting.port else 0,
    )
    return CanvasService(
        host=host, listener=listener, watching=watching, gateway_port=setting.port, in_thread=in_thread
    )
