"""
Tests for ``openclaw.protocol.explain``: words, order and pointers.
"""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.protocol.connect import ConnectParams
from openclaw.protocol.cron import CronAddParams
from openclaw.protocol.explain import explain
from openclaw.protocol.send import PollParams
from openclaw.protocol.sessions import SessionsPatchParams
from openclaw.protocol.validate import violations


class WordTests(SynchronousTestCase):
    def test_each_keyword(self) -> None:
        """
        Each keyword has its own words.
        """
        table: list[tuple[dict[str, Any], Any, str]] = [
            ({"type": "string"}, 1, "must be string"),
            ({"type": "integer"}, 1.5, "must be integer"),
            ({"type": "integer"}, True, "must be integer"),
            ({"type": "number"}, "1", "must be number"),
            ({"type": "number"}, False, "must be number"),
            ({"type": "boolean"}, 0, "must be boolean"),
            ({"type": "object"}, [], "must be object"),
            ({"type": "array"}, {}, "must be array"),
            ({"type": "null"}, 0, "must be null"),
            ({"type": "string", "minLength": 1}, "", "must NOT have fewer than 1 characters"),
            ({"type": "string", "maxLength": 2}, "abc", "must NOT have more than 2 characters"),
            ({"type": "string", "pattern": "^a$"}, "b", 'must match pattern "^a$"'),
            ({"type": "array", "minItems": 1}, [], "must NOT have fewer than 1 items"),
            ({"type": "array", "maxItems": 1}, [1, 2], "must NOT have more than 1 items"),
            ({"type": "integer", "minimum": 1}, 0, "must be >= 1"),
            ({"type": "integer", "maximum": 1}, 2, "must be <= 1"),
            ({"type": "integer", "exclusiveMinimum": 1}, 1, "must be > 1"),
            ({"type": "integer", "exclusiveMaximum": 1}, 1, "must be < 1"),
            ({"const": 1}, True, "must be equal to constant"),
            ({"const": 1, "type": "number"}, "1", "must be number; must be equal to constant"),
        ]
        for schema, value, words in table:
            self.assertEqual(explain(schema, value), words)

    def test_nothing_wrong(self) -> None:
        """
        A valid value needs no words: 3.0 is an integer, length counts code points.
        """
        self.assertEqual(explain({"type": "integer"}, 3.0), "")
        self.assertEqual(explain({"type": "string", "maxLength": 1}, "\U0001f600"), "")


class OrderTests(SynchronousTestCase):
    def test_object(self) -> None:
        """
        Missing keys in schema order, then unexpected ones as received, then children in schema order.
        """
        value = {"foo": 1, "userAgent": 3, "caps": [5, ""], "maxProtocol": 0, "bar": 1}
        self.assertEqual(
            violations(ConnectParams, value),
            "must have required property 'minProtocol'; must have required property 'client'; "
            "at root: unexpected property 'foo'; at root: unexpected property 'bar'; at /maxProtocol: must be >= 1; "
            "at /caps/0: must be string; at /caps/1: must NOT have fewer than 1 characters; "
            "at /userAgent: must be string",
        )

    def test_alternatives(self) -> None:
        """
        Each alternative's reasons, then that none matches; what two alternatives say alike is said once.
        """
        self.assertEqual(
            violations(SessionsPatchParams, {"key": "k", "label": "x" * 65, "sendPolicy": 1}),
            "at /label: must NOT have more than 64 characters; at /label: must be null; "
            "at /label: must match a schema in anyOf; at /sendPolicy: must be string; "
            "at /sendPolicy: must be equal to constant; at /sendPolicy: must be null; "
            "at /sendPolicy: must match a schema in anyOf",
        )

    def test_below_alternatives(self) -> None:
        """
        Within a union, reasons of every alternative are told with their own pointers.
        """
        job = {
            "name": "n",
            "schedule": {"kind": "at"},
            "sessionTarget": "main",
            "wakeMode": "now",
            "payload": {"kind": "systemEvent", "text": "t"},
        }
        told = violations(CronAddParams, job)
        assert told is not None
        self.assertEqual(
            told.split("; "),
            [
                "at /schedule: must have required property 'atMs'",
                "at /schedule: must have required property 'everyMs'",
                "at /schedule/kind: must be equal to constant",
                "at /schedule: must have required property 'expr'",
                "at /schedule: must match a schema in anyOf",
            ],
        )

    def test_items(self) -> None:
        """
        The size of an array comes before its items.
        """
        params = {"to": "x", "question": "q", "options": [""], "idempotencyKey": "k"}
        self.assertEqual(
            violations(PollParams, params),
            "at /options: must NOT have fewer than 2 items; at /options/0: must NOT have fewer than 1 characters",
        )


class PointerTests(SynchronousTestCase):
    def test_escapes(self) -> None:
        """
        A slash or a tilde in a key is written as JSON pointers have it.
        """
        schema = {"type": "object", "patternProperties": {"^(.*)$": {"type": "string"}}}
        self.assertEqual(explain(schema, {"a/b~c": 1}), "at /a~1b~0c: must be string")
