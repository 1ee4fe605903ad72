"""
A reference state directory becomes ours, once, and stays as it was.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet import reactor
from twisted.internet.defer import Deferred, fail, maybeDeferred
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase, TestCase

from openclaw.agent.transcript import context
from openclaw.sessions.keys import stored_key
from openclaw.store import import_service
from openclaw.store.import_service import RETRY_SECONDS, ImportService
from openclaw.store.interfaces import Entry, Session, Unit
from openclaw.store.memory import MemoryStore
from openclaw.store.sources import Places
from openclaw.store.sqlite import SqliteStore
from tests.store.state import DEVICE, NODE, NODE_REQUEST, NOW, PAIRED, REQUEST, everything, make_state, recorded, write

T = TypeVar("T")


def make_service(store: Any, places: Places | Path, **changes: Any) -> ImportService:
    ids = count(1)
    clock = Clock()
    clock.advance(NOW / 1000)
    given = {
        "places": places if isinstance(places, Places) else Places(state_dir=places),
        "clock": clock,
        "key_of": stored_key,
        "make_id": lambda: f"made-{next(ids)}",
        "in_thread": maybeDeferred,
        **changes,
    }
    service = ImportService(**given)
    service.store = store
    return service


class ImportTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.root = Path(self.mktemp())
        self.root.mkdir()
        self.store = MemoryStore()

    def run_import(self, places: Places | None = None) -> ImportService:
        """
        A whole import, as a new process does it.
        """
        service = make_service(self.store, places or self.root)
        self.successResultOf(self.store.write(service.pairing))
        service.startService()
        self.assertTrue(service.is_done)
        self.successResultOf(service.stopService())
        return service

    def read(self, work: Callable[[Unit], T]) -> T:
        return self.successResultOf(self.store.read(work))

    def path_of(self, session_id: str) -> list[Entry]:
        return list(self.read(lambda unit: unit.entries.path(session_id)))

    def sessions_json(self, value: Any, agent: str = "main") -> None:
        write(self.root / "agents" / agent / "sessions" / "sessions.json", value)

    def transcript(self, name: str, text: str) -> None:
        write(self.root / "agents" / "main" / "sessions" / name, text)


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


LINE = '{"type":"message","id":"%s","parentId":%s,"timestamp":"2026-11-23T06:36:24.%03dZ","message":%s}\n'
HEADER = '{"type":"session","version":3,"id":"s","timestamp":"2026-11-23T06:36:24.000Z","cwd":"/w"}\n'


def line(id: str, parent: str | None, number: int = 0, text: str = "hi", role: str = "user") -> str:
    message = f'{{"role":"{role}","content":[{{"type":"text","text":"{text}"}}]}}'
    return LINE % (id, "null" if parent is None else f'"{parent}"', number, message)


class DamageTests(ImportTestCase):
    """
    Files of people who had bad luck.
    """

    def ids(self, session_id: str = "s") -> list[str]:
        return [entry.id for entry in self.path_of(session_id)]

    def test_torn_line(self) -> None:
        """
        A line that was cut off by a crash is counted and left out; the conversation before it is whole.
        """
        self.transcript("s.jsonl", HEADER + line("a", None) + line("b", "a") + line("c", "b")[:40])
        self.assertEqual(self.run_import().counts.numbers["unreadable"], 1)
        self.assertEqual(self.ids(), ["a", "b"])

    def test_last_line_without_newline(self) -> None:
        """
        A whole last line counts, newline or not.
        """
        self.transcript("s.jsonl", HEADER + line("a", None) + line("b", "a").rstrip())
        self.run_import()
        self.assertEqual(self.ids(), ["a", "b"])

    def test_garbage_in_the_middle(self) -> None:
        """
        Junk is left out, and what hung on it hangs on the line before.
        """
        junk = "not json\n[1]\n{}\n\x00\x01\n" + '{"type":"message","id":"x","parentId":"a"}\n'
        self.transcript("s.jsonl", HEADER + line("a", None) + junk + line("b", "x"))
        self.assertEqual(self.run_import().counts.numbers["unreadable"], 5)
        self.assertEqual(self.ids(), ["a", "b"])

    def test_messages_that_no_model_takes(self) -> None:
        """
        Results of no call and blocks without a type are left out: they would fail every later run of the session.
        """
        bad = [
            '{"type":"message","id":"x","message":{"role":"toolResult","content":[]}}',
            '{"type":"message","id":"y","message":{"role":"assistant","content":[{"text":"?"}]}}',
            '{"type":"message","id":"z","message":{"role":"assistant","content":[{"type":"toolCall","id":"c"}]}}',
        ]
        plain = '{"type":"message","id":"p","message":{"role":"assistant","content":"as text"}}'
        self.transcript("s.jsonl", HEADER + line("a", None) + "\n".join([*bad, plain, ""]))
        self.assertEqual(self.run_import().counts.numbers["unreadable"], 3)
        self.assertEqual(self.ids(), ["a", "p"])
        self.assertEqual(context(self.path_of("s"))[1]["content"], [{"type": "text", "text": "as text"}])

    def test_half_a_surrogate_pair(self) -> None:
        """
        Text that was cut in the middle of an emoji is kept, without the half.
        """
        self.transcript("s.jsonl", HEADER + line("a", None, text="cut \\ud83d"))
        self.run_import()
        self.assertEqual(self.path_of("s")[0].body["message"]["content"][0]["text"], "cut \ufffd")

    def test_unknown_members(self) -> None:
        """
        Members and kinds of lines that we do not know are kept.
        """
        self.transcript("s.jsonl", HEADER + '{"type":"label","id":"a","parentId":null,"labels":{"x":[1.5,null]}}\n')
        self.run_import()
        entry = self.path_of("s")[0]
        self.assertEqual((entry.type, entry.body), ("label", {"labels": {"x": [1.5, None]}}))

    def test_lines_without_ids(self) -> None:
        """
        Lines of old versions get ids, the same each time.
        """
        text = '{"type":"message","message":{"role":"user","content":"one"}}\n' * 2
        self.transcript("s.jsonl", HEADER + text)
        self.run_import()
        first = self.ids()
        self.assertEqual(len(set(first)), 2)
        self.store = MemoryStore()
        self.run_import()
        self.assertEqual(self.ids(), first)

    def test_broken_files(self) -> None:
        """
        A file that is no JSON counts as empty and does not keep the others away; it is read once it is mended.
        """
        self.sessions_json("{ broken")
        write(self.root / "devices" / "paired.json", "[]")
        write(self.root / "cron" / "jobs.json", "\x00")
        self.transcript("s.jsonl", HEADER + line("a", None))
        self.assertEqual(self.run_import().counts.numbers, {"entries": 1, "transcripts": 1})
        self.sessions_json("{'agent:main:x': {sessionId: 's', updatedAt: 5,},} // by hand")
        self.assertEqual(self.run_import().counts.numbers, {"sessions": 1})

    def test_records_that_cannot_work(self) -> None:
        """
        Devices without a key and requests without a time are left out; tokens without scopes too.
        """
        odd = {**PAIRED, "tokens": {"operator": {"token": "t"}, "node": "?"}, "roles": "operator"}
        write(self.root / "devices" / "paired.json", {"1": {}, "2": "x", DEVICE: odd})
        write(self.root / "devices" / "pending.json", {"1": {**REQUEST, "ts": "x"}, "2": {"ts": 1}})
        self.assertEqual(self.run_import().counts.numbers, {"devices": 1, "unreadable": 4})
        self.assertEqual(
            self.read(lambda unit: unit.devices.get(DEVICE)), {**PAIRED, "tokens": {}, "roles": ["operator"]}
        )

    def test_not_a_file(self) -> None:
        """
        A link or a directory with the name of a transcript is not followed.
        """
        secret = Path(self.mktemp())
        write(secret, HEADER + line("a", None))
        self.transcript("t.jsonl", HEADER + line("a", None))
        sessions = self.root / "agents" / "main" / "sessions"
        os.symlink(secret.resolve(), sessions / "s.jsonl")
        (sessions / "d.jsonl").mkdir()
        self.assertEqual(self.run_import().counts.numbers, {"entries": 1, "transcripts": 1})
        self.assertEqual(self.ids(), [])


class MergeTests(ImportTestCase):
    """
    Two of one id.
    """

    def test_newest_session_wins(self) -> None:
        """
        What is ours and newer stays; what is theirs and newer comes.
        """
        for key in ("a", "b"):
            ours = Session(key=f"agent:main:{key}", agent_id="main", session_id=f"ours-{key}", updated_at_ms=10)
            self.successResultOf(self.store.write(partial(put_session, ours)))
        self.sessions_json(
            {"agent:main:a": {"sessionId": "old", "updatedAt": 9}, "b": {"sessionId": "new", "updatedAt": 11}}
        )
        self.run_import()
        found = self.read(lambda unit: [unit.sessions.get(f"agent:main:{key}") for key in ("a", "b")])
        self.assertEqual([session.session_id for session in found if session], ["ours-a", "new"])

    def test_two_names_of_one_session(self) -> None:
        """
        ``main`` and the key that it stands for are one session: the newer one.
        """
        self.sessions_json(
            {"main": {"sessionId": "alias", "updatedAt": 2}, "agent:main:main": {"sessionId": "real", "updatedAt": 1}}
        )
        self.run_import()
        session = self.read(lambda unit: unit.sessions.get("agent:main:main"))
        self.assertEqual(session and session.session_id, "alias")
        self.assertEqual(self.read(lambda unit: unit.sessions.count()), 1)

    def test_file_of_another_session(self) -> None:
        """
        Where the file that an entry names is another session's, the conversation in it is the session's.
        """
        self.transcript("other.jsonl", HEADER + line("a", None))
        self.sessions_json(
            {
                "x": {"sessionId": "mine", "sessionFile": "/moved/since/other.jsonl"},
                "y": {"sessionId": "own", "sessionFile": "/moved/since/lost.jsonl"},
            }
        )
        self.run_import()
        ids = self.read(lambda unit: [row.session_id for row in unit.sessions.search()])
        self.assertEqual(sorted(ids), ["other", "own"])

    def test_newest_record_wins(self) -> None:
        """
        A token that was rotated here is not turned back.
        """
        ours = {**PAIRED, "tokens": {"operator": {"token": "new", "scopes": [], "rotatedAtMs": NOW}}}
        self.successResultOf(self.store.write(lambda unit: unit.devices.put(DEVICE, ours)))
        write(self.root / "devices" / "paired.json", {DEVICE: PAIRED})
        self.run_import()
        self.assertEqual(self.read(lambda unit: unit.devices.get(DEVICE)), ours)

    def test_newest_entry_wins(self) -> None:
        """
        Of two lines with one id the later one stays, in the place of the first.
        """
        text = HEADER + line("a", None, 1, "old") + line("b", "a", 2) + line("a", None, 3, "new")
        self.transcript("s.jsonl", text)
        self.run_import()
        path = self.path_of("s")
        self.assertEqual([entry.id for entry in path], ["a", "b"])
        self.assertEqual(path[0].body["message"]["content"][0]["text"], "new")

    def test_other_stores(self) -> None:
        """
        ``session.store`` and ``cron.store`` of the configuration are read where they point to.
        """
        other = Path(self.mktemp()).absolute()
        write(other / "work" / "store.json", {"main": {"sessionId": "w", "updatedAt": 1}})
        write(other / "home" / "store.json", {"main": {"sessionId": "h", "updatedAt": 1}})
        write(other / "jobs.json", {"version": 1, "jobs": [{"id": "j"}]})
        places = Places(
            state_dir=self.root, session_store=other / "{agentId}" / "store.json", cron_store=other / "jobs.json"
        )
        self.assertEqual(self.run_import(places).counts.numbers, {"cron jobs": 1, "sessions": 2})
        self.assertEqual(list(self.read(lambda unit: unit.sessions.agent_ids())), ["home", "work"])


def put_session(session: Session, unit: Unit) -> None:
    unit.sessions.put(session)


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
