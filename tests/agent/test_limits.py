"""
The time limits of one run.
"""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.limits import Limits


class LimitCase(SynchronousTestCase):
    """
    A run that may take ten seconds.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.passed: list[tuple[str, float]] = []
        self.seconds = 10.0
        self.addCleanup(lambda: self.assertEqual(self.clock.getDelayedCalls(), []))

    def limits(self, expires: float | None = None) -> Limits:
        def passed(reason: str) -> None:
            self.passed.append((reason, self.clock.seconds()))

        return Limits(clock=self.clock, seconds=lambda: self.seconds, expires=expires, passed=passed)


class LimitTests(LimitCase):
    def test_deadline(self) -> None:
        """
        The agent's own limit counts in the queue, and anew from when the run begins.
        """
        limits = self.limits()
        limits.start()
        self.clock.advance(9)
        self.seconds = 20.0
        limits.restart()
        self.clock.advance(19)
        self.assertEqual(self.passed, [])
        self.clock.advance(1)
        self.assertEqual(self.passed, [("deadline", 29.0)])

    def test_expiry(self) -> None:
        """
        That a run expires does not depend on when it begins.
        """
        limits = self.limits(expires=12)
        limits.start()
        self.clock.advance(9)
        limits.restart()
        self.clock.advance(3)
        self.assertEqual(self.passed, [("timeout", 12.0)])
        limits.stop()

    def test_stop(self) -> None:
        """
        Afterwards nothing passes any more, and stopping again does nothing.
        """
        limits = self.limits(expires=12)
        limits.start()
        limits.stop()
        limits.stop()
        self.clock.advance(100)
        self.assertEqual(self.passed, [])


class PauseTests(LimitCase):
    def test_counts_on(self) -> None:
        """
        While it is paused nothing counts; then what was left does, of both limits.
        """
        limits = self.limits(expires=14)
        limits.start()
        self.clock.advance(6)
        limits.pause()
        self.clock.advance(1000)
        limits.resume()
        self.clock.advance(3.5)
        self.assertEqual(self.passed, [])
        self.clock.advance(0.5)
        self.assertEqual(self.passed, [("deadline", 1010.0)])
        self.clock.advance(4)
        self.assertEqual(self.passed[1:], [("timeout", 1014.0)])

    def test_stopped_while_paused(self) -> None:
        """
        What is stopped stays stopped.
        """
        limits = self.limits(expires=14)
        limits.start()
        limits.pause()
        limits.stop()
        limits.resume()
        self.clock.advance(100)
        self.assertEqual(self.passed, [])
