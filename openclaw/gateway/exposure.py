"""
``gateway.tailscale``: the gateway behind ``tailscale serve`` or ``tailscale funnel`` while it runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred

from openclaw.config.model_gateway import TailscaleConfig
from openclaw.gateway.life import Life
from openclaw.logs.subsystem import SubsystemLogger
from openclaw.tailscale import Publishing, TailscaleFailed


@define(kw_only=True, eq=False, repr=False)
class Exposure(Service):
    """
    Publishes the gateway once it listens. That Tailscale does not do so is no reason not to run.

    What is to be withdrawn at the end stays through a restart in place, or goes with it if it is not wanted any more:
    the process's life remembers it.

    :ivar port: that the gateway listens on.
    :ivar encrypted: whether it speaks TLS there.
    :ivar prefix: of the page's path, without a slash at its end.
    :ivar restarting: whether the stop that goes on is that of a restart.
    """

    _log = SubsystemLogger(namespace="gateway/tailscale")
    life: Life
    config: TailscaleConfig
    publishing: Publishing
    port: Callable[[], int]
    encrypted: bool
    prefix: str
    restarting: Callable[[], bool] = lambda: False
    _beginning: Deferred[None] | None = field(default=None, init=False)

    def startService(self) -> None:
        super().startService()
        self._beginning = Deferred.fromCoroutine(self._begin())
        self._beginning.addErrback(self._ended)

    def _ended(self, failure: Any) -> None:
        if failure.check(CancelledError) is None:
            self._log.failure("Publishing ended.", failure)

    async def _begin(self) -> None:
        mode, before = self.config.mode, self.life.published
        if before not in ("off", mode):
            await self._withdraw()
        if mode == "off":
            return
        # Also where it does not come to its end: what is half done is undone as well.
        self.life.published = mode if self.config.reset_on_exit else "off"
        try:
            await self.publishing.publish(mode, self.port(), encrypted=self.encrypted)
        except TailscaleFailed as error:
            self._log.warn(
                "{mode} failed: {why}; type: tailscale {mode} --bg {port}", mode=mode, why=error, port=self.port()
            )
            return
        host = await self.publishing.host()
        where = f": https://{host}{self.prefix}/ (WS via wss://{host})" if host else ""
        self._log.info("{mode} enabled{where}", mode=mode, where=where)

    def stopService(self) -> Deferred[None]:
        super().stopService()
        return Deferred.fromCoroutine(self._end())

    async def _end(self) -> None:
        beginning, self._beginning = self._beginning, None
        if beginning is not None:
            beginning.cancel()
            await beginning
        if not self.restarting() and self.life.published != "off":
            await self._withdraw()

    async def _withdraw(self) -> None:
        mode, self.life.published = self.life.published, "off"
        try:
            await self.publishing.withdraw(mode)
        except TailscaleFailed as error:
            self._log.warn("{mode} cleanup failed: {why}; type: tailscale {mode} reset", mode=mode, why=error)
