"""
``discovery.mdns``: the local network is told of the gateway while it listens.
"""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from attrs import define, evolve, field
from twisted.application.service import Service
from twisted.internet.defer import Deferred

from openclaw.config.model import MdnsConfig
from openclaw.config.paths import is_true, variable
from openclaw.discovery.advertise import Advertiser, machine_name
from openclaw.discovery.beacon import Announcement, DiscoveryFailed, DiscoveryUnavailable
from openclaw.logs.subsystem import SubsystemLogger

_SSH_PORT = 22

#: Runs something that blocks in a thread.
InThread = Callable[..., Deferred[Any]]


class Announcing(Protocol):
    """
    What of ``Advertiser`` is used; both block.
    """

    def begin(self, announcement: Announcement) -> str: ...

    def end(self) -> None: ...


async def no_host() -> str | None:
    """
    For a gateway that is not published in a tailnet.
    """
    return None


@define(kw_only=True, eq=False, repr=False)
class Advertising(Service):
    """
    Announces the gateway. That the network does not carry it is no reason not to run.

    :ivar port: that the gateway listens on.
    :ivar canvas_port: of the canvas host; ``None`` where there is none.
    :ivar tailnet_host: of this machine, where the gateway is published there.
    """

    _log = SubsystemLogger(namespace="gateway/discovery")
    config: MdnsConfig
    environ: Mapping[str, str]
    in_thread: InThread
    port: Callable[[], int]
    fingerprint: str | None = None
    canvas_port: int | None = None
    tailnet_host: Callable[[], Awaitable[str | None]] = no_host
    advertiser: Announcing = field(factory=Advertiser)
    _beginning: Deferred[None] | None = field(default=None, init=False)

    def startService(self) -> None:
        super().startService()
        if self.config.mode == "off" or is_true(self.environ.get("OPENCLAW_DISABLE_BONJOUR")):
            return
        self._beginning = Deferred.fromCoroutine(self._begin())
        self._beginning.addErrback(lambda failure: self._log.failure("Announcing ended.", failure))

    async def _begin(self) -> None:
        host = variable(self.environ, "OPENCLAW_TAILNET_DNS") or await self.tailnet_host()
        announcement = evolve(self.announcement(), tailnet_host=host)
        try:
            listed = await self.in_thread(self.advertiser.begin, announcement)
        except DiscoveryUnavailable as error:
            self._log.debug("Not announced: {why}", why=error)
        except DiscoveryFailed as error:
            self._log.warn("Not announced: {why}", why=error)
        else:
            self._log.info("announced in the local network as {name!r}", name=listed)

    def announcement(self) -> Announcement:
        """
        What is told: how to connect, and in full mode how to come in by SSH.
        """
        name = variable(self.environ, "OPENCLAW_MDNS_HOSTNAME") or machine_name()
        host = "".join(letter if letter.isalnum() or letter == "-" else "-" for letter in name.partition(".")[0])
        told = Announcement(
            name=name,
            host=host or "openclaw",
            port=self.port(),
            fingerprint=self.fingerprint,
            canvas_port=self.canvas_port,
        )
        if self.config.mode != "full":
            return told
        named = variable(self.environ, "OPENCLAW_SSH_PORT") or ""
        return evolve(
            told,
            ssh_port=int(named) if named.isascii() and named.isdigit() else _SSH_PORT,
            cli_path=variable(self.environ, "OPENCLAW_CLI_PATH") or shutil.which("openclaw"),
        )

    def stopService(self) -> Deferred[None] | None:
        super().stopService()
        beginning, self._beginning = self._beginning, None
        if beginning is None:
            return None
        # What is about to be announced is announced first, so that it can be taken back.
        return beginning.addCallback(lambda done: self.in_thread(self.advertiser.end))
