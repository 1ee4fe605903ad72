"""
The model behind the recorded HTTP requests: it obeys marks in the last message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred, succeed

from openclaw.agent.providers.base import ModelRequest, Stop, TextDelta, ToolCall, ToolSpec, Usage
from openclaw.agent.providers.errors import ProviderRefused
from openclaw.agent.tools import ToolContext, ToolResult
from openclaw.testing.model import Step

#: Seconds between two words.
PACE = 0.06

USAGE = Usage(input=11, output=7)
HELLO = "Hello from the mock model."

_TOOL = re.compile(r"\[\[(text)?tool:(\w+):(\{.*?\})\]\]", re.DOTALL)
_SAY = re.compile(r"\[\[say:(.*?):yas\]\]", re.DOTALL)


@frozen
class StatusTool:
    """
    A tool of the gateway's: one is called in some of the recordings, a client has another of the same name.
    """

    name: str = "session_status"

    @property
    def spec(self) -> ToolSpec:
        return ToolSpec(name=self.name, description="", parameters={"type": "object"})

    def question(self, call: ToolCall, context: ToolContext) -> str | None:
        return None

    def run(self, call: ToolCall, context: ToolContext) -> Deferred[ToolResult]:
        return succeed(ToolResult.of_text("status"))


def answer(request: ModelRequest) -> Sequence[Step]:
    """
    What the model of the recordings says.
    """
    last = request.messages[-1]
    if last["role"] == "toolResult":
        return _words("Tool result received.")
    text = "".join(block["text"] for block in last["content"] if block["type"] == "text")
    if "[[err400]]" in text:
        return [ProviderRefused("mock bad request", status=400)]
    if "[[empty]]" in text:
        return [USAGE, Stop("stop")]
    if "[[two]]" in text:
        return [TextDelta("First paragraph."), PACE, TextDelta("\n\nSecond paragraph."), PACE, USAGE, Stop("stop")]
    said = _SAY.search(text)
    if said is not None:
        return _words(said[1])
    called = _TOOL.search(text)
    if called is not None:
        before: list[Step] = [TextDelta("Calling a tool."), PACE] if called[1] else []
        return [*before, ToolCall("call_1795415793516", called[2], json.loads(called[3])), USAGE, Stop("toolUse")]
    return _words(HELLO)


def _words(text: str) -> Sequence[Step]:
    steps: list[Step] = []
    for word in re.findall(r"\s*\S+", text):
        steps += [TextDelta(word), PACE]
    return [*steps, USAGE, Stop("stop")]


def observed_message(request: ModelRequest) -> dict[str, Any]:
    """
    The last message as the recordings tell it.
    """
    last = request.messages[-1]
    blocks = [
        block
        if block["type"] == "text"
        else {"type": "image_url", "image_url": {"url": f"data:{block['mimeType']};base64,{block['data'][:18]}..."}}
        for block in last["content"]
    ]
    return {"role": last["role"], "content": blocks}
