"""
Lanes: who may run now.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.lanes import Lane, Lanes, Slot


class LaneTests(SynchronousTestCase):
    def test_order(self) -> None:
        """
        As many as the limit have a slot; the others get theirs in the order they came.
        """
        lane = Lane(lambda: 2)
        waiters = [lane.acquire() for _ in range(4)]
        slots = [self.successResultOf(waiter) for waiter in waiters[:2]]
        self.assertNoResult(waiters[2])
        slots[1].release()
        self.successResultOf(waiters[2])
        self.assertNoResult(waiters[3])
        self.assertEqual((lane.taken, lane.waiting), (2, 1))

    def test_release_twice(self) -> None:
        """
        Releasing again frees nobody else's slot.
        """
        lane = Lane(lambda: 1)
        slot = self.successResultOf(lane.acquire())
        slot.release()
        second, third = lane.acquire(), lane.acquire()
        slot.release()
        self.successResultOf(second)
        self.assertNoResult(third)

    def test_leaving_the_queue(self) -> None:
        """
        Who stops waiting is passed over.
        """
        lane = Lane(lambda: 1)
        slot = self.successResultOf(lane.acquire())
        second, third = lane.acquire(), lane.acquire()
        second.cancel()
        self.failureResultOf(second)
        slot.release()
        self.successResultOf(third)

    def test_new_limit(self) -> None:
        """
        A limit that has changed counts at the next release, and none is ever below one.
        """
        limit = [1]
        lane = Lane(lambda: limit[0])
        slot = self.successResultOf(lane.acquire())
        second, third = lane.acquire(), lane.acquire()
        limit[0] = 2
        slot.release()
        for waiter in (second, third):
            self.successResultOf(waiter)
        self.successResultOf(Lane(lambda: 0).acquire())


class LanesTests(SynchronousTestCase):
    def test_sessions_do_not_wait_for_each_other(self) -> None:
        """
        A session has one slot, each its own; a name says which global lane.
        """
        lanes = Lanes(lambda name: {"main": 2}.get(name, 1))
        first, again, other = lanes.session("a"), lanes.session("a"), lanes.session("b")
        slot: Slot = self.successResultOf(first)
        self.assertNoResult(again)
        self.successResultOf(other)
        self.assertEqual((lanes.busy("a"), lanes.busy("c")), (True, False))
        slot.release()
        self.successResultOf(again)
        shared: list[Deferred[Slot]] = [lanes.shared("main") for _ in range(3)]
        self.successResultOf(shared[1])
        self.assertNoResult(shared[2])
        self.successResultOf(lanes.shared("cron"))

    def test_nothing_is_left(self) -> None:
        """
        A lane that nobody is in does not exist: many sessions cost nothing once they are quiet.
        """
        lanes = Lanes(lambda name: 1)
        for number in range(100):
            self.successResultOf(lanes.session(f"s{number}")).release()
            self.successResultOf(lanes.shared(f"l{number}")).release()
        self.assertEqual((len(lanes._sessions), len(lanes._globals)), (0, 0))
