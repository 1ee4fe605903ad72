"""
Reading the reference's shapes: whatever a file holds, a line is read or skipped, and what is read can be worked with.
"""

from __future__ import annotations

import json
from typing import Any

import orjson
from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.context import context, has_user_message, open_calls
from openclaw.devices.pairing import approve, redacted
from openclaw.devices.tokens import accepts
from openclaw.pairing import waiting
from openclaw.sessions.keys import stored_key
from openclaw.sessions.rows import entry as session_entry
from openclaw.store.memory import MemoryUnit
from openclaw.store.reference import (
    Lines,
    Unreadable,
    device_request,
    iso,
    line_of,
    millis_of,
    newest,
    paired_device,
    parse,
    session_of,
    stamp,
    transcript_name,
    unstamp,
)

#: Text with halves of surrogate pairs, which programs in JavaScript write when they cut it.
TEXT = st.text(max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
BLOCK = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["text", "toolCall", "thinking", 5]),
        "text": JSON,
        "id": st.sampled_from(["c1", "c2", None]),
        "name": st.sampled_from(["read", 1]),
        "arguments": st.dictionaries(TEXT, JSON, max_size=1) | JSON,
    },
)
MESSAGE = st.fixed_dictionaries(
    {},
    optional={
        "role": st.sampled_from(["user", "assistant", "toolResult", "other", 7]),
        "content": st.lists(BLOCK | JSON, max_size=3) | JSON,
        "toolCallId": st.sampled_from(["c1", "c2", 3]),
        "timestamp": JSON,
    },
)
LINE = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["message", "session", "compaction", "model_change", "custom", 1, None]),
        "id": st.sampled_from(["a", "b", "c", 5, ""]),
        "parentId": st.sampled_from(["a", "b", "z", None, 3]) | st.lists(st.none()),
        "timestamp": st.sampled_from(["2026-11-23T06:36:24.618Z", "2026", "never", 5, -1, 1e300]),
        "message": MESSAGE | JSON,
        "firstKeptEntryId": st.sampled_from(["a", "q", 4]),
        "data": JSON,
    },
)


class LinesTests(SynchronousTestCase):
    @settings(max_examples=50, derandomize=True, deadline=None)
    @given(st.lists(LINE | JSON, max_size=8))
    def test_any_lines(self, values: list[Any]) -> None:
        """
        Lines of any content make a transcript that a run can go on with.
        """
        lines = Lines("s")
        unit = MemoryUnit()
        for value in values:
            entry = lines.read(json.dumps(value).encode("utf-8", "surrogatepass"))
            if entry is not None:
                unit.entries.merge(entry)
        path = list(unit.entries.path("s"))
        orjson.dumps(context(path))
        open_calls(path, "r")
        has_user_message(path, "r")
        unit.entries.first_user("s")
        for entry in path:
            again = Lines("s").read(line_of(entry))
            assert again is not None
            self.assertEqual((again.id, again.type, again.body), (entry.id, entry.type, entry.body))

    @settings(max_examples=50, derandomize=True, deadline=None)
    @given(st.binary(max_size=60))
    @example(b"[" * 100_000)
    @example(b'{"type":"message","message":' + b"[" * 5_000)
    @example(b'{"type":' + b"9" * 100_000 + b"}")
    def test_junk(self, raw: bytes) -> None:
        """
        Junk is no line.
        """
        self.assertIsNone(Lines("s").read(raw))


class RecordTests(SynchronousTestCase):
    @settings(max_examples=50, derandomize=True, deadline=None)
    @given(st.dictionaries(st.sampled_from(["deviceId", "publicKey", "role", "roles", "scopes", "tokens", "ts"]), JSON))
    @example({"publicKey": "k", "tokens": {"operator": {"token": "t", "scopes": ["a"]}}})
    @example({"publicKey": "k", "deviceId": "d", "ts": 5, "role": "operator"})
    def test_devices(self, record: dict[str, Any]) -> None:
        """
        A device's record is one that the handshake can look at, or it is refused.
        """
        unit = MemoryUnit()
        try:
            paired = paired_device("d", dict(record))
        except Unreadable:
            pass
        else:
            accepts(paired, role="operator", scopes=["a"], token="t")
            redacted(paired)
            newest(paired)
        try:
            asked = device_request("r", dict(record))
        except Unreadable:
            return
        unit.device_requests.put("r", asked)
        now = asked["ts"]
        self.assertEqual(waiting(unit.device_requests, now), [asked])
        approve(unit, "r", now_ms=now, make_token=lambda: "t")

    @settings(max_examples=50, derandomize=True, deadline=None)
    @given(
        TEXT,
        st.dictionaries(
            st.sampled_from(["sessionId", "updatedAt", "sessionFile", "label", "origin", "provider", "chatType"]), JSON
        )
        | JSON,
    )
    def test_sessions(self, key: str, value: Any) -> None:
        """
        An entry of a session is one that can be shown, or it is refused.
        """
        canonical, agent_id = stored_key(key, "main")
        try:
            session = session_of(canonical, value, agent_id=agent_id, make_id=lambda: "made")
        except Unreadable:
            self.assertNotIsInstance(value, dict)
            return
        self.assertTrue(session.session_id)
        self.assertGreaterEqual(session.updated_at_ms, 0)
        session_entry(session)

    def test_renamed(self) -> None:
        """
        Members of old files have their new names, and do not take the place of one that is there.
        """
        value = {"provider": "old", "lastProvider": "last", "room": "r", "channel": "new"}
        session = session_of("agent:main:main", value, agent_id="main", make_id=lambda: "made")
        self.assertEqual(session.members, {"channel": "new", "lastChannel": "last", "groupChannel": "r"})


class ValueTests(SynchronousTestCase):
    @settings(max_examples=50, derandomize=True)
    @given(st.integers(0, 253_402_300_799_999))
    def test_times(self, at_ms: int) -> None:
        """
        Times survive both ways of writing them.
        """
        self.assertEqual(millis_of(iso(at_ms)), at_ms)
        self.assertEqual(unstamp(stamp(at_ms)), at_ms)

    def test_other_times(self) -> None:
        """
        Other spellings are understood, nonsense is none.
        """
        self.assertEqual(millis_of("1970-01-01T01:00:00+01:00"), 0)
        self.assertEqual(millis_of(5.9), 5)
        nonsense: tuple[object, ...] = (
            None,
            True,
            -1,
            "x",
            "",
            [],
            float("nan"),
            float("inf"),
            1e30,
            "1969-01-01T00:00:00Z",
        )
        for value in nonsense:
            self.assertIsNone(millis_of(value), value)

    def test_names(self) -> None:
        """
        The name of a transcript tells its session, and why and when it was put away.
        """
        told = {
            "a-b.jsonl": ("a-b", None, None),
            "a-b-topic-42.jsonl": ("a-b", None, None),
            "a-b.jsonl.deleted.2026-11-23T06-18-06.543Z": ("a-b", "deleted", 1_795_414_686_543),
            "a-b-topic-7.jsonl.bak.2026-11-23T06-18-05.478Z": ("a-b", "bak", 1_795_414_685_478),
            "a.jsonl.reset.soon": ("a", "reset", None),
        }
        for name, expected in told.items():
            found = transcript_name(name)
            assert found is not None
            self.assertEqual((found.session_id, found.kind, found.at_ms), expected)
        for name in ("sessions.json", "a.jsonl.lock", ".jsonl", "a.jsonl.tmp", "a.jsonl.deleted."):
            self.assertIsNone(transcript_name(name), name)

    def test_numbers(self) -> None:
        """
        Numbers that no 64 bits hold become floating point ones; what is no number is refused.
        """
        self.assertEqual(parse(b"[18446744073709551615, -9223372036854775808]"), [2**64 - 1, -(2**63)])
        self.assertEqual(parse(b'["\\ud800", 18446744073709551616]'), ["\ufffd", 2.0**64])
        for raw in (b"NaN", b"[Infinity]", b"", b"{'a':1}"):
            self.assertRaises(Unreadable, parse, raw)
        self.assertEqual(parse(b"{'a':1,} // JSON5", relaxed=True), {"a": 1})
