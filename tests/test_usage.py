"""
What models have cost.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from twisted.trial.unittest import SynchronousTestCase

from openclaw.store.interfaces import Entry
from openclaw.usage import Prices, summed, window_start_ms

BERLIN = ZoneInfo("Europe/Berlin")
PRICES = Prices(input=1.0, output=2.0, cache_read=0.0, cache_write=0.0)


def ms(*moment: int, zone: Any = BERLIN) -> int:
    return int(datetime(*moment, tzinfo=zone).timestamp() * 1000)  # type: ignore[arg-type, misc]


def said(at_ms: int, usage: Any, **members: Any) -> Entry:
    message = {"role": "assistant", "provider": "mock", "model": "mock-1", "usage": usage, **members}
    return Entry(id="a", session_id="s", parent_id=None, type="message", timestamp_ms=at_ms, body={"message": message})


def prices(provider: str, model: str) -> Prices | None:
    return PRICES if (provider, model) == ("mock", "mock-1") else None


class WindowTests(SynchronousTestCase):
    def test_local_midnight(self) -> None:
        """
        One day is today; a day with a change of the clock is a day.
        """
        now = ms(2026, 10, 26, 9)
        self.assertEqual(window_start_ms(now, 1, BERLIN), ms(2026, 10, 26))
        self.assertEqual(window_start_ms(now, 2, BERLIN), ms(2026, 10, 25))
        self.assertEqual(window_start_ms(now, 3, BERLIN), ms(2026, 10, 24))
        self.assertEqual(ms(2026, 10, 26) - ms(2026, 10, 25), 25 * 3_600_000)


class SumTests(SynchronousTestCase):
    def test_days(self) -> None:
        """
        Answers belong to the day that the local clock showed.
        """
        usage = {"input": 120, "output": 12, "totalTokens": 132, "cost": {"total": 0.5}}
        late, early = ms(2026, 11, 22, 23, 59), ms(2026, 11, 23, 0, 1)
        sums = summed([said(late, usage), said(early, usage), said(early, usage)], prices, BERLIN)
        self.assertEqual([row["date"] for row in sums["daily"]], ["2026-11-22", "2026-11-23"])
        self.assertEqual([row["totalCost"] for row in sums["daily"]], [0.5, 1.0])
        whole = {"input": 360, "output": 36, "cacheRead": 0, "cacheWrite": 0, "totalTokens": 396}
        self.assertEqual(sums["totals"], {**whole, "totalCost": 1.5, "missingCostEntries": 0})

    def test_costs(self) -> None:
        """
        A cost that was written down counts, else the price that is configured, else it is missing.
        """
        usage = {"input": 1_000_000, "output": 500_000}
        rows = [said(0, usage), said(0, usage, model="other"), said(0, {**usage, "cost": {"total": 7}}, model="other")]
        totals = summed(rows, prices, UTC)["totals"]
        self.assertEqual((totals["totalCost"], totals["missingCostEntries"]), (9.0, 1))

    def test_odd_entries(self) -> None:
        """
        Answers without tokens, as those of commands, count for nothing; so does what is no number.
        """
        rows = [said(0, None), said(0, {"input": 0}), said(0, {"input": "9", "output": True})]
        self.assertEqual(summed(rows, prices, UTC)["daily"], [])
