"""
The database file: opening it, its settings, its numbered migrations, and what is checked after a crash.
"""

from __future__ import annotations

import os
import re
import sqlite3
from importlib.resources import files
from pathlib import Path

from openclaw.store.errors import StoreDamaged, StoreTooNew, StoreUnusable

#: How long a connection waits for another process's lock, in seconds.
BUSY_SECONDS = 10.0

MIGRATION = re.compile(r"(\d{4})_\w+\.sql")


def open_writer(path: Path) -> sqlite3.Connection:
    """
    Open the database for writing; it is made, and brought to the newest schema, when it is not there yet.

    :raise StoreDamaged: it does not hold together, or is no database at all; it stays where it is.
    :raise StoreTooNew: a later version made it.
    :raise StoreUnusable: it may not be written, or the disk is full.
    """
    try:
        return _open_writer(path)
    except sqlite3.OperationalError as error:
        raise StoreUnusable(path, str(error)) from error
    except sqlite3.DatabaseError as error:
        raise StoreDamaged(path, str(error)) from error
    except OSError as error:
        raise StoreUnusable(path, error.strerror or str(error)) from error


def _open_writer(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Made by us first, so that it is never readable by others, not even while it is empty.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)
    connection = _connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    _migrate(connection, path)
    _check_after_crash(connection, path)
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """
    Open the database for reading only.
    """
    connection = _connect(path)
    connection.execute("PRAGMA query_only=ON")
    return connection


def close_cleanly(connection: sqlite3.Connection) -> None:
    """
    Close the writer's connection so that the next start need not check.
    """
    _set_state(connection, "closed")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _connect(path: Path) -> sqlite3.Connection:
    # Transactions are begun and ended by us; each connection stays on one thread after it was opened.
    connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_SECONDS, check_same_thread=False)
    connection.execute("PRAGMA foreign_keys=ON")
    return connection


def migrations() -> list[tuple[int, str]]:
    """
    The numbered migrations, in order.
    """
    found = []
    for file in (files("openclaw.store") / "migrations").iterdir():
        match = MIGRATION.fullmatch(file.name)
        if match is not None:
            found.append((int(match[1]), file.read_text(encoding="utf-8")))
    return sorted(found)


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    steps = migrations()
    if version > steps[-1][0]:
        raise StoreTooNew(path, version)
    for number, script in steps:
        if number > version:
            connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version={number};\nCOMMIT;")


def _check_after_crash(connection: sqlite3.Connection, path: Path) -> None:
    row = connection.execute("SELECT value FROM meta WHERE name = 'state'").fetchone()
    if row is not None and row[0] == "open":
        # Not the full check: comparing every index with its table would take minutes where there is much to compare.
        verdict = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
        if verdict != "ok":
            raise StoreDamaged(path, verdict)
    _set_state(connection, "open")


def _set_state(connection: sqlite3.Connection, state: str) -> None:
    connection.execute(
        "INSERT INTO meta (name, value) VALUES ('state', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (state,),
    )
