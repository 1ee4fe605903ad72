"""
What becomes of a run whose model fails, and of the session afterwards.
"""

from __future__ import annotations

import time

from tests.process.case import ProcessCase
from tests.process.gateway import GatewayProcess
from tests.process.model import Api, Cut, Gate, MockModel, Raw, Status, Step, Text, pieces
from tests.process.peer import Peer, text_of

#: A failing model and what the error says. Those that are asked again stand together, since that takes seconds each.
FAILURES: dict[str, tuple[list[Step], str]] = {
    "refused": ([Status(code=401, message="bad key")], "401"),
    "broken": ([Status(code=500)], "500"),
    "busy": ([Status(code=429)], "429"),
    "cut": ([Text("half an "), Cut()], ""),
    "garbage": ([Raw(b"data: {not json\n\n")], ""),
}


class FailureTests(ProcessCase):
    """
    Each failure ends its run once, as an error, and nothing else.
    """

    def both(self, api: Api = "openai-completions") -> tuple[MockModel, GatewayProcess, Peer]:
        model = self.start_model(api)
        gateway = self.start_gateway(model)
        return model, gateway, self.join(gateway)

    def check_failures(self, api: Api) -> None:
        model, gateway, peer = self.both(api)
        for text, (steps, _) in FAILURES.items():
            model.on(text, *steps)
            peer.ask("chat.send", {"sessionKey": text, "message": text, "idempotencyKey": text})
        for text, (_, told) in FAILURES.items():
            ended = peer.wait_chat(text, "final", "error", "aborted")
            self.assert_ended(ended, "error")
            self.assertIn(told, ended["errorMessage"])
        self.assertEqual(model.asked_for("refused"), 1)
        # agent.md 15.1: four tries of three requests each.
        self.assertEqual((model.asked_for("broken"), model.asked_for("busy")), (12, 12))
        for text in FAILURES:
            self.assert_ended(peer.chat("and now", f"{text}-2", text), "final")
            said = peer.history(text)
            self.assertEqual([words for role, words in said if role == "user"], [text, "and now"])
            self.assertEqual(said[-1], ("assistant", "re: and now"))
        terminal = [e["payload"] for e in peer.events if e["event"] == "chat" and e["payload"]["state"] != "delta"]
        self.assertEqual(len(terminal), 2 * len(FAILURES))
        for text in FAILURES:
            self.assertEqual(peer.ask("agent.wait", {"runId": text})["status"], "error")
        self.assertEqual(gateway.stop(), 0)

    def test_chat_completions(self) -> None:
        """
        A server of chat completions.
        """
        self.check_failures("openai-completions")

    def test_messages(self) -> None:
        """
        A server of messages.
        """
        self.check_failures("anthropic-messages")

    def test_retry_after(self) -> None:
        """
        A model that asks for patience is asked again when it said, and the run ends well.
        """
        model, _, peer = self.both()
        model.plan(Status(code=429, headers={"retry-after": "1"}))
        began = time.monotonic()
        ended = peer.chat("patience", "one")
        self.assert_ended(ended, "final")
        self.assertEqual(text_of(ended["message"]), "re: patience")
        self.assertGreaterEqual(time.monotonic() - began, 1.0)
        self.assertEqual(len(model.requests), 2)

    def test_slow_stream(self) -> None:
        """
        What the model has said so far is seen while it is still silent about the rest.
        """
        model, _, peer = self.both("anthropic-messages")
        gate = Gate()
        model.plan(Text("first"), gate, *pieces(" then more"))
        peer.ask("chat.send", {"sessionKey": "main", "message": "slowly", "idempotencyKey": "one"})
        self.assertEqual(text_of(peer.wait_chat("one", "delta")["message"]), "first")
        self.assertFalse(gate.opened.is_set())
        gate.open()
        self.assertEqual(text_of(peer.wait_chat("one", "final")["message"]).strip(), "first then more")

    def test_hanging(self) -> None:
        """
        A model that hangs is left by an abort, and by the time limit of a run, which says so; then the session works.
        """
        model, _, peer = self.both()
        aborted, limited = Gate(), Gate()
        model.plan(aborted)
        peer.ask("chat.send", {"sessionKey": "main", "message": "hang", "idempotencyKey": "one"})
        aborted.wait_reached()
        peer.ask("chat.abort", {"sessionKey": "main", "runId": "one"})
        self.assert_ended(peer.wait_chat("one", "final", "error", "aborted"), "aborted")
        model.plan(limited)
        name = peer.send(
            "agent", {"sessionKey": "main", "message": "hang again", "idempotencyKey": "two", "timeout": 1}
        )
        self.assertEqual(peer.answer(name)["payload"]["status"], "accepted")
        final = peer.answer(name)
        self.assertFalse(final["ok"])
        self.assertEqual(final["payload"]["status"], "error")
        self.assertEqual(final["error"]["code"], "AGENT_TIMEOUT")
        self.assert_ended(peer.chat("better", "three"), "final")
        self.assertEqual(peer.history()[-1], ("assistant", "re: better"))
