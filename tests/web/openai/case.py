"""
A gateway that is asked over HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.providers.base import Stop, TextDelta, ToolCall, Usage
from openclaw.testing.gateway import TOKEN, MemoryGateway
from openclaw.testing.model import Step, said
from tests.harness.http import ask
from tests.web.asking import Answer

BEARER = {"Authorization": f"Bearer {TOKEN}"}

#: A turn that says something and calls a function of the client.
CALLS: list[Step] = [
    TextDelta("Let me look."),
    ToolCall("call_1", "get_weather", {"city": "Paris"}),
    Usage(input=11, output=7),
    Stop("toolUse"),
]


class HttpCase(SynchronousTestCase):
    """
    :cvar path: where it is asked.
    """

    path: str

    def gateway(self, *answers: Sequence[Step], **more: Any) -> MemoryGateway:
        answers = answers or ((*said("Hello", " world"),),)
        gateway = MemoryGateway(directory=Path(self.mktemp()).absolute(), answers=answers, **more)
        self.addCleanup(gateway.stop)
        return gateway.start()

    def post(self, gateway: MemoryGateway, body: Any, headers: Mapping[str, str] | None = None, **more: Any) -> Answer:
        return ask(gateway, "POST", self.path, headers={**BEARER, **(headers or {})}, body=body, **more)
