"""
The root of the process's services: one gateway after another, on the same life (``design.md`` 1).
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from attrs import define, field
from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.logger import Logger
from twisted.python.failure import Failure

from openclaw.errors import OpenClawError
from openclaw.gateway.life import Life
from openclaw.gateway.service import Gateway
from openclaw.gateway.setting import Setting
from openclaw.gateway.supervisor import Supervisor, status_line

#: How long a tree may take to stop, beyond what its runs may.
GRACE: Final = timedelta(seconds=10)


@define(kw_only=True, eq=False, repr=False)
class Root(MultiService):
    """
    Holds the gateway that runs, and puts another in its place when a restart is asked for.

    :ivar make: reads the configuration and decides what to run with, given what tells of oddities; called in a thread,
        but for the first time.
    :ivar build: makes a gateway of that, on the process's life.
    :ivar in_thread: runs blocking work off the reactor thread.
    :ivar started: told of each gateway that runs.
    :ivar takes_signal: whether SIGUSR1 is ours.
    :ivar supervisor: is told when the gateway is ready, and that it stops.
    :ivar leave: ends the process at once, with an exit code.
    """

    _log = Logger(namespace="gateway")
    life: Life
    reactor: Any
    make: Callable[[Callable[[str], None]], Setting]
    build: Callable[[Setting], Gateway]
    in_thread: Callable[..., Deferred[Any]]
    started: Callable[[Setting, Gateway], None] = lambda setting, gateway: None
    takes_signal: bool = False
    supervisor: Supervisor = field(factory=Supervisor)
    leave: Callable[[int], Any] = os._exit
    setting: Setting = field(init=False)
    gateway: Gateway = field(init=False)
    _restarting: Deferred[None] | None = field(default=None, init=False)
    _ending: Deferred[None] | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        MultiService.__init__(self)
        self._take(self.make(self._warn))

    def _warn(self, told: str) -> None:
        self._log.warn("{told}", told=told)

    def _warn_from_thread(self, told: str) -> None:
        self.reactor.callFromThread(self._warn, told)

    def _take(self, setting: Setting) -> None:
        self.setting, self.gateway = setting, self.build(setting)

    def startService(self) -> None:
        """
        :raise OpenClawError: the gateway cannot start.
        """
        if self.takes_signal and hasattr(signal, "SIGUSR1"):
            signal.signal(
                signal.SIGUSR1, lambda number, frame: self.reactor.callFromThread(self.life.restarts.signalled)
            )
        MultiService.startService(self)
        self._start()
        self.life.restarts.begin = self.restart

    def _start(self) -> None:
        self.life.sockets.begin()
        self.gateway.setServiceParent(self)
        self.life.sockets.drop_unused()
        self.life.claims.keep(self.setting.claims)
        addresses = [listening.getHost() for listening in self.gateway.listener.ports]
        self.supervisor.ready(self.reactor, status_line(addresses))
        self.started(self.setting, self.gateway)

    # -- a restart ----------------------------------------------------------------------------------------------------

    def restart(self, reason: str) -> None:
        """
        Put a new gateway in the place of the one that runs. Nothing happens while that is being done.
        """
        if self._restarting is not None or self._ending is not None:
            self._log.info("restart asked for ({reason}) during shutdown; ignoring", reason=reason)
            return
        self._restarting = Deferred.fromCoroutine(self._replace(reason))
        self._restarting.addErrback(self._failed).addBoth(self._restarted)

    def _failed(self, failure: Failure) -> None:
        """
        Half a gateway is none: whoever supervises the process starts it again.
        """
        self._log.failure("The gateway could not be restarted.", failure)
        # Not from within: the end waits for the restart to be over.
        self.reactor.callLater(0, self.life.fail, failure)

    def _restarted(self, result: None) -> None:
        self._restarting = None

    async def _replace(self, reason: str) -> None:
        try:
            setting = await self.in_thread(self.make, self._warn_from_thread)
            self.life.claims.take(setting.claims)
        except OpenClawError as error:
            self._log.error("restart refused ({reason}), the gateway goes on: {why}", reason=reason, why=error)
            self.life.restarts.refused(str(error))
            return
        self._log.info("restarting ({reason})", reason=reason)
        self.supervisor.restarting()
        self.gateway.restarting = True
        await self._stopped(1)
        await maybeDeferred(self.gateway.disownServiceParent)
        if self._ending is None:
            self._take(setting)
            self._start()

    # -- the end ------------------------------------------------------------------------------------------------------

    def stopService(self) -> Deferred[None]:
        """
        Stop for good. A second call joins the first.
        """
        if self._ending is None:
            self.running = 0
            self.life.restarts.end()
            self.supervisor.stopping()
            self._ending = Deferred.fromCoroutine(self._end())
        return self._ending

    async def _end(self) -> None:
        if self._restarting is not None:
            await self._restarting
        await self._stopped(self.life.exit_code)
        self.supervisor.gone()
        self.life.release()

    async def _stopped(self, code: int) -> None:
        """
        Wait for the gateway to stop; what does not come to its end does not keep the process.
        """
        limit = self.gateway.drain_limit() + GRACE
        stopping: Deferred[Any] = Deferred()
        self.gateway.stopService().chainDeferred(stopping)
        try:
            await stopping.addTimeout(limit.total_seconds(), self.reactor)
        except DeferredTimeout:
            self._log.error("shutdown timed out; exiting without full cleanup")
            self.leave(code)
