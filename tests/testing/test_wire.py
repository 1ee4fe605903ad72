"""
Tests of ``openclaw.testing.wire``: what a client in tests takes for wrong.
"""

from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.methods.families import METHODS
from openclaw.protocol.events import EVENT_TABLE
from openclaw.protocol.features import EVENT_ORDER, PUBLISHED
from openclaw.protocol.schema import schema_of
from openclaw.testing.gateway import MemoryGateway
from openclaw.testing.wire import wrong_answer, wrong_event, wrong_frame


class TableTests(SynchronousTestCase):
    """
    Nothing is left out.
    """

    def test_every_method(self) -> None:
        """
        Every method says what it answers, in types that have a form on the wire.
        """
        for row in METHODS.values():
            schema_of(row.answers())
            if row.failure is not None:
                schema_of(row.failure)

    def test_every_event(self) -> None:
        """
        Every event that clients know is described, in their order.
        """
        self.assertEqual(tuple(EVENT_TABLE), EVENT_ORDER)
        self.assertLessEqual(PUBLISHED, set(EVENT_TABLE))
        for event in EVENT_TABLE.values():
            schema_of(event.payload)
            self.assertEqual(event.to == "operators", event.scope is not None, event.name)


class WrongTests(SynchronousTestCase):
    """
    What is refused.
    """

    def frame(self, **members: Any) -> str | None:
        return wrong_frame(members, {"1": ["chat.abort"], "2": ["agent", "chat.abort"]}, ["operator.read"])

    def test_answers(self) -> None:
        """
        An answer has what its method says, no more and no less.
        """
        right = {"ok": True, "aborted": False, "runIds": []}
        self.assertIsNone(wrong_answer("chat.abort", ok=True, payload=right))
        for wrong in ({**right, "more": 1}, {"ok": True}, None, {**right, "runIds": [1]}):
            self.assertIn("chat.abort", wrong_answer("chat.abort", ok=True, payload=wrong) or "", wrong)
        self.assertIn("has no payload", wrong_answer("chat.abort", ok=True) or "")

    def test_failures(self) -> None:
        """
        A failure has an error, and a payload only where its method says so.
        """
        error = {"code": "UNAVAILABLE", "message": "no"}
        told = {"runId": "k", "status": "error", "summary": "no"}
        self.assertIsNone(wrong_answer("chat.abort", ok=False, error=error))
        self.assertIsNone(wrong_answer("agent", ok=False, error=error, payload=told))
        self.assertIn("carries a payload", wrong_answer("chat.abort", ok=False, error=error, payload=told) or "")
        self.assertIn("code", wrong_answer("chat.abort", ok=False, error={"message": "no"}) or "")

    def test_ids(self) -> None:
        """
        The answer to an id that was used twice fits one of its methods.
        """
        right = {"ok": True, "aborted": False, "runIds": []}
        self.assertIsNone(self.frame(type="res", id="2", ok=True, payload=right))
        self.assertIsNotNone(self.frame(type="res", id="2", ok=True, payload={"ok": True}))
        self.assertIsNotNone(self.frame(type="res", id="1", ok=True, payload=right, more=1))
        deep: list[Any] = []
        for _ in range(500):
            deep = [deep]
        self.assertIsNone(self.frame(type="res", id=deep, ok=True))

    def test_events(self) -> None:
        """
        An event is described, has its ``seq`` and ``stateVersion`` by its kind, and goes only to those it is for.
        """
        versions = {"presence": 1, "health": 1}
        tick: dict[str, Any] = {"type": "event", "event": "tick", "payload": {"ts": 1}, "seq": 1}
        self.assertIsNone(self.frame(**tick))
        self.assertIn("carries stateVersion", self.frame(**tick, stateVersion=versions) or "")
        self.assertIn(
            "lacks stateVersion", self.frame(**{**tick, "event": "presence", "payload": {"presence": []}}) or ""
        )
        challenge = {"nonce": "n", "ts": 1}
        self.assertIn("is numbered", self.frame(**{**tick, "event": "connect.challenge", "payload": challenge}) or "")
        resolved = {"requestId": "r", "deviceId": "d", "decision": "approved", "ts": 1}
        told = self.frame(**{**tick, "event": "device.pair.resolved", "payload": resolved})
        self.assertIn("not for this client", told or "")
        self.assertIn("nobody described it", wrong_event("news", {}) or "")


class GatewayTests(SynchronousTestCase):
    def test_told(self) -> None:
        """
        A gateway that says something else than its documents fails the test that hears it.
        """
        gateway = MemoryGateway(directory=Path(self.mktemp())).start()
        self.addCleanup(gateway.stop)
        gateway.connected()
        gateway.service.clients.events.publish("tick", {"ts": "now"})
        error = self.assertRaises(AssertionError, gateway.flush)
        self.assertIn("the event tick is not as described: at /ts: must be integer", str(error))
