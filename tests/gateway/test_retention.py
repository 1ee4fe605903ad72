"""
Forgetting what is old.
"""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from openclaw.gateway.retention import BATCH, INTERVAL, KEPT, PAUSE, Retention
from openclaw.store.interfaces import OutboxItem, Run, RunState, Unit
from openclaw.store.memory import MemoryStore

NOW = 2_000_000_000.0
WEEK_MS = int(KEPT.total_seconds() * 1000)


def run(name: str, ended_at_ms: int | None, state: RunState = "ok") -> Run:
    return Run(
        run_id=name,
        session_key="k",
        session_id="s",
        state=state,
        origin="chat",
        dedupe_key=f"chat:{name}",
        inbound={},
        created_at_ms=1,
        started_at_ms=None,
        ended_at_ms=ended_at_ms,
    )


class RetentionTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock, self.store = Clock(), MemoryStore()
        self.clock.advance(NOW)
        self.service = Retention(store=self.store, clock=self.clock)
        self.old = int(NOW * 1000) - WEEK_MS

    def left(self) -> list[str]:
        return sorted(self.store.unit.runs.rows)

    def test_old_runs(self) -> None:
        """
        Those that ended more than a week ago go, and no other.
        """

        def fill(unit: Unit) -> None:
            unit.runs.put(run("old", self.old))
            unit.runs.put(run("young", self.old + 10**7))
            unit.runs.put(run("unfinished", None, "running"))
            for name, at_ms in (("sent", self.old), ("just sent", self.old + 10**7), ("waiting", None)):
                item = OutboxItem(id=name, session_key="k", run_id=None, channel="c", payload={}, created_at_ms=1)
                unit.outbox.put(item)
                if at_ms is not None:
                    unit.outbox.delivered(name, at_ms)

        self.store.write(fill)
        self.service.startService()
        self.assertIn("old", self.left())
        self.clock.advance(INTERVAL.total_seconds())
        self.assertEqual(self.left(), ["unfinished", "young"])
        self.assertEqual(sorted(self.store.unit.outbox.rows), ["just sent", "waiting"])
        self.service.stopService()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_many(self) -> None:
        """
        A part at a time, with a pause in which others may write.
        """
        for number in range(2 * BATCH + 1):
            self.store.unit.runs.put(run(str(number), 1))
        self.service.startService()
        self.clock.advance(INTERVAL.total_seconds())
        self.assertEqual(len(self.left()), BATCH + 1)
        self.clock.advance(PAUSE.total_seconds())
        self.assertEqual(len(self.left()), 1)
        self.clock.advance(PAUSE.total_seconds())
        self.assertEqual(self.left(), [])
        self.service.stopService()
