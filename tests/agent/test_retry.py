"""
When a model is asked again.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.providers.errors import GarbledAnswer, ProviderRefused, ProviderUnreachable, StreamBroken
from openclaw.agent.retry import MAX_RETRY_AFTER, RetryPolicy, failover_reason


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
        A provider is obeyed, up to a minute.
        """
        policy = RetryPolicy()
        self.assertEqual(policy.request_delay(ProviderRefused("slow", status=429, retry_after=7.0), 1), 7.0)
        self.assertEqual(
            policy.request_delay(ProviderRefused("slow", status=429, retry_after=3600.0), 1), MAX_RETRY_AFTER
        )

    def test_failover(self) -> None:
        """
        Another model may do better when this one is limited, unpaid or away, not when the question is wrong.
        """
        reasons = {400: None, 401: "auth", 402: "billing", 408: "timeout", 429: "rate_limit", 500: "rate_limit"}
        for status, reason in reasons.items():
            self.assertEqual(failover_reason(ProviderRefused("x", status=status)), reason)
        self.assertEqual(failover_reason(StreamBroken("cut")), "rate_limit")
        self.assertIsNone(failover_reason(GarbledAnswer("what")))
