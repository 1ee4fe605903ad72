"""
A line that repeats is written once, and then how often it came.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from attrs import define, evolve, field
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from openclaw.logs.records import Level, Record

#: How long a count may wait for a different line before it is written.
LONGEST_WAIT = timedelta(seconds=10)


@define(kw_only=True)
class Collapse:
    """
    Passes records on, except those that say the same as the one before.
    """

    clock: IReactorTime
    write: Callable[[Record], None]
    _last: Record | None = field(default=None, init=False)
    _key: tuple[Level, str, str] | None = field(default=None, init=False)
    _repeats: int = field(default=0, init=False)
    _due: IDelayedCall | None = field(default=None, init=False)

    def record(self, record: Record) -> None:
        """
        Take a record; the first of its kind is passed on at once.
        """
        key = (record.level, record.subsystem, record.message)
        if key == self._key and not record.meta:
            self._last = record
            self._repeats += 1
            if self._due is None:
                self._due = self.clock.callLater(LONGEST_WAIT.total_seconds(), self._tell)
            return
        self.flush()
        self._last, self._key = record, key
        self.write(record)

    def flush(self) -> None:
        """
        Write the count that waits, if any, and forget the last record.
        """
        if self._due is not None:
            self._due.cancel()
        self._tell()
        self._key = None

    def _tell(self) -> None:
        self._due = None
        repeats, self._repeats = self._repeats, 0
        if repeats and self._last is not None:
            times = "once" if repeats == 1 else f"{repeats} times"
            self.write(evolve(self._last, message=f"the last message came {times} more", meta={"repeats": repeats}))
