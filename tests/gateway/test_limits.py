"""
Who is locked out after failures.
"""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from openclaw.gateway.limits import FailureLimiter


class FailureLimiterTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.limiter = FailureLimiter(clock=self.clock)

    def test_the_same_secret_counts_once(self) -> None:
        """
        A client that repeats one stale token is never locked out.
        """
        for _ in range(100):
            self.limiter.failed("192.0.2.1", "stale")
        self.assertFalse(self.limiter.locked("192.0.2.1"))

    def test_ten_different_lock_for_five_minutes(self) -> None:
        """
        Ten different secrets in a minute lock that address, and only that one.
        """
        for number in range(10):
            self.limiter.failed("192.0.2.1", str(number))
        self.assertEqual((self.limiter.locked("192.0.2.1"), self.limiter.locked("192.0.2.2")), (True, False))
        self.clock.advance(301)
        self.assertFalse(self.limiter.locked("192.0.2.1"))

    def test_slow_guessing_is_not_ten_in_a_minute(self) -> None:
        """
        Failures older than a minute are forgotten.
        """
        for number in range(30):
            self.clock.advance(7)
            self.limiter.failed("192.0.2.1", str(number))
        self.assertFalse(self.limiter.locked("192.0.2.1"))

    def test_delay_is_bounded(self) -> None:
        """
        The global limit only slows, by at most a second.
        """
        for number in range(500):
            self.limiter.failed(f"192.0.2.{number}", "x")
        self.assertEqual(self.limiter.delay(), 1.0)
