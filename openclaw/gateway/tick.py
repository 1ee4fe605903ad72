"""
The tick: how clients tell a quiet gateway from a lost one (``protocol.md`` 19).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from openclaw.clock import millis

TICK_INTERVAL = timedelta(seconds=30)


@define(kw_only=True, eq=False, repr=False)
class Every(Service):
    """
    Do something at a fixed interval, first one interval after the start.

    :ivar work: short; what it raises is logged, and the next turn comes all the same.
    """

    _log = Logger()
    clock: IReactorTime
    interval: timedelta
    work: Callable[[], object]
    _loop: LoopingCall = field(init=False)
    _done: Deferred[Any] = field(init=False)

    def startService(self) -> None:
        super().startService()
        self._loop = LoopingCall(self._turn)
        self._loop.clock = self.clock
        self._done = self._loop.start(self.interval.total_seconds(), now=False)

    def stopService(self) -> Deferred[Any]:
        super().stopService()
        if self._loop.running:
            self._loop.stop()
        return self._done

    def _turn(self) -> None:
        try:
            self.work()
        except Exception:
            self._log.failure("A timed job failed: {work}", work=self.work)


def tick_service(clock: IReactorTime, publish: Callable[[str, Mapping[str, Any]], None]) -> Every:
    """
    The service that broadcasts ``tick``.
    """
    return Every(clock=clock, interval=TICK_INTERVAL, work=lambda: publish("tick", {"ts": millis(clock)}))
