"""
The store's twin in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from itertools import islice
from typing import Any, TypeVar

from attrs import define, evolve, field
from twisted.internet.defer import Deferred, execute

from openclaw.store.bodies import LargeBodies, NoLargeBodies
from openclaw.store.branch import branch
from openclaw.store.imports import KEPT_RUNS, MOST_RUNS, Mark
from openclaw.store.interfaces import TERMINAL_STATES, Answer, DuplicateEntry, Entry, OutboxItem, Run, Session, Unit

T = TypeVar("T")
HIDDEN = ("global", "unknown")


@define
class MemorySessions:
    rows: dict[str, Session] = field(factory=dict)

    def get(self, key: str) -> Session | None:
        return self.rows.get(key)

    def put(self, session: Session) -> None:
        self.rows[session.key] = session

    def delete(self, key: str) -> bool:
        return self.rows.pop(key, None) is not None

    def by_session_id(self, session_id: str) -> Sequence[Session]:
        return [row for row in self.rows.values() if row.session_id == session_id]

    def by_label(self, label: str) -> Sequence[Session]:
        return [row for row in self.rows.values() if row.members.get("label") == label]

    def count(self, agent_id: str | None = None) -> int:
        return len(self.newest(1 << 60, agent_id))

    def newest(self, limit: int, agent_id: str | None = None) -> Sequence[Session]:
        return self.search(agent_id=agent_id, limit=limit)

    def search(
        self,
        *,
        agent_id: str | None = None,
        spawned_by: str | None = None,
        label: str | None = None,
        text: str | None = None,
        updated_since_ms: int | None = None,
        include_global: bool = False,
        include_unknown: bool = False,
        limit: int | None = None,
    ) -> Sequence[Session]:
        def fits(row: Session) -> bool:
            if (row.key == "global" and not include_global) or (row.key == "unknown" and not include_unknown):
                return False
            if agent_id is not None and row.agent_id != agent_id:
                return False
            if spawned_by is not None and row.members.get("spawnedBy") != spawned_by:
                return False
            if label is not None and row.members.get("label") != label:
                return False
            if updated_since_ms is not None and row.updated_at_ms < updated_since_ms:
                return False
            if text is None:
                return True
            texts = [row.members.get(name) for name in ("displayName", "label", "subject")]
            return any(text.lower() in str(one).lower() for one in [*texts, row.session_id, row.key] if one)

        found = [row for row in self.rows.values() if fits(row)]
        return sorted(found, key=lambda row: (-row.updated_at_ms, row.key))[:limit]

    def agent_ids(self) -> Sequence[str]:
        return sorted({row.agent_id for row in self.rows.values()})


@define
class MemoryArchive:
    rows: dict[tuple[str, int], dict[int, Entry]] = field(factory=dict)

    def put(self, entry: Entry, at_ms: int, number: int) -> bool:
        kept = self.rows.setdefault((entry.session_id, at_ms), {})
        return kept.setdefault(number, entry) is entry

    def transcripts(self) -> list[tuple[str, int]]:
        return sorted(self.rows)

    def all(self, session_id: str, at_ms: int) -> Iterable[Entry]:
        return [entry for _, entry in sorted(self.rows.get((session_id, at_ms), {}).items())]


@define
class MemoryEntries:
    archived: MemoryArchive = field(factory=MemoryArchive)
    rows: dict[str, list[Entry]] = field(factory=dict)

    def append(self, entry: Entry) -> None:
        rows = self.rows.setdefault(entry.session_id, [])
        if any(row.id == entry.id for row in rows):
            raise DuplicateEntry(entry.session_id, entry.id)
        rows.append(entry)

    def leaf(self, session_id: str) -> Entry | None:
        rows = self.rows.get(session_id)
        return rows[-1] if rows else None

    def path(self, session_id: str) -> Sequence[Entry]:
        return branch(reversed(self.rows.get(session_id, [])))

    def messages(self, session_id: str, limit: int) -> Iterable[Entry]:
        found = (row for row in reversed(self.rows.get(session_id, [])) if row.type == "message")
        return islice(found, limit)

    def first_user(self, session_id: str) -> Entry | None:
        for row in self.rows.get(session_id, ()):
            if row.type == "message" and row.body["message"].get("role") == "user":
                return row
        return None

    def said_since(self, timestamp_ms: int) -> Iterable[Entry]:
        entries = (entry for rows in self.rows.values() for entry in rows)
        said = [entry for entry in entries if entry.role == "assistant" and entry.timestamp_ms >= timestamp_ms]
        return sorted(said, key=lambda entry: entry.timestamp_ms)

    def count(self, session_id: str) -> int:
        return len(self.rows.get(session_id, []))

    def keep_last(self, session_id: str, most: int, at_ms: int) -> None:
        rows = self.rows.get(session_id, [])
        gone, kept = rows[:-most], rows[-most:]
        if not gone:
            return
        for number, entry in enumerate(gone, 1):
            self.archived.put(entry, at_ms, number)
        known = {entry.id for entry in kept}
        self.rows[session_id] = [entry if entry.parent_id in known else evolve(entry, parent_id=None) for entry in kept]

    def archive(self, session_id: str, at_ms: int) -> bool:
        rows = self.rows.pop(session_id, [])
        for number, entry in enumerate(rows, 1):
            self.archived.put(entry, at_ms, number)
        return bool(rows)

    def merge(self, entry: Entry) -> bool:
        rows = self.rows.setdefault(entry.session_id, [])
        place = next((place for place, row in enumerate(rows) if row.id == entry.id), None)
        if place is None:
            rows.append(entry)
        elif entry.timestamp_ms > rows[place].timestamp_ms:
            rows[place] = evolve(entry, parent_id=rows[place].parent_id)
        else:
            return False
        return True

    def session_ids(self) -> Sequence[str]:
        return sorted(session_id for session_id, rows in self.rows.items() if rows)

    def all(self, session_id: str) -> Iterable[Entry]:
        return list(self.rows.get(session_id, ()))


@define
class MemoryRuns:
    rows: dict[str, Run] = field(factory=dict)

    def get(self, run_id: str) -> Run | None:
        return self.rows.get(run_id)

    def put(self, run: Run) -> None:
        self.rows[run.run_id] = run

    def by_dedupe_key(self, dedupe_key: str) -> Run | None:
        found = [row for row in self.rows.values() if row.dedupe_key == dedupe_key]
        return min(found, key=lambda row: (-row.created_at_ms, row.run_id), default=None)

    def session_key(self, session_id: str) -> str | None:
        keys = sorted(row.session_key for row in self.rows.values() if row.session_id == session_id)
        return keys[0] if keys else None

    def unfinished(self) -> Sequence[Run]:
        rows = [row for row in self.rows.values() if row.state not in TERMINAL_STATES]
        return sorted(rows, key=lambda row: (row.created_at_ms, row.run_id))

    def forget(self, ended_before_ms: int, limit: int) -> int:
        ended = [(row.ended_at_ms or 0, row.run_id) for row in self.rows.values() if row.state in TERMINAL_STATES]
        gone = sorted(one for one in ended if one[0] < ended_before_ms)[:limit]
        for _, run_id in gone:
            del self.rows[run_id]
        return len(gone)


@define
class MemoryAnswers:
    rows: dict[str, Answer] = field(factory=dict)

    def get(self, key: str, not_before_ms: int) -> Answer | None:
        row = self.rows.get(key)
        return row if row is not None and row.written_at_ms >= not_before_ms else None

    def put(self, answer: Answer) -> None:
        self.rows[answer.key] = answer

    def sweep(self, not_before_ms: int, keep: int) -> None:
        newest = sorted(self.rows.values(), key=lambda row: -row.written_at_ms)[:keep]
        self.rows = {row.key: row for row in newest if row.written_at_ms >= not_before_ms}


@define
class MemoryRecords:
    rows: dict[str, Mapping[str, Any]] = field(factory=dict)

    def get(self, id: str) -> Mapping[str, Any] | None:
        return self.rows.get(id)

    def put(self, id: str, record: Mapping[str, Any]) -> None:
        self.rows[id] = record

    def delete(self, id: str) -> bool:
        return self.rows.pop(id, None) is not None

    def all(self) -> Iterable[tuple[str, Mapping[str, Any]]]:
        return list(self.rows.items())


@define
class MemoryCronRuns:
    rows: dict[str, list[Mapping[str, Any]]] = field(factory=dict)

    def append(self, job_id: str, ts_ms: int, record: Mapping[str, Any]) -> bool:
        rows = self.rows.setdefault(job_id, [])
        if record in rows:
            return False
        rows.append(record)
        if len(rows) > MOST_RUNS:
            del rows[:-KEPT_RUNS]
        return True

    def newest(self, job_id: str, limit: int) -> list[Mapping[str, Any]]:
        return self.rows.get(job_id, [])[-limit:]

    def job_ids(self) -> list[str]:
        return sorted(self.rows)


@define
class MemoryImports:
    rows: dict[str, Mark] = field(factory=dict)

    def get(self, source: str) -> Mark | None:
        return self.rows.get(source)

    def put(self, mark: Mark) -> None:
        self.rows[mark.source] = mark


@define
class MemoryOutbox:
    rows: dict[str, OutboxItem] = field(factory=dict)

    def put(self, item: OutboxItem) -> None:
        self.rows[item.id] = item

    def waiting(self, limit: int) -> Sequence[OutboxItem]:
        return [row for row in self.rows.values() if row.delivered_at_ms is None][:limit]

    def count(self) -> int:
        return len(self.waiting(len(self.rows)))

    def delivered(self, id: str, at_ms: int) -> None:
        if id in self.rows:
            self.rows[id] = evolve(self.rows[id], delivered_at_ms=at_ms)

    def forget(self, delivered_before_ms: int, limit: int) -> int:
        told = [(row.delivered_at_ms, row.id) for row in self.rows.values() if row.delivered_at_ms is not None]
        gone = sorted(one for one in told if one[0] < delivered_before_ms)[:limit]
        for _, item_id in gone:
            del self.rows[item_id]
        return len(gone)


@define
class MemoryUnit:
    sessions: MemorySessions = field(factory=MemorySessions)
    archive: MemoryArchive = field(factory=MemoryArchive)
    entries: MemoryEntries = field(init=False)
    bodies: LargeBodies = field(factory=NoLargeBodies)
    runs: MemoryRuns = field(factory=MemoryRuns)
    answers: MemoryAnswers = field(factory=MemoryAnswers)
    outbox: MemoryOutbox = field(factory=MemoryOutbox)
    devices: MemoryRecords = field(factory=MemoryRecords)
    device_requests: MemoryRecords = field(factory=MemoryRecords)
    nodes: MemoryRecords = field(factory=MemoryRecords)
    node_requests: MemoryRecords = field(factory=MemoryRecords)
    node_facts: MemoryRecords = field(factory=MemoryRecords)
    cron_jobs: MemoryRecords = field(factory=MemoryRecords)
    cron_runs: MemoryCronRuns = field(factory=MemoryCronRuns)
    transcripts: MemoryRecords = field(factory=MemoryRecords)
    imports: MemoryImports = field(factory=MemoryImports)

    def __attrs_post_init__(self) -> None:
        self.entries = MemoryEntries(archived=self.archive)


@define(eq=False)
class MemoryStore:
    """
    Answers at once. Work that raises leaves nothing behind.
    """

    unit: MemoryUnit = field(factory=MemoryUnit)

    @property
    def is_ready(self) -> bool:
        return True

    def write(self, work: Callable[[Unit], T]) -> Deferred[T]:
        before = deepcopy(self.unit)

        def attempt() -> T:
            try:
                return work(self.unit)
            except BaseException:
                self.unit = before
                raise

        return execute(attempt)

    def read(self, work: Callable[[Unit], T]) -> Deferred[T]:
        return execute(work, self.unit)
