"""
Tools of the real process, called as ``curl`` calls them, and by a model.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from tests.process.case import ProcessCase
from tests.process.gateway import LIMIT, TOKEN, GatewayProcess
from tests.process.model import Raw, Text

CALL = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "agents_list", "arguments": "{}"}}
CHUNK = {"id": "m", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"tool_calls": [CALL]}}]}


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
        model.plan(Raw(b"data: " + json.dumps(CHUNK).encode() + b"\n\n"))
        model.plan(Text("There is one."))
        gateway = self.start_gateway(model)
        peer = self.join(gateway)
        peer.chat("which agents?", "k")
        first, second = model.requests
        self.assertIn("agents_list", [tool["function"]["name"] for tool in first.body["tools"]])
        answer = next(message for message in second.body["messages"] if message["role"] == "tool")
        self.assertIn('"requester": "main"', json.dumps(answer).replace('\\"', '"'))
