"""
Whether the reactor answers.
"""

from __future__ import annotations

import threading
from typing import Any

from attrs import define
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase, TestCase

from openclaw.gateway.watch import BLOCKED, ReactorWatch


@define
class Machine:
    """
    Time and work as a test wants them.
    """

    now: float = 100.0
    worked: float = 0.0


class WatchTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.machine = Machine()
        self.clock = Clock()
        self.complaints: list[str] = []
        self.heard: list[float] = []
        self.watch = ReactorWatch(
            clock=self.clock,
            monotonic=lambda: self.machine.now,
            cpu=lambda: self.machine.worked,
            stack=lambda thread: "a slow function\n",
            complain=self.complaints.append,
            heard=self.heard.append,
            with_thread=False,
        )
        self.watch.startService()
        self.addCleanup(self.finish)
        self.clock.advance(0)

    def finish(self) -> None:
        self.watch.stopService()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def pass_(self, seconds: float, late: float = 0.0) -> list[str]:
        """
        Let time pass, the reactor coming late to its beat; the thread looks just before it.
        """
        with capturedLogs() as events:
            self.machine.now += seconds + late
            self.watch.look()
            self.clock.advance(seconds)
        return [formatEvent(event) for event in events]

    def test_idle(self) -> None:
        """
        Without work there is one beat a second, and the thread sleeps as long.
        """
        for _ in range(5):
            self.assertEqual(self.pass_(1.0), [])
            (call,) = self.clock.getDelayedCalls()
            self.assertEqual(call.getTime() - self.clock.seconds(), 1.0)
            self.assertGreater(self.watch.look(), 1.0)
        self.assertEqual(self.watch.lag(), {"lastMs": 0, "worstMs": 0})

    def test_busy(self) -> None:
        """
        With work there are ten, until it is done.
        """
        self.machine.worked += 0.5
        self.pass_(1.0)
        (call,) = self.clock.getDelayedCalls()
        self.assertAlmostEqual(call.getTime() - self.clock.seconds(), 0.1)
        self.pass_(0.1)
        (call,) = self.clock.getDelayedCalls()
        self.assertAlmostEqual(call.getTime() - self.clock.seconds(), 1.0)

    def test_blocked(self) -> None:
        """
        What blocked the reactor is told with its stack, at most every ten seconds; the meter forgets after a minute.
        """
        self.assertEqual(self.pass_(1.0, late=0.2), [])
        self.assertEqual(self.pass_(1.0, late=0.3), ["the reactor was blocked for 300 ms\na slow function\n"])
        self.assertEqual(self.pass_(1.0, late=0.4), [])
        self.assertEqual(self.watch.lag(), {"lastMs": 400, "worstMs": 400})
        self.assertEqual([round(late, 3) for late in self.heard], [0.2, 0.3, 0.4])
        for _ in range(61):
            self.assertEqual(self.pass_(1.0), [])
        self.assertEqual(self.watch.lag(), {"lastMs": 0, "worstMs": 0})
        self.assertEqual(len(self.pass_(1.0, late=0.3)), 1)

    def test_hopeless(self) -> None:
        """
        A reactor that does not come back is told of by the thread, once.
        """
        self.machine.now += 12.0
        self.watch.look()
        self.watch.look()
        self.assertEqual(self.complaints, ["the reactor is blocked for 11000 ms\na slow function\n"])


class ThreadTests(TestCase):
    async def test_thread(self) -> None:
        """
        On a real reactor the stack names the function that blocked it, and the thread ends with the service.
        """
        looked = threading.Event()

        class Watch(ReactorWatch):
            def look(self) -> float:
                wait = super().look()
                if self._caught is not None:
                    looked.set()
                return wait

        watch = Watch(clock=reactor)
        watch.startService()
        self.addCleanup(watch.stopService)
        (thread,) = [thread for thread in threading.enumerate() if thread.name == "reactor-watch"]
        done: Deferred[None] = Deferred()

        def a_function_that_blocks() -> None:
            # However busy the machine is: until the thread has seen it.
            looked.wait(60)
            reactor.callLater(0, done.callback, None)

        with capturedLogs() as events:
            reactor.callLater(0, a_function_that_blocks)
            await done
        told: list[Any] = [formatEvent(event) for event in events if "the reactor" in str(event.get("log_format"))]
        self.assertEqual(len(told), 1)
        self.assertIn("a_function_that_blocks", told[0])
        self.assertGreater(watch.lag()["worstMs"], 1000 * BLOCKED)
        watch.stopService()
        thread.join(60)
        self.assertFalse(thread.is_alive())
