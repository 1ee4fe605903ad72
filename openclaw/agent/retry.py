"""
When a model is asked again (``agent.md`` 15.1).

Two layers, as clients of the reference know its timing: a request is repeated twice quickly, and a turn that still
failed is repeated three times with longer waits. So a steady 500 takes about 16 seconds and 12 requests.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from openclaw.agent.providers.errors import ProviderError, ProviderRefused, ProviderUnreachable

#: The longest wait a provider may ask for.
MAX_RETRY_AFTER = 60.0


@frozen(kw_only=True)
class RetryPolicy:
    """
    How often and after how many seconds.

    :ivar jitter: gives a number from 0 to 1.
    """

    requests: int = 2
    request_wait: tuple[float, float] = (0.5, 1.0)
    turn_waits: tuple[float, ...] = (2.0, 4.0, 8.0)
    jitter: Callable[[], float] = lambda: 0.0

    def request_delay(self, error: ProviderError, attempt: int) -> float | None:
        """
        :param attempt: how many requests of this turn have failed, from 1.
        :return: seconds until the same request is sent again; ``None`` when it is not.
        """
        if attempt > self.requests or not isinstance(error, ProviderRefused | ProviderUnreachable):
            return None
        if not error.transient:
            return None
        asked = error.retry_after if isinstance(error, ProviderRefused) else None
        if asked is not None:
            return min(asked, MAX_RETRY_AFTER)
        least, most = self.request_wait
        return least + (most - least) * self.jitter()

    def turn_delay(self, error: ProviderError, attempt: int) -> float | None:
        """
        :param attempt: how many tries of this turn have failed, from 1.
        :return: seconds until the turn is tried again; ``None`` when it is not.
        """
        if attempt > len(self.turn_waits) or not error.transient:
            return None
        return self.turn_waits[attempt - 1]


def failover_reason(error: ProviderError) -> str | None:
    """
    Why another model may do better; ``None`` when it would not (``agent.md`` 15.2).
    """
    if isinstance(error, ProviderRefused):
        reasons = {429: "rate_limit", 402: "billing", 401: "auth", 403: "auth", 408: "timeout"}
        if error.status in reasons:
            return reasons[error.status]
        return "rate_limit" if error.status >= 500 else None
    return "rate_limit" if error.transient else None
