"""
The text that Prometheus reads.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any
from unittest.mock import patch

from twisted.trial.unittest import SynchronousTestCase

from openclaw.metrics.exposition import is_installed, render
from openclaw.metrics.families import Family, Histogram, single

STARTED = """
import openclaw.gateway.tap
from openclaw.metrics.exposition import is_installed
is_installed()
print([name for name in sys.modules if name.startswith("prometheus_client")])
"""

NOT_INSTALLED = "" if is_installed() else "the extra metrics (prometheus-client) is not installed"


def samples(text: bytes) -> dict[str, list[Any]]:
    """
    The samples by the names of their metrics, as Prometheus's own parser reads them.
    """
    from prometheus_client.parser import text_string_to_metric_families

    return {family.name: family.samples for family in text_string_to_metric_families(text.decode())}


class RenderTests(SynchronousTestCase):
    if NOT_INSTALLED:
        skip = NOT_INSTALLED

    def test_kinds(self) -> None:
        """
        Counters, gauges and histograms come through with their labels; odd values do not break the text.
        """
        odd = 'a "quoted"\nname\\'
        took = Histogram((0.1, 1.0), [1, 2, 3], 9.5)
        read = samples(
            render(
                [
                    Family("counter", "x_requests", "Requests.", ("method",), {(odd,): 7}),
                    single("gauge", "x_waiting", "What waits.", 3),
                    Family("histogram", "x_took_seconds", "How long.", ("method",), {("m",): took}),
                ]
            )
        )
        (counted,) = read["x_requests"]
        self.assertEqual((counted.name, counted.labels, counted.value), ("x_requests_total", {"method": odd}, 7))
        self.assertEqual([sample.value for sample in read["x_waiting"]], [3])
        buckets = {one.labels["le"]: one.value for one in read["x_took_seconds"] if one.name.endswith("_bucket")}
        self.assertEqual(buckets, {"0.1": 1, "1.0": 3, "+Inf": 6})
        sums = {one.name: one.value for one in read["x_took_seconds"] if one.labels == {"method": "m"}}
        self.assertEqual(sums, {"x_took_seconds_count": 6, "x_took_seconds_sum": 9.5})

    def test_process(self) -> None:
        """
        The system's own words about the process are there.
        """
        read = samples(render([]))
        for name in ("process_resident_memory_bytes", "process_open_fds", "process_cpu_seconds"):
            self.assertEqual(len(read[name]), 1, name)
            self.assertGreater(read[name][0].value, 0, name)


class LoadingTests(SynchronousTestCase):
    def test_not_at_the_start(self) -> None:
        """
        Whether the library is there is known without loading it, and a gateway's start loads it neither.
        """
        path = [entry for entry in sys.path if entry]
        command = [sys.executable, "-c", f"import sys; sys.path[:] = {path!r}\n{STARTED}"]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        self.assertEqual(printed, "[]\n")

    def test_missing(self) -> None:
        """
        A library that cannot be loaded is not there.
        """
        with patch.dict(sys.modules, {"prometheus_client": None}):
            self.assertFalse(is_installed())
