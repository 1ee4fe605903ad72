"""
One read for all who ask for the same before it has begun.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred

from openclaw.store.interfaces import Store, Unit

T = TypeVar("T")


@define(eq=False)
class SharedRead(Generic[T]):
    """
    A read that many ask for at once. Nobody gets what was read before they asked: who comes after the read has begun
    waits for the next one.

    :ivar work: reads; its result is shared, so nobody may change it.
    """

    store: Store
    work: Callable[[Unit], T]
    _waiting: list[Deferred[T]] | None = field(default=None, init=False)

    def get(self) -> Deferred[T]:
        """
        :return: fires with what ``work`` gave; cancelling it forgets the answer.
        """
        done: Deferred[T] = Deferred()
        waiting = self._waiting
        if waiting is not None:
            waiting.append(done)
            return done
        self._waiting = [done]
        self._begin(self._waiting)
        return done

    def _begin(self, waiting: list[Deferred[T]]) -> None:
        def work(unit: Unit) -> T:
            # In the reader's thread. Its snapshot is taken after this, by the first statement.
            if self._waiting is waiting:
                self._waiting = None
            return self.work(unit)

        def fire(result: object) -> None:
            if self._waiting is waiting:
                self._waiting = None
            for done in waiting:
                if not done.called:
                    done.callback(result)  # type: ignore[arg-type]  # a failure goes to the errbacks

        self.store.read(work).addBoth(fire)
