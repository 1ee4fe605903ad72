"""
When a model is asked again.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.providers.errors import GarbledAnswer, ProviderRefused, ProviderUnreachable, StreamBroken
from openclaw.agent.retry import MAX_RETRY_AFTER, RetryPolicy, failover_reason, lower_thinking


class RetryTests(SynchronousTestCase):
    def test_requests(self) -> None:
        """
        A request is repeated twice, quickly; not for what will fail again, nor after an answer has begun.
        """
        policy = RetryPolicy()
        busy = ProviderRefused("busy", status=503)
        self.assertEqual([policy.request_delay(busy, attempt) for attempt in (1, 2, 3)], [0.5, 0.5, None])
        self.assertEqual(RetryPolicy(jitter=lambda: 1.0).request_delay(busy, 1), 1.0)
        self.assertEqual(policy.request_delay(ProviderUnreachable("gone"), 1), 0.5)
        for error in (ProviderRefused("no", status=400), ProviderRefused("no", status=401), StreamBroken("cut")):
            self.assertIsNone(policy.request_delay(error, 1))

    def test_turns(self) -> None:
        """
        A turn is tried again after 2, 4 and 8 seconds.
        """
        policy = RetryPolicy()
        delays = [policy.turn_delay(StreamBroken("cut"), attempt) for attempt in (1, 2, 3, 4)]
        self.assertEqual(delays, [2.0, 4.0, 8.0, None])
        self.assertIsNone(policy.turn_delay(GarbledAnswer("what"), 1))

    def test_retry_after(self) -> None:
        """
        A provider is obeyed, between requests and between turns; one that asks for more than a minute is not waited
        for, so that people hear of it.
        """
        policy = RetryPolicy()
        for seconds, delays in ((7.0, (7.0, 7.0)), (1.0, (1.0, 2.0)), (MAX_RETRY_AFTER + 1, (0.5, 2.0))):
            error = ProviderRefused("slow", status=429, retry_after=seconds)
            self.assertEqual((policy.request_delay(error, 1), policy.turn_delay(error, 1)), delays)

    def test_lower_thinking(self) -> None:
        """
        A provider that names the levels it knows is asked with the next lower one of them, at last with none.
        """
        text = "Unsupported value: 'x'. Supported values are: 'none', 'low', 'medium' and 'xhigh'."
        error = ProviderRefused(text, status=400)
        lower = {"xhigh": "medium", "high": "medium", "medium": "low", "low": "off", "minimal": "off", "off": None}
        self.assertEqual({level: lower_thinking(error, level) for level in lower}, lower)
        self.assertEqual(lower_thinking(ProviderRefused("Supported values: low, high", status=400), "medium"), "low")
        others = ("no", "Supported values are: 'auto' and 'none'.")
        for other in (*(ProviderRefused(one, status=400) for one in others), ProviderRefused(text, status=500)):
            self.assertIsNone(lower_thinking(other, "high"))

    def test_failover(self) -> None:
        """
        Another model may do better when this one is limited, unpaid or away, not when the question is wrong.
        """
        reasons = {400: None, 401: "auth", 402: "billing", 408: "timeout", 429: "rate_limit", 500: "rate_limit"}
        for status, reason in reasons.items():
            self.assertEqual(failover_reason(ProviderRefused("x", status=status)), reason)
        self.assertEqual(failover_reason(StreamBroken("cut")), "rate_limit")
        self.assertIsNone(failover_reason(GarbledAnswer("what")))
