"""
Tests for ``openclaw.cron.schedule``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from openclaw.cron.errors import CronRefused
from openclaw.cron.schedule import MAX_EXPRESSION, MAX_MS, check_schedule, next_after

ZONES = ("UTC", "Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Santiago")
EXPRESSIONS = (
    "0 7 * * *",
    "30 2 * * *",
    "*/15 * * * *",
    "0 */3 * * 1-5",
    "15 30 1 * * *",
    "0 0 1 * *",
    "5 4 L * *",
    "@weekly",
)


def ms(text: str, zone: str = "UTC", fold: int = 0) -> int:
    """
    A local time as milliseconds since the epoch.
    """
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp() * 1000)


def told(at_ms: int | None, zone: str = "UTC") -> str | None:
    return None if at_ms is None else datetime.fromtimestamp(at_ms / 1000, ZoneInfo(zone)).isoformat()


def dues(schedule: Mapping[str, Any], after: int, count: int, zone: str = "UTC") -> list[str | None]:
    """
    The next due times as local times.
    """
    found, moment = [], after
    for _ in range(count):
        due = next_after(schedule, moment, created_ms=0, zone=UTC)
        found.append(told(due, zone))
        if due is None:
            break
        moment = due
    return found


def cron(expr: str, tz: str | None = None) -> dict[str, Any]:
    return {"kind": "cron", "expr": expr, **({} if tz is None else {"tz": tz})}


class KindTests(SynchronousTestCase):
    def test_at(self) -> None:
        """
        Once, and not again.
        """
        at = {"kind": "at", "atMs": 5000}
        self.assertEqual(next_after(at, 4999, created_ms=0), 5000)
        self.assertIsNone(next_after(at, 5000, created_ms=0))

    def test_every(self) -> None:
        """
        A series from when the job was made, the first time one interval later, or from its anchor.
        """
        every = {"kind": "every", "everyMs": 60_000}
        self.assertEqual(next_after(every, 7, created_ms=7), 60_007)
        self.assertEqual(next_after(every, 60_007, created_ms=7), 120_007)
        anchored = {**every, "anchorMs": 500_000}
        self.assertEqual(next_after(anchored, 7, created_ms=7), 500_000)
        self.assertEqual(next_after(anchored, 500_000, created_ms=7), 560_000)

    def test_every_instant(self) -> None:
        """
        No job runs more often than each second; its times are still in its series.
        """
        self.assertEqual(next_after({"kind": "every", "everyMs": 1}, 10, created_ms=10), 1010)
        self.assertEqual(next_after({"kind": "every", "everyMs": 400}, 0, created_ms=0), 1200)

    def test_far(self) -> None:
        """
        What is beyond the calendar is never due.
        """
        self.assertIsNone(next_after({"kind": "every", "everyMs": 10**15}, 0, created_ms=0))
        self.assertIsNone(next_after(cron("0 0 * * *"), MAX_MS + 1, created_ms=0))

    def test_fields(self) -> None:
        """
        Five fields, or six with seconds first, or a name.
        """
        start = ms("2026-11-23T06:18:00")
        self.assertEqual(dues(cron("20 6 * * *"), start, 1), ["2026-11-23T06:20:00+00:00"])
        self.assertEqual(dues(cron("5 20 6 * * *"), start, 1), ["2026-11-23T06:20:05+00:00"])
        self.assertEqual(
            dues(cron("*/30 18 6 * * *"), start, 2), ["2026-11-23T06:18:30+00:00", "2026-11-24T06:18:00+00:00"]
        )
        self.assertEqual(dues(cron("@daily"), start, 1), ["2026-11-24T00:00:00+00:00"])
        self.assertEqual(dues(cron("0 0 * * MON#1"), start, 1), ["2026-12-07T00:00:00+00:00"])

    def test_fractions(self) -> None:
        """
        A due time is whole seconds, and is not missed by a fraction of one.
        """
        due = ms("2026-11-23T06:20:00")
        self.assertEqual(next_after(cron("20 6 * * *"), due - 1, created_ms=0, zone=UTC), due)
        self.assertNotEqual(next_after(cron("20 6 * * *"), due, created_ms=0, zone=UTC), due)

    def test_refused(self) -> None:
        """
        What is no expression or no zone is refused as the reference does it, also if it is long.
        """
        wrong = (
            "TypeError: CronPattern: invalid configuration format ('not a cron'), exactly five or six space separated"
        )
        for schedule, text in (
            (cron("not a cron"), wrong),
            (cron("61 * * * *"), "TypeError: CronPattern: Bad minute"),
            (cron("* * * * * " + "1," * MAX_EXPRESSION), "TypeError: CronPattern: invalid configuration format"),
            (cron("0 7 * * *", "Mars/Phobos"), "RangeError: Invalid time zone specified: Mars/Phobos"),
            (cron("0 7 * * *", "../etc/passwd"), "RangeError: Invalid time zone specified: ../etc/passwd"),
        ):
            error = self.assertRaises(CronRefused, next_after, schedule, 0, created_ms=0)
            self.assertEqual(str(error)[: len(text)], text)

    def test_beyond_the_calendar(self) -> None:
        """
        No time of a job is later than any day there is: it could not be kept.
        """
        for schedule in (
            {"kind": "at", "atMs": 10**30},
            {"kind": "every", "everyMs": 2**53, "anchorMs": 0},
            {"kind": "every", "everyMs": 60_000, "anchorMs": 10**30},
        ):
            self.assertRaises(CronRefused, check_schedule, schedule, 0)

    def test_never(self) -> None:
        """
        A day that never comes.
        """
        self.assertRaises(CronRefused, next_after, cron("0 0 31 2 *"), 0, created_ms=0)


class ZoneTests(SynchronousTestCase):
    """
    Clocks that change.
    """

    def test_zone(self) -> None:
        """
        The hour is that of the zone, in summer and in winter.
        """
        london = cron("0 7 * * *", "Europe/London")
        self.assertEqual(dues(london, ms("2026-07-01T12:00:00"), 1), ["2026-07-02T06:00:00+00:00"])
        self.assertEqual(dues(london, ms("2026-12-01T12:00:00"), 1), ["2026-12-02T07:00:00+00:00"])

    def test_gap(self) -> None:
        """
        A time that does not come on one day comes right after the gap, once.
        """
        for expression, second in (("30 2 * * *", "00"), ("7 30 2 * * *", "07")):
            found = dues(cron(expression, "Europe/Berlin"), ms("2026-03-28T12:00:00"), 2, "Europe/Berlin")
            self.assertEqual(found, [f"2026-03-29T03:00:{second}+02:00", f"2026-03-30T02:30:{second}+02:00"])

    def test_twice(self) -> None:
        """
        A time that comes twice on one day counts once, whenever one looks.
        """
        job = cron("30 1 * * *", "America/New_York")
        first, next_day = "2026-11-01T01:30:00-04:00", "2026-11-02T01:30:00-05:00"
        before = ms("2026-11-01T00:00:00", "America/New_York")
        self.assertEqual(dues(job, before, 2, "America/New_York"), [first, next_day])
        between = ms("2026-11-01T01:10:00", "America/New_York", fold=1)
        self.assertEqual(dues(job, between, 1, "America/New_York"), [next_day])

    def test_real_time(self) -> None:
        """
        What is due every so often goes on by real time.
        """
        job = cron("*/30 * * * *", "Europe/Berlin")
        found = dues(job, ms("2026-10-25T00:45:00"), 3)
        self.assertEqual(
            found, [f"2026-10-25T01:{minute}:00+00:00" for minute in ("00", "30")] + ["2026-10-25T02:00:00+00:00"]
        )

    @given(
        st.sampled_from(EXPRESSIONS),
        st.sampled_from(ZONES),
        st.integers(min_value=1_700_000_000_000, max_value=1_900_000_000_000),
        st.integers(min_value=0, max_value=40),
    )
    def test_first(self, expression: str, zone: str, after: int, steps: int) -> None:
        """
        The next due time is later, and it is the next one from every moment up to it.
        """
        schedule = cron(expression, zone)
        due = next_after(schedule, after, created_ms=0)
        assert due is not None
        self.assertGreater(due, after)
        between = after + (due - 1 - after) * steps // 40
        self.assertEqual(next_after(schedule, between, created_ms=0), due)

    @given(st.text(alphabet="0123456789*/,-LW#@ adMON?", max_size=30), st.sampled_from(ZONES))
    def test_junk(self, expression: str, zone: str) -> None:
        """
        Any text is an expression or is refused.
        """
        try:
            due = next_after(cron(expression, zone), 1_800_000_000_000, created_ms=0)
        except CronRefused:
            return
        self.assertTrue(due is None or due > 1_800_000_000_000)
