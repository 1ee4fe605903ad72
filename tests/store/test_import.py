"""
A reference state directory becomes ours, once, and stays as it was.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, fail, maybeDeferred
from twisted.internet.threads import deferToThread
from twisted.logger import Logger, formatEvent
from twisted.trial.unittest import TestCase

from openclaw.agent.context import context
from openclaw.store import import_service
from openclaw.store.errors import StoreClosed
from openclaw.store.import_service import RETRY_SECONDS, ImportService
from openclaw.store.interfaces import Session
from openclaw.store.memory import MemoryStore
from openclaw.store.sources import Places
from openclaw.store.sqlite import SqliteStore
from tests.store.importing import HEADER, ImportTestCase, line, make_service
from tests.store.state import (
    DEVICE,
    NODE,
    NODE_REQUEST,
    NOW,
    PAIRED,
    REQUEST,
    everything,
    make_state,
    recorded,
    write,
)


class WholeStateTests(ImportTestCase):
    """
    What was recorded of the reference.
    """

    def setUp(self) -> None:
        super().setUp()
        make_state(self.root)

    def test_counts(self) -> None:
        """
        Everything is there, and told in one line.
        """
        service = self.run_import()
        self.assertEqual(
            service.counts.numbers,
            {
                "devices": 1,
                "device requests": 1,
                "nodes": 1,
                "node requests": 1,
                "cron jobs": 3,
                "sessions": 12,
                "entries": 127,
                "transcripts": 14,
                "archived entries": 14,
                "archived transcripts": 2,
                "cron runs": 2,
            },
        )

    def test_session(self) -> None:
        """
        A session has the members it had, but for the path of its file.
        """
        self.run_import()
        key = "agent:main:telegram:group:-100999:topic:42"
        session = self.read(lambda unit: unit.sessions.get(key))
        assert session is not None
        self.assertEqual(session.session_id, "785280a4-7508-410c-8bc5-74485039d993")
        self.assertEqual(session.updated_at_ms, 1795416046914)
        self.assertEqual(session.members["subject"], "Forum")
        self.assertEqual(session.members["deliveryContext"]["threadId"], 42)
        self.assertNotIn("sessionFile", session.members)
        self.assertEqual(
            [entry.type for entry in self.path_of(session.session_id)][:2], ["model_change", "thinking_level_change"]
        )

    def test_aborted_turn(self) -> None:
        """
        A message that was never answered stays in the tree and out of the context.
        """
        self.run_import()
        texts = [
            message["content"][0]["text"].split("\n")[0]
            for message in context(self.path_of("7a1a8a49-576c-4b43-87ca-716a897f963f"))
        ]
        self.assertEqual(texts, ["warm up", "pong: warm up", "next turn", "pong: next turn"])

    def test_injected_lines(self) -> None:
        """
        A line without a parent hangs on the line before it: the conversation goes on through a command.
        """
        self.run_import()
        path = self.path_of("2ac3a310-cf8e-4790-873a-bb4df030d0fc")
        self.assertEqual([entry.id for entry in path][-3:], ["ece34ad5", "4de4dea8", "bc40d784"])
        self.assertEqual(len(path), 9)

    def test_compaction(self) -> None:
        """
        The summary is in the context of what followed it.
        """
        self.run_import()
        path = self.path_of("9448a519-d5f4-4a1f-b559-43008e9c8b78")
        self.assertIn("No prior history.", str(context(path)[0]))

    def test_pairing(self) -> None:
        """
        A paired device comes in with the token that it has; requests still wait; nodes are kept.
        """
        self.run_import()
        self.assertEqual(self.read(lambda unit: unit.devices.get(DEVICE)), PAIRED)
        self.assertEqual(self.read(lambda unit: unit.device_requests.get(str(REQUEST["requestId"]))), REQUEST)
        self.assertEqual(self.read(lambda unit: unit.nodes.get("phone")), NODE)
        self.assertEqual(self.read(lambda unit: unit.node_requests.get("n1")), NODE_REQUEST)

    def test_cron(self) -> None:
        """
        Jobs and their run log are kept as they are.
        """
        self.run_import()
        job_id = "59aa6ce2-b86d-4510-9259-07b4750120fd"
        job = self.read(lambda unit: unit.cron_jobs.get(job_id))
        assert job is not None
        self.assertEqual(job["state"]["lastStatus"], "ok")
        lines = self.read(lambda unit: unit.cron_runs.newest(job_id, 10))
        self.assertEqual([line["status"] for line in lines], ["ok"])

    def test_archived(self) -> None:
        """
        Transcripts that were put away are kept out of every listing, with the time in their names.
        """
        self.run_import()
        self.assertEqual(
            self.read(lambda unit: unit.archive.transcripts()), [("gone", 1795414685478), ("gone", 1795414686543)]
        )
        self.assertEqual(self.path_of("gone"), [])
        self.assertEqual(len(list(self.read(lambda unit: unit.archive.all("gone", 1795414686543)))), 7)

    def test_originals(self) -> None:
        """
        Nothing in the directory is touched: not a byte, not a time, not a new file.
        """

        def look() -> Any:
            times = {str(path): path.stat().st_mtime_ns for path in self.root.rglob("*")}
            return times, everything(self.root)

        before = look()
        self.run_import()
        self.assertEqual(look(), before)

    def test_once(self) -> None:
        """
        A second start imports nothing, also of files that changed since, and forgets nothing of ours.
        """
        self.run_import()
        ours = Session(key="agent:main:main", agent_id="main", session_id="ours", updated_at_ms=NOW, members={})
        self.successResultOf(self.store.write(lambda unit: unit.sessions.put(ours)))
        self.successResultOf(self.store.write(lambda unit: unit.sessions.delete("agent:main:ex1")))
        self.sessions_json({"agent:main:main": {"sessionId": "theirs", "updatedAt": NOW + 1}})
        self.assertEqual(self.run_import().counts.numbers, {})
        self.assertEqual(self.read(lambda unit: unit.sessions.get("agent:main:main")), ours)
        self.assertIsNone(self.read(lambda unit: unit.sessions.get("agent:main:ex1")))

    def test_unchanged_folder(self) -> None:
        """
        A start after the import looks at directories, not at what is in them.
        """
        self.run_import()
        listed: list[Any] = []

        def listing(places: Places, folder: Any) -> list[Any]:
            listed.append(folder)
            return []

        self.patch(import_service, "sources", listing)
        self.run_import()
        self.assertEqual(listed, [])

    def test_new_file(self) -> None:
        """
        What is copied there later is imported at the next start.
        """
        self.run_import()
        sessions = self.root / "agents" / "main" / "sessions"
        shutil.copy(recorded("chat"), sessions / "late.jsonl")
        self.assertEqual(self.run_import().counts.numbers, {"entries": 7, "transcripts": 1})
        self.assertEqual(len(self.path_of("late")), 7)


class InterruptedTests(TestCase):
    """
    The process ends in the middle; the database is a real one.
    """

    def setUp(self) -> None:
        self.root = Path(self.mktemp())
        make_state(self.root)
        sessions = self.root / "agents" / "main" / "sessions"
        lines = [
            line(f"{number:08x}", f"{number - 1:08x}" if number else None, number % 1000) for number in range(2_000)
        ]
        (sessions / "long.jsonl").write_text(HEADER + "".join(lines), encoding="utf-8")

    def open(self) -> tuple[SqliteStore, ImportService]:
        service = make_service(None, self.root, in_thread=deferToThread)
        store = SqliteStore(path=self.root / "openclaw.sqlite3", reactor=reactor, first=service.pairing)
        service.store = store
        store.startService()
        self.addCleanup(store.stopService)
        return store, service

    async def test_every_row_once(self) -> None:
        """
        However often it is cut off, in the end every row stands there once, and what was deleted stays deleted.
        """
        for stop_after in (1, 2, 1, 3):
            store, service = self.open()
            await let_write(store, service, stop_after)
            await store.write(lambda unit: unit.sessions.delete("agent:main:main"))
            await store.stopService()
        store, service = self.open()
        service.startService()
        await service.finished()
        await service.stopService()
        path = await store.read(lambda unit: unit.entries.path("long"))
        self.assertEqual([entry.id for entry in path], [f"{number:08x}" for number in range(2_000)])
        self.assertEqual(await store.read(lambda unit: unit.sessions.count()), 11)
        self.assertIsNone(await store.read(lambda unit: unit.sessions.get("agent:main:main")))
        entries = await store.read(
            lambda unit: sum(len(list(unit.entries.all(one))) for one in unit.entries.session_ids())
        )
        self.assertEqual(entries, 2_127)

    async def test_deleted_in_between(self) -> None:
        """
        What was deleted while the rest of its file still waited does not come back.
        """
        keys = [f"agent:main:{number}" for number in range(600)]
        sessions = {key: {"sessionId": key, "updatedAt": 1} for key in keys}
        write(self.root / "agents" / "first" / "sessions" / "sessions.json", sessions)
        store, service = self.open()
        await let_write(store, service, 2)
        count = await store.read(lambda unit: unit.sessions.count())
        self.assertTrue(0 < count < 600, count)
        await store.write(lambda unit: unit.sessions.delete(keys[0]))
        await store.stopService()
        store, service = self.open()
        service.startService()
        await service.finished()
        await service.stopService()
        self.assertIsNone(await store.read(lambda unit: unit.sessions.get(keys[0])))
        self.assertEqual(await store.read(lambda unit: unit.sessions.count()), 611)


async def let_write(store: SqliteStore, service: ImportService, times: int) -> None:
    """
    Let an import write so many pieces, then nothing: the process has ended.
    """
    left = times
    ended: Deferred[None] = Deferred()

    class Ending:
        is_ready = True
        read = store.read

        def write(self, work: Any) -> Any:
            nonlocal left
            left -= 1
            if left >= 0:
                return store.write(work)
            service.running = 0
            ended.callback(None)
            return fail(OSError("the process has ended"))

    service.store = Ending()
    service.startService()
    await ended


class RetryTests(ImportTestCase):
    def test_closed(self) -> None:
        """
        A store that cannot be used is told of in one line.
        """
        service = make_service(self.store, self.root)
        lines: list[str] = []
        observer: Any = lambda event: lines.append(formatEvent(event))  # noqa: E731 - an interface to mypy
        self.patch(ImportService, "_log", Logger(observer=observer))
        self.patch(MemoryStore, "read", lambda store, work: fail(StoreClosed()))
        service.startService()
        self.assertEqual(lines, ["The import stopped, and is tried again: The store is closed."])
        self.successResultOf(service.stopService())
        clock: Any = service.clock
        self.assertEqual(clock.getDelayedCalls(), [])

    def test_disk_full(self) -> None:
        """
        When the database takes nothing the import is not done; it goes on later.
        """
        self.transcript("s.jsonl", HEADER + line("a", None))
        service = make_service(self.store, self.root)
        real = self.store.write
        self.patch(MemoryStore, "write", lambda store, work: maybeDeferred(refuse))
        service.startService()
        self.assertFalse(service.is_done)
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        self.patch(MemoryStore, "write", lambda store, work: real(work))
        clock: Any = service.clock
        clock.advance(RETRY_SECONDS)
        self.assertTrue(service.is_done)
        self.assertEqual(clock.getDelayedCalls(), [])


def refuse() -> None:
    raise OSError("database or disk is full")
