"""
A process dies, another goes on: every accepted message is answered or has one error.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.providers.base import TextDelta
from openclaw.agent.types import http_key
from openclaw.store.memory import MemoryStore
from openclaw.testing.gateway import MemoryGateway
from tests.agent.cases import HouseCase
from tests.agent.fakes import KEY, said, texts


class RecoveryTests(HouseCase):
    def test_accepted(self) -> None:
        """
        A run that waited in its queue starts, after the one before it.
        """
        house = self.house([10, *said("one")])
        house.send("first", "run-1")
        house.send("second", "run-2")
        old = house.clock
        house.crash([said("again")])
        self.assert_one_end(house, "run-1", "final")
        self.assert_one_end(house, "run-2", "final")
        said_by_user = [text.split("\n")[0] for role, text in texts(house.messages()) if role == "user"]
        self.assertEqual(said_by_user, ["first", "second"])
        _forget(old)

    def test_unseen(self) -> None:
        """
        A run of which nothing was seen starts again; its message stands in the history once.
        """
        house = self.house([10, *said("one")])
        house.send("hi")
        self.assertFalse(house.run_record("run-1").seen)
        old = house.clock
        house.crash([said("again")])
        self.assert_one_end(house, "run-1", "final")
        self.assertEqual([role for role, _ in texts(house.messages())], ["user", "assistant"])
        _forget(old)

    def test_seen(self) -> None:
        """
        A run of which something was seen ends in one error, told in the session and to those who wait.
        """
        house = self.house([TextDelta("Hel"), 10, *said("lo")])
        house.send("hi")
        old = house.clock
        house.crash([said("again")])
        self.assert_one_end(house, "run-1", "error")
        self.assertEqual(house.model.requests, [])
        self.assertIn("stopped before the answer was complete", str(house.messages()[-1]["errorMessage"]))
        self.assertEqual(house.run_record("run-1").state, "interrupted")
        house.crash()
        self.assertEqual(house.chat(), [])
        _forget(old)

    def test_left(self) -> None:
        """
        A request over HTTP is not begun again for a client that is gone; one that can be sent again is.
        """
        house = self.house([10, *said("one")], [10, *said("two")])
        house.send("hi", "run-1", origin="http", dedupe_key=http_key("run-1"))
        house.send("hi", "run-2", origin="http", dedupe_key="http:chat:mine", session_key="agent:main:b")
        old = house.clock
        house.crash([said("again")])
        self.assertEqual(house.run_record("run-1").state, "interrupted")
        self.assertEqual(house.run_record("run-2").state, "ok")
        self.assertEqual(len(house.model.requests), 1)
        _forget(old)

    def test_after_the_error(self) -> None:
        """
        The conversation goes on after an interrupted run, and the model is told of it.
        """
        house = self.house([TextDelta("Hel"), 10])
        house.send("hi")
        old = house.clock
        house.crash([said("again")])
        house.send("and now", "run-2")
        self.assert_one_end(house, "run-2", "final")
        self.assertIn("aborted", str(house.model.requests[0].messages[-1]["content"]))
        _forget(old)

    def test_ended(self) -> None:
        """
        What has ended stays as it is: the same message again is known, and nothing is said twice.
        """
        house = self.house()
        house.send("hi")
        house.crash()
        self.assertEqual(house.events, [])
        again = self.successResultOf(house.send("hi"))
        self.assertEqual((again.repeated, again.state), (True, "ok"))
        self.assertEqual(house.model.requests, [])

    def test_shutdown(self) -> None:
        """
        A stop in good order leaves the runs to the next process, and those who wait are told.
        """
        house = self.house([10, *said("one")])
        house.send("hi")
        waiting = house.runtime.outcome("run-1")
        self.successResultOf(house.runtime.stopService())
        self.failureResultOf(waiting)
        self.failureResultOf(house.send("late", "run-2"))
        self.assertEqual(house.terminal("run-1"), [])
        self.assertEqual(house.clock.getDelayedCalls(), [])
        house.crash([said("again")])
        self.assert_one_end(house, "run-1", "final")

    def test_drain(self) -> None:
        """
        Before a stop, runs that have begun may end; nothing new is taken.
        """
        house = self.house([2, *said("one")])
        house.send("hi")
        drained = house.runtime.drain()
        self.assertNoResult(drained)
        self.failureResultOf(house.send("late", "run-2"))
        house.clock.advance(2)
        self.successResultOf(drained)
        self.assert_one_end(house, "run-1", "final")

    def test_drain_queued(self) -> None:
        """
        A run that waits for its turn is not begun while the gateway drains: it is the next process's.
        """
        house = self.house([2, *said("one")])
        house.send("first", "run-1")
        house.send("second", "run-2")
        drained = house.runtime.drain()
        house.clock.advance(2)
        self.successResultOf(drained)
        self.assert_one_end(house, "run-1", "final")
        self.assertEqual((house.terminal("run-2"), len(house.model.requests)), ([], 1))
        house.crash([said("two")])
        self.assert_one_end(house, "run-2", "final")

    def test_drain_given_up(self) -> None:
        """
        Whoever waits for runs to end may give up: then the wait is over, and the runs go on.
        """
        house = self.house([2, *said("one")])
        house.send("hi")
        drained = house.runtime.drain()
        drained.cancel()
        self.failureResultOf(drained, CancelledError)
        house.clock.advance(2)
        self.assert_one_end(house, "run-1", "final")

    def test_unreadable_record(self) -> None:
        """
        A run whose record cannot be read ends in one error, and keeps nobody else from going on.
        """
        house = self.house([10])
        house.send("one", "run-1")
        house.send("two", "run-2", session_key="agent:main:other")
        old = house.clock
        unit = house.store.unit
        run = unit.runs.get("run-1")
        assert run is not None
        run.inbound.clear()  # type: ignore[attr-defined]
        house.crash([said("again")])
        self.assertEqual(len(self.flushLoggedErrors()), 1)
        self.assert_one_end(house, "run-1", "error")
        self.assertEqual(house.chat("run-1")[0]["sessionKey"], KEY)
        self.assert_one_end(house, "run-2", "final")
        self.assertEqual(house.runtime.active(KEY), [])
        house.crash()
        self.assertEqual(house.events, [])
        _forget(old)


def _forget(clock: object) -> None:
    """
    The process that died has taken its timers along.
    """
    for call in list(clock.getDelayedCalls()):  # type: ignore[attr-defined]
        call.cancel()


class UnreadStore(MemoryStore):
    """
    A store that is still reading when the gateway stops.
    """

    def read(self, work: Any) -> Deferred[Any]:
        return Deferred()


class StoppedTests(SynchronousTestCase):
    def test_stopped_while_recovering(self) -> None:
        """
        A gateway that is stopped before it has read the runs says nothing of it in the log.
        """
        gateway = MemoryGateway(directory=Path(self.mktemp()), store=UnreadStore()).start()
        gateway.stop()
        self.assertEqual(self.flushLoggedErrors(), [])
