"""
Tests of ``openclaw.gateway.restarts``.
"""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from openclaw.gateway.restarts import MOST, WINDOW, Restarts


class RestartsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.begun: list[tuple[float, str]] = []
        self.restarts = Restarts(clock=self.clock, begin=self.begin)
        self.addCleanup(lambda: self.assertEqual(self.clock.getDelayedCalls(), []))

    def begin(self, reason: str) -> None:
        self.begun.append((self.clock.seconds(), reason))

    def signalled(self) -> list[str]:
        with capturedLogs() as events:
            self.restarts.signalled()
        return [str(formatEvent(event)) for event in events]

    def test_delay(self) -> None:
        """
        One restart for all who ask before it comes, when the first wanted it.
        """
        self.assertEqual(self.restarts.ask("config.patch", 2.0), 2.0)
        self.clock.advance(0.5)
        self.assertEqual(self.restarts.ask("config change: gateway.port"), 1.5)
        self.clock.pump([0.5] * 20)
        self.assertEqual(self.begun, [(2.0, "config.patch")])
        self.restarts.ask("again")
        self.clock.advance(0)
        self.assertEqual(self.begun[1:], [(10.5, "again")])

    def test_nobody(self) -> None:
        """
        Where nothing can restart, that is what who asks is told.
        """
        self.assertIsNone(Restarts(clock=self.clock).ask("x"))

    def test_signal(self) -> None:
        """
        A signal counts where the owner allows it, and brings forward what is coming anyway.
        """
        ignored = "SIGUSR1 restart ignored (not authorized; enable commands.restart or use gateway tool)."
        self.assertEqual(self.signalled(), ["signal SIGUSR1 received", ignored])
        self.assertEqual(self.begun, [])
        self.restarts.ask("config.patch", 60.0)
        self.assertEqual(self.signalled(), ["signal SIGUSR1 received", "received SIGUSR1; restarting"])
        self.assertEqual(self.begun, [(0.0, "SIGUSR1")])
        self.restarts.allowed = lambda: True
        self.signalled()
        self.assertEqual(len(self.begun), 2)

    def test_loop(self) -> None:
        """
        What restarts the gateway again and again gets it rarely; each wish is carried out at last, and a person's at
        once.
        """
        end = 20 * WINDOW
        while self.clock.seconds() < end:
            self.restarts.ask("loop")
            self.clock.advance(1)
        times = [when for when, _ in self.begun]
        for start in times:
            self.assertLessEqual(sum(start <= when < start + WINDOW for when in times), MOST)
        self.assertGreater(len(times), 19 * MOST)
        self.restarts.allowed = lambda: True
        self.restarts.ask("loop")
        self.signalled()
        self.assertEqual(self.begun[-1], (end, "SIGUSR1"))

    def test_end(self) -> None:
        """
        A process that ends does not restart.
        """
        self.restarts.ask("x", 5.0)
        self.restarts.end()
        self.assertIsNone(self.restarts.ask("y"))
        self.clock.advance(10)
        self.assertEqual(self.begun, [])
