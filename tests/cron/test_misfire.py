"""
Tests for ``openclaw.cron.misfire``.
"""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.cron.misfire import GRACE_MS, WINDOW_MS, Plan, plan

HOUR = 3_600_000


def hourly(**members: Any) -> dict[str, Any]:
    return {"schedule": {"kind": "every", "everyMs": HOUR}, "createdAtMs": 0, **members}


class PlanTests(SynchronousTestCase):
    """
    A job is due each full hour; its next due time is the first.
    """

    def test_in_time(self) -> None:
        """
        Whoever is in time runs, whatever the policy; a minute is in time.
        """
        for policy in ({}, {"misfire": "skip"}, {"misfire": "once"}, {"misfire": "all"}):
            for late in (0, GRACE_MS):
                planned = plan(hourly(**policy), HOUR, HOUR + late)
                self.assertEqual(planned, Plan(due_ms=HOUR, next_ms=2 * HOUR), policy)

    def test_skip(self) -> None:
        """
        Missed times are left out; the last one counts while it is not long ago.
        """
        self.assertEqual(plan(hourly(), HOUR, 5 * HOUR - 1), Plan(due_ms=None, next_ms=5 * HOUR))
        self.assertEqual(plan(hourly(), HOUR, 5 * HOUR + GRACE_MS), Plan(due_ms=5 * HOUR, next_ms=6 * HOUR))
        self.assertEqual(plan(hourly(), HOUR, 5 * HOUR + GRACE_MS + 1), Plan(due_ms=None, next_ms=6 * HOUR))

    def test_once(self) -> None:
        """
        Missed times make one run.
        """
        job = hourly(misfire="once")
        self.assertEqual(plan(job, HOUR, 5 * HOUR + 7), Plan(due_ms=HOUR, next_ms=6 * HOUR))

    def test_all(self) -> None:
        """
        Missed times make a run each, the oldest first; those of the day before are over.
        """
        job = hourly(misfire="all")
        self.assertEqual(plan(job, HOUR, 5 * HOUR + 7), Plan(due_ms=HOUR, next_ms=2 * HOUR))
        late = WINDOW_MS + 5 * HOUR + 7
        self.assertEqual(plan(job, HOUR, late), Plan(due_ms=6 * HOUR, next_ms=7 * HOUR))

    def test_certain_time(self) -> None:
        """
        A job for one certain time runs however late it is, unless it says otherwise.
        """
        job = {"schedule": {"kind": "at", "atMs": HOUR}, "createdAtMs": 0}
        self.assertEqual(plan(job, HOUR, 900 * HOUR), Plan(due_ms=HOUR, next_ms=None))
        self.assertEqual(plan({**job, "misfire": "skip"}, HOUR, 900 * HOUR), Plan(due_ms=None, next_ms=None))
