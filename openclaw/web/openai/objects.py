"""
A response as an object (``http.md`` 6.3), with what stricter clients of OpenAI look for besides (7.2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import frozen

from openclaw.agent.types import Inbound
from openclaw.web.openai.running import Reply


@frozen(kw_only=True)
class AskedResponse:
    """
    A request that was understood.

    :ivar run_id: of the run, which is the response's id.
    :ivar body: the request, some of whose members are told back.
    :ivar created: seconds since the epoch.
    """

    run_id: str
    inbound: Inbound
    body: Mapping[str, Any]
    stream: bool
    created: int


def response(asked: AskedResponse, output: Sequence[Mapping[str, Any]], reply: Reply) -> dict[str, Any]:
    """
    What a run has come to.
    """
    return _object(asked, "incomplete" if reply.calls else "completed", output, usage(reply.usage))


def in_progress(asked: AskedResponse) -> dict[str, Any]:
    """
    A response of which nothing is there yet.
    """
    return _object(asked, "in_progress", [], usage({}))


def failed(asked: AskedResponse, error: Mapping[str, Any]) -> dict[str, Any]:
    """
    A response that there will not be.
    """
    return {**_object(asked, "failed", [], usage({})), "error": {"code": "api_error", **error}}


def output_items(reply: Reply, make_id: Callable[[], str]) -> list[dict[str, Any]]:
    """
    A message, unless there are only calls, and the calls.
    """
    items = [message_item(f"msg_{make_id()}", reply.text)] if reply.text else []
    return [*items, *(call_item(f"fc_{make_id()}", call) for call in reply.calls)]


def text_part(text: str) -> dict[str, Any]:
    """
    A part of a message.
    """
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def message_item(item_id: str, text: str) -> dict[str, Any]:
    """
    What the agent said.
    """
    return {**_message(item_id, "completed"), "content": [text_part(text)]}


def begun_message(item_id: str) -> dict[str, Any]:
    """
    A message of which nothing is said yet. It has no part: clients add the one that is told of next.
    """
    return _message(item_id, "in_progress")


def _message(item_id: str, status: str) -> dict[str, Any]:
    return {"type": "message", "id": item_id, "role": "assistant", "content": [], "status": status}


def call_item(item_id: str, call: Mapping[str, str], status: str = "completed") -> dict[str, Any]:
    """
    What the agent wants its client to do. Its arguments are told when they are complete.
    """
    return {
        "type": "function_call",
        "id": item_id,
        "call_id": call["id"],
        "name": call["name"],
        "arguments": call["arguments"] if status == "completed" else "",
        "status": status,
    }


def usage(told: Mapping[str, int]) -> dict[str, Any]:
    """
    Tokens of the run's last turn, as OpenAI counts them.
    """
    cached = told.get("cacheRead", 0)
    given = told.get("input", 0) + cached + told.get("cacheWrite", 0)
    answered = told.get("output", 0)
    return {
        "input_tokens": given,
        "output_tokens": answered,
        "total_tokens": given + answered,
        "input_tokens_details": {"cached_tokens": cached},
        "output_tokens_details": {"reasoning_tokens": 0},
    }


def _object(
    asked: AskedResponse, status: str, output: Sequence[Mapping[str, Any]], used: Mapping[str, Any]
) -> dict[str, Any]:
    body = asked.body
    return {
        "id": asked.run_id,
        "object": "response",
        "created_at": asked.created,
        "status": status,
        "model": body["model"],
        "output": output,
        "usage": used,
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "metadata": body.get("metadata") or {},
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "temperature": body.get("temperature"),
        "tool_choice": body.get("tool_choice") or "auto",
        "tools": body.get("tools") or [],
        "top_p": body.get("top_p"),
    }
