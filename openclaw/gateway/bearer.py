"""
The shared secret on HTTP: ``Authorization: Bearer`` (``http.md`` 3), counted as everywhere (``design.md`` 5).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from attrs import define
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from openclaw.config.auth import ResolvedAuth
from openclaw.config.model import Config
from openclaw.gateway.authenticate import check_shared
from openclaw.gateway.limits import OURSELVES, FailureLimiter, counted_address
from openclaw.web.local import is_local

SCHEME = "bearer"


@define(kw_only=True, eq=False)
class Bearer:
    """
    Whether a request brings the secret of the gateway's mode. Being on this machine is no substitute.

    :ivar limiter: shared with the WebSocket's handshake.
    :ivar whois: asks Tailscale whose a peer with these headers is: a login, or ``None``.
    """

    auth: ResolvedAuth
    limiter: FailureLimiter
    clock: IReactorTime
    config: Callable[[], Config]
    whois: Callable[[str, Mapping[str, str]], Awaitable[str | None]]

    def lacks(self, peer: str, headers: Mapping[str, str]) -> bool:
        """
        Whether a request cannot be admitted: it has no right secret, and Tailscale need not be asked.
        """
        if check_shared(self.auth, {str(self.auth.mode): secret_in(headers)}).method is not None:
            return False
        return not self.auth.allow_tailscale or is_local(peer, headers, self.config().gateway.trusted_proxies)

    async def admits(self, peer: str, headers: Mapping[str, str]) -> bool:
        """
        :param peer: address of the TCP peer.
        :param headers: by lower-case name.
        :return: also later, for a wrong secret: its answer is held back for a second at most.
        """
        given = secret_in(headers)
        result = check_shared(self.auth, {str(self.auth.mode): given})
        if result.method is not None:
            return True
        proxies = self.config().gateway.trusted_proxies
        local = is_local(peer, headers, proxies)
        if self.auth.allow_tailscale and not local and await self.whois(peer, headers) is not None:
            return True
        if result.wrong is not None:
            plain = local and "origin" not in headers
            address = OURSELVES if plain else counted_address(peer, headers, proxies)
            self.limiter.failed(address, result.wrong)
            delay = self.limiter.delay(address)
            if delay:
                await deferLater(self.clock, delay)
        return False


def secret_in(headers: Mapping[str, str]) -> str:
    """
    What a request gives as its secret; empty for none, and for anything but the one scheme.
    """
    scheme, _, secret = headers.get("authorization", "").strip().partition(" ")
    return secret.strip() if scheme.lower() == SCHEME else ""
