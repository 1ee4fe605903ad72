"""
What those who wait for a run are told.
"""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.outcomes import make_outcome, usage_of_session
from openclaw.agent.providers.base import ResolvedModel, Usage
from openclaw.agent.record import outcome_record, read_outcome
from openclaw.agent.types import Outcome

MODEL = ResolvedModel(provider="mock", model_id="m1", api="openai-completions", base_url="", context_window=128_000)
USAGE = Usage(input=120, output=12, cache_read=30, cache_write=8)


def outcome(**members: Any) -> Outcome:
    told = {
        "run_id": "r",
        "session_id": "s",
        "status": "ok",
        "summary": "completed",
        "created_at_ms": 100,
        "now_ms": 700,
    }
    return make_outcome(**{"started_at_ms": 300, **told, **members})


class OutcomeTests(SynchronousTestCase):
    def test_result(self) -> None:
        """
        Everything that was said, who said it and what it took.
        """
        self.assertEqual(
            outcome(text="Done.", before=["Let me.", ""], usage=USAGE, model=MODEL).result,
            {
                "payloads": [{"text": "Let me.", "mediaUrl": None}, {"text": "Done.", "mediaUrl": None}],
                "meta": {
                    "durationMs": 400,
                    "agentMeta": {
                        "sessionId": "s",
                        "provider": "mock",
                        "model": "m1",
                        "usage": {"input": 120, "output": 12, "cacheRead": 30, "cacheWrite": 8, "total": 170},
                    },
                    "aborted": False,
                },
            },
        )

    def test_nothing_said(self) -> None:
        """
        A run that said nothing and asked no model has no payloads, and tells of no model.
        """
        result = outcome(started_at_ms=None, aborted=True).result
        assert result is not None
        self.assertEqual(result["payloads"], [])
        self.assertEqual(result["meta"], {"durationMs": 600, "agentMeta": {"sessionId": "s"}, "aborted": True})

    def test_kept(self) -> None:
        """
        An outcome comes back from the store as it was.
        """
        for told in (outcome(text="x", usage=USAGE, model=MODEL), outcome(status="error", code="AGENT_TIMEOUT")):
            self.assertEqual(read_outcome(outcome_record(told)), told)

    def test_session(self) -> None:
        """
        How full the context is counts what was read from the cache and written to it, not what was answered.
        """
        told = usage_of_session(USAGE, MODEL)
        self.assertEqual((told["totalTokens"], told["contextTokens"], told["outputTokens"]), (158, 128_000, 12))
        self.assertEqual((told["modelProvider"], told["model"]), ("mock", "m1"))
