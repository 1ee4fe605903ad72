"""
From an address on the web to the addresses that may be connected to: asked for once, and each one checked.
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.internet.threads import deferToThreadPool

from openclaw.egress.addresses import Address, unmapped
from openclaw.egress.errors import BlockedAddress, BlockedHostname, BlockedResolution, NameNotFound
from openclaw.egress.urls import Url

#: Addresses of a name, as text. Raises ``NameNotFound``, or gives none.
Resolve = Callable[[str], Awaitable[Sequence[str]]]

#: Whether an address may be connected to.
Allowed = Callable[[Address], bool]

#: Names that mean this machine or its surroundings, whatever their addresses are.
BLOCKED_NAMES = frozenset({"localhost", "metadata.google.internal"})
BLOCKED_ENDINGS = (".localhost", ".local", ".internal")

#: Lookups at once: each takes a thread of the process until it ends, which the name's owner can make a minute.
LOOKUPS_AT_ONCE = 4


async def permitted(url: Url, resolve: Resolve, allowed: Allowed) -> tuple[Address, ...]:
    """
    The addresses behind a URL, at least one.

    :raise Blocked: it must not be asked.
    :raise NameNotFound: there are none.
    """
    if url.address is not None:
        address = unmapped(url.address)
        if not allowed(address):
            raise BlockedAddress()
        return (address,)
    if _means_inside(url.host):
        raise BlockedHostname(url.host)
    found = tuple(dict.fromkeys(unmapped(ip_address(text)) for text in await resolve(url.host)))
    if not found:
        raise NameNotFound(url.host)
    if not all(allowed(address) for address in found):
        raise BlockedResolution()
    return found


def _means_inside(host: str) -> bool:
    name = host.removesuffix(".")
    return name in BLOCKED_NAMES or name.endswith(BLOCKED_ENDINGS)


@define(eq=False)
class SystemNames:
    """
    The system's own lookup, in threads, a few at once.

    :ivar reactor: has a pool of threads.
    """

    reactor: Any
    getaddrinfo: Callable[..., Any] = socket.getaddrinfo
    _turns: DeferredSemaphore = field(factory=lambda: DeferredSemaphore(LOOKUPS_AT_ONCE), init=False)

    async def __call__(self, host: str) -> Sequence[str]:
        """
        Cancelling this forgets the answer; the thread goes on, and keeps its turn until then.

        :raise NameNotFound: there is no such name, or nobody could say.
        """
        await self._turns.acquire()
        answer: Deferred[Any] = Deferred()
        looking = deferToThreadPool(
            self.reactor, self.reactor.getThreadPool(), self.getaddrinfo, host, None, type=socket.SOCK_STREAM
        )

        def ended(result: Any) -> None:
            self._turns.release()
            if not answer.called:
                answer.callback(result)

        looking.addBoth(ended)
        try:
            found = await answer
        except OSError as error:
            again = error.errno == socket.EAI_AGAIN
            raise NameNotFound(host, "EAI_AGAIN" if again else "ENOTFOUND") from None
        return [place[0] for *_, place in found]
