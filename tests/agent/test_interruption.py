"""
Waiting that somebody else can end.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.errors import Ended
from openclaw.agent.interruption import Interruption
from openclaw.agent.lanes import Lane


class UntilTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.interruption = Interruption()
        self.cancelled: list[Any] = []
        self.begun: Deferred[str] = Deferred(self.cancelled.append)

    def wait(self) -> Deferred[str]:
        return Deferred.fromCoroutine(self.interruption.until(lambda: self.begun))

    def assert_ended(self, waiting: Deferred[Any], reason: str = "stop") -> None:
        self.assertEqual(self.failureResultOf(waiting, Ended).value.reason, reason)

    def test_result(self) -> None:
        """
        What was waited for is what comes of it, good or bad.
        """
        waiting = self.wait()
        self.begun.callback("done")
        self.assertEqual(self.successResultOf(waiting), "done")
        self.begun = Deferred()
        waiting = self.wait()
        self.begun.errback(ZeroDivisionError())
        self.failureResultOf(waiting, ZeroDivisionError)

    def test_interrupted(self) -> None:
        """
        What is waited for is cancelled, and the work ends.
        """
        waiting = self.wait()
        self.interruption.interrupt("stop")
        self.assertEqual(self.cancelled, [self.begun])
        self.assert_ended(waiting)

    def test_first_reason(self) -> None:
        """
        Of several reasons the first counts, and cancels only once.
        """
        waiting = self.wait()
        self.interruption.interrupt("stop")
        self.interruption.interrupt("timeout")
        self.assert_ended(waiting)
        self.assertEqual(len(self.cancelled), 1)

    def test_before(self) -> None:
        """
        Work that is to end begins nothing more.
        """
        self.interruption.interrupt("stop")
        begun: list[str] = []

        def begin() -> Deferred[None]:
            begun.append("begun")
            return succeed(None)

        self.assert_ended(Deferred.fromCoroutine(self.interruption.until(begin)))
        self.assertEqual(begun, [])

    def test_while_beginning(self) -> None:
        """
        When beginning something leads to the end, it is cancelled.
        """

        def begin() -> Deferred[str]:
            self.interruption.interrupt("stop")
            return self.begun

        self.assert_ended(Deferred.fromCoroutine(self.interruption.until(begin)))
        self.assertEqual(self.cancelled, [self.begun])

    def test_result_comes_too_late(self) -> None:
        """
        What comes of it after all no longer counts, whether it is good or bad.
        """
        for told in ("callback", "errback"):
            interruption = Interruption()
            stubborn: Deferred[Any] = Deferred()

            def begin(stubborn: Deferred[Any] = stubborn, interruption: Interruption = interruption) -> Deferred[Any]:
                interruption.reason = "stop"
                stubborn.cancel = lambda: None  # type: ignore[method-assign]
                return stubborn

            waiting = Deferred.fromCoroutine(interruption.until(begin))
            self.assertNoResult(waiting)
            getattr(stubborn, told)(ZeroDivisionError() if told == "errback" else "done")
            self.assert_ended(waiting)

    def test_slot(self) -> None:
        """
        A slot that is given to work which is to end goes back to its lane.
        """
        lane = Lane(lambda: 1)

        def begin() -> Deferred[Any]:
            self.interruption.interrupt("stop")
            return lane.acquire()

        self.assert_ended(Deferred.fromCoroutine(self.interruption.until(begin)))
        self.assertEqual((lane.taken, lane.waiting), (0, 0))

    def test_only_cancelled(self) -> None:
        """
        Cancelling what is waited for is no end of the work: it sees the cancellation, and may begin something else.
        """
        waiting = self.wait()
        self.interruption.cancel()
        self.failureResultOf(waiting, CancelledError)
        again = Deferred.fromCoroutine(self.interruption.until(lambda: succeed("next")))
        self.assertEqual(self.successResultOf(again), "next")

    def test_nothing_waited_for(self) -> None:
        """
        Between two waits there is nothing to cancel: the next one ends.
        """
        self.begun.callback("done")
        self.successResultOf(self.wait())
        self.interruption.interrupt("stop")
        self.assertEqual(self.cancelled, [])
        self.assertRaises(Ended, self.interruption.check)
