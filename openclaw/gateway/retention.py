"""
What the database need not know any more: runs that ended long ago, replies that went out long ago, answers that nobody
can ask for again, and files of large bodies that no entry has. Conversations are kept; they are in the entries.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any, Final

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from openclaw.clock import millis
from openclaw.errors import OpenClawError
from openclaw.methods.idempotency import LIFETIME_MS, MOST_ANSWERS
from openclaw.store.interfaces import Store, Unit

#: For so long a run can be asked for by its id, and a message that is sent again is known by its key.
KEPT: Final = timedelta(days=7)

#: Between two looks, and before the first: a start has other things to do.
INTERVAL: Final = timedelta(hours=1)

#: So many loose bodies are removed in one look; the others in the next.
MOST_LOOSE: Final = 1_000

#: Rows, or files, in one transaction, and the pause after it, so that others come in between.
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
    _loose: dict[str, int] = field(factory=dict, init=False)
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
        try:
            await self._forget_rows()
            await self._forget_bodies()
        except OpenClawError as error:
            self._log.warn("What is old was not forgotten: {error}", error=error)
        except CancelledError:
            raise
        except Exception:
            # The next look may find another state; without one the database would grow for good.
            self._log.failure("What is old was not forgotten.")

    async def _forget_rows(self) -> None:
        now = millis(self.clock)
        before = now - int(KEPT.total_seconds() * 1000)
        await self.store.write(lambda unit: unit.answers.sweep(now - LIFETIME_MS, MOST_ANSWERS))
        while await self.store.write(
            lambda unit: max(unit.runs.forget(before, BATCH), unit.outbox.forget(before, BATCH)) == BATCH
        ):
            await self._pause()

    async def _forget_bodies(self) -> None:
        loose, self._loose = [*self._loose.items()], {}
        for start in range(0, len(loose), BATCH):
            await self.store.write(partial(_drop, dict(loose[start : start + BATCH])))
            await self._pause()
        last: str | None = ""
        while last is not None and len(self._loose) < MOST_LOOSE:
            found, last = await self.store.read(partial(_loose, last))
            self._loose |= found
            if last is not None:
                await self._pause()

    async def _pause(self) -> None:
        await deferLater(self.clock, PAUSE.total_seconds())


def _drop(loose: Mapping[str, int], unit: Unit) -> int:
    return unit.bodies.drop(loose)


def _loose(after: str, unit: Unit) -> tuple[Mapping[str, int], str | None]:
    return unit.bodies.loose(after, BATCH)
