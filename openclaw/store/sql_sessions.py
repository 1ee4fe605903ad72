"""
Sessions in SQL.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import orjson
from attrs import define, frozen

from openclaw.store.interfaces import Session
from openclaw.store.sql_search import SearchBlocks, pattern, searchable

COLUMNS = "key, agent_id, session_id, updated_at_ms, members"

NEWEST = "updated_at_ms DESC, key"

#: Keys that no listing shows unless it is asked to, and no count counts.
HIDDEN = ("global", "unknown")

#: Under what the number of all sessions is kept.
ALL_AGENTS = ""

#: A search that finds enough among so many of the newest sessions looks no further.
FIRST = 500

#: The largest number that a database knows; clients may send larger ones.
MOST = 2**63 - 1


@frozen
class Condition:
    """
    Which rows are wanted.

    :ivar sql: with one question mark, for the value.
    """

    sql: str
    value: Any


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
        old = self.connection.execute(
            "SELECT agent_id, search, block FROM sessions WHERE key = ?", (session.key,)
        ).fetchone()
        text, blocks = searchable(session), SearchBlocks(self.connection)
        self.connection.execute(
            "INSERT INTO sessions (key, agent_id, session_id, updated_at_ms, label, spawned_by, search, members, block)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET agent_id = excluded.agent_id,"
            " session_id = excluded.session_id, updated_at_ms = excluded.updated_at_ms, label = excluded.label,"
            " spawned_by = excluded.spawned_by, search = excluded.search, members = excluded.members",
            (
                session.key,
                session.agent_id,
                session.session_id,
                session.updated_at_ms,
                session.members.get("label"),
                session.members.get("spawnedBy"),
                text,
                orjson.dumps(dict(session.members)).decode(),
                blocks.add(text) if old is None else old[2],
            ),
        )
        if old is not None and old[1] != text:
            blocks.renew(old[2])
        if old is None or old[0] != session.agent_id:
            self._count(session.key, session.agent_id, 1)
        if old is not None and old[0] != session.agent_id:
            self._count(session.key, old[0], -1)

    def delete(self, key: str) -> bool:
        gone = "DELETE FROM sessions WHERE key = ? RETURNING agent_id, block"
        old = self.connection.execute(gone, (key,)).fetchone()
        if old is None:
            return False
        SearchBlocks(self.connection).renew(old[1])
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
        equal = {"agent_id": agent_id, "spawned_by": spawned_by, "label": label}
        wanted = [Condition(f"{column} = ?", value) for column, value in equal.items() if value is not None]
        if updated_since_ms is not None:
            wanted.append(Condition("updated_at_ms >= ?", max(0, updated_since_ms)))
        # Last, since they hold for nearly every row, and conditions are looked at in this order.
        shown = {"global": include_global, "unknown": include_unknown}
        wanted += [Condition("key <> ?", key) for key in HIDDEN if not shown[key]]
        most = MOST if limit is None else min(limit, MOST)
        return self._select("sessions", wanted, most) if text is None else self._find(pattern(text), wanted, most)

    def _find(self, looked_for: str, wanted: Sequence[Condition], most: int) -> Sequence[Session]:
        like = Condition("search LIKE ? ESCAPE '\\'", looked_for)
        if most <= FIRST:
            newest = f"SELECT * FROM sessions WHERE {_where(wanted)} ORDER BY {NEWEST} LIMIT {FIRST}"
            found = self._select(f"({newest}) AS newest", [like], most, [one.value for one in wanted])
            if len(found) == most:
                return found
        blocks = "SELECT block FROM search_blocks WHERE texts LIKE ? ESCAPE '\\'"
        # With an order and an end of their own, so that these come first: where another column is asked for, too, its
        # index would be taken, and all that it has looked at.
        members = f"SELECT * FROM sessions WHERE block IN ({blocks}) ORDER BY block LIMIT {MOST}"
        return self._select(f"({members}) AS members", [*wanted, like], most, [looked_for])

    def _select(
        self, source: str, conditions: Sequence[Condition], most: int, before: Sequence[Any] = ()
    ) -> Sequence[Session]:
        """
        :param before: values of the source.
        """
        statement = f"SELECT {COLUMNS} FROM {source} WHERE {_where(conditions)} ORDER BY {NEWEST} LIMIT ?"
        values = [*before, *(condition.value for condition in conditions), most]
        return [_read(row) for row in self.connection.execute(statement, values)]

    def agent_ids(self) -> Sequence[str]:
        rows = self.connection.execute(
            "SELECT agent_id FROM session_counts WHERE count > 0 AND agent_id <> '' ORDER BY agent_id"
        )
        return [row[0] for row in rows]


def _where(conditions: Sequence[Condition]) -> str:
    return " AND ".join(condition.sql for condition in conditions) or "1 = 1"
