"""
Waiting that somebody else can end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from attrs import define
from twisted.internet.defer import Deferred

from openclaw.agent.errors import Ended
from openclaw.agent.lanes import Slot

T = TypeVar("T")


@define(eq=False)
class Interruption:
    """
    What one sequence of work waits for now, and whether it was told to end.

    Cancelling a coroutine's Deferred would also break off what must be finished, such as a write. So work says what
    may be broken off, by waiting for it here.

    :ivar reason: why the work is to end; ``None`` while it may go on.
    """

    reason: str | None = None
    _awaited: Deferred[Any] | None = None

    def interrupt(self, reason: str) -> None:
        """
        End the work: what it waits for is cancelled. The first reason counts.
        """
        if self.reason is None:
            self.reason = reason
            self.cancel()

    def cancel(self) -> None:
        """
        Cancel what is waited for, and nothing else.
        """
        if self._awaited is not None:
            self._awaited.cancel()

    def check(self) -> None:
        """
        :raise Ended: the work is to end.
        """
        if self.reason is not None:
            raise Ended(self.reason)

    async def until(self, begin: Callable[[], Deferred[T]]) -> T:
        """
        Begin something and wait for it.

        :raise Ended: the work is to end; whatever else came of what was begun no longer counts.
        """
        self.check()
        awaited = begin()
        self._awaited = awaited
        if self.reason is not None:
            # Beginning it has led to the end.
            awaited.cancel()
        try:
            result = await awaited
        except Exception:
            self.check()
            raise
        finally:
            self._awaited = None
        if self.reason is not None and isinstance(result, Slot):
            result.release()
        self.check()
        return result
