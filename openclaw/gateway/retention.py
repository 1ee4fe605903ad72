"""
What the database need not know any more: runs that ended long ago, and replies that went out long ago. Conversations
are kept; they are in the entries.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from openclaw.clock import millis
from openclaw.errors import OpenClawError
from openclaw.store.interfaces import Store

#: For so long a run can be asked for by its id, and a message that is sent again is known by its key.
KEPT: Final = timedelta(days=7)

#: Between two looks, and before the first: a start has other things to do.
INTERVAL: Final = timedelta(hours=1)

#: Rows in one transaction, and the pause after it, so that others come in between.
BATCH: Final = 500
PAUSE: Final = timedelta(milliseconds=200)


@define(kw_only=True, eq=False, repr=False)
class Retention(Service):
    """
    Forgets, a little at a time.
    """

    _log = Logger()
    store: Store
    clock: IReactorTime
    _going: Deferred[None] | None = field(default=None, init=False)

    def startService(self) -> None:
        super().startService()
        self._going = Deferred.fromCoroutine(self._go())

    def stopService(self) -> Deferred[Any] | None:
        super().stopService()
        going, self._going = self._going, None
        if going is not None:
            going.cancel()
        return going

    async def _go(self) -> None:
        try:
            while True:
                await deferLater(self.clock, INTERVAL.total_seconds())
                await self._forget()
        except CancelledError:
            pass

    async def _forget(self) -> None:
        before = millis(self.clock) - int(KEPT.total_seconds() * 1000)
        try:
            while await self.store.write(
                lambda unit: max(unit.runs.forget(before, BATCH), unit.outbox.forget(before, BATCH)) == BATCH
            ):
                await deferLater(self.clock, PAUSE.total_seconds())
        except OpenClawError as error:
            self._log.warn("What is old was not forgotten: {error}", error=error)
