"""
What happens while something else is on its way to the disk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from datetime import timedelta
from typing import Any, TypeVar

from attrs import define
from twisted.internet.defer import Deferred, fail
from twisted.logger import capturedLogs

from openclaw.agent.providers.base import TextDelta
from openclaw.testing.model import Step
from tests.agent.cases import HouseCase
from tests.agent.fakes import KEY, House, SlowStore, said, texts
from tests.agent.test_approvals import CALL, QUESTION, Launcher

T = TypeVar("T")


class RaceCase(HouseCase):
    """
    The base of these tests: houses whose disk is slow when it is told to be.
    """

    def slow(self, *scripts: Sequence[Step], unit: Any = None) -> tuple[House, SlowStore]:
        """
        A house, with what the disk holds; slow from its very start where there is something on it.
        """
        store = SlowStore() if unit is None else SlowStore(deepcopy(unit), slow=True)
        return self.house(*scripts, store=store), store

    def let_go(self, house: House, store: SlowStore) -> None:
        """
        Let everything happen that can.
        """
        for _ in range(20):
            store.go()
            house.clock.advance(0)


class AbortTests(RaceCase):
    def test_reaches_what_arrives(self) -> None:
        """
        A message that is being stored when its session is stopped is stopped too, and asks no model.
        """
        for run_id in (None, "run-1"):
            house, store = self.slow()
            store.slow = True
            house.send("hi")
            ending = house.runtime.abort(KEY, run_id=run_id)
            self.assertNoResult(ending)
            self.let_go(house, store)
            self.assertEqual(self.successResultOf(ending), ["run-1"])
            self.assert_terminal(house, store, "run-1", ["aborted"])
            self.assertEqual(house.model.requests, [])

    def test_running_and_arriving(self) -> None:
        """
        What runs ends at once, what arrives ends when it has arrived; each is told once.
        """
        house, store = self.slow([TextDelta("Hel"), 60])
        house.send("one", "run-1")
        store.slow = True
        house.send("two", "run-2")
        ending = house.runtime.abort(KEY)
        self.assertEqual(house.model.cancelled, 1)
        self.let_go(house, store)
        self.assertEqual(self.successResultOf(ending), ["run-1", "run-2"])
        for run_id in ("run-1", "run-2"):
            self.assert_terminal(house, store, run_id, ["aborted"])

    def test_other_session(self) -> None:
        """
        What arrives for another session holds nothing up, and is left alone.
        """
        house, store = self.slow()
        store.slow = True
        house.send("hi", session_key="agent:main:other")
        self.assertEqual(self.successResultOf(house.runtime.abort(KEY)), [])
        self.let_go(house, store)
        self.assert_terminal(house, store, "run-1", ["final"])

    def test_given_up(self) -> None:
        """
        Whoever waits for the end of what arrives may give up; others go on waiting.
        """
        house, store = self.slow()
        store.slow = True
        house.send("hi")
        impatient, patient = house.runtime.abort(KEY), house.runtime.abort(KEY)
        impatient.addErrback(lambda _: None)
        impatient.cancel()
        self.assertNoResult(patient)
        self.let_go(house, store)
        self.assertEqual(self.successResultOf(patient), ["run-1"])

    def test_not_stored(self) -> None:
        """
        A message that could not be stored leaves nothing to stop.
        """
        house, store = self.slow()
        store.slow = True
        sending = house.send("hi")
        ending = house.runtime.abort(KEY)
        store.broken = OSError("disk full")
        self.let_go(house, store)
        self.failureResultOf(sending, OSError)
        self.assertEqual(self.successResultOf(ending), [])

    def assert_terminal(self, house: House, store: SlowStore, run_id: str, states: list[str]) -> None:
        store.slow = False
        self.assertEqual(house.terminal(run_id), states)
        self.assertEqual(list(house.runtime.active(KEY)), [])


class StopTests(RaceCase):
    def test_stored_while_stopping(self) -> None:
        """
        A message that was on its way when the runtime stopped is begun by the next process, not by this one.
        """
        house, store = self.slow()
        store.slow = True
        sending = house.send("hi")
        self.successResultOf(house.runtime.stopService())
        self.let_go(house, store)
        self.assertFalse(self.successResultOf(sending).repeated)
        self.assertEqual((house.events, house.model.requests), ([], []))
        store.slow = False
        house.crash([said("again")])
        self.assert_one_end(house, "run-1", "final")


class RecoveryTests(RaceCase):
    def left_behind(self, *scripts: Sequence[Step], **more: Any) -> House:
        """
        A house whose process has died in the middle of its first run.
        """
        house = self.house(*scripts)
        house.send("first", "run-1", **more)
        forget(house)
        return house

    def test_waiter_before_the_settling(self) -> None:
        """
        Who asks for a run before it is known how it ended hears of it then.
        """
        old = self.left_behind([TextDelta("Hel"), 10])
        house, store = self.slow(unit=old.store.unit)
        waiting = house.runtime.outcome("run-1")
        self.assertNoResult(waiting)
        self.let_go(house, store)
        self.assertEqual(self.successResultOf(waiting).status, "error")

    def test_older_first(self) -> None:
        """
        A message that comes while the older ones are still looked for is behind them.
        """
        old = self.left_behind([10, *said("one")])
        house, store = self.slow(said("again"), unit=old.store.unit)
        house.send("second", "run-2")
        self.let_go(house, store)
        store.slow = False
        asked = [text.split("\n")[0] for role, text in texts(house.messages()) if role == "user"]
        self.assertEqual(asked, ["first", "second"])
        for run_id in ("run-1", "run-2"):
            self.assert_one_end(house, run_id, "final")

    def test_time_without_a_gateway(self) -> None:
        """
        The time in which no gateway ran does not count: a message that waited through it is answered.
        """
        old = self.left_behind([10, *said("one")], expires=timedelta(minutes=2))
        house = self.house(said("again"), store=SlowStore(deepcopy(old.store.unit)))
        house.clock.advance(0)
        self.assert_one_end(house, "run-1", "final")

    def test_one_that_cannot_be_settled(self) -> None:
        """
        A run whose end cannot be stored keeps no other from going on.
        """
        old = self.house([TextDelta("Hel"), 10], [10])
        old.send("first", "run-1")
        old.send("second", "run-2", session_key="agent:main:other")
        forget(old)
        house = self.house(said("again"), store=OnceBroken(deepcopy(old.store.unit)))
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        house.clock.advance(0)
        self.assert_one_end(house, "run-2", "final")
        self.assertEqual(house.run_record("run-1").state, "running")

    def test_dies_before_it_asks_again(self) -> None:
        """
        A process that dies at any moment while it takes a waiting run up leaves it waiting.
        """
        tool = Launcher()
        options = {"tools": [tool]}
        old = self.house(CALL, options=options)
        old.send("go")
        forget(old)
        for steps in range(10):
            store = SlowStore(deepcopy(old.store.unit), slow=True)
            dying = self.house(said("Done."), options=options, store=store)
            for _ in range(steps):
                store.go()
                dying.clock.advance(0)
            forget(dying)
            house = self.house(said("Done."), options=options, store=SlowStore(deepcopy(store.unit)))
            self.assertEqual([question.id for question in house.runtime.approvals.pending()], [QUESTION], steps)
            house.runtime.decide(QUESTION, True)
            house.clock.advance(0)
            self.assert_one_end(house, "run-1", "final")


@define(eq=False)
class OnceBroken(SlowStore):
    """
    A store whose first write fails.
    """

    _written: bool = False

    def write(self, work: Callable[[Any], T]) -> Deferred[T]:
        written, self._written = self._written, True
        return super().write(work) if written else fail(OSError("disk full"))


class LogTests(HouseCase):
    def test_long_wait(self) -> None:
        """
        A wait for the lane of more than two seconds is worth a line.
        """
        house = self.house([3, *said("Hello")])
        with capturedLogs() as logged:
            for number in (1, 2):
                house.send(f"m{number}", f"run-{number}")
            house.clock.pump([3, 3])
        lines = [event for event in logged if event.get("lane")]
        self.assertEqual([(event["run"], event["lane"]) for event in lines], [("run-2", f"session:{KEY}")])


def forget(house: House) -> None:
    """
    The process that died has taken its timers along.
    """
    for call in list(house.clock.getDelayedCalls()):
        call.cancel()
