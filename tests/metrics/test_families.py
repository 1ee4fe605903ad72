"""
Histograms.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from openclaw.metrics.families import ANSWER_BOUNDS, LAG_BOUNDS, RUN_BOUNDS, Histogram


class HistogramTests(SynchronousTestCase):
    def test_bounds(self) -> None:
        """
        What takes as long as a bound says counts for it, what takes longer than all for none.
        """
        histogram = Histogram.empty((0.1, 1.0))
        for seconds in (0.0, 0.1, 0.2, 1.0, 1.5):
            histogram.add(seconds)
        self.assertEqual(histogram.counts, [2, 2, 1])
        self.assertAlmostEqual(histogram.total, 2.8)

    def test_copy(self) -> None:
        """
        What was read does not change any more.
        """
        histogram = Histogram.empty((0.1,))
        read = histogram.copy()
        histogram.add(0.05)
        self.assertEqual((read.counts, read.total), ([0, 0], 0.0))

    @given(st.lists(st.floats(min_value=0, max_value=100)))
    def test_everything_is_counted(self, times: list[float]) -> None:
        """
        Each time is in one place, and all up to a bound are no longer than it.
        """
        histogram = Histogram.empty(ANSWER_BOUNDS)
        for seconds in times:
            histogram.add(seconds)
        self.assertEqual(sum(histogram.counts), len(times))
        for index, bound in enumerate(ANSWER_BOUNDS):
            self.assertEqual(sum(histogram.counts[: index + 1]), bisect_right(sorted(times), bound))

    def test_our_bounds_ascend(self) -> None:
        """
        Prometheus takes no others.
        """
        for bounds in (ANSWER_BOUNDS, RUN_BOUNDS, LAG_BOUNDS):
            self.assertTrue(all(low < high for low, high in pairwise(bounds)))
