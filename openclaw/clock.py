"""
Time on the wire is whole milliseconds since the epoch; time inside is float seconds from a clock.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
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


class MachineZone(tzinfo):
    """
    The machine's own time zone with its clock changes: what a ``datetime`` without a zone means.
    """

    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        return None if moment is None else moment.replace(tzinfo=None).astimezone().utcoffset()

    def tzname(self, moment: datetime | None) -> str | None:
        return None if moment is None else moment.replace(tzinfo=None).astimezone().tzname()

    def dst(self, moment: datetime | None) -> None:
        """
        Nothing of ours asks how much of the offset is summer time.
        """

    def fromutc(self, moment: datetime) -> datetime:
        local = datetime.fromtimestamp(moment.replace(tzinfo=UTC).timestamp())  # noqa: DTZ006 - so it says its fold too
        return local.replace(tzinfo=self)


MACHINE_ZONE = MachineZone()
