"""
Tests for ``openclaw.gateway.cron`` on a clock: years of due times, clock changes, restarts and crashes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from attrs import define, field
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, execute, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from openclaw.cron.jobs import Claim, Record, Result, claim_of
from openclaw.cron.misfire import GRACE_MS, WINDOW_MS
from openclaw.cron.schedule import next_after
from openclaw.errors import OpenClawError
from openclaw.gateway.cron import AGAIN, MAX_JOBS, CronService
from openclaw.store.interfaces import Unit
from openclaw.store.memory import MemoryRecords, MemoryStore

T = TypeVar("T")
HOUR = 3_600_000
DAY = 24 * HOUR
YEARS = 731 * DAY

#: 2026-01-01T00:00:10Z.
START = 1_767_225_610_000


class StoreBroken(OpenClawError):
    """
    The disk is full.
    """


@define(eq=False)
class QuickStore(MemoryStore):
    """
    Without the copy that undoes what failed: years have many writes.

    :ivar broken: whether writes fail.
    :ivar writes: how many there were.
    """

    broken: bool = False
    writes: int = 0

    def write(self, work: Callable[[Unit], T]) -> Deferred[T]:
        self.writes += 1
        return fail(StoreBroken()) if self.broken else execute(work, self.unit)


@define(eq=False)
class Life:
    """
    Gateways one after the other on one store, and what their jobs did.

    :ivar answer: what becomes of each run.
    :ivar ran: job, due time and run of each run that was begun.
    """

    clock: Clock = field(factory=Clock)
    store: QuickStore = field(factory=QuickStore)
    answer: Callable[[Record, Claim], Deferred[Result]] = lambda job, claim: succeed(Result(status="ok"))
    enabled: bool = True
    ran: list[tuple[str, int, str]] = field(factory=list)
    events: list[Mapping[str, Any]] = field(factory=list)
    service: CronService = field(init=False)
    _numbers: int = 0

    def __attrs_post_init__(self) -> None:
        self.clock.advance(START / 1000)

    @property
    def now(self) -> int:
        return round(self.clock.seconds() * 1000)

    def make_id(self) -> str:
        self._numbers += 1
        return f"id-{self._numbers}"

    def start(self) -> None:
        self.service = CronService(
            store=self.store,
            clock=self.clock,
            publish=lambda event, payload, **_: self.events.append(payload),
            work=self.work,
            make_id=self.make_id,
            store_path=Path("store"),
            enabled=lambda: self.enabled,
            ready=lambda: succeed(None),
            zone=UTC,
        )
        self.service.startService()

    def work(self, job: Record, claim: Claim, started: Callable[[], None]) -> Deferred[Result]:
        started()
        self.ran.append((job["id"], claim.due_ms, claim.run_id))
        return self.answer(job, claim)

    def stop(self) -> None:
        self.service.stopService()

    def crash(self) -> None:
        """
        Nothing of the process is left, and nothing was told.
        """
        self.clock.calls.clear()

    def until(self, moment: int) -> None:
        """
        Let time pass, from one timer to the next.
        """
        while self.clock.calls and self.clock.calls[0].getTime() * 1000 <= moment:
            self.clock.advance(max(0.0, self.clock.calls[0].getTime() - self.clock.seconds()))
        self.clock.advance(max(0.0, moment / 1000 - self.clock.seconds()))

    def done(self, work: Any) -> Any:
        """
        What comes of a call that is done at once.
        """
        results: list[Any] = []
        Deferred.fromCoroutine(work).addBoth(results.append)
        (result,) = results
        if hasattr(result, "raiseException"):
            result.raiseException()
        return result

    def add(self, schedule: Mapping[str, Any], **members: Any) -> str:
        params = {
            "name": "x",
            "schedule": schedule,
            "sessionTarget": "main",
            "wakeMode": "now",
            "payload": {"kind": "systemEvent", "text": "x"},
            **members,
        }
        return str(self.done(self.service.add(params))["id"])

    def dues(self, job_id: str) -> list[int]:
        """
        The due times that a job has run for.
        """
        return [due for ran_id, due, _ in self.ran if ran_id == job_id]


def cron(expr: str, tz: str) -> dict[str, Any]:
    return {"kind": "cron", "expr": expr, "tz": tz}


def all_dues(schedule: Mapping[str, Any], since: int, until: int) -> list[int]:
    found: list[int] = []
    due = next_after(schedule, since, created_ms=START)
    while due is not None and due <= until:
        found.append(due)
        due = next_after(schedule, due, created_ms=START)
    return found


class YearsTests(SynchronousTestCase):
    """
    Two years, with the clock changes of many zones.
    """

    zones = (
        "UTC",
        "Europe/London",
        "America/New_York",
        "America/Sao_Paulo",
        "America/Santiago",
        "Africa/Casablanca",
        "Asia/Kathmandu",
        "Asia/Gaza",
        "Australia/Lord_Howe",
        "Pacific/Chatham",
    )

    def test_each_day(self) -> None:
        """
        A job for a certain time of day runs each day once, also on days when that time comes twice or not at all.
        """
        life = Life()
        life.start()
        jobs = {zone: life.add(cron("30 2 * * *", zone)) for zone in self.zones}
        life.until(START + YEARS)
        for zone, job_id in jobs.items():
            local = [datetime.fromtimestamp(due / 1000, ZoneInfo(zone)) for due in life.dues(job_id)]
            days = [moment.date().toordinal() for moment in local]
            self.assertEqual(days, list(range(days[0], days[0] + len(days))), zone)
            self.assertIn(len(days), (730, 731, 732))
            odd = {f"{moment:%H:%M}" for moment in local} - {"02:30"}
            self.assertTrue(odd <= {"03:00", "04:00"}, (zone, odd))

    def test_restarts(self) -> None:
        """
        With stops and crashes at odd moments each due time is handed out once, or left out because nobody was there.
        """
        life = Life()
        life.start()
        schedules = [cron("15 1,13 * * *", zone) for zone in self.zones[1::2]]
        jobs = [life.add(schedule) for schedule in schedules]
        downs = [(START + number * 13 * DAY + 7 * HOUR, number % 29 * HOUR + 1234) for number in range(1, 50)]
        for number, (at, span) in enumerate(downs):
            life.until(at)
            life.crash() if number % 2 else life.stop()
            life.clock.advance(span / 1000)
            life.start()
        life.until(START + YEARS)
        for schedule, job_id in zip(schedules, jobs, strict=True):
            dues = all_dues(schedule, START, START + YEARS)
            missed = [due for due in dues if any(at < due < at + span - GRACE_MS for at, span in downs)]
            self.assertTrue(missed)
            self.assertEqual(life.dues(job_id), [due for due in dues if due not in missed])


#: Milliseconds of running, of being down, and whether it crashed.
STORIES = st.lists(
    st.tuples(st.integers(min_value=0, max_value=2 * DAY), st.integers(min_value=0, max_value=3 * DAY), st.booleans()),
    max_size=6,
)
SCHEDULES = st.one_of(
    st.builds(
        cron,
        st.sampled_from(["30 2 * * *", "*/20 * * * *", "0 */5 * * *", "10 30 1 * * *"]),
        st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
    ),
    st.builds(lambda every: {"kind": "every", "everyMs": every}, st.integers(min_value=90_000, max_value=DAY)),
)


class PolicyTests(SynchronousTestCase):
    """
    The policies for missed times, over random restarts.
    """

    @settings(max_examples=60, deadline=None)
    @given(SCHEDULES, STORIES, st.sampled_from(["skip", "once", "all"]), st.integers(min_value=0, max_value=400))
    def test_each_once(
        self, schedule: Mapping[str, Any], story: Sequence[tuple[int, int, bool]], policy: str, days: int
    ) -> None:
        """
        Each due time is handed out once or falls to its policy, and none is handed out before its time.
        """
        life = Life()
        life.clock.advance(days * DAY / 1000)
        began = life.now
        life.start()
        job_id = life.add(schedule, misfire=policy)
        created = began
        expected: list[int] = []

        def dues(since: int, until: int) -> list[int]:
            found, due = [], next_after(schedule, since, created_ms=created)
            while due is not None and due <= until:
                found.append(due)
                due = next_after(schedule, due, created_ms=created)
            return found

        since = began
        for running, down, crashed in story:
            stop = life.now + running
            life.until(stop)
            expected += dues(since, stop)
            life.crash() if crashed else life.stop()
            life.clock.advance(down / 1000)
            missed = dues(stop, life.now)
            if policy == "once":
                expected += missed[:1]
            elif policy == "all":
                expected += [due for due in missed if due >= life.now - WINDOW_MS]
            else:
                expected += [due for due in missed if due >= life.now - GRACE_MS][:1]
            since = life.now
            life.start()
            life.until(life.now)
        life.until(life.now + DAY)
        expected += dues(since, life.now)
        self.assertEqual(life.dues(job_id), expected)
        runs = [run_id for _, _, run_id in life.ran]
        self.assertEqual(len(set(runs)), len(runs))


class CrashTests(SynchronousTestCase):
    """
    What a process that is gone had begun.
    """

    def test_between_due_and_start(self) -> None:
        """
        A run that was handed out and not begun is begun by the next process, under the id that it had.
        """
        life = Life()
        life.start()
        job_id = life.add({"kind": "every", "everyMs": HOUR})
        # The process dies with the transaction that hands it out.
        handed: list[Any] = []
        life.service._begin = lambda work: handed.append(work) or succeed(None)  # type: ignore[method-assign,func-returns-value]
        life.until(START + HOUR)
        wake = handed.pop()
        life.service._run = lambda job, claim: (job, claim)  # type: ignore[assignment,method-assign,return-value]
        life.done(wake)
        ((_, claim),) = handed
        self.assertEqual((life.ran, claim_of(life.store.unit.cron_jobs.rows[job_id])), ([], claim))
        life.crash()
        life.start()
        life.until(life.now + 2 * HOUR)
        self.assertEqual(life.ran[0], (job_id, START + HOUR, claim.run_id))
        self.assertEqual(life.dues(job_id), [START + HOUR, START + 2 * HOUR, START + 3 * HOUR])

    def test_while_it_runs(self) -> None:
        """
        A run that was under way is gone on with under its own id, and its end is written once.
        """
        life = Life()
        life.answer = lambda job, claim: Deferred()
        life.start()
        job_id = life.add({"kind": "every", "everyMs": HOUR})
        life.until(START + HOUR)
        life.crash()
        life.answer = lambda job, claim: succeed(Result(status="ok", summary="done"))
        life.start()
        self.assertEqual(life.ran, [(job_id, START + HOUR, life.ran[0][2])] * 2)
        (line,) = life.done(life.service.runs(job_id, 5))
        self.assertEqual((line["status"], line["summary"]), ("ok", "done"))

    def test_stop_while_it_runs(self) -> None:
        """
        A stop leaves a run to the next process.
        """
        life = Life()
        cancelled: list[Any] = []
        life.answer = lambda job, claim: Deferred(cancelled.append)
        life.start()
        job_id = life.add({"kind": "every", "everyMs": HOUR})
        life.until(START + HOUR)
        self.successResultOf(life.service.stopService())
        self.assertEqual((len(cancelled), life.clock.getDelayedCalls()), (1, []))
        self.assertIsNotNone(claim_of(life.store.unit.cron_jobs.rows[job_id]))

    def test_switched_off(self) -> None:
        """
        With the scheduler off nothing is gone on with, and jobs wait.
        """
        life = Life()
        life.answer = lambda job, claim: Deferred()
        life.start()
        job_id = life.add({"kind": "every", "everyMs": HOUR})
        life.until(START + HOUR)
        life.crash()
        life.enabled = False
        life.start()
        life.until(life.now + DAY)
        self.assertEqual(len(life.ran), 1)
        status = life.done(life.service.status())
        self.assertEqual((status["enabled"], status["jobs"], status["nextWakeAtMs"]), (False, 1, None))
        (job,) = life.done(life.service.listing(disabled=False))
        self.assertNotIn("runningAtMs", job["state"])
        life.enabled = True
        life.answer = lambda job, claim: succeed(Result(status="ok"))
        life.service.reconfigured()
        life.until(life.now + HOUR)
        self.assertEqual(life.dues(job_id)[1:], [START + 25 * HOUR, START + 26 * HOUR])


class ServiceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.life = Life()
        self.life.start()

    def test_one_at_a_time(self) -> None:
        """
        A job that takes longer than its interval does not run beside itself; what it missed is over.
        """
        waiting: list[Deferred[Result]] = []
        self.life.answer = lambda job, claim: waiting.append(Deferred()) or waiting[-1]  # type: ignore[func-returns-value]
        job_id = self.life.add({"kind": "every", "everyMs": HOUR})
        self.life.until(START + 5 * HOUR + HOUR // 2)
        self.assertEqual(len(waiting), 1)
        waiting[0].callback(Result(status="ok"))
        self.life.until(START + 6 * HOUR)
        self.assertEqual(self.life.dues(job_id), [START + HOUR, START + 6 * HOUR])

    def test_failing_work(self) -> None:
        """
        An error nobody foresaw is the outcome of that run, and the job goes on.
        """
        self.life.answer = lambda job, claim: fail(ZeroDivisionError("oh"))
        job_id = self.life.add({"kind": "every", "everyMs": HOUR})
        self.life.until(START + 2 * HOUR)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)
        lines = self.life.done(self.life.service.runs(job_id, 5))
        self.assertEqual([line["error"] for line in lines], ["ZeroDivisionError: oh"] * 2)

    def test_failing_store(self) -> None:
        """
        What could not be handed out is handed out when the store can write again.
        """
        job_id = self.life.add({"kind": "every", "everyMs": HOUR})
        self.life.store.broken = True
        self.life.until(START + HOUR + 1000)
        self.assertEqual((self.life.ran, len(self.flushLoggedErrors(StoreBroken))), ([], 1))
        self.life.store.broken = False
        self.life.until(START + HOUR + int(AGAIN * 1000))
        self.assertEqual(self.life.dues(job_id), [START + HOUR])

    def test_cost(self) -> None:
        """
        What a due time costs does not depend on how many jobs there are: one timer, two writes, no look at the others.
        """
        for number in range(500):
            self.life.add({"kind": "at", "atMs": START + YEARS + number})
        self.life.add({"kind": "every", "everyMs": HOUR})
        looked: list[str] = []
        self.patch(MemoryRecords, "all", lambda records: looked.append("all"))
        before = self.life.store.writes
        self.life.until(START + 10 * HOUR)
        self.assertEqual((self.life.store.writes - before, looked), (20, []))
        self.assertEqual(len(self.life.clock.getDelayedCalls()), 1)

    def test_many_at_once(self) -> None:
        """
        More jobs than one transaction takes are due at the same moment, and each runs.
        """
        jobs = [self.life.add({"kind": "at", "atMs": START + HOUR}) for _ in range(250)]
        self.life.until(START + HOUR)
        self.assertEqual(sorted(job_id for job_id, _, _ in self.life.ran), sorted(jobs))

    def test_changes_leave_nothing_behind(self) -> None:
        """
        However often a job is changed, the scheduler remembers its one due time.
        """
        job_id = self.life.add({"kind": "every", "everyMs": HOUR})
        for number in range(1000):
            patch = {"schedule": {"kind": "every", "everyMs": HOUR + number}}
            self.life.done(self.life.service.update(job_id, patch))
        self.assertLess(len(self.life.service._heap), 200)
        self.life.until(START + HOUR + 998)
        self.assertEqual(self.life.ran, [])
        self.life.until(START + HOUR + 999)
        self.assertEqual(len(self.life.ran), 1)

    def test_removed_while_it_runs(self) -> None:
        """
        A job that is removed meanwhile does not come back; how its run ended is told and kept.
        """
        waiting: Deferred[Result] = Deferred()
        self.life.answer = lambda job, claim: waiting
        job_id = self.life.add({"kind": "every", "everyMs": HOUR})
        self.life.until(START + HOUR)
        self.assertTrue(self.life.done(self.life.service.remove(job_id)))
        waiting.callback(Result(status="ok"))
        self.assertEqual([event["action"] for event in self.life.events], ["added", "started", "removed", "finished"])
        self.assertEqual(self.life.store.unit.cron_jobs.rows, {})
        self.life.until(START + 5 * HOUR)
        self.assertEqual(len(self.life.ran), 1)

    def test_paused(self) -> None:
        """
        A gateway that stops hands out nothing more.
        """
        self.life.add({"kind": "every", "everyMs": HOUR})
        self.life.service.pause()
        self.life.until(START + DAY)
        self.assertEqual((self.life.ran, self.life.clock.getDelayedCalls()), ([], []))

    def test_most(self) -> None:
        """
        There are so many jobs, and no more.
        """
        self.life.service._due.update({f"x{number}": None for number in range(MAX_JOBS)})
        error = self.assertRaises(OpenClawError, self.life.add, {"kind": "every", "everyMs": HOUR})
        self.assertIn("too many cron jobs", str(error))

    def test_unreadable(self) -> None:
        """
        A job that cannot be read keeps no other from running, and is neither shown nor changed.
        """
        self.life.stop()
        self.life.store.unit.cron_jobs.rows["odd"] = {"id": "odd", "name": 7}
        self.life.start()
        job_id = self.life.add({"kind": "every", "everyMs": HOUR})
        self.life.until(START + HOUR)
        self.assertEqual(self.life.dues(job_id), [START + HOUR])
        self.assertEqual([job["id"] for job in self.life.done(self.life.service.listing(disabled=True))], [job_id])
        for work in (self.life.service.run("odd", force=True), self.life.service.update("odd", {})):
            self.assertEqual(
                str(self.assertRaises(OpenClawError, self.life.done, work)), "Error: unknown cron job id: odd"
            )
        self.assertEqual(self.life.store.unit.cron_jobs.rows["odd"], {"id": "odd", "name": 7})

    def test_run_now(self) -> None:
        """
        Only what is due or forced runs out of turn, and not beside itself.
        """
        waiting: Deferred[Result] = Deferred()
        self.life.answer = lambda job, claim: waiting
        job_id = self.life.add({"kind": "every", "everyMs": HOUR})
        self.assertEqual(self.life.done(self.life.service.run(job_id, force=False)), "not-due")
        forced = Deferred.fromCoroutine(self.life.service.run(job_id, force=True))
        self.assertNoResult(forced)
        self.assertEqual(self.life.done(self.life.service.run(job_id, force=True)), "already-running")
        waiting.callback(Result(status="ok"))
        self.assertIsNone(self.successResultOf(forced))
        self.life.answer = lambda job, claim: succeed(Result(status="ok"))
        self.life.clock.rightNow += HOUR / 1000
        self.assertIsNone(self.life.done(self.life.service.run(job_id, force=False)))
        self.assertEqual(len(self.life.ran), 2)
