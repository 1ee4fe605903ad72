"""
Tests of ``openclaw.methods.document`` and ``openclaw.protocol.asyncapi``.
"""

import json
from pathlib import Path
from typing import Any

import jsonschema
from twisted.trial.unittest import SynchronousTestCase

from openclaw.methods.document import protocol_document, protocol_text
from openclaw.methods.families import METHODS
from openclaw.protocol.features import METHOD_ORDER, PUBLISHED
from openclaw.testing.gateway import TOKEN, MemoryGateway

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"


def references(value: Any) -> set[str]:
    """
    Every reference in a document.
    """
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(references(member) for member in value.values()))
    return set().union(*(references(member) for member in value)) if isinstance(value, list) else set()


class DocumentTests(SynchronousTestCase):
    """
    One document says the whole protocol.
    """

    document = protocol_document()

    def messages(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.document["components"]["messages"][name]["payload"]
        return found

    def check(self, message: str, frame: Any) -> bool:
        """
        Whether a frame is what a message of the document says.
        """
        schema = {**self.messages(message), "components": self.document["components"]}
        return bool(jsonschema.Draft7Validator(schema).is_valid(frame))

    def test_official_schema(self) -> None:
        """
        It is AsyncAPI 3.0.0 by the official schema.
        """
        schema = json.loads((FIXTURES / "asyncapi-3.0.0.schema.json").read_text(encoding="utf-8"))
        errors = [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(self.document)]
        self.assertEqual(errors, [])
        broken = {**self.document, "operations": {"x": {"action": "shout"}}}
        self.assertFalse(jsonschema.Draft7Validator(schema).is_valid(broken))

    def test_references(self) -> None:
        """
        Every reference points at something, and every message and schema is pointed at.
        """
        pointed = references(self.document)
        for reference in pointed:
            found: Any = self.document
            for part in reference.removeprefix("#/").split("/"):
                self.assertIn(part, found, reference)
                found = found[part]
        for kind, members in self.document["components"].items():
            for name in members:
                self.assertIn(f"#/components/{kind}/{name}", pointed)
                if kind == "schemas":
                    jsonschema.Draft7Validator.check_schema(members[name])

    def test_every_operation(self) -> None:
        """
        Every method and every published event is an operation; methods in the order of ``features.methods``.
        """
        operations = list(self.document["operations"])
        self.assertEqual(set(operations), set(METHODS) | {f"event.{name}" for name in PUBLISHED})
        listed = [name for name in METHOD_ORDER if name in METHODS]
        self.assertEqual(operations[: len(listed)], listed)
        for name, row in METHODS.items():
            told = self.document["operations"][name]
            self.assertEqual((told["x-role"], told.get("x-scope", row.scope)), (row.role, row.scope), name)
            self.assertEqual((told["x-idempotent"], told["x-durable"]), (row.idempotent, row.durable), name)
            self.assertTrue(told["summary"], name)
            self.assertNotIn("``", told["summary"])

    def test_frames(self) -> None:
        """
        The messages are what goes over the wire.
        """
        asked = {"type": "req", "id": "1", "method": "chat.abort", "params": {"sessionKey": "main"}}
        self.assertTrue(self.check("chat.abort.request", asked))
        self.assertFalse(self.check("chat.abort.request", {**asked, "params": {}}))
        answer = {"type": "res", "id": "1", "ok": True, "payload": {"ok": True, "aborted": False, "runIds": []}}
        self.assertTrue(self.check("chat.abort.answer", answer))
        self.assertFalse(self.check("chat.abort.answer", {**answer, "payload": None}))
        failure = {"type": "res", "id": "1", "ok": False, "error": {"code": "AGENT_TIMEOUT", "message": "late"}}
        self.assertTrue(self.check("chat.send.failure", failure))
        self.assertFalse(self.check("chat.abort.failure", failure))
        self.assertTrue(self.check("last-heartbeat.answer", {**answer, "payload": None}))
        tick = {"type": "event", "event": "tick", "payload": {"ts": 1}, "seq": 1}
        self.assertTrue(self.check("event.tick", tick))
        self.assertFalse(self.check("event.connect.challenge", {**tick, "event": "connect.challenge"}))

    def test_nothing_private(self) -> None:
        """
        The document is the same wherever it is made: nothing of a configuration or a machine is in it.
        """
        gateway = MemoryGateway(directory=Path(self.mktemp())).start()
        self.addCleanup(gateway.stop)
        text = json.dumps(protocol_document())
        self.assertEqual(json.loads(text), json.loads(protocol_text()))
        for private in (TOKEN, str(Path.home()), str(Path.cwd())):
            self.assertNotIn(private, text)
