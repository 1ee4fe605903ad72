"""
How a run's record answers those who asked for it or wait for it, and how runs are ended.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import TimeoutError as DeferredTimeout

from openclaw.agent.types import Outcome
from openclaw.methods.context import MethodContext
from openclaw.methods.mapping import unavailable
from openclaw.methods.table import Failed
from openclaw.protocol.codes import ErrorCode

#: Seconds that are waited for runs to be over which somebody ends (``agent.md`` 10).
ENDING_WAIT = 15


async def ended(
    context: MethodContext, key: str, shown: str, *, run_id: str | None = None, reason: str = "rpc"
) -> list[str]:
    """
    End runs of a session.

    :param shown: the key as the caller wrote it.
    :return: their ids, once they are over.
    :raise Failed: it takes too long.
    """
    try:
        return await context.agents.abort(key, run_id=run_id, reason=reason).addTimeout(ENDING_WAIT, context.clock)
    except DeferredTimeout:
        raise unavailable(f"Session {shown} is still active; try again in a moment.") from None


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
