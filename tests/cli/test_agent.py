"""
``openclaw agent``.
"""

from __future__ import annotations

from typing import Any

from tests.cli.harness import GatewayCase
from tests.client.gateway import Peer

ANSWER = {
    "runId": "r",
    "status": "ok",
    "summary": "completed",
    "result": {"payloads": [{"text": "pong: hi", "mediaUrl": None}, {"text": "", "mediaUrl": "http://x/y.png"}]},
}


class AgentTests(GatewayCase):
    """
    One turn.
    """

    def setUp(self) -> None:
        super().setUp()
        self.gateway.hello = {"snapshot": {"sessionDefaults": {"mainSessionKey": "agent:main:main"}}}
        self.answer: dict[str, Any] = ANSWER
        self.gateway.methods["agent"] = self.turn

    def turn(self, peer: Peer, request: dict[str, Any]) -> None:
        """
        Answer twice, as the gateway does.
        """
        peer.answer(request, {"runId": "r", "status": "accepted"})
        peer.answer(request, self.answer)

    def test_text(self) -> None:
        """
        People read what the agent said.
        """
        outcome = self.openclaw("agent", "--message", "hi")
        self.assertEqual((outcome.code, outcome.out), (0, "pong: hi\nMEDIA:http://x/y.png\n"))

    def test_local(self) -> None:
        """
        Nothing but a gateway runs agents, and it says so.
        """
        outcome = self.openclaw("agent", "--local", "-m", "hi")
        self.assertEqual((outcome.code, outcome.err.partition(":")[2][:18]), (2, " --local is not he"))
        self.assertEqual(self.gateway.connects, [])

    def test_json(self) -> None:
        """
        Scripts get the last answer as it came.
        """
        self.assertEqual(self.openclaw("agent", "-m", "hi", "--json").json, ANSWER)

    def test_verbose(self) -> None:
        """
        How verbose a conversation is, is set before the turn, for the conversation that is meant.
        """
        self.gateway.methods["sessions.patch"] = {"ok": True}
        self.gateway.methods["sessions.resolve"] = {"ok": True, "key": "agent:main:x"}
        for words, key in (
            ([], "agent:main:main"),
            (["--agent", "work"], "agent:work:main"),
            (["--session-id", "s"], "agent:main:x"),
        ):
            self.gateway.requests.clear()
            self.assertEqual(self.openclaw("agent", "-m", "hi", "--verbose", "on", *words).code, 0)
            *_, patch, turn = self.gateway.requests
            self.assertEqual(patch["params"], {"key": key, "verboseLevel": "on"})
            self.assertEqual(turn["method"], "agent")
            self.assertNotIn("verboseLevel", turn["params"])
        outcome = self.openclaw("agent", "-m", "hi", "--verbose", "loud")
        self.assertEqual((outcome.code, outcome.err), (2, 'error: Invalid --verbose (use "on", "full" or "off")\n'))

    def test_gateway_down(self) -> None:
        """
        Without a gateway nothing is run here: the failure says where it was looked for, and how to start it.
        """
        self.gateway.stop()
        outcome = self.openclaw("agent", "-m", "hi")
        self.assertEqual((outcome.code, outcome.out), (1, ""))
        lines = outcome.err.splitlines()
        self.assertEqual(lines[0], "Error: gateway closed (1006 abnormal closure (no close frame)): no close reason")
        self.assertEqual(lines[-1], "Fix: start it with: openclaw gateway")

    def test_main_session(self) -> None:
        """
        Without any choice the main conversation is meant; a choice is passed on.
        """
        self.openclaw("agent", "-m", "hi")
        self.openclaw("agent", "-m", "hi", "--agent", "work", "--thinking", "low", "--deliver", "--timeout", "5")
        first, second = (request["params"] for request in self.gateway.requests)
        self.assertTrue(first.pop("idempotencyKey"))
        self.assertEqual(first, {"message": "hi", "sessionKey": "agent:main:main"})
        self.assertNotIn("sessionKey", second)
        self.assertEqual((second["agentId"], second["thinking"]), ("work", "low"))
        self.assertEqual((second["deliver"], second["timeout"]), (True, 5))

    def test_silence(self) -> None:
        """
        An agent that says nothing is told of.
        """
        self.answer = {"status": "ok", "result": {"payloads": []}}
        self.assertEqual(self.openclaw("agent", "-m", "hi").out, "No reply from agent.\n")

    def test_failed_run(self) -> None:
        """
        A run that failed fails the command, with its payload for scripts.
        """
        payload = {"runId": "r", "status": "error", "summary": "Error: boom"}
        self.gateway.methods["agent"] = lambda peer, request: peer.refuse(
            request, "UNAVAILABLE", "Error: boom", payload=payload
        )
        outcome = self.openclaw("agent", "-m", "hi", "--json")
        self.assertEqual((outcome.code, outcome.err, outcome.json), (1, "Error: boom\n", payload))

    def test_unknown_agent(self) -> None:
        """
        What to type is told.
        """
        message = 'invalid agent params: unknown agent id "x"'
        self.gateway.methods["agent"] = lambda peer, request: peer.refuse(request, "INVALID_REQUEST", message)
        told = 'Unknown agent id "x". Use "openclaw agents list" to see configured agents.\n'
        outcome = self.openclaw("agent", "-m", "hi", "--agent", "x")
        self.assertEqual((outcome.code, outcome.err), (1, told))

    def test_usage(self) -> None:
        """
        A message must be there, and a time limit must be one.
        """
        outcome = self.openclaw("agent")
        self.assertEqual(outcome.err, "error: required option '-m, --message <text>' not specified\n")
        outcome = self.openclaw("agent", "-m", "x", "--timeout", "0")
        self.assertEqual((outcome.code, outcome.err), (2, "error: --timeout must be a positive integer (seconds)\n"))
