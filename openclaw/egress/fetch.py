"""
Fetching what others name (``http.md`` 6.5): pictures, files and pages by their address on the web.

Every step, the first and each redirect, is the same: read the address, refuse what means this machine or its
surroundings, look the name up once, check all of its addresses, and connect to these alone. Nothing leads around that:
there is no setting for it, and proxies of the environment are not used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.python.failure import Failure

from openclaw.egress.addresses import is_public
from openclaw.egress.errors import BadStatus, FetchTimedOut, RedirectWithoutLocation, TooManyRedirects
from openclaw.egress.resolving import Allowed, Resolve, SystemNames, permitted
from openclaw.egress.urls import Url, parse_url

USER_AGENT = "OpenClaw-Gateway/1.0"

REDIRECTS = frozenset({301, 302, 303, 307, 308})

#: What a redirect may carry to another origin. All else a caller has set could be a secret.
HARMLESS = frozenset({"accept", "accept-language", "user-agent"})

#: Fetches at once; others wait, and their time runs.
AT_ONCE = 16


@frozen(kw_only=True)
class Limits:
    """
    How much of the gateway one fetch may take.

    :ivar max_bytes: of the body.
    :ivar max_redirects: that are followed.
    :ivar seconds: for all of it, with all redirects.
    """

    max_bytes: int
    max_redirects: int = 3
    seconds: float = 10.0


@frozen(kw_only=True)
class Fetched:
    """
    What was there.

    :ivar url: where it was in the end, without a fragment.
    :ivar headers: names in lower case; repeated ones joined by a comma.
    """

    url: str
    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def content_type(self) -> str:
        """
        As it was sent, with its parameters; empty if it was not.
        """
        return self.headers.get("content-type", "")

    @property
    def mime(self) -> str:
        """
        The same in lower case without parameters.
        """
        return self.content_type.partition(";")[0].strip().lower()


@define(eq=False)
class Egress:
    """
    The gateway's way out for what others name.

    :ivar reactor: connects, tells the time, and has threads for lookups.
    :ivar resolve: the addresses of a name.
    :ivar allowed: which may be connected to. Only tests have another opinion than the default.
    :ivar trust_root: whose certificates are good, if not those that the platform trusts.
    """

    reactor: Any
    resolve: Resolve = field()
    allowed: Allowed = is_public
    trust_root: Any = None
    _tls: Any = field(default=None, init=False)
    _turns: DeferredSemaphore = field(factory=lambda: DeferredSemaphore(AT_ONCE), init=False)

    @resolve.default
    def _of_the_system(self) -> Resolve:
        return SystemNames(self.reactor)

    async def fetch(
        self, url: str, *, limits: Limits, headers: Mapping[str, str] | None = None, any_status: bool = False
    ) -> Fetched:
        """
        GET what is at an address. Cancelling this ends the connection.

        :param headers: besides our own. After a redirect to another origin only harmless ones are sent again.
        :param any_status: give an answer that says "no" like any other, instead of raising ``BadStatus``.
        :raise FetchFailed: nothing was fetched; its subclasses say why.
        """
        going = Deferred.fromCoroutine(self._in_turn(url, limits, headers or {}, any_status))
        # What a cancelled step fails with is its own affair.
        going.addTimeout(limits.seconds, self.reactor, lambda _, seconds: Failure(FetchTimedOut(seconds)))
        return await going

    async def _in_turn(self, text: str, limits: Limits, headers: Mapping[str, str], any_status: bool) -> Fetched:
        url = parse_url(text)
        await self._turns.acquire()
        try:
            return await self._follow(url, limits, headers, any_status)
        finally:
            self._turns.release()

    async def _follow(self, url: Url, limits: Limits, headers: Mapping[str, str], any_status: bool) -> Fetched:
        sent = {"accept": "*/*", "user-agent": USER_AGENT, **{name.lower(): headers[name] for name in headers}}
        redirects = 0
        while True:
            step = await self._step(url, limits, sent, any_status)
            if isinstance(step, Fetched):
                return step
            redirects += 1
            if redirects > limits.max_redirects:
                raise TooManyRedirects(limits.max_redirects)
            if step.origin != url.origin:
                sent = {name: value for name, value in sent.items() if name in HARMLESS}
            url = step

    async def _step(self, url: Url, limits: Limits, headers: Mapping[str, str], any_status: bool) -> Fetched | Url:
        """
        Ask once.

        :return: what is there, or where else to ask.
        """
        addresses = await permitted(url, self.resolve, self.allowed)
        # An HTTP client takes time to load, and a start does not need it.
        from openclaw.egress.exchange import Exchange, make_tls
        from openclaw.egress.pinned import PinnedEndpoint, PinnedReactor

        if self._tls is None:
            self._tls = make_tls(self.trust_root)
        pinned = PinnedReactor(self.reactor, addresses, self.allowed)
        exchange = Exchange(url, PinnedEndpoint(url, pinned, self._tls, limits.seconds), headers)
        try:
            head = await exchange.head()
            if head.status in REDIRECTS:
                if head.location is None:
                    raise RedirectWithoutLocation(head.status)
                return url.join(head.location)
            if not (any_status or 200 <= head.status < 300):
                raise BadStatus(head.status, head.reason)
            body = await exchange.body(limits.max_bytes)
        finally:
            exchange.close()
        return Fetched(url=str(url), status=head.status, reason=head.reason, headers=head.headers, body=body)
