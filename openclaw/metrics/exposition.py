"""
Prometheus's text format, by its own library. That is an extra, and is loaded when somebody asks for the first time: it
brings an HTTP server of its own along.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from attrs import frozen

from openclaw.metrics.families import Family, Histogram

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric


def is_installed() -> bool:
    """
    Whether the library is there.
    """
    return find_spec("prometheus_client") is not None


def render(families: Iterable[Family]) -> bytes:
    """
    Everything as text, with what the system says of the process. It takes some milliseconds, and the first time tenths
    of a second.
    """
    from prometheus_client.exposition import generate_latest
    from prometheus_client.process_collector import ProcessCollector

    text: bytes = generate_latest(_Read([*families], ProcessCollector(registry=None)))
    return text


@frozen
class _Read:
    """
    What was read, as the library asks for it.

    :ivar process: memory, processor time, open files.
    """

    families: Iterable[Family]
    process: Any

    def collect(self) -> Iterator[Metric]:
        for family in self.families:
            yield _metric(family)
        yield from self.process.collect()


def _metric(family: Family) -> Metric:
    from prometheus_client import metrics_core

    if family.kind == "histogram":
        shown = metrics_core.HistogramMetricFamily(family.name, family.help, labels=family.labels)
        for labels, value in family.rows.items():
            assert isinstance(value, Histogram), family.name
            shown.add_metric(labels, _buckets(value), value.total)
        return shown
    counter = family.kind == "counter"
    kind = metrics_core.CounterMetricFamily if counter else metrics_core.GaugeMetricFamily
    numbers = kind(family.name, family.help, labels=family.labels)
    for labels, value in family.rows.items():
        assert not isinstance(value, Histogram), family.name
        numbers.add_metric(labels, value)
    return numbers


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    bounds = [*(repr(bound) for bound in histogram.bounds), "+Inf"]
    return list(zip(bounds, accumulate(histogram.counts), strict=True))
