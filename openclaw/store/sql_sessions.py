"""
Sessions in SQL.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import orjson
from attrs import define

from openclaw.store.interfaces import Session

COLUMNS = "key, agent_id, session_id, updated_at_ms, members"

#: Keys that no listing shows unless it is asked to, and no count counts.
HIDDEN = ("global", "unknown")

#: Under what the number of all sessions is kept.
ALL_AGENTS = ""

#: Characters of a text that is searched for; databases limit the length of a pattern.
MOST_SEARCHED = 10_000

#: The largest number that a database knows; clients may send larger ones.
MOST = 2**63 - 1


def searchable(session: Session) -> str:
    """
    What ``search`` looks in, in lower case.
    """
    texts = [session.members.get(name) for name in ("displayName", "label", "subject")]
    return "\n".join(str(text) for text in [*texts, session.session_id, session.key] if text).lower()


def _read(row: tuple[Any, ...]) -> Session:
    return Session(key=row[0], agent_id=row[1], session_id=row[2], updated_at_ms=row[3], members=orjson.loads(row[4]))


@define
class SqlSessions:
    """
    Sessions on one connection.
    """

    connection: sqlite3.Connection

    def get(self, key: str) -> Session | None:
        row = self.connection.execute(f"SELECT {COLUMNS} FROM sessions WHERE key = ?", (key,)).fetchone()
        return None if row is None else _read(row)

    def put(self, session: Session) -> None:
        old = self.connection.execute("SELECT agent_id FROM sessions WHERE key = ?", (session.key,)).fetchone()
        self.connection.execute(
            "INSERT INTO sessions (key, agent_id, session_id, updated_at_ms, label, spawned_by, search, members)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET agent_id = excluded.agent_id,"
            " session_id = excluded.session_id, updated_at_ms = excluded.updated_at_ms, label = excluded.label,"
            " spawned_by = excluded.spawned_by, search = excluded.search, members = excluded.members",
            (
                session.key,
                session.agent_id,
                session.session_id,
                session.updated_at_ms,
                session.members.get("label"),
                session.members.get("spawnedBy"),
                searchable(session),
                orjson.dumps(dict(session.members)).decode(),
            ),
        )
        if old is None or old[0] != session.agent_id:
            self._count(session.key, session.agent_id, 1)
        if old is not None and old[0] != session.agent_id:
            self._count(session.key, old[0], -1)

    def delete(self, key: str) -> bool:
        old = self.connection.execute("DELETE FROM sessions WHERE key = ? RETURNING agent_id", (key,)).fetchone()
        if old is None:
            return False
        self._count(key, old[0], -1)
        return True

    def _count(self, key: str, agent_id: str, change: int) -> None:
        if key not in HIDDEN:
            self.connection.executemany(
                "INSERT INTO session_counts (agent_id, count) VALUES (?, ?)"
                " ON CONFLICT (agent_id) DO UPDATE SET count = session_counts.count + excluded.count",
                [(agent_id, change), (ALL_AGENTS, change)],
            )

    def by_session_id(self, session_id: str) -> Sequence[Session]:
        return self._all("session_id = ?", [session_id])

    def by_label(self, label: str) -> Sequence[Session]:
        return self._all("label = ?", [label])

    def _all(self, where: str, values: list[Any]) -> Sequence[Session]:
        rows = self.connection.execute(f"SELECT {COLUMNS} FROM sessions WHERE {where} ORDER BY key", values)
        return [_read(row) for row in rows]

    def count(self, agent_id: str | None = None) -> int:
        counted = ALL_AGENTS if agent_id is None else agent_id
        row = self.connection.execute("SELECT count FROM session_counts WHERE agent_id = ?", (counted,)).fetchone()
        return 0 if row is None else int(row[0])

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
        conditions: list[str] = []
        values: list[Any] = []
        for column, value in (("agent_id", agent_id), ("spawned_by", spawned_by), ("label", label)):
            if value is not None:
                conditions.append(f"{column} = ?")
                values.append(value)
        if updated_since_ms is not None:
            conditions.append("updated_at_ms >= ?")
            values.append(max(0, updated_since_ms))
        if text is not None:
            conditions.append("search LIKE ? ESCAPE '\\'")
            values.append(f"%{_escaped(text.lower()[:MOST_SEARCHED])}%")
        shown = {"global": include_global, "unknown": include_unknown}
        # Last, since they hold for nearly every row, and conditions are looked at in this order.
        conditions += [f"key <> '{key}'" for key in HIDDEN if not shown[key]]
        where = " AND ".join(conditions) or "1 = 1"
        statement = f"SELECT {COLUMNS} FROM sessions WHERE {where} ORDER BY updated_at_ms DESC, key"
        if limit is not None:
            statement += " LIMIT ?"
            values.append(min(limit, MOST))
        return [_read(row) for row in self.connection.execute(statement, values)]

    def agent_ids(self) -> Sequence[str]:
        rows = self.connection.execute(
            "SELECT agent_id FROM session_counts WHERE count > 0 AND agent_id <> '' ORDER BY agent_id"
        )
        return [row[0] for row in rows]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
