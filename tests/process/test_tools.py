"""
Tools of the real process, called as ``curl`` calls them, and by a model.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from tests.process.case import ProcessCase
from tests.process.gateway import LIMIT, TOKEN, GatewayProcess, eventually
from tests.process.model import Gate, Raw, Text
from tests.process.peer import Peer


def calling(name: str, **arguments: Any) -> Raw:
    """
    The answer of a model that calls a tool.
    """
    call = {
        "index": 0,
        "id": "call_1",
        "type": "function",
        "function": {"name": name, "arguments": json.dumps(arguments)},
    }
    chunk = {"id": "m", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}
    return Raw(b"data: " + json.dumps(chunk).encode() + b"\n\n")


class ToolTests(ProcessCase):
    def post(self, gateway: GatewayProcess, body: Any, token: str = TOKEN) -> tuple[int, Any]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{gateway.port}/tools/invoke",
            json.dumps(body).encode(),
            {"Authorization": f"Bearer {token}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=LIMIT) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def test_invoke(self) -> None:
        gateway = self.start_gateway()
        status, told = self.post(gateway, {"tool": "cron", "action": "status"})
        self.assertEqual((status, told["result"]["details"]["jobs"]), (200, 0), told)
        status, told = self.post(gateway, {"tool": "web_fetch", "args": {"url": f"http://127.0.0.1:{gateway.port}/"}})
        self.assertEqual((status, told["error"]["message"]), (400, "Blocked: private/internal IP address"))
        self.assertEqual(self.post(gateway, {"tool": "memory_search", "args": {"query": "x"}})[0], 200)
        self.assertEqual(self.post(gateway, {"tool": "exec"})[0], 404)
        self.assertEqual(self.post(gateway, {"tool": "cron"}, token="wrong")[0], 401)
        self.assertEqual(self.post(gateway, {"tool": "x" * 2_200_000})[0], 413)

    def test_model(self) -> None:
        """
        A model is offered the tools, calls one, and gets what it gave.
        """
        model = self.start_model()
        model.plan(calling("agents_list"))
        model.plan(Text("There is one."))
        gateway = self.start_gateway(model)
        peer = self.join(gateway)
        peer.chat("which agents?", "k")
        first, second = model.requests
        self.assertIn("agents_list", [tool["function"]["name"] for tool in first.body["tools"]])
        answer = next(message for message in second.body["messages"] if message["role"] == "tool")
        self.assertIn('"requester": "main"', json.dumps(answer).replace('\\"', '"'))

    def test_subagent(self) -> None:
        """
        A sub-agent at whose work the process is killed is run again by the next one, and its requester told once.
        """
        model, gate = self.start_model(), Gate()
        model.on("start one", calling("sessions_spawn", task="look around"))
        model.on("look around", gate, Text("seven birds"))
        gateway = self.start_gateway(model)
        peer = self.join(gateway)
        self.assert_ended(peer.chat("start one", "k"), "final")
        gate.wait_reached()
        gateway.kill()
        gate.open()
        gateway.start()
        peer = self.join(gateway)
        told = eventually(lambda: self.told(peer), "the requester was told")
        self.assertIn("completed successfully.\n\nWhat it said last:\nseven birds\n", told[0])
        gateway.stop()
        gateway.start()
        self.assertEqual(len(self.told(self.join(gateway))), 1)

    def told(self, peer: Peer) -> list[str]:
        """
        What the main session was told of its sub-agents.
        """
        return [text for role, text in peer.history() if role == "user" and text.startswith("The sub-agent for")]
