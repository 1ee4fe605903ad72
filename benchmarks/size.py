"""
A state directory with much in it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openclaw.store.schema import close_cleanly, open_writer

SESSIONS = 100_000
MESSAGES = 100_000

#: The session with all the messages; the newest one.
LONG_KEY = "agent:main:long"

NUMBERS = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)"

#: Statements that are given how many rows to make. Every session but the long one has two
#: messages.
SESSION_ROWS = (
    (
        "INSERT INTO sessions (key, agent_id, session_id, updated_at_ms, label, search, members)"
        " SELECT 'agent:main:n' || n, 'main', 's' || n, 1700000000000 + n, 'label ' || n,"
        " 'label ' || n || char(31) || 's' || n || char(31) || 'agent:main:n' || n,"
        " json_object('label', 'label ' || n, 'model', 'm', 'totalTokens', n) FROM numbers"
    ),
    (
        "INSERT INTO entries (session_id, number, id, type, role, timestamp_ms, body)"
        " SELECT 's' || n, 1, '00000001', 'message', 'user', 1700000000000 + n, json_object('message',"
        " json_object('role', 'user', 'content', 'question ' || n)) FROM numbers"
    ),
    (
        "INSERT INTO entries (session_id, number, id, parent_id, type, role, timestamp_ms, body)"
        " SELECT 's' || n, 2, '00000002', '00000001', 'message', 'assistant', 1700000000000 + n, json_object('message',"
        " json_object('role', 'assistant', 'content', json_array(json_object('type', 'text', 'text', 'answer ' || n))))"
        " FROM numbers"
    ),
)
MESSAGE_ROWS = (
    "INSERT INTO entries (session_id, number, id, parent_id, type, role, timestamp_ms, body)"
    " SELECT 'long', n, printf('%08x', n), iif(n = 1, NULL, printf('%08x', n - 1)), 'message',"
    " iif(n % 2, 'user', 'assistant'), 1700000000000 + n, json_object('message', json_object('role',"
    " iif(n % 2, 'user', 'assistant'), 'content', json_array(json_object('type', 'text', 'text',"
    " 'something of about the length of a sentence, number ' || n)))) FROM numbers"
)
#: The long session was summarised at its end, as every session of this length was.
SUMMARY = (
    "INSERT INTO entries (session_id, number, id, parent_id, type, timestamp_ms, body)"
    " SELECT 'long', n + 1, printf('%08x', n + 1), printf('%08x', n), 'compaction', 1700000000000 + n,"
    " json_object('summary', 'much was said', 'firstKeptEntryId', printf('%08x', n - 20)) FROM (SELECT ? AS n)"
)

#: As they come to be when sessions are made one after the other.
BLOCKS = (
    (
        "UPDATE sessions SET block = number FROM (SELECT key AS numbered,"
        " (row_number() OVER (ORDER BY updated_at_ms) + 63) / 64 AS number FROM sessions) WHERE key = numbered"
    ),
    "INSERT INTO search_blocks SELECT block, count(*), group_concat(search, char(31)) FROM sessions GROUP BY block",
)

#: What is asked of each of the two gateways.
ASKED: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "status": ("status", {}),
    "sessions.list, one page": ("sessions.list", {"limit": 50}),
    "sessions.list with titles and last messages": (
        "sessions.list",
        {"limit": 50, "includeDerivedTitles": True, "includeLastMessage": True},
    ),
    "sessions.list, a search that finds nothing": ("sessions.list", {"limit": 50, "search": "nowhere"}),
    "sessions.list, a search for an old one": ("sessions.list", {"limit": 50, "search": "n777"}),
    "sessions.list, a search among those of an agent": (
        "sessions.list",
        {"limit": 50, "search": "nowhere", "agentId": "main"},
    ),
    "sessions.list, a search for what many have": ("sessions.list", {"limit": 50, "search": "label"}),
    "sessions.preview of twenty": (
        "sessions.preview",
        {"keys": [LONG_KEY, *(f"agent:main:n{n}" for n in range(1, 20))]},
    ),
    "chat.history, the last 200": ("chat.history", {"sessionKey": LONG_KEY, "limit": 200}),
}


def fill(state: Path, sessions: int, messages: int) -> None:
    """
    Put so many sessions into a state directory, and so many messages into one more.
    """
    connection = open_writer(state / "openclaw.sqlite3")
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("BEGIN")
    for statement in SESSION_ROWS:
        _insert(connection, statement, sessions)
    _insert(connection, MESSAGE_ROWS, messages)
    connection.execute(SUMMARY, (messages,))
    connection.execute(
        "INSERT INTO sessions (key, agent_id, session_id, updated_at_ms, search, members)"
        " VALUES (?, 'main', 'long', 1800000000000, 'long', '{}')",
        (LONG_KEY,),
    )
    for statement in BLOCKS:
        connection.execute(statement)
    connection.executemany(
        "INSERT INTO session_counts (agent_id, count) VALUES (?, ?)"
        " ON CONFLICT (agent_id) DO UPDATE SET count = excluded.count",
        [("main", sessions + 1), ("", sessions + 1)],
    )
    connection.execute("COMMIT")
    close_cleanly(connection)


def _insert(connection: sqlite3.Connection, statement: str, rows: int) -> None:
    # The recursive part stands between the target and what is selected.
    target, _, selected = statement.partition(" SELECT ")
    connection.execute(f"{target} {NUMBERS} SELECT {selected}", (rows,))
