"""
When a model is asked again (``agent.md`` 15.1).

Two layers, as clients of the reference know its timing: a request is repeated twice quickly, and a turn that still
failed is repeated three times with longer waits. So a steady 500 takes about 16 seconds and 12 requests.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from attrs import frozen

from openclaw.agent.providers.catalog import THINKING_LEVELS
from openclaw.agent.providers.errors import ProviderError, ProviderRefused, ProviderUnreachable
from openclaw.sessions.levels import thinking_level

#: A provider that asks for a longer wait is not waited for: whoever asked the agent is told soon, and may ask later.
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
        asked = _asked(error)
        if asked is not None:
            return asked
        least, most = self.request_wait
        return least + (most - least) * self.jitter()

    def turn_delay(self, error: ProviderError, attempt: int) -> float | None:
        """
        :param attempt: how many tries of this turn have failed, from 1.
        :return: seconds until the turn is tried again; ``None`` when it is not.
        """
        if attempt > len(self.turn_waits) or not error.transient:
            return None
        return max(self.turn_waits[attempt - 1], _asked(error) or 0.0)


def _asked(error: ProviderError) -> float | None:
    """
    Seconds that a provider asks to be left alone, if we go along with it.
    """
    asked = error.retry_after if isinstance(error, ProviderRefused) else None
    return asked if asked is not None and asked <= MAX_RETRY_AFTER else None


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


def lower_thinking(error: ProviderRefused, level: str) -> str | None:
    """
    The next lower level that a provider knows, when it refuses the one it was asked for and names those it knows
    (``agent.md`` 13.5). To be asked for none at all suits every provider.

    :return: ``None`` when the refusal is about something else.
    """
    named = re.search(r"supported values(?: are)?:([^\n.]+)", error.message, re.IGNORECASE)
    if error.status != 400 or named is None or level not in THINKING_LEVELS:
        return None
    words = re.findall(r"[a-z]+", named[1].lower())
    known = {thinking_level(word) for word in words}
    if not known & set(THINKING_LEVELS):
        return None
    lower = THINKING_LEVELS[: THINKING_LEVELS.index(level)]
    return next((one for one in reversed(lower) if one in known or one == "off"), None)
