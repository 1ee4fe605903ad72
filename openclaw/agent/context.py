"""
Reading a session as what a model is shown, and what a run finds of itself in it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from openclaw.agent.providers.base import ToolCall
from openclaw.agent.transcript import Message, tool_message, user_message
from openclaw.store.interfaces import Entry, Unit


def context(path: Sequence[Entry]) -> list[Message]:
    """
    The messages a model is shown: from the last compaction on, without failed turns, every call with a result.
    """
    messages = _since_compaction(path)
    kept = [m for m in messages if m.get("role") != "assistant" or m.get("content")]
    return _with_results(kept)


def _since_compaction(path: Sequence[Entry]) -> list[Message]:
    last = next((i for i in range(len(path) - 1, -1, -1) if path[i].type == "compaction"), None)
    if last is None:
        return [entry.body["message"] for entry in path if entry.type == "message"]
    body = path[last].body
    first = body.get("firstKeptEntryId")
    start = next((i for i, entry in enumerate(path) if entry.id == first), last)
    summary = user_message(str(body.get("summary", "")), (), path[last].timestamp_ms)
    return [summary, *(entry.body["message"] for entry in path[start:] if entry.type == "message")]


def _with_results(messages: Sequence[Message]) -> list[Message]:
    """
    Providers want each result right after its call, and refuse calls without results and results without calls.
    """
    whole: list[Message] = []
    for index, message in enumerate(messages):
        if message.get("role") == "toolResult":
            continue
        whole.append(message)
        if message.get("role") == "assistant":
            calls = _calls(message)
            results = _results(messages, index + 1) if calls else {}
            for call in calls:
                found = results.get(call.id)
                whole.append(found.popleft() if found else _lost(call))
    return whole


def _calls(message: Message) -> list[ToolCall]:
    return [
        ToolCall(block["id"], block["name"], block.get("arguments", {}))
        for block in message["content"]
        if block["type"] == "toolCall"
    ]


def _results(messages: Sequence[Message], start: int) -> dict[str, deque[Message]]:
    """
    Results from ``start`` to the next calls, also those before which something else was said.
    """
    results: dict[str, deque[Message]] = {}
    for index in range(start, len(messages)):
        message = messages[index]
        if message.get("role") == "toolResult":
            results.setdefault(message["toolCallId"], deque()).append(message)
        elif message.get("role") == "assistant" and _calls(message):
            break
    return results


def _lost(call: ToolCall) -> Message:
    text = "The result of this call was lost."
    return tool_message(call, [{"type": "text", "text": text}], None, is_error=True, now_ms=0)


def open_calls(path: Sequence[Entry], run_id: str) -> list[ToolCall]:
    """
    Calls of a run's newest assistant message that have no result yet, in order.
    """
    return unanswered_calls([entry for entry in path if entry.run_id == run_id])


def unanswered_calls(path: Sequence[Entry]) -> list[ToolCall]:
    """
    Calls of the newest assistant message that have no result yet, in order, whichever run they are of.
    """
    calls: list[ToolCall] = []
    for entry in path:
        if entry.type != "message":
            continue
        message = entry.body["message"]
        if message["role"] == "assistant":
            calls = _calls(message)
        elif message["role"] == "toolResult":
            calls = [call for call in calls if call.id != message["toolCallId"]]
    return calls


def waiting_calls(unit: Unit, session_key: str) -> list[str]:
    """
    Ids of the calls that a session waits for.
    """
    session = unit.sessions.get(session_key)
    path = () if session is None else unit.entries.path(session.session_id)
    return [call.id for call in unanswered_calls(path)]


def decision(path: Sequence[Entry], question_id: str) -> bool | None:
    """
    What was decided about an approval, if anything.
    """
    for entry in reversed(path):
        if entry.type == "custom" and entry.body.get("customType") == "approval":
            data = entry.body.get("data", {})
            if data.get("id") == question_id:
                return bool(data.get("allowed"))
    return None


def has_user_message(path: Sequence[Entry], run_id: str) -> bool:
    """
    Whether the message that caused a run is written already.
    """
    return any(
        entry.run_id == run_id and entry.type == "message" and entry.body["message"].get("role") == "user"
        for entry in reversed(path)
    )


def call_ids(path: Sequence[Entry], run_id: str) -> set[str]:
    """
    Ids of all calls of a run.
    """
    return {
        call.id
        for entry in path
        if entry.run_id == run_id and entry.type == "message" and entry.body["message"].get("role") == "assistant"
        for call in _calls(entry.body["message"])
    }
