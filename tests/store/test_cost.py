"""
What an operation costs does not depend on how much there is.

Counted in steps of SQLite's own machine, so that the machine the tests run on does not matter.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.store.bodies import Bodies
from openclaw.store.imports import Mark
from openclaw.store.interfaces import Answer, OutboxItem, Unit
from openclaw.store.schema import open_writer
from openclaw.store.sql_unit import SqlUnit
from tests.store.interface import entry, run, session

MANY = 20_000

#: One statement for each table, with one row for each number.
FILLING = (
    (
        "INSERT INTO sessions (key, agent_id, session_id, updated_at_ms, label, spawned_by, search, members)"
        " SELECT 'agent:a' || (n % 100) || ':' || n, 'a' || (n % 100), 's' || n, n, 'label' || n, 'agent:main:' || n,"
        " '', '{}' FROM numbers"
    ),
    "INSERT INTO session_counts (agent_id, count) SELECT 'a' || (n % 100), count(*) FROM numbers GROUP BY n % 100",
    (
        "INSERT INTO entries (session_id, number, id, type, role, timestamp_ms, body)"
        " SELECT 's' || (n % 500), n, n, 'message', 'user', n, '{\"message\":{\"role\":\"user\"}}' FROM numbers"
    ),
    # One long session that was summarised at its end.
    (
        "INSERT INTO entries (session_id, number, id, parent_id, type, role, timestamp_ms, body)"
        " SELECT 'long', n, n, n - 1, 'message', 'user', n, '{\"message\":{\"role\":\"user\"}}' FROM numbers"
    ),
    (
        "INSERT INTO entries (session_id, number, id, parent_id, type, timestamp_ms, body)"
        " SELECT 'long', max(n) + 1, 'c', max(n), 'compaction', 1, '{\"summary\":\"\"}' FROM numbers"
    ),
    (
        "INSERT INTO archived_entries (session_id, archived_at_ms, number, id, type, timestamp_ms, body)"
        " SELECT 's' || (n % 500), 1, n, n, 'message', n, '{}' FROM numbers"
    ),
    (
        "INSERT INTO runs (run_id, session_key, session_id, state, origin, dedupe_key, inbound, created_at_ms)"
        " SELECT n, 'agent:main:' || n, 's' || n, 'ok', 'chat', n, '{}', n FROM numbers"
    ),
    (
        "INSERT INTO outbox (id, session_key, channel, payload, created_at_ms, delivered_at_ms)"
        " SELECT n, 'agent:main:' || n, 'webchat', '{}', n, n FROM numbers"
    ),
    "INSERT INTO answers (key, ok, payload, written_at_ms) SELECT n, 1, '{}', n FROM numbers",
    "INSERT INTO cron_runs (job_id, number, id, ts_ms, record) SELECT 'j' || (n % 50), n, n, n, '{}' FROM numbers",
    "INSERT INTO imports (source, imported_at_ms, report) SELECT n, n, '{}' FROM numbers",
    "INSERT INTO transcripts (id, record) SELECT n, '{}' FROM numbers",
    "INSERT INTO devices (id, record) SELECT n, '{}' FROM numbers",
)

ANSWER = Answer(key="chat:x", ok=True, payload={}, error=None, written_at_ms=MANY)
ITEM = OutboxItem(id="x", session_key="agent:main:main", run_id=None, channel="webchat", payload={}, created_at_ms=MANY)

#: What happens all the time, in an order in which each finds what the ones before made.
OPERATIONS: Mapping[str, Callable[[Unit], Any]] = {
    "put a new session": lambda unit: unit.sessions.put(session(updated_at_ms=MANY * 2)),
    "put a session again": lambda unit: unit.sessions.put(session(updated_at_ms=MANY * 3)),
    "get a session": lambda unit: unit.sessions.get("agent:main:main"),
    "session by id": lambda unit: unit.sessions.by_session_id("s1"),
    "session by label": lambda unit: unit.sessions.by_label("label7"),
    "count": lambda unit: unit.sessions.count(),
    "count of an agent": lambda unit: unit.sessions.count("main"),
    "newest": lambda unit: unit.sessions.newest(1),
    "newest of an agent": lambda unit: unit.sessions.newest(1, "main"),
    "page of a list": lambda unit: unit.sessions.search(include_global=True, include_unknown=True, limit=1),
    "touched since": lambda unit: unit.sessions.search(updated_since_ms=MANY * 2, limit=10),
    "children": lambda unit: unit.sessions.search(spawned_by="agent:main:main", limit=10),
    "labelled": lambda unit: unit.sessions.search(label="none", limit=10),
    "append": lambda unit: unit.entries.append(entry("a", None, session_id="new")),
    "append after": lambda unit: unit.entries.append(entry("b", "a", session_id="new")),
    "merge": lambda unit: unit.entries.merge(entry("a", None, session_id="new", timestamp_ms=2000)),
    "leaf": lambda unit: unit.entries.leaf("new"),
    "path": lambda unit: unit.entries.path("new"),
    "path of a long session": lambda unit: unit.entries.path("long"),
    "messages": lambda unit: list(unit.entries.messages("long", 50)),
    "first user": lambda unit: unit.entries.first_user("long"),
    "archive": lambda unit: unit.entries.archive("new", 2),
    "loose bodies": lambda unit: unit.bodies.loose("", 10),
    "drop bodies": lambda unit: unit.bodies.drop(unit.bodies.loose("", 10)[0]),
    "put a run": lambda unit: unit.runs.put(run("x")),
    "get a run": lambda unit: unit.runs.get("x"),
    "run by key": lambda unit: unit.runs.by_dedupe_key("chat:x"),
    "unfinished": lambda unit: unit.runs.unfinished(),
    "put an answer": lambda unit: unit.answers.put(ANSWER),
    "get an answer": lambda unit: unit.answers.get("chat:x", 0),
    "put an item": lambda unit: unit.outbox.put(ITEM),
    "waiting items": lambda unit: unit.outbox.waiting(100),
    "delivered": lambda unit: unit.outbox.delivered("x", 1),
    "put a device": lambda unit: unit.devices.put("x", {}),
    "get a device": lambda unit: unit.devices.get("x"),
    "delete a device": lambda unit: unit.devices.delete("x"),
    "append to a run log": lambda unit: unit.cron_runs.append("new", 1, {"ts": 1}),
    "newest of a run log": lambda unit: unit.cron_runs.newest("new", 50),
    "put a mark": lambda unit: unit.imports.put(Mark(source="x", at_ms=1, report={})),
    "get a mark": lambda unit: unit.imports.get("x"),
    "delete a session": lambda unit: unit.sessions.delete("agent:main:main"),
}


class CostTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.plans: list[str] = []

    def steps(self, rows: int) -> dict[str, int]:
        """
        What each operation costs in a database with so many rows in every table.
        """
        path = Path(self.mktemp()) / "openclaw.sqlite3"
        connection = open_writer(path)
        self.addCleanup(connection.close)
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("BEGIN")
        connection.execute("CREATE TEMP TABLE numbers (n INTEGER PRIMARY KEY)")
        connection.execute(
            "WITH RECURSIVE counting (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counting WHERE n < ?)"
            " INSERT INTO numbers SELECT n FROM counting",
            (rows,),
        )
        for statement in FILLING:
            connection.execute(statement)
        bodies = Bodies(path.parent / "blobs")
        bodies.write(b"nobody's")
        unit = SqlUnit(connection, bodies)
        return {name: count_steps(connection, unit, operation) for name, operation in OPERATIONS.items()}

    def test_any_number_of_rows(self) -> None:
        """
        With 20,000 rows in every table every operation takes the steps that it takes with 100.
        """
        few, many = self.steps(100), self.steps(MANY)
        wrong = {name: (few[name], many[name]) for name in OPERATIONS if many[name] > few[name] * 1.5 + 20}
        self.assertEqual(wrong, {})

    def test_the_measure(self) -> None:
        """
        An operation that looks at every row would be seen.
        """
        path = Path(self.mktemp()) / "openclaw.sqlite3"
        connection = open_writer(path)
        self.addCleanup(connection.close)
        unit = SqlUnit(connection, Bodies(path.parent / "blobs"))

        def look(unit: Any) -> Any:
            return unit.sessions.connection.execute("SELECT count(*) FROM sessions WHERE members = ''").fetchone()

        before = count_steps(connection, unit, look)
        for number in range(200):
            unit.sessions.put(session(f"agent:main:{number}"))
        self.assertGreater(count_steps(connection, unit, look), before * 5)


def count_steps(connection: sqlite3.Connection, unit: Unit, operation: Callable[[Unit], Any]) -> int:
    """
    How many steps SQLite's machine takes for an operation.
    """
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    connection.set_progress_handler(step, 1)
    try:
        operation(unit)
    finally:
        connection.set_progress_handler(None, 1)
    return steps
