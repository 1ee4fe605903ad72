"""
What every store must do, said once and run on each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from attrs import evolve
from twisted.internet.defer import gatherResults

from openclaw.store.imports import KEPT_RUNS, MOST_RUNS, Mark
from openclaw.store.interfaces import Answer, DuplicateEntry, Entry, OutboxItem, Run, Session, Store, Unit

T = TypeVar("T")


def session(key: str = "agent:main:main", **changes: Any) -> Session:
    plain = Session(key=key, agent_id="main", session_id="s1", updated_at_ms=1000, members={"label": None})
    return evolve(plain, members={}, **changes) if "members" not in changes else evolve(plain, **changes)


def entry(id: str, parent_id: str | None, text: str = "hi", **changes: Any) -> Entry:
    plain = Entry(
        id=id,
        session_id="s1",
        parent_id=parent_id,
        type="message",
        timestamp_ms=1000,
        body={"message": {"role": "user", "content": [{"type": "text", "text": text}]}},
    )
    return evolve(plain, **changes)


def run(run_id: str, **changes: Any) -> Run:
    plain = Run(
        run_id=run_id,
        session_key="agent:main:main",
        session_id="s1",
        state="accepted",
        origin="chat",
        dedupe_key=f"chat:{run_id}",
        inbound={"message": "hi"},
        created_at_ms=1000,
    )
    return evolve(plain, **changes)


class Boom(Exception):
    """
    Work that fails.
    """


class StoreTests:
    """
    Mixed into a ``TestCase`` that has ``self.store``.
    """

    store: Store

    async def write(self, work: Callable[[Unit], T]) -> T:
        return await self.store.write(work)

    async def read(self: Any, work: Callable[[Unit], T]) -> T:
        """
        Read, and check that the writer sees the same.
        """
        seen: T = await self.store.read(work)
        self.assertEqual(await self.store.write(work), seen)
        return seen

    async def test_session_round_trip(self: Any) -> None:
        """
        A session comes back as it was put, members that nobody knows included; the last one put holds.
        """
        first = session(members={"label": "a", "from the future": {"x": [1, None, "é"]}})
        await self.write(lambda unit: unit.sessions.put(first))
        self.assertEqual(await self.read(lambda unit: unit.sessions.get(first.key)), first)
        second = evolve(first, session_id="s2", updated_at_ms=2000, members={})
        await self.write(lambda unit: unit.sessions.put(second))
        self.assertEqual(await self.read(lambda unit: unit.sessions.get(first.key)), second)
        self.assertEqual(await self.read(lambda unit: unit.sessions.count()), 1)
        self.assertIsNone(await self.read(lambda unit: unit.sessions.get("nope")))

    async def test_session_counts(self: Any) -> None:
        """
        Counts follow puts and deletes and leave out what is hidden.
        """

        def fill(unit: Unit) -> None:
            for number in range(5):
                unit.sessions.put(session(f"agent:main:{number}", updated_at_ms=number))
            unit.sessions.put(session("agent:work:main", agent_id="work", updated_at_ms=9))
            unit.sessions.put(session("global", updated_at_ms=99))
            unit.sessions.put(session("unknown", updated_at_ms=98))

        await self.write(fill)
        self.assertEqual(await self.write(lambda unit: unit.sessions.delete("agent:main:0")), True)
        self.assertEqual(await self.write(lambda unit: unit.sessions.delete("agent:main:0")), False)
        await self.write(lambda unit: unit.sessions.delete("global"))
        counts = await self.read(
            lambda unit: (unit.sessions.count(), unit.sessions.count("main"), unit.sessions.count("nope"))
        )
        self.assertEqual(counts, (5, 4, 0))
        self.assertEqual(await self.read(lambda unit: list(unit.sessions.agent_ids())), ["main", "work"])
        newest = await self.read(lambda unit: [row.key for row in unit.sessions.newest(2)])
        self.assertEqual(newest, ["agent:work:main", "agent:main:4"])

    async def test_session_search(self: Any) -> None:
        """
        Every filter narrows, in any combination, and text is taken literally.
        """

        def fill(unit: Unit) -> None:
            unit.sessions.put(session("agent:main:a", session_id="aa", updated_at_ms=1, members={"label": "Ab%"}))
            unit.sessions.put(session("agent:main:b", session_id="bb", updated_at_ms=2, members={"spawnedBy": "x"}))
            unit.sessions.put(session("agent:main:c", session_id="cc", updated_at_ms=3, members={"subject": "Äpfel"}))
            unit.sessions.put(session("global", updated_at_ms=4))

        await self.write(fill)

        async def keys(**filters: Any) -> list[str]:
            return [row.key for row in await self.read(lambda unit: unit.sessions.search(**filters))]

        self.assertEqual(await keys(), ["agent:main:c", "agent:main:b", "agent:main:a"])
        self.assertEqual(await keys(include_global=True, limit=1), ["global"])
        self.assertEqual(await keys(text="b%"), ["agent:main:a"])
        self.assertEqual(await keys(text="ÄPF"), ["agent:main:c"])
        self.assertEqual(await keys(text="MAIN:B"), ["agent:main:b"])
        self.assertEqual(await keys(spawned_by="x"), ["agent:main:b"])
        self.assertEqual(await keys(label="Ab%"), ["agent:main:a"])
        self.assertEqual(await keys(updated_since_ms=2, agent_id="main"), ["agent:main:c", "agent:main:b"])
        self.assertEqual(await keys(limit=10**20), await keys(updated_since_ms=-(10**20)))
        self.assertEqual(await keys(text="_%" * 30_000), [])
        by_id = await self.read(lambda unit: [row.key for row in unit.sessions.by_session_id("bb")])
        by_label = await self.read(lambda unit: [row.key for row in unit.sessions.by_label("Ab%")])
        self.assertEqual((by_id, by_label), (["agent:main:b"], ["agent:main:a"]))

    async def test_entry_tree(self: Any) -> None:
        """
        The path follows parents from the newest entry; the history does not.
        """

        def fill(unit: Unit) -> None:
            unit.entries.append(entry("a", None, type="model_change", body={"provider": "x"}))
            unit.entries.append(entry("b", "a"))
            unit.entries.append(entry("orphan", "b"))
            unit.entries.append(entry("c", "b", run_id="r"))
            unit.entries.append(entry("z", None, session_id="other"))

        await self.write(fill)
        path = await self.read(lambda unit: [row.id for row in unit.entries.path("s1")])
        messages = await self.read(lambda unit: [row.id for row in unit.entries.messages("s1", 2)])
        leaf = await self.read(lambda unit: unit.entries.leaf("s1"))
        first = await self.read(lambda unit: unit.entries.first_user("s1"))
        self.assertEqual((path, messages), (["a", "b", "c"], ["c", "orphan"]))
        self.assertEqual((leaf, first and first.id), (entry("c", "b", run_id="r"), "b"))
        self.assertEqual(await self.read(lambda unit: list(unit.entries.path("none"))), [])

    async def test_path_after_a_compaction(self: Any) -> None:
        """
        The path begins with the first entry that the latest compaction kept; with the compaction, where it says
        nothing of that; with the root, where what it names is on no branch.
        """

        def compacted(session_id: str, first: str | None) -> list[Entry]:
            summary: Any = {"summary": "they met"} | ({} if first is None else {"firstKeptEntryId": first})
            earlier = {"summary": "long ago", "firstKeptEntryId": "a"}
            made = [entry("a", None), entry("b", "a"), entry("c", "b", type="compaction", body=earlier)]
            made += [entry("d", "c"), entry("e", "d", type="compaction", body=summary), entry("f", "e")]
            return [evolve(one, session_id=session_id) for one in made]

        for session_id, first, expected in (("kept", "d", "def"), ("none", None, "ef"), ("lost", "x", "abcdef")):
            for one in compacted(session_id, first):
                await self.write(partial(merge, one))
            path = await self.read(lambda unit, of=session_id: [row.id for row in unit.entries.path(of)])
            self.assertEqual("".join(path), expected, session_id)

    async def test_entry_ids_are_unique(self: Any) -> None:
        """
        An id can be used once in a session, and again in another.
        """
        await self.write(lambda unit: unit.entries.append(entry("a", None)))
        await self.assertFailure(self.store.write(lambda unit: unit.entries.append(entry("a", "a"))), DuplicateEntry)
        await self.write(lambda unit: unit.entries.append(entry("a", None, session_id="s2")))

    async def test_large_body(self: Any) -> None:
        """
        A body of a megabyte comes back whole.
        """
        large = entry("a", None, "x" * 1_000_000)
        await self.write(lambda unit: unit.entries.append(large))
        self.assertEqual(await self.read(lambda unit: unit.entries.leaf("s1")), large)

    async def test_archive(self: Any) -> None:
        """
        Archived entries are gone from every listing, and the session id can begin again.
        """
        await self.write(lambda unit: unit.entries.append(entry("a", None)))
        self.assertEqual(await self.write(lambda unit: unit.entries.archive("s1", 5)), True)
        self.assertEqual(await self.write(lambda unit: unit.entries.archive("s1", 6)), False)
        self.assertIsNone(await self.read(lambda unit: unit.entries.leaf("s1")))
        await self.write(lambda unit: unit.entries.append(entry("a", None)))
        self.assertIsNotNone(await self.read(lambda unit: unit.entries.leaf("s1")))

    async def test_said_since(self: Any) -> None:
        """
        What models said in any session, oldest first, not what was said to them, nor what was deleted.
        """

        def fill(unit: Unit) -> None:
            for name, session_id, role, at_ms in (
                ("a", "s1", "assistant", 9),
                ("b", "s1", "assistant", 30),
                ("c", "s2", "assistant", 10),
                ("d", "s2", "user", 11),
                ("e", "gone", "assistant", 12),
            ):
                body = {"message": {"role": role, "content": name}}
                said = Entry(
                    id=name, session_id=session_id, parent_id=None, type="message", timestamp_ms=at_ms, body=body
                )
                unit.entries.append(said)
            unit.entries.archive("gone", 40)

        await self.write(fill)
        said = await self.read(lambda unit: [(row.session_id, row.id) for row in unit.entries.said_since(10)])
        self.assertEqual(said, [("s2", "c"), ("s1", "b")])

    async def test_keep_last(self: Any) -> None:
        """
        What is cut off goes to the archive; what stays begins anew, and goes on.
        """

        def fill(unit: Unit) -> None:
            for name, parent in (("a", None), ("b", "a"), ("c", "b"), ("d", "b"), ("e", "d")):
                unit.entries.append(entry(name, parent))

        await self.write(fill)
        await self.write(lambda unit: unit.entries.keep_last("s1", 5, 7))
        self.assertEqual(await self.read(lambda unit: unit.entries.count("s1")), 5)
        await self.write(lambda unit: unit.entries.keep_last("s1", 3, 7))
        kept = await self.read(lambda unit: [(row.id, row.parent_id) for row in unit.entries.all("s1")])
        self.assertEqual(kept, [("c", None), ("d", None), ("e", "d")])
        archived = await self.read(lambda unit: [row.id for row in unit.archive.all("s1", 7)])
        self.assertEqual(archived, ["a", "b"])
        await self.write(lambda unit: unit.entries.append(entry("f", "e")))
        path = await self.read(lambda unit: [row.id for row in unit.entries.path("s1")])
        self.assertEqual(path, ["d", "e", "f"])
        self.assertEqual(await self.read(lambda unit: unit.entries.count("s2")), 0)

    async def test_runs(self: Any) -> None:
        """
        Runs come back whole, by id and by key; unfinished ones oldest first.
        """

        def fill(unit: Unit) -> None:
            unit.runs.put(run("b", created_at_ms=2))
            unit.runs.put(run("a", created_at_ms=3, state="running", seen=True, started_at_ms=4))
            unit.runs.put(run("w", created_at_ms=1, state="waiting"))
            for state in ("ok", "error", "aborted", "interrupted"):
                unit.runs.put(run(state, state=state, ended_at_ms=5, outcome={"status": state}))

        await self.write(fill)
        unfinished = await self.read(lambda unit: [row.run_id for row in unit.runs.unfinished()])
        self.assertEqual(unfinished, ["w", "b", "a"])
        found = await self.read(lambda unit: unit.runs.get("a"))
        self.assertEqual(found, run("a", created_at_ms=3, state="running", seen=True, started_at_ms=4))
        await self.write(lambda unit: unit.runs.put(evolve(found, state="ok", outcome={"x": 1}, ended_at_ms=9)))
        ended = await self.read(lambda unit: unit.runs.by_dedupe_key("chat:a"))
        self.assertEqual((ended.state, ended.outcome, ended.ended_at_ms), ("ok", {"x": 1}, 9))
        self.assertIsNone(await self.read(lambda unit: unit.runs.by_dedupe_key("chat:none")))

    async def test_forgotten_runs(self: Any) -> None:
        """
        The oldest that have ended, so many at a time; what goes on stays.
        """

        def fill(unit: Unit) -> None:
            for number, state in enumerate(("ok", "error", "aborted", "interrupted")):
                unit.runs.put(run(state, state=state, ended_at_ms=number, outcome={}))
            unit.runs.put(run("going", state="running", started_at_ms=1))

        await self.write(fill)
        self.assertEqual(await self.write(lambda unit: unit.runs.forget(3, 2)), 2)
        self.assertIsNone(await self.read(lambda unit: unit.runs.get("error")))
        self.assertEqual(await self.write(lambda unit: unit.runs.forget(3, 2)), 1)
        self.assertEqual(await self.write(lambda unit: unit.runs.forget(3, 2)), 0)
        for name in ("interrupted", "going"):
            self.assertIsNotNone(await self.read(lambda unit, name=name: unit.runs.get(name)))

    async def test_answers(self: Any) -> None:
        """
        Answers live for a while, and only so many of them.
        """

        def fill(unit: Unit) -> None:
            for number in range(10):
                unit.answers.put(
                    Answer(key=f"k{number}", ok=True, payload={"n": number}, error=None, written_at_ms=number)
                )
            unit.answers.put(Answer(key="bad", ok=False, payload=None, error={"code": "X"}, written_at_ms=20))

        await self.write(fill)
        bad = await self.read(lambda unit: unit.answers.get("bad", 0))
        self.assertEqual((bad.ok, bad.payload, bad.error), (False, None, {"code": "X"}))
        self.assertIsNone(await self.read(lambda unit: unit.answers.get("k3", 4)))
        await self.write(lambda unit: unit.answers.sweep(5, 3))
        left = [key for key in ("bad", "k9", "k8", "k7") if await self.read(_answer_there(key))]
        self.assertEqual(left, ["bad", "k9", "k8"])

    async def test_records(self: Any) -> None:
        """
        Each kind of record is a table of its own.
        """
        await self.write(lambda unit: unit.devices.put("d", {"deviceId": "d", "roles": ["operator"]}))
        await self.write(lambda unit: unit.nodes.put("d", {"nodeId": "d"}))
        self.assertEqual(
            await self.read(lambda unit: list(unit.devices.all())), [("d", {"deviceId": "d", "roles": ["operator"]})]
        )
        self.assertEqual(await self.read(lambda unit: unit.nodes.get("d")), {"nodeId": "d"})
        self.assertTrue(await self.write(lambda unit: unit.devices.delete("d")))
        self.assertFalse(await self.write(lambda unit: unit.devices.delete("d")))
        self.assertEqual(await self.read(lambda unit: list(unit.cron_jobs.all())), [])

    async def test_outbox(self: Any) -> None:
        """
        What is not delivered waits, oldest first.
        """

        def fill(unit: Unit) -> None:
            for number in (2, 1, 3):
                unit.outbox.put(
                    OutboxItem(
                        id=f"o{number}",
                        session_key="k",
                        run_id=None,
                        channel="webchat",
                        payload={"n": number},
                        created_at_ms=number,
                    )
                )

        await self.write(fill)
        self.assertEqual(await self.read(lambda unit: unit.outbox.count()), 3)
        await self.write(lambda unit: unit.outbox.delivered("o1", 9))
        self.assertEqual(await self.read(lambda unit: unit.outbox.count()), 2)
        self.assertEqual(await self.read(lambda unit: [row.id for row in unit.outbox.waiting(5)]), ["o2", "o3"])
        await self.write(lambda unit: unit.outbox.delivered("o3", 5))
        self.assertEqual(await self.write(lambda unit: unit.outbox.forget(9, 10)), 1)
        self.assertEqual(await self.write(lambda unit: unit.outbox.forget(10, 10)), 1)
        self.assertEqual(await self.write(lambda unit: unit.outbox.forget(99, 10)), 0)
        self.assertEqual(await self.read(lambda unit: unit.outbox.count()), 1)

    async def test_failing_work_leaves_nothing(self: Any) -> None:
        """
        A unit of work happens whole or not at all, and its failure does not touch its neighbours.
        """

        def fail(unit: Unit) -> None:
            unit.sessions.put(session("agent:main:half"))
            unit.entries.append(entry("half", None))
            raise Boom

        good = self.store.write(lambda unit: unit.sessions.put(session("agent:main:good")))
        bad = self.store.write(fail)
        also = self.store.write(lambda unit: unit.sessions.put(session("agent:main:also")))
        await self.assertFailure(bad, Boom)
        await gatherResults([good, also])
        keys = await self.read(lambda unit: sorted(row.key for row in unit.sessions.search()))
        self.assertEqual(keys, ["agent:main:also", "agent:main:good"])
        self.assertIsNone(await self.read(lambda unit: unit.entries.leaf("s1")))
        self.assertEqual(await self.read(lambda unit: unit.sessions.count()), 2)

    async def test_merge(self: Any) -> None:
        """
        Of two entries with one id the newer one stays, at the place of the first; others are appended.
        """
        first, second = entry("a", None, "one"), entry("b", "a", "two")
        newer, older = entry("a", "b", "late", timestamp_ms=2000), entry("b", None, "early", timestamp_ms=1)
        for one, changes in ((first, True), (second, True), (first, False), (newer, True), (older, False)):
            self.assertEqual(await self.write(partial(merge, one)), changes, one)
        self.assertEqual(
            await self.read(lambda unit: list(unit.entries.all("s1"))), [evolve(newer, parent_id=None), second]
        )
        self.assertEqual(len(await self.read(lambda unit: unit.entries.path("s1"))), 2)

    async def test_all_entries(self: Any) -> None:
        """
        Everything of every session can be walked through, branches too.
        """
        rows = [entry("a", None), entry("b", "a"), entry("c", "a"), entry("a", None, session_id="s0")]
        for row in rows:
            await self.write(partial(append, row))
        self.assertEqual(list(await self.read(lambda unit: unit.entries.session_ids())), ["s0", "s1"])
        self.assertEqual(await self.read(lambda unit: list(unit.entries.all("s1"))), rows[:3])
        self.assertEqual(await self.read(lambda unit: list(unit.entries.all("none"))), [])

    async def test_archived(self: Any) -> None:
        """
        What was put away is out of the way, and stays where it was put.
        """
        rows = [entry("a", None, "x" * 300_000), entry("b", "a")]
        for row in rows:
            await self.write(partial(append, row))
        await self.write(lambda unit: unit.entries.archive("s1", 5))
        late = entry("c", None, session_id="s2")
        self.assertTrue(await self.write(lambda unit: unit.archive.put(late, 7, 1)))
        self.assertFalse(await self.write(lambda unit: unit.archive.put(entry("d", None, session_id="s2"), 7, 1)))
        self.assertEqual(list(await self.read(lambda unit: unit.entries.session_ids())), [])
        self.assertEqual(await self.read(lambda unit: unit.archive.transcripts()), [("s1", 5), ("s2", 7)])
        self.assertEqual(await self.read(lambda unit: list(unit.archive.all("s1", 5))), rows)
        self.assertEqual(await self.read(lambda unit: list(unit.archive.all("s2", 7))), [late])

    async def test_run_log(self: Any) -> None:
        """
        Lines of a run log stay in their order, the same line of the same job once.
        """
        lines = [{"ts": 3, "n": 1}, {"ts": 1, "n": 2}, {"n": 1, "ts": 3}]
        added = [await self.write(partial(log, "j", line)) for line in lines]
        self.assertEqual(added, [True, True, False])
        self.assertTrue(await self.write(partial(log, "i", lines[0])))
        self.assertEqual(await self.read(lambda unit: unit.cron_runs.newest("j", 10)), lines[:2])
        self.assertEqual(await self.read(lambda unit: unit.cron_runs.newest("j", 1)), lines[1:2])
        self.assertEqual(await self.read(lambda unit: unit.cron_runs.job_ids()), ["i", "j"])

    async def test_long_run_log(self: Any) -> None:
        """
        A run log has an end: of a long one the newest lines are kept, and others are left alone.
        """

        def fill(unit: Unit) -> None:
            unit.cron_runs.append("i", 1, {"ts": 1})
            for number in range(MOST_RUNS):
                unit.cron_runs.append("j", number, {"ts": number})

        await self.write(fill)
        self.assertEqual(len(await self.read(lambda unit: unit.cron_runs.newest("j", 9999))), MOST_RUNS)
        await self.write(partial(log, "j", {"ts": MOST_RUNS}))
        left = await self.read(lambda unit: unit.cron_runs.newest("j", 9999))
        self.assertEqual([line["ts"] for line in left], list(range(MOST_RUNS - KEPT_RUNS + 1, MOST_RUNS + 1)))
        self.assertEqual(await self.read(lambda unit: unit.cron_runs.newest("i", 9999)), [{"ts": 1}])

    async def test_marks(self: Any) -> None:
        """
        The last mark of a source holds.
        """
        self.assertIsNone(await self.read(lambda unit: unit.imports.get("a")))
        for mark in (
            Mark(source="a", at_ms=1, report={"rows": 1}),
            Mark(source="a", at_ms=2, report={"complete": True}),
        ):
            await self.write(partial(put_mark, mark))
        found = await self.read(lambda unit: unit.imports.get("a"))
        self.assertEqual((found.at_ms, found.is_complete), (2, True))

    async def test_session_of_a_transcript(self: Any) -> None:
        """
        A run tells under which key a transcript was continued.
        """
        await self.write(lambda unit: unit.runs.put(run("r", session_id="s9", session_key="agent:a:x")))
        self.assertEqual(await self.read(lambda unit: unit.runs.session_key("s9")), "agent:a:x")
        self.assertIsNone(await self.read(lambda unit: unit.runs.session_key("none")))


def _answer_there(key: str) -> Callable[[Unit], bool]:
    return lambda unit: unit.answers.get(key, 0) is not None


def append(row: Entry, unit: Unit) -> None:
    unit.entries.append(row)


def merge(row: Entry, unit: Unit) -> bool:
    return unit.entries.merge(row)


def log(job_id: str, line: Mapping[str, Any], unit: Unit) -> bool:
    return unit.cron_runs.append(job_id, line["ts"], line)


def put_mark(mark: Mark, unit: Unit) -> None:
    unit.imports.put(mark)
