"""
Reads that many ask for at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from attrs import define, field
from twisted.internet.defer import Deferred, execute
from twisted.trial.unittest import SynchronousTestCase

from openclaw.store.interfaces import Store, Unit
from openclaw.store.shared import SharedRead


@define
class SlowStore:
    """
    Reads when it is told to.
    """

    waiting: list[tuple[Callable[[Any], Any], Deferred[Any]]] = field(factory=list)

    def read(self, work: Callable[[Any], Any]) -> Deferred[Any]:
        done: Deferred[Any] = Deferred()
        self.waiting.append((work, done))
        return done

    def do(self) -> None:
        work, done = self.waiting.pop(0)
        execute(work, None).chainDeferred(done)


class SharedReadTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.store = SlowStore()
        self.numbers = iter(range(10))
        self.shared = SharedRead(cast(Store, self.store), self.work)
        self.meanwhile: list[Deferred[int]] = []
        self.asks_within = False

    def work(self, unit: Unit) -> int:
        if self.asks_within:
            self.meanwhile.append(self.shared.get())
        return next(self.numbers)

    def test_shared(self) -> None:
        """
        Who asks before the read has begun shares it; who asks afterwards gets a new one.
        """
        first, second = self.shared.get(), self.shared.get()
        self.assertEqual(len(self.store.waiting), 1)
        self.store.do()
        self.assertEqual([self.successResultOf(done) for done in (first, second)], [0, 0])
        third = self.shared.get()
        self.store.do()
        self.assertEqual(self.successResultOf(third), 1)

    def test_begun(self) -> None:
        """
        A read that has begun is not given to who asks now: it may have been before what they know of.
        """
        first = self.shared.get()
        self.asks_within = True
        self.store.do()
        self.asks_within = False
        self.assertEqual(self.successResultOf(first), 0)
        (late,) = self.meanwhile
        self.assertNoResult(late)
        self.store.do()
        self.assertEqual(self.successResultOf(late), 1)

    def test_failed(self) -> None:
        """
        A failure reaches everybody, and the next one reads anew.
        """
        self.numbers = iter([])
        first, second = self.shared.get(), self.shared.get()
        self.store.do()
        self.failureResultOf(first, StopIteration)
        self.failureResultOf(second, StopIteration)
        self.numbers = iter([7])
        third = self.shared.get()
        self.store.do()
        self.assertEqual(self.successResultOf(third), 7)

    def test_cancelled(self) -> None:
        """
        Who gives up does not take the answer from the others.
        """
        first, second = self.shared.get(), self.shared.get()
        first.cancel()
        self.failureResultOf(first)
        self.store.do()
        self.assertEqual(self.successResultOf(second), 0)
