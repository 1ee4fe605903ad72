"""
How a run's record answers those who asked for it or wait for it.
"""

from __future__ import annotations

from typing import Any

from openclaw.agent.types import Outcome
from openclaw.methods.table import Failed
from openclaw.protocol.codes import ErrorCode


def agent_answer(outcome: Outcome) -> dict[str, Any]:
    """
    The final answer of ``agent``. A run that somebody ended is no failure.

    :raise Failed: the run failed; the answer carries both payload and error.
    """
    if outcome.status == "error":
        # Only a run that was too slow has a result: what it had said by then.
        raise _failed(outcome, _result(outcome) if outcome.code == ErrorCode.AGENT_TIMEOUT else {})
    summary = "completed" if outcome.status == "ok" else outcome.summary
    return {"runId": outcome.run_id, "status": "ok", "summary": summary, **_result(outcome)}


def chat_answer(outcome: Outcome) -> dict[str, Any]:
    """
    The answer to a repeated ``chat.send`` whose run has ended.

    :raise Failed: the run failed.
    """
    if outcome.status == "error":
        raise _failed(outcome, {})
    return {"runId": outcome.run_id, "status": "ok"}


def wait_answer(outcome: Outcome) -> dict[str, Any]:
    """
    The answer of ``agent.wait``.
    """
    started = {} if outcome.started_at_ms is None else {"startedAt": outcome.started_at_ms}
    answer: dict[str, Any] = {
        "runId": outcome.run_id,
        "status": "error" if outcome.status == "error" else "ok",
        **started,
        "endedAt": outcome.ended_at_ms,
    }
    if outcome.status == "error":
        answer["error"] = outcome.summary
    return answer


def _failed(outcome: Outcome, more: dict[str, Any]) -> Failed:
    payload = {"runId": outcome.run_id, "status": "error", "summary": outcome.summary, **more}
    return Failed(code=outcome.code or ErrorCode.UNAVAILABLE, message=outcome.summary, payload=payload)


def _result(outcome: Outcome) -> dict[str, Any]:
    return {} if outcome.result is None else {"result": dict(outcome.result)}
