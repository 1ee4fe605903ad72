"""
Entries in SQL; large bodies are files named by the hash of their content.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from attrs import define

from openclaw.store.bodies import LARGE_BODY_BYTES, Bodies
from openclaw.store.branch import branch
from openclaw.store.interfaces import DuplicateEntry, Entry

COLUMNS = "id, session_id, parent_id, type, timestamp_ms, run_id, body, body_hash"

#: The largest number that an entry can have.
MOST_NUMBER = 2**63 - 1


def read_entry(row: tuple[Any, ...], bodies: Bodies) -> Entry:
    """
    An entry from the columns ``COLUMNS``.
    """
    body = row[6] if row[6] is not None else bodies.read(row[7])
    return Entry(
        id=row[0],
        session_id=row[1],
        parent_id=row[2],
        type=row[3],
        timestamp_ms=row[4],
        run_id=row[5],
        body=orjson.loads(body),
    )


def stored_body(entry: Entry, bodies: Bodies) -> tuple[str | None, str | None]:
    """
    :return: the body for its column, or the hash of the file that it was written to.
    """
    body = orjson.dumps(dict(entry.body))
    return (None, bodies.write(body)) if len(body) > LARGE_BODY_BYTES else (body.decode(), None)


@define
class SqlEntries:
    """
    Entries on one connection.
    """

    connection: sqlite3.Connection
    bodies: Bodies

    def _read(self, row: tuple[Any, ...]) -> Entry:
        return read_entry(row, self.bodies)

    def _select(self, rest: str, values: Sequence[Any]) -> list[Entry]:
        rows = self.connection.execute(f"SELECT {COLUMNS} FROM entries {rest}", values)
        return [self._read(row) for row in rows]

    def append(self, entry: Entry) -> None:
        if self.connection.execute(
            "SELECT 1 FROM entries WHERE session_id = ? AND id = ?", (entry.session_id, entry.id)
        ).fetchone():
            raise DuplicateEntry(entry.session_id, entry.id)
        body, body_hash = stored_body(entry, self.bodies)
        self.connection.execute(
            "INSERT INTO entries (session_id, number, id, parent_id, type, role, timestamp_ms, run_id, body, body_hash)"
            " SELECT ?, coalesce(max(number), 0) + 1, ?, ?, ?, ?, ?, ?, ?, ? FROM entries WHERE session_id = ?",
            (
                entry.session_id,
                entry.id,
                entry.parent_id,
                entry.type,
                entry.role,
                entry.timestamp_ms,
                entry.run_id,
                body,
                body_hash,
                entry.session_id,
            ),
        )

    def merge(self, entry: Entry) -> bool:
        found = self._select("WHERE session_id = ? AND id = ?", (entry.session_id, entry.id))
        if not found:
            self.append(entry)
            return True
        if entry.timestamp_ms <= found[0].timestamp_ms:
            return False
        self.connection.execute(
            "UPDATE entries SET type = ?, role = ?, timestamp_ms = ?, run_id = ?, body = ?,"
            " body_hash = ? WHERE session_id = ? AND id = ?",
            (
                entry.type,
                entry.role,
                entry.timestamp_ms,
                entry.run_id,
                *stored_body(entry, self.bodies),
                entry.session_id,
                entry.id,
            ),
        )
        return True

    def session_ids(self) -> Sequence[str]:
        rows = self.connection.execute("SELECT DISTINCT session_id FROM entries ORDER BY session_id")
        return [row[0] for row in rows]

    def all(self, session_id: str) -> Iterable[Entry]:
        rows = self.connection.execute(
            f"SELECT {COLUMNS} FROM entries WHERE session_id = ? ORDER BY number", (session_id,)
        )
        return (self._read(row) for row in rows)

    def leaf(self, session_id: str) -> Entry | None:
        found = self._select("WHERE session_id = ? ORDER BY number DESC LIMIT 1", (session_id,))
        return found[0] if found else None

    def path(self, session_id: str) -> Sequence[Entry]:
        rows = self.connection.execute(
            f"SELECT {COLUMNS} FROM entries WHERE session_id = ? ORDER BY number DESC", (session_id,)
        )
        return branch(self._read(row) for row in rows)

    def messages(self, session_id: str, limit: int) -> Iterable[Entry]:
        newest = "WHERE session_id = ? AND type = 'message' ORDER BY number DESC LIMIT ?"
        rows = self.connection.execute(f"SELECT {COLUMNS} FROM entries {newest}", (session_id, limit))
        return (self._read(row) for row in rows)

    def first_user(self, session_id: str) -> Entry | None:
        first = "WHERE session_id = ? AND type = 'message' AND role = 'user' ORDER BY number LIMIT 1"
        found = self._select(first, (session_id,))
        return found[0] if found else None

    def said_since(self, timestamp_ms: int) -> Iterable[Entry]:
        said = "WHERE role = 'assistant' AND timestamp_ms >= ? ORDER BY timestamp_ms"
        rows = self.connection.execute(f"SELECT {COLUMNS} FROM entries {said}", (timestamp_ms,))
        return (self._read(row) for row in rows)

    def count(self, session_id: str) -> int:
        counted = self.connection.execute("SELECT count(*) FROM entries WHERE session_id = ?", (session_id,))
        return int(counted.fetchone()[0])

    def keep_last(self, session_id: str, most: int, at_ms: int) -> None:
        newest = "SELECT number FROM entries WHERE session_id = ? ORDER BY number DESC LIMIT 1 OFFSET ?"
        last_to_go = self.connection.execute(newest, (session_id, most)).fetchone()
        if last_to_go is None:
            return
        self._archive(session_id, at_ms, last_to_go[0])
        self.connection.execute(
            "UPDATE entries SET parent_id = NULL WHERE session_id = ? AND parent_id IS NOT NULL AND NOT EXISTS"
            " (SELECT 1 FROM entries AS kept"
            " WHERE kept.session_id = entries.session_id AND kept.id = entries.parent_id)",
            (session_id,),
        )

    def archive(self, session_id: str, at_ms: int) -> bool:
        return self._archive(session_id, at_ms, MOST_NUMBER)

    def _archive(self, session_id: str, at_ms: int, last: int) -> bool:
        """
        :param last: number of the last entry that goes.
        """
        columns = "number, id, parent_id, type, role, timestamp_ms, run_id, body, body_hash"
        self.connection.execute(
            f"INSERT INTO archived_entries (session_id, archived_at_ms, {columns})"
            f" SELECT session_id, ?, {columns} FROM entries WHERE session_id = ? AND number <= ?",
            (at_ms, session_id, last),
        )
        gone = self.connection.execute("DELETE FROM entries WHERE session_id = ? AND number <= ?", (session_id, last))
        return gone.rowcount > 0
