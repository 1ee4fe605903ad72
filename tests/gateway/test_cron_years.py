"""
The scheduler over two years: zones whose clocks change, restarts at any moment, and each due time once.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from openclaw.cron.jobs import Claim, Record, Result
from openclaw.cron.misfire import GRACE_MS, WINDOW_MS
from openclaw.cron.schedule import next_after
from openclaw.gateway.cron import CronService
from openclaw.store.memory import MemoryStore

START = 1_790_000_000
TWO_YEARS = 2 * 366 * 86_400
DAY = 86_400

EXPRESSIONS = ("30 2 * * *", "0 0 * * *", "15 1 * * 0", "30 3 L * *", "59 23 1 * *")
ZONES = st.sampled_from(sorted(available_timezones()))

#: For how long the process lives, and for how long it is gone: seconds.
LIVES = st.tuples(st.integers(3600, 300 * DAY), st.integers(0, 20 * DAY) | st.integers(0, 120))


class Years:
    """
    A job and the processes that run it, one after the other.

    :ivar ran: due times that were run, in order.
    :ivar away: spans in which there was no process: from and to, in milliseconds.
    """

    def __init__(self, schedule: dict[str, Any], policy: str) -> None:
        self.clock, self.store, self.schedule = Clock(), MemoryStore(), schedule
        self.clock.advance(START)
        self.ran: list[int] = []
        self.away: list[tuple[int, int]] = []
        self._ids = count(1)
        self.service = self._begin()
        payload = {"kind": "systemEvent", "text": "x"}
        job = {"name": "n", "schedule": schedule, "sessionTarget": "main", "wakeMode": "now", "payload": payload}
        made: list[Any] = []
        Deferred.fromCoroutine(self.service.add({**job, "misfire": policy})).addCallback(made.append)
        self.created_ms: int = made[0]["createdAtMs"]

    def _begin(self) -> CronService:
        service = CronService(
            store=self.store,
            clock=self.clock,
            publish=lambda event, payload, **_: None,
            work=self._work,
            make_id=lambda: f"id-{next(self._ids)}",
            store_path=Path("x"),
            enabled=lambda: True,
            ready=lambda: succeed(None),
        )
        service.startService()
        return service

    def _work(self, job: Record, claim: Claim, started: Callable[[], None]) -> Deferred[Result]:
        started()
        self.ran.append(claim.due_ms)
        return succeed(Result(status="ok"))

    def live(self, seconds: int) -> None:
        """
        Let a process live: from timer to timer, until half a second after a full one, as all is due at full ones.
        """
        end = int(self.clock.seconds()) + seconds + 0.5
        while (calls := self.clock.getDelayedCalls()) and min(call.getTime() for call in calls) <= end:
            # A millisecond more: numbers as large as the time know no smaller steps for sure.
            self.clock.advance(max(0.0, min(call.getTime() for call in calls) - self.clock.seconds()) + 0.001)
        self.clock.advance(max(0.0, end - self.clock.seconds()))

    def restart(self, seconds: int) -> None:
        """
        The process ends, and another begins later.
        """
        gone = round(self.clock.seconds() * 1000)
        self.service.stopService()
        assert not self.clock.getDelayedCalls()
        self.clock.advance(seconds)
        self.away.append((gone, round(self.clock.seconds() * 1000)))
        self.service = self._begin()
        self.clock.advance(0)

    def dues(self) -> list[int]:
        """
        All due times until now.
        """
        found, moment = [], self.created_ms
        while (due := next_after(self.schedule, moment, created_ms=self.created_ms)) is not None:
            if due > self.clock.seconds() * 1000:
                break
            found.append(due)
            moment = due
        return found

    def missed(self, due: int) -> int | None:
        """
        How late the first process was that could run for a due time, if there was none then.
        """
        return next((until - due for since, until in self.away if since < due <= until), None)


class YearsTests(SynchronousTestCase):
    @settings(max_examples=8, deadline=None)
    @given(
        expression=st.sampled_from(EXPRESSIONS),
        zone=ZONES,
        policy=st.sampled_from(("skip", "once", "all")),
        lives=st.lists(LIVES, max_size=8),
    )
    def test_each_due_time(self, expression: str, zone: str, policy: str, lives: list[tuple[int, int]]) -> None:
        """
        What is due while a process lives is run for once; what is missed goes by the policy.
        """
        years = Years({"kind": "cron", "expr": expression, "tz": zone}, policy)
        for lived, gone in lives:
            years.live(lived)
            years.restart(gone)
        years.live(max(DAY, START + TWO_YEARS - int(years.clock.seconds())))
        years.service.stopService()
        dues = years.dues()
        self.assertEqual(len(years.ran), len(set(years.ran)), "one was run for twice")
        self.assertEqual(years.ran, sorted(years.ran))
        self.assertLessEqual(set(years.ran), set(dues))
        in_time = {due for due in dues if years.missed(due) is None}
        self.assertLessEqual(in_time, set(years.ran), "one was lost")
        late = {due: late for due in dues if (late := years.missed(due)) is not None}
        made_up = [due for due in years.ran if due in late]
        if policy == "skip":
            self.assertLessEqual({due for due, by in late.items() if by < GRACE_MS - 1000}, set(made_up))
            self.assertTrue(all(late[due] <= GRACE_MS for due in made_up))
        elif policy == "all":
            self.assertLessEqual({due for due, by in late.items() if by < WINDOW_MS - 1000}, set(made_up))
            self.assertTrue(all(late[due] <= WINDOW_MS for due in made_up))
        else:
            for since, until in years.away:
                missed = [due for due in dues if since < due <= until]
                ran = [due for due in made_up if since < due <= until]
                self.assertEqual(len(ran), min(1, len(missed)), (since, until))

    @settings(max_examples=4, deadline=None)
    @given(every=st.integers(6 * 3600, 40 * DAY), lives=st.lists(LIVES, max_size=8))
    def test_intervals(self, every: int, lives: list[tuple[int, int]]) -> None:
        """
        An interval goes on by real time over every restart.
        """
        years = Years({"kind": "every", "everyMs": every * 1000}, "skip")
        for lived, gone in lives:
            years.live(lived)
            years.restart(gone)
        years.live(30 * DAY)
        years.service.stopService()
        in_time = [due for due in years.dues() if years.missed(due) is None]
        self.assertEqual([due for due in years.ran if years.missed(due) is None], in_time)
        self.assertEqual(len(years.ran), len(set(years.ran)))
