"""
Tests of ``openclaw.clock``.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from openclaw.clock import MACHINE_ZONE, millis
from openclaw.sessions.freshness import last_daily_reset_ms

BERLIN = ZoneInfo("Europe/Berlin")


class MillisTests(SynchronousTestCase):
    def test_whole(self) -> None:
        """
        The wire has whole milliseconds.
        """
        clock = Clock()
        clock.advance(1.2345)
        self.assertEqual(millis(clock), 1234)


class MachineZoneTests(SynchronousTestCase):
    """
    A machine in Berlin.
    """

    def setUp(self) -> None:
        before = os.environ.get("TZ")
        self.addCleanup(self.live_in, before)
        self.live_in("Europe/Berlin")

    def live_in(self, zone: str | None) -> None:
        if zone is None:
            os.environ.pop("TZ", None)
        else:
            os.environ["TZ"] = zone
        time.tzset()

    def test_like_the_zone(self) -> None:
        """
        Every hour of the year is what the zone says, also when the clocks change, and the way back too.
        """
        moment = datetime(2026, 1, 1, tzinfo=UTC)
        while moment.year == 2026:
            here, there = moment.astimezone(MACHINE_ZONE), moment.astimezone(BERLIN)
            self.assertEqual(f"{here:%Y-%m-%d %H:%M %Z%z}", f"{there:%Y-%m-%d %H:%M %Z%z}")
            self.assertEqual((here.fold, here.timestamp()), (there.fold, moment.timestamp()))
            moment += timedelta(hours=1)

    def test_daily_reset(self) -> None:
        """
        After the clocks have changed, the hour of the day before is still the one that the clock showed then.
        """
        for moment in ("2026-10-25T03:30", "2026-10-25T12:00", "2026-03-29T03:30", "2026-03-30T00:30"):
            now_ms = int(datetime.fromisoformat(moment).replace(tzinfo=BERLIN).timestamp() * 1000)
            resets = [last_daily_reset_ms(now_ms, 4, zone) for zone in (MACHINE_ZONE, BERLIN)]
            self.assertEqual(resets[0], resets[1], moment)
