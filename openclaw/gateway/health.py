"""
The health snapshot: made again after changes and every minute, answered from memory (``methods.md`` 5.1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from openclaw.clock import millis
from openclaw.gateway.life import Life

#: A snapshot younger than this is answered as it is, in milliseconds.
FRESH_MS = 60_000
REFRESH_INTERVAL = timedelta(seconds=60)

#: Refreshes asked for within this span are one.
GATHER = timedelta(milliseconds=50)


@define(kw_only=True, eq=False, repr=False)
class Health:
    """
    The last snapshot.

    :ivar collect: makes the parts of a snapshot that the store knows; fires with the members beside ``ok``, ``ts`` and
        ``durationMs``.
    :ivar lag: how late the reactor was, where somebody measures it.
    :ivar config_problem: why the configuration file cannot be used as it is now, if so.
    :ivar publish: called with each finished snapshot, after ``life.health_version`` was raised.
    """

    _log = Logger()
    clock: IReactorTime
    collect: Callable[[bool], Deferred[Mapping[str, Any]]]
    publish: Callable[[Mapping[str, Any]], None]
    life: Life
    lag: Callable[[], Mapping[str, int]] | None = None
    config_problem: Callable[[], str | None] = lambda: None
    snapshot: dict[str, Any] = field(factory=dict, init=False)
    _running: Deferred[Any] | None = field(default=None, init=False)
    _waiting: list[Deferred[dict[str, Any]]] = field(factory=list, init=False)
    _soon: Any = field(default=None, init=False)

    def current(self, *, probe: bool) -> Deferred[dict[str, Any]]:
        """
        The snapshot for ``health``: a fresh one as it is (and a refresh is started), else a new one.
        """
        if not probe and self.snapshot and millis(self.clock) - self.snapshot["ts"] < FRESH_MS:
            self.refresh_soon()
            return succeed(self.snapshot)
        return self.refresh(probe=probe)

    def refresh_soon(self) -> None:
        """
        Refresh within a moment; many calls make one refresh.
        """
        if self._soon is None or not self._soon.active():
            self._soon = self.clock.callLater(GATHER.total_seconds(), self._refresh_quietly)

    def stop(self) -> None:
        if self._soon is not None and self._soon.active():
            self._soon.cancel()

    def refresh(self, *, probe: bool = True) -> Deferred[dict[str, Any]]:
        """
        Make a new snapshot. Calls in flight share one.
        """
        answer: Deferred[dict[str, Any]] = Deferred()
        self._waiting.append(answer)
        if self._running is None:
            started = millis(self.clock)
            self._running = self.collect(probe)
            self._running.addCallbacks(self._finished, self._failed, callbackArgs=(started,))
        return answer

    def _refresh_quietly(self) -> None:
        self.refresh().addErrback(lambda failure: self._log.failure("The health refresh failed.", failure))

    def _finished(self, members: Mapping[str, Any], started: int) -> None:
        self._running = None
        now = millis(self.clock)
        self.snapshot = {"ok": True, "ts": now, "durationMs": now - started, **members}
        if self.lag is not None:
            self.snapshot["reactorLag"] = dict(self.lag())
        problem = self.config_problem()
        if problem is not None:
            self.snapshot["configProblem"] = problem
        self.life.health_version += 1
        waiting, self._waiting = self._waiting, []
        self.publish(self.snapshot)
        for answer in waiting:
            answer.callback(self.snapshot)

    def _failed(self, failure: Any) -> None:
        self._running = None
        waiting, self._waiting = self._waiting, []
        for answer in waiting:
            answer.errback(failure)
