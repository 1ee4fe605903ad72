"""
What import and export ask of a unit beside what everybody asks of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from attrs import define, field, frozen

from openclaw.store.interfaces import Entry

#: Lines of a job's run log: as many as a client may ask for, and what is left of more.
MOST_RUNS = 5000
KEPT_RUNS = 2000


@define
class Counts:
    """
    How much of what was imported or exported, by names for people.
    """

    numbers: dict[str, int] = field(factory=dict)

    def add(self, name: str, number: int = 1) -> None:
        if number:
            self.numbers[name] = self.numbers.get(name, 0) + number

    def __str__(self) -> str:
        return ", ".join(f"{number} {name}" for name, number in self.numbers.items()) or "nothing"


def transcript_id(session_id: str, at_ms: int | None) -> str:
    """
    By what the record of a transcript is kept.
    """
    return session_id if at_ms is None else f"{session_id}@{at_ms}"


@frozen(kw_only=True)
class Mark:
    """
    How far the import of one source has come.

    :ivar source: the file or directory, relative to the state directory if it is below it.
    :ivar at_ms: when this was written down.
    :ivar report: ``complete``, counts, and where to go on (``next``) while it is not complete.
    """

    source: str
    at_ms: int
    report: Mapping[str, Any]

    @property
    def is_complete(self) -> bool:
        return self.report.get("complete") is True


class Imports(Protocol):
    """
    Marks by source.
    """

    def get(self, source: str) -> Mark | None: ...

    def put(self, mark: Mark) -> None: ...


class CronRuns(Protocol):
    """
    The run log of cron jobs. Once a job has more than ``MOST_RUNS`` lines, the newest ``KEPT_RUNS`` are kept.
    """

    def append(self, job_id: str, ts_ms: int, record: Mapping[str, Any]) -> bool:
        """
        :return: whether it is new; the same line of the same job is kept once.
        """
        ...

    def newest(self, job_id: str, limit: int) -> list[Mapping[str, Any]]:
        """
        :return: the last ``limit`` lines in the order they were written.
        """
        ...

    def job_ids(self) -> list[str]: ...


class Archive(Protocol):
    """
    Entries of transcripts that were put away, by session id and the time of putting away.
    """

    def put(self, entry: Entry, at_ms: int, number: int) -> bool:
        """
        :param number: its place in the transcript.
        :return: whether it is new; a place that is taken stays as it is.
        """
        ...

    def transcripts(self) -> list[tuple[str, int]]: ...

    def all(self, session_id: str, at_ms: int) -> Iterable[Entry]: ...
