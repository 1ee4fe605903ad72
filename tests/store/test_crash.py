"""
What is left when the process, or the disk, gives out.
"""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, DeferredList
from twisted.trial.unittest import SynchronousTestCase, TestCase

from openclaw.store import schema
from openclaw.store.bodies import Bodies
from openclaw.store.errors import StoreUnavailable, StoreUnusable
from openclaw.store.interfaces import OutboxItem, Run, Unit
from openclaw.store.schema import close_cleanly, open_writer
from openclaw.store.sql_unit import SqlUnit
from openclaw.store.sqlite import SqliteStore
from tests.store.crashing import FAILING, entry_id, write

PROJECT = Path(__file__).resolve().parent.parent.parent
SEED = 20261126
KILLS = 100 if os.environ.get("OPENCLAW_SOAK") else 8


class KillTests(SynchronousTestCase):
    """
    ``kill -9`` at points that nobody chose.
    """

    def setUp(self) -> None:
        self.path = Path(self.mktemp()).absolute() / "openclaw.sqlite3"

    def run_until_killed(self, first: int, seed: int, acknowledgements: int) -> set[int]:
        """
        :param acknowledgements: after so many the process is killed, wherever it is then.
        :return: what it had acknowledged.
        """
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.store.crashing", str(self.path), str(first), str(seed)],
            stdout=subprocess.PIPE,
            cwd=PROJECT,
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
        )
        assert process.stdout is not None
        with process.stdout as output:
            lines = [output.readline() for _ in range(acknowledgements)]
            process.kill()
            process.wait()
            lines += output.readlines()
        # The last line may have been cut off; then nobody was told.
        return {int(line) for line in lines if line.endswith(b"\n")}

    def test_every_acknowledged_write(self) -> None:
        """
        After each kill the file holds together, every acknowledged write is there once, and no write is there in part.
        """
        chance = random.Random(SEED)
        acknowledged: set[int] = set()
        first = 1
        for number in range(KILLS):
            told = self.run_until_killed(first, SEED + number, chance.randint(1, 200))
            self.assertTrue(told)
            acknowledged |= told
            present = self.look()
            self.assertEqual(acknowledged - present, set())
            self.assertFalse(any(one % FAILING == 0 for one in present))
            first = max(present | acknowledged) + 1

    def look(self) -> set[int]:
        """
        Open the database as a start does, and compare all that one write puts there.

        :return: the numbers that are there.
        """
        # Not closed cleanly, so that the next process finds what a crash leaves.
        connection = open_writer(self.path)
        try:
            self.assertEqual(connection.execute("PRAGMA integrity_check").fetchone()[0], "ok")
            unit: Any = SqlUnit(connection, Bodies(self.path.parent / "blobs"))
            ids = [entry.id for entry in unit.entries.path("s")]
            runs = [run.run_id for run in unit.runs.unfinished()]
            items = [item.id for item in unit.outbox.waiting(1_000_000)]
            session = unit.sessions.get("agent:main:main")
        finally:
            connection.close()
        numbers = {int(one) for one in runs}
        self.assertEqual(len(runs), len(numbers))
        self.assertEqual(sorted(items), sorted(runs))
        self.assertEqual(sorted(ids), sorted(entry_id(one) for one in numbers))
        self.assertEqual(session.updated_at_ms, max(numbers))
        return numbers


class CheckTests(SynchronousTestCase):
    """
    When a start looks at the whole file.
    """

    def test_after_a_crash_only(self) -> None:
        """
        A file that was closed cleanly is not looked through, one that was not is.
        """
        path = Path(self.mktemp()) / "openclaw.sqlite3"
        asked: list[str] = []
        real = schema._connect

        def connect(path: Path) -> sqlite3.Connection:
            connection = real(path)
            connection.set_trace_callback(asked.append)
            return connection

        self.patch(schema, "_connect", connect)

        def checks() -> int:
            number = sum("quick_check" in statement for statement in asked)
            asked.clear()
            return number

        connection = open_writer(path)
        self.assertEqual(checks(), 0)
        connection.close()
        connection = open_writer(path)
        self.assertEqual(checks(), 1)
        close_cleanly(connection)
        connection = open_writer(path)
        self.assertEqual(checks(), 0)
        connection.close()

    def test_no_place(self) -> None:
        """
        A place where no file can be made is told as that.
        """
        file = Path(self.mktemp())
        file.touch()
        error = self.assertRaises(StoreUnusable, open_writer, file / "openclaw.sqlite3")
        self.assertEqual(str(error), f"The database {file / 'openclaw.sqlite3'} cannot be used: File exists")
        directory = Path(self.mktemp()) / "openclaw.sqlite3"
        directory.mkdir(parents=True)
        self.assertRaises(StoreUnusable, open_writer, directory)


def pragma(text: str, unit: Any) -> None:
    unit.sessions.connection.execute(f"PRAGMA {text}")


def connection_of(unit: Any) -> sqlite3.Connection:
    connection: sqlite3.Connection = unit.sessions.connection
    return connection


def pages(unit: Any) -> int:
    return int(unit.sessions.connection.execute("PRAGMA page_count").fetchone()[0])


def numbers(unit: Unit) -> list[str]:
    return [run.run_id for run in unit.runs.unfinished()]


def fill(number: int, unit: Unit) -> None:
    """
    A run and an item; every fourth is larger than what is left of a page.
    """
    run_id = f"fill-{number}"
    size = 20_000 if number % 4 == 3 else 10
    inbound = {"text": "x" * size}
    unit.runs.put(
        Run(
            run_id=run_id,
            session_key="k",
            session_id="s",
            state="accepted",
            origin="chat",
            dedupe_key=run_id,
            inbound=inbound,
            created_at_ms=1000 + number,
        )
    )
    unit.outbox.put(
        OutboxItem(id=run_id, session_key="k", run_id=run_id, channel="c", payload={}, created_at_ms=1000 + number)
    )


class DiskTests(TestCase):
    """
    A disk that takes nothing more.
    """

    def setUp(self) -> None:
        self.path = Path(self.mktemp()) / "openclaw.sqlite3"
        self.store = SqliteStore(path=self.path, reactor=reactor)
        self.store.startService()
        self.addCleanup(self.store.stopService)

    async def check(self, expected: list[str], with_entries: list[str] | None = None) -> None:
        """
        What is there, on both sides, and that it holds together.

        :param with_entries: of which there are entries; all by default.
        """
        self.assertEqual(await self.store.read(numbers), expected)
        self.assertEqual(await self.store.write(numbers), expected)
        entries = await self.store.read(lambda unit: [entry.id for entry in unit.entries.path("s")])
        self.assertEqual(entries, [entry_id(int(one)) for one in (expected if with_entries is None else with_entries)])
        await self.store.stopService()
        with sqlite3.connect(self.path) as connection:
            self.assertEqual(connection.execute("PRAGMA integrity_check").fetchone()[0], "ok")
        connection.close()

    async def test_full(self) -> None:
        """
        A full disk fails the writes that it has no room for; what was there stays whole, and with room it goes on.
        """
        await self.store.write(partial(write, 1))
        await self.store.write(partial(pragma, f"max_page_count={await self.store.write(pages) + 2}"))
        results: Any = await DeferredList(
            [self.store.write(partial(write, number)) for number in range(1001, 1101)], consumeErrors=True
        )
        failed = [number for number, (ok, _) in enumerate(results, 1001) if not ok]
        self.assertIn(1100, failed)
        full = [result for ok, result in results if not ok and result.check(StoreUnavailable)]
        self.assertIn("full", str(full[-1].value))
        await self.store.write(partial(pragma, "max_page_count=1000000"))
        await self.store.write(partial(write, 2001))
        kept = [str(number) for number in range(1001, 1101) if number not in failed]
        await self.check(["1", *kept, "2001"])

    async def unavailable(self, asked: Deferred[Any]) -> StoreUnavailable:
        """
        Why something cannot be done.
        """
        try:
            await asked
        except StoreUnavailable as error:
            return error
        raise AssertionError("it was done")

    async def test_full_for_all_of_a_commit(self) -> None:
        """
        A write that fills the disk takes with it what was to be committed with it; all are told why, and none is there.
        """
        await self.store.write(partial(write, 1))
        await self.store.write(partial(pragma, f"max_page_count={await self.store.write(pages)}"))
        results: Any = await DeferredList([self.store.write(partial(fill, n)) for n in range(40)], consumeErrors=True)
        told = {str(failure.value) for ok, failure in results if not ok}
        self.assertEqual(told, {"The disk is full: nothing more can be stored."})
        await self.store.write(partial(pragma, "max_page_count=1000000"))
        stored = await self.store.read(lambda unit: [unit.outbox.count() - 1, len(unit.runs.unfinished()) - 1])
        done = sum(ok for ok, _ in results)
        self.assertEqual(stored, [done, done])
        await self.check(["1", *(f"fill-{number}" for number, (ok, _) in enumerate(results) if ok)], ["1"])

    async def test_locked(self) -> None:
        """
        While another program holds the database, writes fail so that they can be asked for again; reads go on.
        """
        await self.store.write(partial(write, 1))
        await self.store.write(partial(pragma, "busy_timeout=1"))
        other = sqlite3.connect(self.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        told: Any = await self.unavailable(self.store.write(partial(write, 2)))
        self.assertEqual((str(told), told.retryable), ("The database is in use by another program.", True))
        self.assertEqual(await self.store.read(numbers), ["1"])
        other.execute("COMMIT")
        other.close()
        await self.store.write(partial(write, 3))
        await self.check(["1", "3"])

    async def test_page_that_went_bad(self) -> None:
        """
        A page that is found damaged while the gateway runs fails what needs it, and no more; nothing is half written.
        """
        for number in range(1, 200):
            await self.store.write(partial(write, number if number % FAILING else number + 10_000))
        await self.store.stopService()
        connection = sqlite3.connect(self.path)
        sql = "SELECT rootpage FROM sqlite_master WHERE name = 'entries'"
        root, size = connection.execute(sql).fetchone()[0], connection.execute("PRAGMA page_size").fetchone()[0]
        connection.close()
        with self.path.open("r+b") as file:
            file.seek((root - 1) * size)
            file.write(b"\xff" * size)
        self.store = SqliteStore(path=self.path, reactor=reactor)
        self.store.startService()
        self.addCleanup(self.store.stopService)
        asks: list[Deferred[Any]] = [
            self.store.read(lambda unit: unit.entries.leaf("s")),
            self.store.write(partial(write, 1000)),
        ]
        for asked in asks:
            told = await self.unavailable(asked)
            self.assertEqual((str(told), told.retryable), ("The database is damaged.", False))
        before = await self.store.read(numbers)
        self.assertNotIn("1000", before)

        def halfway(unit: Unit) -> None:
            unit.outbox.delivered("1", 1)
            unit.entries.leaf("s")

        await self.unavailable(self.store.write(halfway))
        self.assertEqual(await self.store.read(lambda unit: unit.outbox.waiting(1)[0].id), "1")
        await self.store.write(lambda unit: unit.outbox.delivered("1", 1))
        self.assertEqual(await self.store.read(lambda unit: unit.outbox.waiting(1)[0].id), "2")

    async def writer(self) -> sqlite3.Connection:
        """
        The writer's own connection, to be touched only while nothing is being written.
        """
        return await self.store.write(connection_of)

    async def test_read_only(self) -> None:
        """
        A database that may not be written any more fails every write and still answers reads.
        """
        await self.store.write(partial(write, 1))
        writer = await self.writer()
        writer.execute("PRAGMA query_only=ON")
        await self.assertFailure(self.store.write(partial(write, 2)), StoreUnavailable)
        self.assertEqual(await self.store.read(numbers), ["1"])
        writer.execute("PRAGMA query_only=OFF")
        await self.store.write(partial(write, 3))
        await self.check(["1", "3"])

    async def test_stop_while_read_only(self) -> None:
        """
        A stop that cannot say that it was clean is a stop all the same; the next start looks the file through.
        """
        await self.store.write(partial(write, 1))
        (await self.writer()).execute("PRAGMA query_only=ON")
        await self.store.stopService()
        self.assertEqual(len(self.flushLoggedErrors(sqlite3.OperationalError)), 1)
        connection = sqlite3.connect(self.path)
        self.assertEqual(connection.execute("SELECT value FROM meta WHERE name = 'state'").fetchone()[0], "open")
        connection.close()

    async def test_no_room_for_a_large_body(self) -> None:
        """
        A body that cannot be written fails its own write, and nothing names it.
        """
        blobs = self.path.parent / "blobs"
        await self.store.write(partial(write, 1))
        blobs.touch()
        results: Any = await DeferredList(
            [self.store.write(partial(write, number)) for number in (40, 41)], consumeErrors=True
        )
        self.assertEqual([ok for ok, _ in results], [False, True])
        assert results[0][1].check(OSError)
        blobs.unlink()
        await self.store.write(partial(write, 80))
        await self.check(["1", "41", "80"])

    async def test_commit_fails(self) -> None:
        """
        When the commit itself fails nobody is told that anything was written.
        """
        await self.store.write(partial(write, 1))
        writer = await self.writer()
        writer.execute("CREATE TEMP TABLE a (id INTEGER PRIMARY KEY)")
        writer.execute("CREATE TEMP TABLE b (a INTEGER REFERENCES a (id) DEFERRABLE INITIALLY DEFERRED)")
        bad = self.store.write(lambda unit: connection_of(unit).execute("INSERT INTO b VALUES (1)").rowcount)
        also = self.store.write(partial(write, 2))
        await self.assertFailure(bad, sqlite3.IntegrityError)
        results: Any = await DeferredList([also], consumeErrors=True)
        await self.store.write(partial(write, 3))
        await self.check(["1", *(["2"] if results[0][0] else []), "3"])
