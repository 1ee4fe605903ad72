"""
Metrics as plain values: what is read in the reactor and written out elsewhere.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Literal

from attrs import define, frozen

Kind = Literal["counter", "gauge", "histogram"]

#: Seconds: from an answer out of memory to one that waits for a person.
ANSWER_BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)

#: Seconds: from a command's answer to the longest work of an agent.
RUN_BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)

#: Seconds: from what nobody feels to what everybody does.
LAG_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


@define(eq=False)
class Histogram:
    """
    How often something took how long.

    :ivar bounds: upper bounds in seconds, ascending.
    :ivar counts: for each bound, how many took no longer than it and longer than the one before; last, the others.
    :ivar total: seconds, of all of them together.
    """

    bounds: tuple[float, ...]
    counts: list[int]
    total: float = 0.0

    @classmethod
    def empty(cls, bounds: tuple[float, ...]) -> Histogram:
        return cls(bounds, [0] * (len(bounds) + 1))

    def add(self, seconds: float) -> None:
        """
        Count one more.
        """
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds

    def copy(self) -> Histogram:
        """
        What it is now.
        """
        return Histogram(self.bounds, list(self.counts), self.total)


Value = int | float | Histogram


@frozen
class Family:
    """
    One metric with all its labels.

    :ivar name: without the ``_total`` of counters.
    :ivar labels: the names of the labels.
    :ivar rows: a value for each combination of their values.
    """

    kind: Kind
    name: str
    help: str
    labels: Sequence[str]
    rows: Mapping[tuple[str, ...], Value]


def single(kind: Kind, name: str, help: str, value: Value) -> Family:
    """
    A metric without labels.
    """
    return Family(kind, name, help, (), {(): value})
