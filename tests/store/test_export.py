"""
What was imported can be written back, and what was written back can be imported: nothing is lost on the way.
"""

from __future__ import annotations

import json
import stat
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from openclaw.store.exporting import Export, safe
from openclaw.store.imports import Counts
from openclaw.store.interfaces import Entry, Run, Session
from openclaw.store.memory import MemoryStore, MemoryUnit
from tests.store.importing import make_service
from tests.store.state import everything, make_state

IDS = st.text("0123456789abcdef", min_size=8, max_size=8)
TIMES = st.integers(0, 253_402_300_799_999)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
TAKEN = {"type", "id", "parentId", "timestamp", "message", "sessionId", "updatedAt", "sessionFile"}
TAKEN |= {"provider", "lastProvider", "room"}
MEMBERS = st.dictionaries(TEXT.filter(lambda name: name not in TAKEN), JSON, max_size=3)
KEYS = st.text("abcxyz0123456789:-", min_size=1, max_size=20).map(lambda rest: f"agent:work:{rest}")


@st.composite
def transcripts(draw: st.DrawFn) -> list[Entry]:
    """
    A tree of entries as our own code grows one.
    """
    ids = draw(st.lists(IDS, min_size=1, max_size=6, unique=True))
    session_id = draw(st.uuids()).hex
    entries: list[Entry] = []
    for number, made in enumerate(ids):
        parent = draw(st.sampled_from([None, *ids[:number]]))
        body = draw(MEMBERS)
        kind = draw(st.sampled_from(["message", "custom", "label", "compaction"]))
        if kind == "message":
            body["message"] = {"role": "user", "content": draw(TEXT), **draw(MEMBERS)}
        entries.append(
            Entry(id=made, session_id=session_id, parent_id=parent, type=kind, timestamp_ms=draw(TIMES), body=body)
        )
    return entries


def imported(root: Path) -> MemoryUnit:
    """
    What an import makes of a directory.
    """
    store = MemoryStore()
    service = make_service(store, root)
    store.write(service.pairing)
    service.startService()
    assert service.is_done
    return store.unit


def exported(unit: MemoryUnit, target: Path) -> Counts:
    target.mkdir(parents=True)
    return Export(unit=unit, target=target, cwd="/w").run()


def content(unit: MemoryUnit) -> dict[str, Any]:
    """
    All that an export is about; where a transcript lies, and what it began with, is not content.
    """
    return {
        "sessions": unit.sessions.rows,
        "entries": {
            name: [evolve(entry, run_id=None) for entry in rows] for name, rows in unit.entries.rows.items() if rows
        },
        "archive": unit.archive.rows,
        "devices": unit.devices.rows,
        "device requests": unit.device_requests.rows,
        "nodes": unit.nodes.rows,
        "node requests": unit.node_requests.rows,
        "cron jobs": unit.cron_jobs.rows,
        "cron runs": unit.cron_runs.rows,
    }


class RecordedTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.root = make_state(Path(self.mktemp()))
        self.target = Path(self.mktemp()) / "export"
        self.unit = imported(self.root)

    def test_round_trip(self) -> None:
        """
        Import, export, import: the same content, and the second export the same bytes.
        """
        counts = exported(self.unit, self.target)
        self.assertEqual((counts.numbers["sessions"], counts.numbers["entries"]), (12, 127))
        again = imported(self.target)
        self.assertEqual(content(again), content(self.unit))
        self.assertEqual(again.transcripts.rows, self.unit.transcripts.rows)
        second = Path(self.mktemp())
        exported(again, second)
        self.assertEqual(
            {name: text.replace(str(second.absolute()).encode(), b"") for name, text in everything(second).items()},
            {
                name: text.replace(str(self.target.absolute()).encode(), b"")
                for name, text in everything(self.target).items()
            },
        )

    def test_as_the_reference_wrote_it(self) -> None:
        """
        A transcript comes out line by line as it was, but for parents that the reference forgot.
        """
        exported(self.unit, self.target)
        for path in sorted((self.root / "agents" / "main" / "sessions").glob("*.jsonl")):
            theirs = [json.loads(line) for line in path.read_text().splitlines()]
            ours = [json.loads(line) for line in (self.target / path.relative_to(self.root)).read_text().splitlines()]
            for before, line in pairwise(theirs):
                line.setdefault("parentId", before["id"])
            self.assertEqual(ours, theirs)

    def test_same_files(self) -> None:
        """
        Every file has the name it had, also those that were put away; they are read by their owner only.
        """
        exported(self.unit, self.target)
        self.assertEqual(set(everything(self.target)), set(everything(self.root)))
        modes = {stat.S_IMODE(path.stat().st_mode) for path in self.target.rglob("*") if path.is_file()}
        self.assertEqual(modes, {0o600})

    def test_topic(self) -> None:
        """
        An entry whose transcript has another name than its id says where it is.
        """
        exported(self.unit, self.target)
        store = json.loads((self.target / "agents/main/sessions/sessions.json").read_text())
        topic = store["agent:main:telegram:group:-100999:topic:42"]
        self.assertTrue(Path(topic["sessionFile"]).is_file())
        self.assertNotIn("sessionFile", store["agent:main:fixture-chat"])

    def test_devices(self) -> None:
        """
        The pairing files are what they were.
        """
        exported(self.unit, self.target)
        for name in ("devices/paired.json", "devices/pending.json", "nodes/paired.json", "cron/jobs.json"):
            self.assertEqual(json.loads((self.target / name).read_text()), json.loads((self.root / name).read_text()))


class OwnTests(SynchronousTestCase):
    """
    What began here.
    """

    @settings(max_examples=50, derandomize=True, deadline=None)
    @given(
        st.lists(st.tuples(KEYS, transcripts(), TIMES, MEMBERS), max_size=4), st.dictionaries(TEXT, MEMBERS, max_size=2)
    )
    def test_round_trip(
        self, sessions: list[tuple[str, list[Entry], int, dict[str, Any]]], nodes: dict[str, Any]
    ) -> None:
        """
        Whatever stands in the database comes back from an export.
        """
        unit = MemoryUnit()
        for key, entries, at_ms, members in sessions:
            named = entries[0].session_id
            unit.sessions.put(Session(key=key, agent_id="work", session_id=named, updated_at_ms=at_ms, members=members))
            for entry in entries:
                unit.entries.append(entry)
        for node, record in nodes.items():
            unit.nodes.put(node, record)
        with tempfile.TemporaryDirectory(dir=self.mktemp_root()) as folder:
            exported(unit, Path(folder) / "export")
            again = imported(Path(folder) / "export")
        self.assertEqual(content(again), content(unit))

    def mktemp_root(self) -> str:
        Path("exports").mkdir(exist_ok=True)
        return "exports"

    def test_header(self) -> None:
        """
        A conversation that began here gets the first line that readers of transcripts look for.
        """
        unit = MemoryUnit()
        unit.entries.append(entry("s1"))
        target = Path(self.mktemp())
        exported(unit, target)
        first = (target / "agents/main/sessions/s1.jsonl").read_text().splitlines()[0]
        self.assertEqual(
            json.loads(first),
            {"type": "session", "version": 3, "id": "s1", "timestamp": "2026-11-23T06:36:24.001Z", "cwd": "/w"},
        )

    def test_left_conversations(self) -> None:
        """
        A conversation that no session leads to any more is written for the agent that held it, a deleted one beside it.
        """
        unit = MemoryUnit()
        unit.entries.append(entry("s1"))
        unit.entries.append(entry("s2"))
        for name in ("s1", "s2"):
            unit.runs.put(
                Run(
                    run_id=name,
                    session_key="agent:work:main",
                    session_id=name,
                    state="ok",
                    origin="chat",
                    dedupe_key=name,
                    inbound={},
                    created_at_ms=0,
                )
            )
        unit.entries.archive("s2", 1_795_414_686_543)
        unit.entries.append(entry("s3"))
        unit.transcripts.put("s3", {"file": "s3-topic-7.jsonl", "agentId": "home"})
        unit.entries.archive("s3", 0)
        target = Path(self.mktemp())
        exported(unit, target)
        self.assertEqual(
            sorted(everything(target)),
            [
                "agents/home/sessions/s3.jsonl.deleted.1970-01-01T00-00-00.000Z",
                "agents/work/sessions/s1.jsonl",
                "agents/work/sessions/s2.jsonl.deleted.2026-11-23T06-18-06.543Z",
            ],
        )

    def test_names_from_outside(self) -> None:
        """
        Ids that would lead out of the directory become names that do not.
        """
        self.assertEqual(safe("0a6f4c7a-e0ac"), "0a6f4c7a-e0ac")
        unit = MemoryUnit()
        bad = ("../../x", "/etc/passwd", "..", "", "a\0b", "x" * 300, ".hidden")
        for number, name in enumerate(bad):
            unit.entries.append(entry(name))
            unit.transcripts.put(name, {"file": "../../evil.jsonl", "agentId": "../.."})
            unit.cron_runs.append(name, number, {"jobId": name, "ts": number})
        root = Path(self.mktemp())
        exported(unit, root / "in")
        names = [path.name for path in root.rglob("*") if path.is_file()]
        self.assertEqual(len(names), 2 * len(bad))
        self.assertEqual([path.name for path in root.iterdir()], ["in"])
        self.assertTrue(all(len(name) < 60 for name in names), names)


def entry(session_id: str) -> Entry:
    message = {"role": "user", "content": "hi"}
    return Entry(
        id="a",
        session_id=session_id,
        parent_id=None,
        type="message",
        timestamp_ms=1_795_415_784_001,
        body={"message": message},
        run_id="r",
    )
