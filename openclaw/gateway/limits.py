"""
Failed authentication: who is locked out, who is only slowed (``design.md`` 5).

A secret is always compared, since a right one always passes. What a locked address loses is the answer: each wrong
secret is refused with the same words after the longest delay, whatever was wrong with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from attrs import define, field

from openclaw.clock import Seconds
from openclaw.web.local import client_address, is_trusted, plain_address

WINDOW = timedelta(minutes=1)
LOCKOUT = timedelta(minutes=5)

#: This many different wrong secrets within the window lock an address.
DIFFERENT_SECRETS = 10

#: The most that a failure is slowed down by.
MOST_DELAY = timedelta(seconds=1)

#: More addresses than this are not remembered; the one that failed longest ago is forgotten.
ADDRESSES = 10_000

#: In place of an address: clients on this machine that are no web page. They are slowed, never locked.
OURSELVES: Final = ""

TOO_MANY = "unauthorized: too many failed authentication attempts (retry later)"


def counted_address(peer: str, headers: Mapping[str, str], trusted_proxies: Collection[str]) -> str:
    """
    The address that failures are counted against. Behind a trusted proxy it is the hop which that proxy has seen
    itself, the last one: whatever stands before it was written by the caller, who could be somebody else each time.
    An IPv6 address stands for its network of 64 bits, which one host has whole.
    """
    address = client_address(peer, headers, trusted_proxies)
    if is_trusted(peer, trusted_proxies) and headers.get("x-forwarded-for"):
        address = plain_address(headers["x-forwarded-for"].rpartition(",")[2]) or plain_address(peer)
    try:
        parsed = ip_address(address)
    except ValueError:
        return plain_address(peer)
    if isinstance(parsed, IPv6Address) and not parsed.is_loopback:
        return str(ip_network((parsed.packed, 64), strict=False))
    return str(parsed)


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
        Count a wrong secret. The same one from the same address counts once in a window.
        """
        now = self.clock.seconds()
        seen = self._addresses.pop(address, None) or _Address()
        self._addresses[address] = seen
        while len(self._addresses) > ADDRESSES:
            del self._addresses[next(iter(self._addresses))]
        oldest = now - WINDOW.total_seconds()
        seen.failures = {digest: at for digest, at in seen.failures.items() if at > oldest}
        digest = hashlib.sha256(secret.encode("utf-8")).digest()
        if digest in seen.failures:
            return
        seen.failures[digest] = now
        self._recent = [*[at for at in self._recent if at > oldest][-1000:], now]
        if len(seen.failures) >= DIFFERENT_SECRETS:
            # Only the latest are kept, so that nobody fills the memory.
            del seen.failures[next(iter(seen.failures))]
            if address != OURSELVES:
                seen.locked_until = now + LOCKOUT.total_seconds()

    def locked(self, address: str) -> bool:
        """
        Whether wrong secrets from this address are no longer told what is wrong with them.
        """
        return self.locked_for_ms(address) > 0

    def locked_for_ms(self, address: str) -> int:
        """
        How long an address stays locked, 0 if it is not.
        """
        seen = self._addresses.get(address)
        left = 0.0 if seen is None else seen.locked_until - self.clock.seconds()
        return max(0, int(left * 1000))

    def delay(self, address: str) -> float:
        """
        How long to hold back the next refusal to an address.

        :return: seconds: one for a locked address, else growing with the failures of the last minute from everywhere,
            at most one.
        """
        if self.locked(address):
            return MOST_DELAY.total_seconds()
        oldest = self.clock.seconds() - WINDOW.total_seconds()
        recent = sum(1 for at in self._recent if at > oldest)
        return min(MOST_DELAY.total_seconds(), max(0, recent - DIFFERENT_SECRETS) * 0.01)
