"""
Runs, answers, the outbox and small records in SQL.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from attrs import define

from openclaw.store.interfaces import Answer, OutboxItem, Run

RUN_COLUMNS = (
    "run_id, session_key, session_id, state, origin, dedupe_key, inbound, created_at_ms, started_at_ms, ended_at_ms,"
    " outcome, seen"
)

#: The condition of the partial index, to the letter: SQLite uses the index for no other wording.
FINISHED = "state IN ('ok', 'error', 'aborted', 'interrupted')"
UNFINISHED = "state NOT IN ('ok', 'error', 'aborted', 'interrupted')"


def dumps(value: Any) -> str:
    return orjson.dumps(value).decode()


def _optional(value: Any) -> str | None:
    return None if value is None else dumps(value)


def _run(row: tuple[Any, ...]) -> Run:
    return Run(
        run_id=row[0],
        session_key=row[1],
        session_id=row[2],
        state=row[3],
        origin=row[4],
        dedupe_key=row[5],
        inbound=orjson.loads(row[6]),
        created_at_ms=row[7],
        started_at_ms=row[8],
        ended_at_ms=row[9],
        outcome=None if row[10] is None else orjson.loads(row[10]),
        seen=bool(row[11]),
    )


@define
class SqlRuns:
    """
    Runs on one connection.
    """

    connection: sqlite3.Connection

    def get(self, run_id: str) -> Run | None:
        row = self.connection.execute(f"SELECT {RUN_COLUMNS} FROM runs WHERE run_id = ?", (run_id,)).fetchone()
        return None if row is None else _run(row)

    def put(self, run: Run) -> None:
        self.connection.execute(
            f"INSERT INTO runs ({RUN_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (run_id) DO UPDATE SET session_key = excluded.session_key,"
            " session_id = excluded.session_id, state = excluded.state, origin = excluded.origin,"
            " dedupe_key = excluded.dedupe_key, inbound = excluded.inbound, created_at_ms = excluded.created_at_ms,"
            " started_at_ms = excluded.started_at_ms, ended_at_ms = excluded.ended_at_ms,"
            " outcome = excluded.outcome, seen = excluded.seen",
            (
                run.run_id,
                run.session_key,
                run.session_id,
                run.state,
                run.origin,
                run.dedupe_key,
                dumps(dict(run.inbound)),
                run.created_at_ms,
                run.started_at_ms,
                run.ended_at_ms,
                _optional(run.outcome),
                int(run.seen),
            ),
        )

    def by_dedupe_key(self, dedupe_key: str) -> Run | None:
        row = self.connection.execute(
            f"SELECT {RUN_COLUMNS} FROM runs WHERE dedupe_key = ? ORDER BY created_at_ms DESC, run_id LIMIT 1",
            (dedupe_key,),
        ).fetchone()
        return None if row is None else _run(row)

    def session_key(self, session_id: str) -> str | None:
        row = self.connection.execute(
            "SELECT min(session_key) FROM runs WHERE session_id = ?", (session_id,)
        ).fetchone()
        return None if row is None else row[0]

    def unfinished(self) -> Sequence[Run]:
        rows = self.connection.execute(
            f"SELECT {RUN_COLUMNS} FROM runs WHERE {UNFINISHED} ORDER BY created_at_ms, run_id"
        )
        return [_run(row) for row in rows]

    def forget(self, ended_before_ms: int, limit: int) -> int:
        gone = self.connection.execute(
            f"DELETE FROM runs WHERE run_id IN (SELECT run_id FROM runs WHERE {FINISHED} AND ended_at_ms < ?"
            " ORDER BY ended_at_ms, run_id LIMIT ?)",
            (ended_before_ms, limit),
        )
        return gone.rowcount


@define
class SqlAnswers:
    """
    Answers on one connection.
    """

    connection: sqlite3.Connection

    def get(self, key: str, not_before_ms: int) -> Answer | None:
        row = self.connection.execute(
            "SELECT key, ok, payload, error, written_at_ms FROM answers WHERE key = ? AND written_at_ms >= ?",
            (key, not_before_ms),
        ).fetchone()
        if row is None:
            return None
        error = None if row[3] is None else orjson.loads(row[3])
        return Answer(key=row[0], ok=bool(row[1]), payload=orjson.loads(row[2]), error=error, written_at_ms=row[4])

    def put(self, answer: Answer) -> None:
        self.connection.execute(
            "INSERT INTO answers (key, ok, payload, error, written_at_ms) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (key) DO UPDATE SET ok = excluded.ok, payload = excluded.payload, error = excluded.error,"
            " written_at_ms = excluded.written_at_ms",
            (answer.key, int(answer.ok), dumps(answer.payload), _optional(answer.error), answer.written_at_ms),
        )

    def sweep(self, not_before_ms: int, keep: int) -> None:
        self.connection.execute("DELETE FROM answers WHERE written_at_ms < ?", (not_before_ms,))
        self.connection.execute(
            "DELETE FROM answers WHERE key NOT IN (SELECT key FROM answers ORDER BY written_at_ms DESC, key LIMIT ?)",
            (keep,),
        )


@define
class SqlOutbox:
    """
    The outbox on one connection.
    """

    connection: sqlite3.Connection

    def put(self, item: OutboxItem) -> None:
        self.connection.execute(
            "INSERT INTO outbox (id, session_key, run_id, channel, payload, created_at_ms, delivered_at_ms)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                item.id,
                item.session_key,
                item.run_id,
                item.channel,
                dumps(dict(item.payload)),
                item.created_at_ms,
                item.delivered_at_ms,
            ),
        )

    def waiting(self, limit: int) -> Sequence[OutboxItem]:
        rows = self.connection.execute(
            "SELECT id, session_key, run_id, channel, payload, created_at_ms FROM outbox"
            " WHERE delivered_at_ms IS NULL ORDER BY created_at_ms, id LIMIT ?",
            (limit,),
        )
        return [
            OutboxItem(
                id=row[0],
                session_key=row[1],
                run_id=row[2],
                channel=row[3],
                payload=orjson.loads(row[4]),
                created_at_ms=row[5],
            )
            for row in rows
        ]

    def count(self) -> int:
        counted = self.connection.execute("SELECT count(*) FROM outbox WHERE delivered_at_ms IS NULL").fetchone()
        return int(counted[0])

    def delivered(self, id: str, at_ms: int) -> None:
        self.connection.execute("UPDATE outbox SET delivered_at_ms = ? WHERE id = ?", (at_ms, id))

    def forget(self, delivered_before_ms: int, limit: int) -> int:
        gone = self.connection.execute(
            "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE delivered_at_ms IS NOT NULL"
            " AND delivered_at_ms < ? ORDER BY delivered_at_ms, id LIMIT ?)",
            (delivered_before_ms, limit),
        )
        return gone.rowcount


@define
class SqlRecords:
    """
    One table of records on one connection.

    :ivar table: a name of ours, never one from outside.
    """

    connection: sqlite3.Connection
    table: str

    def get(self, id: str) -> Mapping[str, Any] | None:
        row = self.connection.execute(f"SELECT record FROM {self.table} WHERE id = ?", (id,)).fetchone()
        if row is None:
            return None
        record: Mapping[str, Any] = orjson.loads(row[0])
        return record

    def put(self, id: str, record: Mapping[str, Any]) -> None:
        self.connection.execute(
            f"INSERT INTO {self.table} (id, record) VALUES (?, ?)"
            " ON CONFLICT (id) DO UPDATE SET record = excluded.record",
            (id, dumps(dict(record))),
        )

    def delete(self, id: str) -> bool:
        return self.connection.execute(f"DELETE FROM {self.table} WHERE id = ?", (id,)).rowcount > 0

    def all(self) -> Iterable[tuple[str, Mapping[str, Any]]]:
        rows = self.connection.execute(f"SELECT id, record FROM {self.table} ORDER BY id")
        return [(row[0], orjson.loads(row[1])) for row in rows]
