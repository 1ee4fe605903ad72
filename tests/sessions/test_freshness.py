"""
Tests of ``openclaw.sessions.freshness``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.model import build
from openclaw.config.model_session import ResetPolicy
from openclaw.sessions.freshness import is_stale, last_daily_reset_ms, policy_for, session_type

BERLIN = ZoneInfo("Europe/Berlin")
HOUR_MS = 3_600_000


def ms(year: int, month: int, day: int, hour: int, minute: int = 0, zone: ZoneInfo = BERLIN) -> int:
    return int(datetime(year, month, day, hour, minute, tzinfo=zone).timestamp() * 1000)


class DailyTests(SynchronousTestCase):
    """
    The daily reset at a local hour.
    """

    def test_around_the_hour(self) -> None:
        """
        A session of the evening is fresh until four and stale after it.
        """
        evening = ms(2026, 7, 1, 22)
        policy = ResetPolicy()
        self.assertFalse(is_stale(evening, now_ms=ms(2026, 7, 2, 3, 59), policy=policy, zone=BERLIN))
        self.assertTrue(is_stale(evening, now_ms=ms(2026, 7, 2, 4), policy=policy, zone=BERLIN))

    def test_zone(self) -> None:
        """
        The hour is the local one: four in Berlin is two in UTC.
        """
        policy = ResetPolicy()
        now = ms(2026, 7, 2, 5)
        before, after = now - 2 * HOUR_MS, now - HOUR_MS // 2
        self.assertTrue(is_stale(before, now_ms=now, policy=policy, zone=BERLIN))
        self.assertFalse(is_stale(before, now_ms=now, policy=policy, zone=UTC))
        self.assertFalse(is_stale(after, now_ms=now, policy=policy, zone=BERLIN))

    def test_clock_change(self) -> None:
        """
        The night on which the clocks change has one reset, at the hour that the wall clock shows.
        """
        boundary = last_daily_reset_ms(ms(2026, 3, 29, 12), 4, BERLIN)
        self.assertEqual(boundary, ms(2026, 3, 29, 4))
        before = last_daily_reset_ms(ms(2026, 3, 29, 3, 30), 4, BERLIN)
        self.assertEqual(before, ms(2026, 3, 28, 4))

    def test_with_idle(self) -> None:
        """
        A daily policy may have an idle limit beside it; either makes the session stale.
        """
        policy = ResetPolicy(idle_minutes=30)
        now = ms(2026, 7, 2, 12)
        self.assertTrue(is_stale(now - HOUR_MS, now_ms=now, policy=policy, zone=BERLIN))
        self.assertFalse(is_stale(now - HOUR_MS // 3, now_ms=now, policy=policy, zone=BERLIN))


class IdleTests(SynchronousTestCase):
    def test_limit(self) -> None:
        """
        The idle mode knows no hour, and an hour is its limit when none is told.
        """
        policy = ResetPolicy(mode="idle")
        now = ms(2026, 7, 2, 4, 30)
        self.assertFalse(is_stale(now - HOUR_MS, now_ms=now, policy=policy, zone=BERLIN))
        self.assertTrue(is_stale(now - HOUR_MS - 1, now_ms=now, policy=policy, zone=BERLIN))


class PolicyTests(SynchronousTestCase):
    def test_precedence(self) -> None:
        """
        The channel's policy wins over the type's, and that over the general one.
        """
        config = build(
            {
                "session": {
                    "reset": {"mode": "daily", "atHour": 1},
                    "resetByType": {"group": {"mode": "idle", "idleMinutes": 5}},
                    "resetByChannel": {"telegram": {"mode": "idle", "idleMinutes": 7}},
                }
            }
        ).session
        group = "agent:main:signal:group:1"
        self.assertEqual(policy_for(config, "agent:main:main", {}).at_hour, 1)
        self.assertEqual(policy_for(config, group, {}).idle_minutes, 5)
        self.assertEqual(policy_for(config, group, {}, "telegram").idle_minutes, 7)
        self.assertEqual(policy_for(config, group, {"lastChannel": "telegram"}).idle_minutes, 7)

    def test_types(self) -> None:
        """
        Threads and topics are of their own type, wherever they hang.
        """
        self.assertEqual(session_type("agent:main:main", {}), "dm")
        self.assertEqual(session_type("agent:main:x:group:1", {}), "group")
        self.assertEqual(session_type("agent:main:x:group:1:topic:2", {}), "thread")
