"""
One transaction in SQL.
"""

from __future__ import annotations

import sqlite3

from openclaw.store.bodies import Bodies, SqlLargeBodies
from openclaw.store.sql_entries import SqlEntries
from openclaw.store.sql_imports import SqlArchive, SqlCronRuns, SqlImports
from openclaw.store.sql_runs import SqlAnswers, SqlOutbox, SqlRecords, SqlRuns
from openclaw.store.sql_sessions import SqlSessions


class SqlUnit:
    """
    One transaction on one connection.
    """

    def __init__(self, connection: sqlite3.Connection, bodies: Bodies) -> None:
        self.sessions = SqlSessions(connection)
        self.entries = SqlEntries(connection, bodies)
        self.bodies = SqlLargeBodies(connection, bodies)
        self.archive = SqlArchive(connection, bodies)
        self.runs = SqlRuns(connection)
        self.answers = SqlAnswers(connection)
        self.outbox = SqlOutbox(connection)
        self.devices = SqlRecords(connection, "devices")
        self.device_requests = SqlRecords(connection, "device_requests")
        self.nodes = SqlRecords(connection, "nodes")
        self.node_requests = SqlRecords(connection, "node_requests")
        self.node_facts = SqlRecords(connection, "node_facts")
        self.cron_jobs = SqlRecords(connection, "cron_jobs")
        self.cron_runs = SqlCronRuns(connection)
        self.transcripts = SqlRecords(connection, "transcripts")
        self.imports = SqlImports(connection)
