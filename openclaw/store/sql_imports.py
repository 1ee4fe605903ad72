"""
Import marks, the run log and the archive in SQL.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from attrs import define

from openclaw.store.bodies import Bodies
from openclaw.store.imports import KEPT_RUNS, MOST_RUNS, Mark
from openclaw.store.interfaces import Entry
from openclaw.store.sql_entries import COLUMNS, read_entry, stored_body


def line_id(record: Mapping[str, Any]) -> str:
    """
    What tells one line of a run log from another.
    """
    return hashlib.sha256(orjson.dumps(dict(record), option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


@define
class SqlImports:
    """
    Marks on one connection.
    """

    connection: sqlite3.Connection

    def get(self, source: str) -> Mark | None:
        row = self.connection.execute(
            "SELECT source, imported_at_ms, report FROM imports WHERE source = ?", (source,)
        ).fetchone()
        return None if row is None else Mark(source=row[0], at_ms=row[1], report=orjson.loads(row[2]))

    def put(self, mark: Mark) -> None:
        self.connection.execute(
            "INSERT INTO imports (source, imported_at_ms, report) VALUES (?, ?, ?) ON CONFLICT (source)"
            " DO UPDATE SET imported_at_ms = excluded.imported_at_ms, report = excluded.report",
            (mark.source, mark.at_ms, orjson.dumps(dict(mark.report)).decode()),
        )


@define
class SqlCronRuns:
    """
    The run log on one connection.
    """

    connection: sqlite3.Connection

    def append(self, job_id: str, ts_ms: int, record: Mapping[str, Any]) -> bool:
        added = self.connection.execute(
            "INSERT INTO cron_runs (job_id, number, id, ts_ms, record)"
            " SELECT ?, coalesce(max(number), 0) + 1, ?, ?, ? FROM cron_runs WHERE job_id = ?"
            " ON CONFLICT (job_id, id) DO NOTHING",
            (job_id, line_id(record), ts_ms, orjson.dumps(dict(record)).decode(), job_id),
        )
        first, last = self.connection.execute(
            "SELECT min(number), max(number) FROM cron_runs WHERE job_id = ?", (job_id,)
        ).fetchone()
        if last - first >= MOST_RUNS:
            self.connection.execute(
                "DELETE FROM cron_runs WHERE job_id = ? AND number <= ?", (job_id, last - KEPT_RUNS)
            )
        return added.rowcount > 0

    def newest(self, job_id: str, limit: int) -> list[Mapping[str, Any]]:
        rows = self.connection.execute(
            "SELECT record FROM cron_runs WHERE job_id = ? ORDER BY number DESC LIMIT ?", (job_id, limit)
        )
        return [orjson.loads(row[0]) for row in rows][::-1]

    def job_ids(self) -> list[str]:
        return [row[0] for row in self.connection.execute("SELECT DISTINCT job_id FROM cron_runs ORDER BY job_id")]


@define
class SqlArchive:
    """
    The archive on one connection.
    """

    connection: sqlite3.Connection
    bodies: Bodies

    def put(self, entry: Entry, at_ms: int, number: int) -> bool:
        body, body_hash = stored_body(entry, self.bodies)
        added = self.connection.execute(
            "INSERT INTO archived_entries (session_id, archived_at_ms, number, id, parent_id, type, role, timestamp_ms,"
            " run_id, body, body_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (session_id, archived_at_ms, number) DO NOTHING",
            (
                entry.session_id,
                at_ms,
                number,
                entry.id,
                entry.parent_id,
                entry.type,
                entry.role,
                entry.timestamp_ms,
                entry.run_id,
                body,
                body_hash,
            ),
        )
        return added.rowcount > 0

    def transcripts(self) -> list[tuple[str, int]]:
        rows = self.connection.execute(
            "SELECT DISTINCT session_id, archived_at_ms FROM archived_entries ORDER BY session_id, archived_at_ms"
        )
        return [(row[0], row[1]) for row in rows]

    def all(self, session_id: str, at_ms: int) -> Iterable[Entry]:
        rows = self.connection.execute(
            f"SELECT {COLUMNS} FROM archived_entries WHERE session_id = ? AND archived_at_ms = ? ORDER BY number",
            (session_id, at_ms),
        )
        return (read_entry(row, self.bodies) for row in rows)
