"""
Forgetting what is old.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from openclaw.gateway.retention import BATCH, INTERVAL, KEPT, MOST_LOOSE, PAUSE, Retention
from openclaw.store.errors import StoreUnavailable
from openclaw.store.interfaces import Answer, OutboxItem, Run, RunState, Unit
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


class LooseBodies:
    """
    Bodies that nobody has, and what was asked to be dropped.
    """

    def __init__(self, count: int) -> None:
        self.names = [f"{number:064x}" for number in range(count)]
        self.dropped: list[str] = []
        self.most = 0

    def __deepcopy__(self, memo: Any) -> LooseBodies:
        # As files are: what a failed transaction did to them stays.
        return self

    def loose(self, after: str, limit: int) -> tuple[dict[str, int], str | None]:
        found = [name for name in self.names if name > after][:limit]
        self.most = max(self.most, len(found))
        return dict.fromkeys(found, 1), found[-1] if len(found) == limit else None

    def drop(self, loose: Mapping[str, int]) -> int:
        self.most = max(self.most, len(loose))
        self.dropped += loose
        self.names = [name for name in self.names if name not in loose]
        return len(loose)


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

    def test_answers(self) -> None:
        """
        Answers that nobody is given any more go also while nothing is asked.
        """
        for name, written_at_ms in (("old", int(NOW * 1000)), ("young", int(NOW * 1000) + 3_600_000)):
            self.store.unit.answers.put(Answer(key=name, ok=True, payload={}, error=None, written_at_ms=written_at_ms))
        self.service.startService()
        self.clock.advance(INTERVAL.total_seconds())
        self.assertEqual(sorted(self.store.unit.answers.rows), ["young"])
        self.service.stopService()

    def test_loose_bodies(self) -> None:
        """
        What nobody has at one look goes at the next, in parts; more than so many wait for the one after.
        """
        bodies = LooseBodies(MOST_LOOSE + BATCH + 1)
        self.store.unit.bodies = bodies
        self.service.startService()
        for most in (0, MOST_LOOSE, MOST_LOOSE + BATCH + 1):
            for _ in range(int(INTERVAL / PAUSE) + 20):
                self.clock.advance(PAUSE.total_seconds())
            self.assertEqual((len(bodies.dropped), len(set(bodies.dropped))), (most, most))
        self.assertEqual((bodies.names, bodies.most), ([], BATCH))
        self.service.stopService()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_trouble(self) -> None:
        """
        A look that fails, for whatever reason, is not the last one.
        """
        for error in (StoreUnavailable("The disk is full."), ZeroDivisionError("x")):
            self.store.unit.runs.put(run("old", self.old))
            store = FailingStore(self.store, error)
            service = Retention(store=store, clock=self.clock)
            service.startService()
            self.clock.advance(INTERVAL.total_seconds())
            self.assertEqual((store.asked, self.left()), (1, ["old"]))
            store.error = None
            self.clock.advance(INTERVAL.total_seconds())
            self.assertEqual(self.left(), [])
            service.stopService()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class FailingStore:
    """
    Another store behind an error.
    """

    is_ready = True

    def __init__(self, store: MemoryStore, error: Exception | None) -> None:
        self.store, self.error, self.asked = store, error, 0

    def write(self, work: Any) -> Deferred[Any]:
        self.asked += 1
        return self.store.write(work) if self.error is None else fail(self.error)

    def read(self, work: Any) -> Deferred[Any]:
        return self.store.read(work)
