"""
Tools over a gateway in memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.testing.gateway import TOKEN, MemoryGateway
from tests.harness.http import ask
from tests.web.asking import Answer

BEARER = {"Authorization": f"Bearer {TOKEN}"}


class ToolCase(SynchronousTestCase):
    def gateway(self, config: Mapping[str, Any] | None = None, **more: Any) -> MemoryGateway:
        gateway = MemoryGateway(directory=Path(self.mktemp()).absolute(), config=config or {}, **more)
        self.addCleanup(gateway.stop)
        return gateway.start()

    def post(self, gateway: MemoryGateway, body: Any, headers: Mapping[str, str] | None = None, **more: Any) -> Answer:
        return ask(gateway, "POST", "/tools/invoke", headers={**BEARER, **(headers or {})}, body=body, **more)

    def done(self, gateway: MemoryGateway, tool: str, key: str | None = None, **arguments: Any) -> Any:
        """
        :return: the details.
        """
        answer = self.post(gateway, {"tool": tool, "args": arguments, **({"sessionKey": key} if key else {})})
        self.assertEqual(answer.status, 200, answer.body)
        return answer.value["result"]["details"]

    def failed(self, gateway: MemoryGateway, tool: str, **arguments: Any) -> str:
        answer = self.post(gateway, {"tool": tool, "args": arguments})
        self.assertEqual((answer.status, answer.value["error"]["type"]), (400, "tool_error"), answer.body)
        return str(answer.value["error"]["message"])
