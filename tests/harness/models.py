"""
The models behind the recorded conversations.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import field, frozen
from twisted.internet.defer import Deferred, succeed

from openclaw.agent.providers.base import ModelRequest, Stop, TextDelta, ToolCall, ToolSpec, Usage
from openclaw.agent.providers.errors import ProviderRefused
from openclaw.agent.tools import ToolContext, ToolResult
from openclaw.testing.model import Step

#: Seconds between two words.
PACE = 0.06

SLOW_PACE = 0.205

#: Seconds that a model which hangs says nothing.
FOR_EVER = 1e6

_MARK = re.compile(r"MOCK:(\w+)(?::(\S+))?")
_ID_LINE = re.compile(r"\n?\[message_id: [^\]\n]*\]$")


def question(request: ModelRequest) -> str:
    """
    The text of the last message of a user.
    """
    message = next(m for m in reversed(request.messages) if m["role"] == "user")
    if isinstance(message["content"], str):
        return message["content"]
    return "".join(block["text"] for block in message["content"] if block["type"] == "text")


def words(text: str, pace: float, usage: Usage) -> list[Step]:
    steps: list[Step] = []
    for word in re.findall(r"\s*\S+", text):
        steps += [TextDelta(word), pace]
    return [*steps, usage, Stop("stop")]


def marked(request: ModelRequest) -> Sequence[Step]:
    """
    The model that obeys ``MOCK:`` markers.
    """
    usage = Usage(input=120, output=12)
    if request.messages[-1]["role"] == "toolResult":
        return words("The tool printed: done.", PACE, usage)
    found = _MARK.search(_ID_LINE.sub("", question(request)))
    if found is None:
        return words("Hello from the mock model.", PACE, usage)
    return MARKS[found[1]](found[2] or "", usage)


def _slow(argument: str, usage: Usage) -> Sequence[Step]:
    count, pause = argument.split(",")
    steps: list[Step] = []
    for number in range(int(count)):
        steps += [TextDelta(f"tok{number} "), int(pause) / 1000]
    return [*steps, usage, Stop("stop")]


def _tool(argument: str, usage: Usage) -> Sequence[Step]:
    name, _, encoded = argument.partition(",")
    arguments: Mapping[str, Any] = {"command": "echo mock-tool-output"}
    if encoded:
        arguments = json.loads(base64.b64decode(encoded))
    return [TextDelta("Let me run that."), ToolCall("call_mock_1", name, arguments), usage, Stop("toolUse")]


def _say(argument: str, usage: Usage) -> Sequence[Step]:
    return [TextDelta(argument.replace("+", " ")), usage, Stop("stop")]


def _refuse(argument: str, usage: Usage) -> Sequence[Step]:
    return [ProviderRefused(f"mock error {argument}", status=int(argument))]


MARKS: Mapping[str, Callable[[str, Usage], Sequence[Step]]] = {
    "say": _say,
    "slow": _slow,
    "tool": _tool,
    "err": _refuse,
    "hang": lambda argument, usage: [FOR_EVER],
    "empty": lambda argument, usage: [usage, Stop("stop")],
    "heartbeat": lambda argument, usage: [TextDelta("HEARTBEAT_OK"), usage, Stop("stop")],
}


def ponging(request: ModelRequest) -> Sequence[Step]:
    """
    The model that repeats the last line.
    """
    line = question(request).splitlines()[-1]
    if line.startswith("FAIL"):
        return [ProviderRefused("mock failure", status=500)]
    usage = Usage(input=11, output=7)
    if line.startswith("SLOW"):
        return [SLOW_PACE, *words(f"pong: {line}", SLOW_PACE, usage)]
    return words(f"pong: {line}", PACE, usage)


EXEC = ToolSpec(name="exec", description="Run a command.", parameters={"type": "object"})


@frozen
class RecordedExec:
    """
    The tool of the recordings: it answers what was answered then.
    """

    spec: ToolSpec = field(default=EXEC)

    def question(self, call: ToolCall, context: ToolContext) -> str | None:
        return None

    def run(self, call: ToolCall, context: ToolContext) -> Deferred[ToolResult]:
        command = call.arguments["command"]
        if command == "exit 3":
            details: dict[str, Any] = {"status": "error", "tool": "exec", "error": "Command exited with code 3"}
            failed = [{"type": "text", "text": json.dumps(details, indent=2)}]
            return succeed(ToolResult(content=failed, details=details, is_error=True, meta=command))
        text = command.removeprefix("echo ")
        running = {"status": "running", "sessionId": "amber-falcon", "pid": 3171, "startedAt": 1795414381533}
        running |= {"cwd": "/work", "tail": f"{text}\n"}
        context.update(ToolResult(content=[{"type": "text", "text": f"{text}\n"}], details=running))
        done = {"status": "completed", "exitCode": 0, "durationMs": 132, "aggregated": text, "cwd": "/work"}
        return succeed(ToolResult(content=[{"type": "text", "text": text}], details=done, meta=command))
