"""
What is answered to those who wait for a run (``methods.md`` 7.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import orjson

from openclaw.agent.providers.base import ResolvedModel, ToolCall, Usage
from openclaw.agent.types import Outcome

AGENT_TIMEOUT = "AGENT_TIMEOUT"
UNAVAILABLE = "UNAVAILABLE"


def make_outcome(
    *,
    run_id: str,
    session_id: str,
    status: Literal["ok", "error", "aborted"],
    summary: str,
    created_at_ms: int,
    started_at_ms: int | None,
    now_ms: int,
    text: str = "",
    before: Sequence[str] = (),
    usage: Usage | None = None,
    model: ResolvedModel | None = None,
    aborted: bool = False,
    code: str | None = None,
    pending: Sequence[ToolCall] = (),
) -> Outcome:
    """
    :param text: the reply; empty when nothing is said.
    :param before: what was said before tools were called.
    :param aborted: whether the run was ended from outside.
    :param pending: calls that are left to the client.
    """
    agent: dict[str, Any] = {"sessionId": session_id}
    if model is not None:
        agent |= {"provider": model.provider, "model": model.model_id}
    if usage is not None:
        agent["usage"] = usage_totals(usage)
    meta: dict[str, Any] = {"agentMeta": agent, "aborted": aborted}
    if pending:
        meta |= {"stopReason": "tool_calls", "pendingToolCalls": [_pending(call) for call in pending]}
    duration = now_ms - (created_at_ms if started_at_ms is None else started_at_ms)
    return Outcome(
        run_id=run_id,
        status=status,
        summary=summary,
        started_at_ms=started_at_ms,
        ended_at_ms=now_ms,
        result={
            "payloads": [{"text": said, "mediaUrl": None} for said in (*before, text) if said],
            "meta": {"durationMs": duration, **meta},
        },
        code=code,
    )


def last_text(outcome: Outcome) -> str:
    """
    The last thing that a run said.
    """
    payloads = (outcome.result or {}).get("payloads") or ()
    return next((payload["text"] for payload in reversed(payloads) if payload.get("text")), "")


def _pending(call: ToolCall) -> dict[str, str]:
    return {"id": call.id, "name": call.name, "arguments": orjson.dumps(call.arguments).decode()}


def usage_totals(usage: Usage) -> dict[str, int]:
    """
    Tokens of a whole run.
    """
    return {
        "input": usage.input,
        "output": usage.output,
        "cacheRead": usage.cache_read,
        "cacheWrite": usage.cache_write,
        "total": usage.total,
    }


def usage_of_session(usage: Usage, model: ResolvedModel) -> dict[str, Any]:
    """
    Members of a session's entry that tell of its last turn (``agent.md`` 3.1).
    """
    return {
        "inputTokens": usage.input,
        "outputTokens": usage.output,
        "totalTokens": usage.input + usage.cache_read + usage.cache_write,
        "contextTokens": model.context_window,
        "modelProvider": model.provider,
        "model": model.model_id,
    }
