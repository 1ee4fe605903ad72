"""
Searching among many sessions finds what looking at each of them finds.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from openclaw.store import sql_search, sql_sessions
from openclaw.store.bodies import Bodies
from openclaw.store.interfaces import Session
from openclaw.store.memory import MemorySessions
from openclaw.store.schema import migrations, open_writer
from openclaw.store.sql_unit import SqlUnit
from tests.store.interface import session

#: Few letters, so that much is found; with what patterns, databases and the texts' own form could take for something.
TEXTS = st.text(alphabet="abAB%_\\\n\0\x1f'\"ÄäßſΣσςİ", max_size=4)
KEYS = st.sampled_from(["global", "unknown", *(f"agent:a:{number}" for number in range(12))])
AGENTS = st.sampled_from(["a", "b"])
MEMBERS = st.dictionaries(st.sampled_from(["label", "displayName", "subject", "spawnedBy", "other"]), TEXTS)

PUTS = st.builds(
    Session,
    key=KEYS,
    agent_id=AGENTS,
    session_id=st.sampled_from(["s1", "S2", "aB"]),
    updated_at_ms=st.integers(0, 5),
    members=MEMBERS,
)
FILTERS = st.fixed_dictionaries(
    {"text": TEXTS | st.sampled_from(["agent:A:1", "global", "s", ":"])},
    optional={
        "agent_id": AGENTS,
        "spawned_by": TEXTS,
        "label": TEXTS,
        "updated_since_ms": st.integers(-1, 6),
        "include_global": st.booleans(),
        "include_unknown": st.booleans(),
        "limit": st.integers(0, 5),
    },
)


class SearchTests(SynchronousTestCase):
    def setUp(self) -> None:
        connection = open_writer(Path(self.mktemp()) / "openclaw.sqlite3")
        self.addCleanup(connection.close)
        self.connection = connection
        self.unit = SqlUnit(connection, Bodies(Path(self.mktemp())))

    @settings(
        max_examples=150, deadline=None, suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow]
    )
    @given(
        steps=st.lists(PUTS | KEYS, max_size=25),
        asked=st.lists(FILTERS, min_size=1, max_size=6),
        block=st.integers(1, 4),
        first=st.integers(0, 4),
    )
    def test_as_the_naive_filter(
        self, steps: list[Session | str], asked: list[dict[str, Any]], block: int, first: int
    ) -> None:
        """
        After any sessions that came, changed and went, with blocks of any size.
        """
        self.patch(sql_search, "BLOCK", block)
        self.patch(sql_sessions, "FIRST", first)
        for table in ("sessions", "search_blocks", "session_counts"):
            self.connection.execute(f"DELETE FROM {table}")
        naive = MemorySessions()
        for step in steps:
            for sessions in (naive, self.unit.sessions):
                if isinstance(step, str):
                    sessions.delete(step)
                else:
                    sessions.put(step)
        for filters in asked:
            self.assertEqual(self.unit.sessions.search(**filters), naive.search(**filters), filters)
        self.check_blocks(block)

    def check_blocks(self, most: int) -> None:
        """
        Each block has the texts of its sessions, and no more sessions than it may have.
        """
        texts: dict[int, list[str]] = {}
        for block, text in self.connection.execute("SELECT block, search FROM sessions"):
            texts.setdefault(block, []).append(text)
        blocks = self.connection.execute("SELECT block, count, texts FROM search_blocks").fetchall()
        self.assertEqual({block for block, _, _ in blocks}, set(texts))
        for block, count, together in blocks:
            self.assertEqual((count, len(together)), (len(texts[block]), len("\x1f".join(texts[block]))))
            self.assertTrue(all(text in together for text in texts[block]))
            self.assertLessEqual(count, most)

    def test_never_each_session(self) -> None:
        """
        What is not there is looked for in blocks only, whatever else is asked for.
        """
        for number in range(10):
            self.unit.sessions.put(session(f"agent:main:{number}", members={"label": "x", "spawnedBy": "y"}))
        asked: list[str] = []
        self.connection.set_trace_callback(asked.append)
        for filters in ({}, {"agent_id": "main"}, {"label": "x"}, {"spawned_by": "y"}, {"updated_since_ms": 1}):
            self.unit.sessions.search(text="nowhere", limit=1000, **filters)
        self.connection.set_trace_callback(None)
        self.assertEqual(len(asked), 5)
        for statement in asked:
            plan = [row[3] for row in self.connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
            self.assertIn("SEARCH sessions USING INDEX sessions_of_block (block=?)", plan)
            self.assertEqual([step for step in plan if step.startswith("SCAN sessions")], [], statement)

    def test_older_databases(self) -> None:
        """
        The sessions of a database from before there were blocks are found, and taken into blocks when they change.
        """
        path = Path(self.mktemp()) / "openclaw.sqlite3"
        path.parent.mkdir()
        connection = sqlite3.connect(path, isolation_level=None)
        for number, script in migrations():
            if number < 9:
                connection.executescript(f"{script}\nPRAGMA user_version={number};")
        for number in range(200):
            connection.execute(
                "INSERT INTO sessions (key, agent_id, session_id, updated_at_ms, label, search, members)"
                " VALUES (?, 'main', 's', ?, NULL, ?, '{}')",
                (f"agent:main:{number}", number, ("w\0x" if number == 70 else "w") + f"\ns\nagent:main:{number}"),
            )
        connection.close()
        connection = open_writer(path)
        self.addCleanup(connection.close)
        self.connection, unit = connection, SqlUnit(connection, Bodies(path.parent))
        self.check_blocks(sql_search.BLOCK)
        self.assertEqual([row.key for row in unit.sessions.search(text="MAIN:77")], ["agent:main:77"])
        self.assertEqual(len(unit.sessions.search(text="W")), 200)
        unit.sessions.put(session("agent:main:77", members={"label": "new"}))
        unit.sessions.put(session("agent:main:new"))
        self.assertEqual(len(unit.sessions.search(text="new")), 2)
        self.check_blocks(sql_search.BLOCK)
