"""
A client of the reference goes on where it was, on what was imported.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.store.memory import MemoryStore
from openclaw.testing.gateway import MemoryGateway
from tests.store.importing import make_service
from tests.store.state import FIXTURES, make_state


class ImportedTests(SynchronousTestCase):
    def setUp(self) -> None:
        state = make_state(Path(self.mktemp()).absolute())
        self.store = MemoryStore()
        importing = make_service(self.store, state)
        self.successResultOf(self.store.write(importing.pairing))
        importing.startService()
        self.assertTrue(importing.is_done)
        directory = Path(self.mktemp()).absolute()
        directory.mkdir()
        self.gateway = MemoryGateway(directory=directory, store=self.store).start()
        self.addCleanup(self.gateway.stop)
        self.client = self.gateway.connected()

    def call(self, method: str, **params: Any) -> Any:
        answer = self.client.call(method, params)
        self.assertTrue(answer["ok"], answer)
        return answer["payload"]

    def test_history(self) -> None:
        """
        Every recorded conversation that the recorded store knows shows what the reference showed of it.
        """
        recorded = json.loads((FIXTURES / "session-chat-history.json").read_text(encoding="utf-8"))
        store = json.loads((FIXTURES / "session-store.json").read_text(encoding="utf-8"))
        compared = 0
        for told in recorded.values():
            if told["sessionKey"] in store:
                history = self.call("chat.history", sessionKey=told["sessionKey"])
                self.assertEqual(history["sessionId"], told["sessionId"])
                self.assertEqual(history["messages"], told["messages"])
                compared += 1
        self.assertEqual(compared, 2)

    def test_goes_on(self) -> None:
        """
        The next message stands behind the imported ones, which are the context that its run is given.
        """
        key = "agent:main:fixture-chat"
        before = self.call("chat.history", sessionKey=key)["messages"]
        self.call("sessions.patch", key=key, model="builtin/echo")
        self.call("chat.send", sessionKey=key, message="go on", idempotencyKey="k")
        self.gateway.advance(1)
        history = self.call("chat.history", sessionKey=key)
        self.assertEqual(history["messages"][: len(before)], before)
        self.assertIn("go on", history["messages"][len(before)]["content"][0]["text"])
        path = self.successResultOf(self.store.read(lambda unit: unit.entries.path(history["sessionId"])))
        self.assertEqual(len([entry for entry in path if entry.type == "message"]), len(history["messages"]))

    def test_listed(self) -> None:
        """
        Sessions are listed with what the reference knew of them.
        """
        rows = {row["key"]: row for row in self.call("sessions.list")["sessions"]}
        self.assertEqual(len(rows), 12)
        group = rows["agent:main:telegram:group:-100200300"]
        self.assertEqual((group["kind"], group["displayName"]), ("group", "telegram:g-test-group"))
