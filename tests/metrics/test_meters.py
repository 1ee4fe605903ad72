"""
What is counted, and under which names.
"""

from __future__ import annotations

from typing import Any, Literal

from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.types import Outcome
from openclaw.metrics.families import Family, Histogram
from openclaw.metrics.meters import Counts


def outcome(status: Literal["ok", "error", "aborted"], started: int | None, ended: int, code: str | None) -> Outcome:
    return Outcome(run_id="r", status=status, summary="", started_at_ms=started, ended_at_ms=ended, code=code)


class CountsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.counts = Counts(["health", "status"])

    def family(self, name: str) -> Family:
        (found,) = (family for family in self.counts.families() if family.name == name)
        return found

    def rows(self, name: str) -> dict[tuple[str, ...], Any]:
        """
        The values of a metric; of a histogram how many it has counted.
        """
        rows = self.family(name).rows
        return {labels: sum(value.counts) if isinstance(value, Histogram) else value for labels, value in rows.items()}

    def test_requests(self) -> None:
        """
        By method and code. What is no method has one name, whatever the client called it; so has a strange code.
        """
        self.counts.answered("health", None, 0.002)
        self.counts.answered("health", None, 0.2)
        self.counts.answered("health", "UNAVAILABLE", 0.2)
        self.counts.answered("made up", "INVALID_REQUEST", 0.001)
        self.counts.answered("made up again", "made up", 0.001)
        codes = {
            ("health", "ok"): 2,
            ("health", "UNAVAILABLE"): 1,
            ("unknown", "ok"): 0,
            ("unknown", "INVALID_REQUEST"): 1,
            ("unknown", "unknown"): 1,
        }
        self.assertEqual(self.rows("openclaw_requests"), codes)
        self.assertEqual(self.rows("openclaw_request_duration_seconds"), {("health",): 3, ("unknown",): 2})
        took = self.family("openclaw_request_duration_seconds").rows["health",]
        assert isinstance(took, Histogram)
        self.assertAlmostEqual(took.total, 0.402)

    def test_runs(self) -> None:
        """
        By outcome, from the beginning to the end; a run that never began has no duration.
        """
        self.counts.ended(outcome("ok", 1_000, 3_500, None))
        self.counts.ended(outcome("error", 1_000, 2_000, "AGENT_TIMEOUT"))
        self.counts.ended(outcome("error", 1_000, 2_000, "UNAVAILABLE"))
        self.counts.ended(outcome("aborted", None, 2_000, None))
        counted = {("ok",): 1, ("timeout",): 1, ("error",): 1, ("aborted",): 1}
        self.assertEqual(self.rows("openclaw_runs"), counted)
        self.assertEqual(self.rows("openclaw_run_duration_seconds"), {**counted, ("aborted",): 0})
        took = self.family("openclaw_run_duration_seconds").rows["ok",]
        assert isinstance(took, Histogram)
        self.assertEqual(took.total, 2.5)

    def test_others(self) -> None:
        """
        Handshakes, HTTP requests, events, lag.
        """
        for word in ("ok", "ok", "unauthorized"):
            self.counts.handshake(word)
        for status in (200, 204, 404):
            self.counts.asked("page", status)
        self.counts.published("tick", 3, 0)
        self.counts.published("presence", 2, 1)
        self.counts.late(0.3)
        self.assertEqual(self.rows("openclaw_handshakes"), {("ok",): 2, ("unauthorized",): 1})
        self.assertEqual(self.rows("openclaw_http_requests"), {("page", "2xx"): 2, ("page", "4xx"): 1})
        self.assertEqual(self.rows("openclaw_events_sent"), {("tick",): 3, ("presence",): 2})
        self.assertEqual(self.rows("openclaw_events_dropped"), {("presence",): 1})
        self.assertEqual(self.rows("openclaw_reactor_lag_seconds"), {(): 1})

    def test_from_the_beginning(self) -> None:
        """
        What alarms look at is there before it happens.
        """
        self.assertEqual(
            self.rows("openclaw_runs"), dict.fromkeys([("ok",), ("error",), ("timeout",), ("aborted",)], 0)
        )
        self.assertEqual(self.rows("openclaw_handshakes"), {("ok",): 0})

    def test_names(self) -> None:
        """
        Every metric has a name of its own, an explanation, and as many labels as names of labels.
        """
        self.counts.answered("health", "UNAVAILABLE", 0.1)
        self.counts.published("tick", 1, 1)
        families = list(self.counts.families())
        self.assertEqual(len({family.name for family in families}), len(families))
        for family in families:
            self.assertTrue(family.help.endswith("."), family.name)
            self.assertEqual({len(labels) for labels in family.rows} - {len(family.labels)}, set(), family.name)
