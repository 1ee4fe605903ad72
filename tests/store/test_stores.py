"""
The interface suite on the twin and on SQLite, and what only a file can show.
"""

from __future__ import annotations

import sqlite3
import stat
from functools import partial
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import gatherResults
from twisted.trial.unittest import TestCase

from openclaw.store.errors import StoreClosed, StoreDamaged, StoreTooNew, StoreUnavailable
from openclaw.store.interfaces import Store, Unit
from openclaw.store.memory import MemoryStore
from openclaw.store.schema import migrations, open_writer
from openclaw.store.sql_runs import UNFINISHED
from openclaw.store.sqlite import SqliteStore
from tests.store.interface import StoreTests, entry, session


def put(key: str, updated_at_ms: int, unit: Unit) -> None:
    unit.sessions.put(session(key, updated_at_ms=updated_at_ms))


class MemoryStoreTests(StoreTests, TestCase):
    def setUp(self) -> None:
        self.store = MemoryStore()


class SqliteTestCase(TestCase):
    def setUp(self) -> None:
        self.path = Path(self.mktemp()) / "state" / "openclaw.sqlite3"
        self.sqlite = self.open()
        self.store: Store = self.sqlite

    def open(self) -> SqliteStore:
        store = SqliteStore(path=self.path, reactor=reactor)
        store.startService()
        self.addCleanup(store.stopService)
        return store


class SqliteStoreTests(StoreTests, SqliteTestCase):
    pass


class SqliteFileTests(SqliteTestCase):
    async def test_modes(self) -> None:
        """
        Nobody else can read the database, its directory or what lies beside it.
        """
        await self.store.write(lambda unit: unit.entries.append(entry("a", None, "x" * 300_000)))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in self.path.parent.rglob("*")}
        self.assertEqual(stat.S_IMODE(self.path.parent.stat().st_mode), 0o700)
        self.assertEqual(modes["openclaw.sqlite3"], 0o600)
        self.assertEqual({mode & 0o077 for mode in modes.values()}, {0})

    async def test_reopen(self) -> None:
        """
        What was acknowledged is there after a stop, large bodies too.
        """
        large = entry("a", None, "x" * 300_000)
        await self.store.write(lambda unit: unit.entries.append(large))
        await self.sqlite.stopService()
        again = self.open()
        self.assertEqual(await again.read(lambda unit: unit.entries.leaf("s1")), large)

    async def test_stopping(self) -> None:
        """
        A stop waits for what was asked before it, and refuses what comes after.
        """
        asked = [self.store.write(partial(put, f"agent:main:{number}", 0)) for number in range(500)]
        await self.sqlite.stopService()
        await gatherResults(asked)
        await self.assertFailure(self.store.write(lambda unit: None), StoreClosed)
        with sqlite3.connect(self.path) as connection:
            self.assertEqual(connection.execute("SELECT count(*) FROM sessions").fetchone()[0], 500)
        connection.close()

    async def test_reads_see_acknowledged_writes(self) -> None:
        """
        A read that is asked after a write was acknowledged sees it, every time.
        """
        for number in range(50):
            await self.store.write(partial(put, "agent:main:main", number))
            seen = await self.store.read(lambda unit: unit.sessions.get("agent:main:main"))
            assert seen is not None
            self.assertEqual(seen.updated_at_ms, number)

    async def test_reads_change_nothing(self) -> None:
        """
        A read that tries to write fails.
        """
        await self.assertFailure(self.store.read(lambda unit: unit.sessions.put(session())), StoreUnavailable)

    async def test_waiting(self) -> None:
        """
        What nobody has begun yet is counted; before the database is open that is everything.
        """
        store = SqliteStore(path=Path(self.mktemp()) / "openclaw.sqlite3", reactor=reactor)
        store.path.parent.mkdir()
        works = [store.write(lambda unit: None), store.write(lambda unit: None), store.read(lambda unit: None)]
        self.assertEqual(store.waiting, (2, 1))
        store.startService()
        self.addCleanup(store.stopService)
        for work in works:
            await work
        self.assertEqual(store.waiting, (0, 0))

    async def test_newer_schema(self) -> None:
        """
        A database of a later version is refused and left as it is.
        """
        await self.sqlite.stopService()
        with sqlite3.connect(self.path) as connection:
            connection.execute("PRAGMA user_version=9999")
        connection.close()
        self.assertRaises(StoreTooNew, open_writer, self.path)

    async def test_older_schema(self) -> None:
        """
        A database of an earlier version is brought up to date, with what it holds.
        """
        path = Path(self.mktemp()) / "openclaw.sqlite3"
        path.parent.mkdir()
        number, script = migrations()[0]
        connection = sqlite3.connect(path)
        connection.executescript(f"{script}\nPRAGMA user_version={number};")
        for key, agent_id in (("agent:a:x", "a"), ("agent:a:y", "a"), ("agent:b:x", "b")):
            connection.execute(
                "INSERT INTO sessions VALUES (?, ?, 's', 1, NULL, NULL, '', '{}', NULL, 0)", (key, agent_id)
            )
        connection.execute("INSERT INTO session_counts VALUES ('a', 2), ('b', 1)")
        connection.commit()
        connection.close()
        store = SqliteStore(path=path, reactor=reactor)
        store.startService()
        self.addCleanup(store.stopService)
        self.assertEqual(await store.read(lambda unit: unit.sessions.count()), 3)
        await store.write(lambda unit: unit.sessions.delete("agent:a:x"))
        self.assertEqual(await store.read(lambda unit: (unit.sessions.count(), unit.sessions.count("a"))), (2, 1))
        self.assertEqual(list(await store.read(lambda unit: unit.sessions.agent_ids())), ["a", "b"])

    async def test_damaged(self) -> None:
        """
        After an unclean end a damaged file is found at once, and whoever asks is told.
        """
        for number in range(2000):
            self.store.write(partial(put, f"agent:main:{number}", 0))
        await self.sqlite.stopService()
        with sqlite3.connect(self.path) as connection:
            connection.execute("UPDATE meta SET value = 'open' WHERE name = 'state'")
        connection.close()
        raw = bytearray(self.path.read_bytes())
        raw[len(raw) // 2 : len(raw) // 2 + 8192] = b"\xff" * 8192
        self.path.write_bytes(raw)
        again = SqliteStore(path=self.path, reactor=reactor)
        again.startService()
        self.addCleanup(again.stopService)
        await self.assertFailure(again.ready, StoreDamaged)
        await self.assertFailure(again.write(lambda unit: None), StoreUnavailable)
        reading = again.read(lambda unit: unit.sessions.count())
        told: Any = await self.assertFailure(reading, StoreUnavailable)
        self.assertEqual(str(told), "The database is damaged.")

    async def test_one_page_of_many(self) -> None:
        """
        Counting and one page cost no look at every session: both are answered from an index.
        """
        await self.store.write(lambda unit: None)

        def plans(unit: Any) -> list[str]:
            connection = unit.sessions.connection
            statements = (
                "SELECT key FROM sessions WHERE key <> 'global' ORDER BY updated_at_ms DESC, key LIMIT 5",
                "SELECT key FROM sessions WHERE agent_id = 'x' ORDER BY updated_at_ms DESC, key LIMIT 5",
                f"SELECT run_id FROM runs WHERE {UNFINISHED} ORDER BY created_at_ms, run_id",
            )
            return [
                " ".join(str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}"))
                for statement in statements
            ]

        for plan in await self.store.read(plans):
            self.assertIn("USING", plan)
            self.assertNotIn("TEMP B-TREE", plan)
