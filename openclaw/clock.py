"""
Time on the wire is whole milliseconds since the epoch; time inside is float seconds from a clock.
"""

from __future__ import annotations

from typing import Protocol


class Seconds(Protocol):
    """
    Anything that tells the time: a reactor, or Twisted's ``Clock`` in tests.
    """

    def seconds(self) -> float: ...


def millis(clock: Seconds) -> int:
    """
    The clock's time as the wire writes it.

    :return: whole milliseconds since the epoch.
    """
    return int(clock.seconds() * 1000)
