"""
The gateway's own parent service: it stops its parts in an order, and waits for each (``design.md`` 1).
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from typing import Any

from attrs import define, field
from twisted.application.service import IService, MultiService
from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.logger import Logger

from openclaw.agent.runtime import AgentRuntime
from openclaw.gateway.clients import Clients
from openclaw.gateway.health import Health
from openclaw.gateway.life import Life
from openclaw.gateway.listener import Listener
from openclaw.store.claims import Claim

#: How long answers over HTTP may take that are no runs, once runs have ended (``http.md`` 1.1).
ANSWERS_LIMIT = timedelta(seconds=5)
#: How long open requests may take once their clients were told.
REQUESTS_LIMIT = timedelta(seconds=2)


@define(kw_only=True, eq=False, repr=False)
class Gateway(MultiService):
    """
    Everything that runs. Children start in the order in which they were added, the listener last.

    :ivar drain_limit: how long runs that are under way may go on once a stop was asked for.
    :ivar answered: waits until everybody is answered over HTTP.
    :ivar claims: what this gateway must have for itself.
    :ivar fronts: what is stopped before the gateway's port is closed, in order.
    :ivar pauses: called before runs are waited for: nothing begins by itself any more.
    :ivar stops: services to stop, in order, after the listener and the clients.
    :ivar pending: names of parts that are not ready yet.
    """

    _log = Logger()
    life: Life
    clients: Clients
    health: Health
    listener: Listener
    agents: AgentRuntime
    answered: Callable[[], Coroutine[Any, Any, None]]
    drain_limit: Callable[[], timedelta]
    claims: Sequence[Claim] = ()
    fronts: Sequence[IService] = ()
    pauses: Sequence[Callable[[], None]] = ()
    stops: Sequence[IService] = ()
    pending: Callable[[], list[str]] = field(default=list)
    restarting: bool = field(default=False, init=False)
    _stopped: Deferred[Any] | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        MultiService.__init__(self)

    def startService(self) -> None:
        """
        :raise AlreadyRunning: another process works on the same state; nothing was started.
        :raise ClaimRefused: another one has something else that is ours alone; nothing was started either.
        """
        # Here and not earlier: under twistd this is after the fork and after privileges were given up.
        if self.life.lock is not None:
            self.life.lock.acquire()
        self.life.claims.take(self.claims)
        MultiService.startService(self)
        self.health.refresh_soon()

    def stopService(self) -> Deferred[Any]:
        """
        Stop accepting, tell clients, drain, close, flush the store. A second call joins the first.
        """
        if self._stopped is None:
            self.running = 0
            self._stopped = ensureDeferred(self._stop())
        return self._stopped

    async def _stop(self) -> None:
        self.health.stop()
        if not self.restarting:
            await self._stop_listening()
            self.life.sockets.close()
        reason, expected = ("gateway restarting", 1500) if self.restarting else ("gateway stopping", None)
        self.clients.announce_stop(reason, expected)
        for pause in self.pauses:
            pause()
        await self._drain()
        if self.restarting:
            # Until here whoever came was told to come again; from here on they wait for the next gateway.
            await self._stop_listening()
        await self._answer()
        self.clients.close()
        await self.clients.drained(REQUESTS_LIMIT)
        for service in self.stops:
            await self._stop_one(service)
        if not self.restarting:
            self.life.release()

    async def _stop_listening(self) -> None:
        for service in (*self.fronts, self.listener):
            await self._stop_one(service)

    async def _drain(self) -> None:
        """
        Let runs end that are under way, for a while. What goes wrong for good is no reason to wait.
        """
        limit = timedelta() if self.life.fatal is not None else self.drain_limit()
        draining = self.agents.drain()
        if limit and not draining.called:
            self._log.info("waiting up to {seconds:g} s for runs to end", seconds=limit.total_seconds())
        try:
            await draining.addTimeout(limit.total_seconds(), self.life.clock)
        except DeferredTimeout:
            self._log.warn("Runs did not end in time; the next start settles them.")

    async def _answer(self) -> None:
        if self.life.fatal is None:
            answering = Deferred.fromCoroutine(self.answered())
            await answering.addTimeout(ANSWERS_LIMIT.total_seconds(), self.life.clock, lambda *_: None)

    async def _stop_one(self, service: IService) -> None:
        try:
            await maybeDeferred(service.stopService)
        except Exception:
            self._log.failure("{service} did not stop cleanly.", service=service)
