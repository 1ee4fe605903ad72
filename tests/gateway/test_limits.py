"""
Who is locked out after failures.
"""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from openclaw.gateway.limits import ADDRESSES, OURSELVES, FailureLimiter, counted_address


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
        self.assertEqual(self.limiter.delay("198.51.100.1"), 1.0)

    def test_one_stale_secret_slows_nobody(self) -> None:
        """
        A repeated secret counts once, also for everybody else's delay.
        """
        for _ in range(500):
            self.limiter.failed("192.0.2.1", "stale")
        self.assertEqual(self.limiter.delay("198.51.100.1"), 0.0)

    def test_locked_is_slowest(self) -> None:
        """
        Ten failures slow nobody but who made them, who waits the whole second.
        """
        for number in range(10):
            self.limiter.failed("192.0.2.1", str(number))
        delays = (self.limiter.delay("192.0.2.1"), self.limiter.delay("192.0.2.2"))
        self.assertEqual(delays, (1.0, 0.0))
        self.assertEqual((self.limiter.locked_for_ms("192.0.2.1"), self.limiter.locked_for_ms("x")), (300_000, 0))

    def test_ourselves_are_only_slowed(self) -> None:
        """
        Programs on this machine are never locked out, but slowed like everybody.
        """
        for number in range(200):
            self.limiter.failed(OURSELVES, str(number))
        self.assertEqual((self.limiter.locked(OURSELVES), self.limiter.delay(OURSELVES)), (False, 1.0))

    def test_memory_is_bounded(self) -> None:
        """
        Neither addresses nor secrets are kept without end.
        """
        for number in range(ADDRESSES + 5):
            self.limiter.failed(str(number), "x")
        for number in range(50):
            self.limiter.failed("192.0.2.1", str(number))
        self.assertEqual(len(self.limiter._addresses), ADDRESSES)
        self.assertLess(len(self.limiter._addresses["192.0.2.1"].failures), 10)


class CountedAddressTests(SynchronousTestCase):
    def test_who_is_counted(self) -> None:
        """
        The peer, or what a trusted proxy has seen itself; never what a caller writes. IPv6 counts by network.
        """
        forged = {"x-forwarded-for": "203.0.113.9"}
        chain = {"x-forwarded-for": "203.0.113.9, 198.51.100.4:5555"}
        for peer, headers, trusted, wanted in (
            ("192.0.2.1", {}, (), "192.0.2.1"),
            ("::ffff:192.0.2.1", {}, (), "192.0.2.1"),
            ("192.0.2.1", forged, (), "192.0.2.1"),
            ("127.0.0.1", chain, ("127.0.0.1",), "198.51.100.4"),
            ("127.0.0.1", {"x-real-ip": "198.51.100.7"}, ("127.0.0.1",), "198.51.100.7"),
            ("127.0.0.1", {"x-forwarded-for": "junk"}, ("127.0.0.1",), "127.0.0.1"),
            ("2001:db8::1", {}, (), "2001:db8::/64"),
            ("2001:db8::2", {}, (), "2001:db8::/64"),
            ("::1", {}, (), "::1"),
        ):
            self.assertEqual(counted_address(peer, headers, trusted), wanted, (peer, headers))
