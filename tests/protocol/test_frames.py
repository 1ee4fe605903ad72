"""
Tests for ``openclaw.protocol.frames``.
"""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from openclaw.protocol.codes import ErrorCode
from openclaw.protocol.convert import NotEncodable
from openclaw.protocol.frames import (
    MOST_LEVELS,
    ErrorShape,
    EventFrame,
    NotJson,
    ResponseFrame,
    StateVersion,
    answer_id,
    encode,
    encode_event_body,
    encode_response,
    parse_json,
    splice_seq,
)
from openclaw.protocol.types import ABSENT
from openclaw.protocol.validate import violations

LIMITED = settings(max_examples=50, derandomize=True, deadline=None, database=None)

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


class ParseTests(SynchronousTestCase):
    def test_not_json(self) -> None:
        """
        What is no JSON text is refused, whatever is wrong with it.
        """
        deep = "[" * 5000 + "]" * 5000
        no_utf8 = (b"\xff", b'["\xff"]', b'["\\ud83d\\ude00 \xff"]', b'["\\ud83d", "\xff"]')
        odd = ("", " ", "not json", "{'a':1}", "NaN", "[1,]", deep, '"\\ud800', '["\\ud800", NaN]')
        for data in (*odd, *no_utf8):
            self.assertRaises(NotJson, parse_json, data)

    def test_deep_with_half_a_pair(self) -> None:
        """
        Depth is refused also where the lenient reader is asked.
        """
        self.assertRaises(NotJson, parse_json, '["\\ud800",' + "[" * 200_000 + "]" * 200_000 + "]")

    def test_depth(self) -> None:
        """
        What is read can be written again, also within an answer; brackets side by side or in a text are no levels.
        """
        for opening, inner, closing in (("[", "", "]"), ('{"a":', '"\\ud800"', "}")):
            most = opening * MOST_LEVELS + inner + closing * MOST_LEVELS
            self.assertTrue(encode_response(parse_json(most), ok=True, payload={"a": [parse_json(most.encode())]}))
            self.assertRaises(NotJson, parse_json, opening * (MOST_LEVELS + 1) + inner + closing * (MOST_LEVELS + 1))
        wide = "[" + "[{}]," * 1_000 + '"' + "[{" * 1_000 + '"]'
        self.assertEqual(len(parse_json(wide)), 1_001)

    def test_half_a_pair(self) -> None:
        """
        Half of a surrogate pair is replaced, whole pairs stay.
        """
        self.assertEqual(parse_json('{"a":"x\\ud83d"}'), {"a": "x\ufffd"})
        self.assertEqual(parse_json(b'["\\uD83D\\uDE00 \\uDE00"]'), ["\U0001f600 \ufffd"])

    @LIMITED
    @given(st.text() | st.binary())
    def test_junk(self, data: str | bytes) -> None:
        """
        Junk gives a value or ``NotJson``, never anything else.
        """
        try:
            parse_json(data)
        except NotJson as error:
            self.assertIn("not JSON", str(error))

    @LIMITED
    @given(VALUES)
    def test_round_trip(self, value: Any) -> None:
        """
        What is written can be read by others, and is what it was.
        """
        self.assertEqual(json.loads(encode(value)), value)


class AnswerIdTests(SynchronousTestCase):
    def test_ids(self) -> None:
        """
        An id of whatever type is kept; what has none is answered as ``invalid``.
        """
        frames: list[Any] = [{"id": 5}, {"id": ""}, {"id": {"a": 1}}, {"id": None}, {}, [], "x", None]
        found = [answer_id(frame) for frame in frames]
        self.assertEqual(found, [5, "", {"a": 1}, "invalid", "invalid", "invalid", "invalid", "invalid"])


class EncodeTests(SynchronousTestCase):
    def test_response(self) -> None:
        """
        Absent members are left out; a payload of ``None`` is ``null``.
        """
        self.assertEqual(json.loads(encode_response("a", ok=True)), {"type": "res", "id": "a", "ok": True})
        self.assertEqual(
            json.loads(encode_response("a", ok=True, payload=None)),
            {"type": "res", "id": "a", "ok": True, "payload": None},
        )

    def test_failure(self) -> None:
        """
        A failure is a valid response frame, with or without a payload beside the error.
        """
        error = ErrorShape(code=ErrorCode.UNAVAILABLE, message="no", retryable=True)
        frame = json.loads(encode_response("a", ok=False, payload={"runId": "r"}, error=error))
        self.assertIsNone(violations(ResponseFrame, frame))
        self.assertEqual(frame["error"], {"code": "UNAVAILABLE", "message": "no", "retryable": True})

    def test_event(self) -> None:
        """
        The body of an event is written once; each connection's number is put into a copy.
        """
        body = encode_event_body("presence", {"presence": []}, StateVersion(presence=2, health=1))
        frame = json.loads(splice_seq(body, 7))
        self.assertIsNone(violations(EventFrame, frame))
        self.assertEqual((frame["seq"], frame["stateVersion"]), (7, {"presence": 2, "health": 1}))
        self.assertNotIn("seq", json.loads(splice_seq(body, None)))
        self.assertEqual(json.loads(splice_seq(encode_event_body("x"), 1)), {"type": "event", "event": "x", "seq": 1})

    def test_odd_values(self) -> None:
        """
        Numbers beyond 64 bits and halves of surrogate pairs are written all the same.
        """
        self.assertEqual(json.loads(encode({"a": 2**70, "b": "\udc80"})), {"a": 2**70, "b": "\udc80"})

    def test_refused(self) -> None:
        """
        What has no form on the wire is an error of ours, not a frame that clients cannot read.
        """
        for value in (object(), b"x", {1: 2}, {"a": ABSENT}):
            self.assertRaises(NotEncodable, encode, value)
