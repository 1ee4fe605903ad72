"""
Failed authentication: who is locked out, who is only slowed (``design.md`` 5).
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

from attrs import define, field

from openclaw.clock import Seconds

WINDOW = timedelta(minutes=1)
LOCKOUT = timedelta(minutes=5)

#: This many different wrong secrets within the window lock an address.
DIFFERENT_SECRETS = 10

#: The most that a failure is slowed down by.
MOST_DELAY = timedelta(seconds=1)

#: More addresses than this are not remembered; the one that failed longest ago is forgotten.
ADDRESSES = 10_000


@define
class _Address:
    failures: dict[bytes, float] = field(factory=dict)
    locked_until: float = 0.0


@define(kw_only=True)
class FailureLimiter:
    """
    Counts different wrong secrets for each address. Right credentials are never refused by it.
    """

    clock: Seconds
    _addresses: dict[str, _Address] = field(factory=dict, init=False)
    _recent: list[float] = field(factory=list, init=False)

    def failed(self, address: str, secret: str) -> None:
        """
        Count a wrong secret. The same one counts once in a window.
        """
        now = self.clock.seconds()
        seen = self._addresses.pop(address, None) or _Address()
        self._addresses[address] = seen
        while len(self._addresses) > ADDRESSES:
            del self._addresses[next(iter(self._addresses))]
        oldest = now - WINDOW.total_seconds()
        seen.failures = {digest: at for digest, at in seen.failures.items() if at > oldest}
        seen.failures.setdefault(hashlib.sha256(secret.encode("utf-8")).digest(), now)
        self._recent = [*[at for at in self._recent if at > oldest][-1000:], now]
        if len(seen.failures) >= DIFFERENT_SECRETS:
            seen.locked_until = now + LOCKOUT.total_seconds()
            seen.failures.clear()

    def locked(self, address: str) -> bool:
        """
        Whether wrong secrets from this address are answered without a look at them.
        """
        seen = self._addresses.get(address)
        return seen is not None and seen.locked_until > self.clock.seconds()

    def delay(self) -> float:
        """
        How long to hold back the next refusal.

        :return: seconds, growing with the failures of the last minute from everywhere, at most one.
        """
        oldest = self.clock.seconds() - WINDOW.total_seconds()
        recent = sum(1 for at in self._recent if at > oldest)
        return min(MOST_DELAY.total_seconds(), max(0, recent - DIFFERENT_SECRETS) * 0.01)
