"""
One request and its answer, without redirects. This loads an HTTP client, so it is imported when something is fetched.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define, field, frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectingCancelledError
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import (
    Agent,
    BrowserLikePolicyForHTTPS,
    HostnameCachingHTTPSPolicy,
    ResponseDone,
)
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers
from twisted.web.iweb import UNKNOWN_LENGTH

from openclaw.egress.errors import BrokenAnswer, ContentTooLarge, EncodedAnswer, FetchFailed, Unreachable
from openclaw.egress.pinned import PinnedEndpoint
from openclaw.egress.urls import Url

#: Characters of what others say of a failure.
MOST_EXPLANATION = 200


def make_tls(trust_root: Any = None) -> Any:
    """
    An ``IPolicyForHTTPS`` that verifies certificates and their names.

    :param trust_root: whom to trust instead of those whom the platform trusts.
    """
    return HostnameCachingHTTPSPolicy(BrowserLikePolicyForHTTPS(trust_root))


@frozen(kw_only=True)
class Head:
    """
    An answer without its body.

    :ivar headers: names in lower case; repeated ones joined by a comma.
    :ivar location: where a redirect leads, as it was sent.
    """

    status: int
    reason: str
    headers: Mapping[str, str]
    location: str | None


@define(eq=False)
class Exchange:
    """
    Asks once over a connection of its own, which whoever made this has to end by ``close()``.
    """

    url: Url
    endpoint: PinnedEndpoint
    headers: Mapping[str, str]
    _response: Any = None

    async def head(self) -> Head:
        """
        Ask.

        :raise Unreachable: nothing has come.
        :raise BrokenAnswer: nothing that could be read.
        """
        agent = Agent.usingEndpointFactory(self.endpoint.reactor.reactor, self.endpoint)
        ours = {"host": self.url.authority, "accept-encoding": "identity"}
        sent = Headers({name: [value] for name, value in {**self.headers, **ours}.items()})
        try:
            self._response = response = await agent.request(b"GET", str(self.url).encode("ascii"), sent)
        except Exception as error:
            raise self._failed(error) from error
        if self.endpoint.connections is not None:
            self.endpoint.connections.answered = True
        headers = {
            name.decode("latin-1").lower(): ", ".join(value.decode("latin-1") for value in values)
            for name, values in response.headers.getAllRawHeaders()
        }
        locations = response.headers.getRawHeaders(b"location") or [b""]
        return Head(
            status=response.code,
            reason=_plain(response.phrase.decode("latin-1")),
            headers=headers,
            location=_text(locations[0]) or None,
        )

    async def body(self, most: int) -> bytes:
        """
        Read what follows the head.

        :param most: bytes.
        :raise ContentTooLarge: it is longer, or is said to be; no more of it is read.
        :raise EncodedAnswer: it is compressed.
        :raise BrokenAnswer: it ended too early.
        """
        encoding = ", ".join(self._response.headers.getRawHeaders("content-encoding") or ())
        if encoding.strip().lower() not in ("", "identity"):
            raise EncodedAnswer(_plain(encoding))
        if self._response.length is not UNKNOWN_LENGTH and self._response.length > most:
            raise ContentTooLarge(self._response.length, most)
        collector = _Collector(most)
        self._response.deliverBody(collector)
        try:
            return await collector.done
        except Exception as error:
            raise self._failed(error) from error

    def close(self) -> None:
        """
        Leave nothing of it, whatever the server still wants to say.
        """
        self.endpoint.abort()

    def _failed(self, error: BaseException) -> Exception:
        reason = _innermost(error)
        if isinstance(reason, CancelledError | ConnectingCancelledError):
            return CancelledError()
        if isinstance(reason, FetchFailed):
            return reason
        connections = self.endpoint.connections
        if connections is not None and connections.endless:
            return BrokenAnswer(self.url.host, "its headers are too long")
        why = _plain(str(reason)) or type(reason).__name__
        if connections is not None and connections.received:
            return BrokenAnswer(self.url.host, why)
        return Unreachable(self.url.host, why)


@define(eq=False)
class _Collector(Protocol):
    """
    Gathers a body up to a limit.
    """

    most: int
    done: Deferred[bytes] = field(factory=Deferred)
    _size: int = 0
    _pieces: list[bytes] = field(factory=list)

    def dataReceived(self, data: bytes) -> None:
        if self.done.called:
            return
        self._size += len(data)
        if self._size > self.most:
            self._pieces.clear()
            self.done.errback(ContentTooLarge(self._size, self.most))
        else:
            self._pieces.append(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self.done.called:
            return
        if reason.check(ResponseDone, PotentialDataLoss):
            self.done.callback(b"".join(self._pieces))
        else:
            self.done.errback(reason)


def _innermost(error: BaseException | None) -> BaseException | None:
    """
    Twisted wraps what has happened in lists of reasons.
    """
    reasons = getattr(error, "reasons", None)
    if reasons:
        first = reasons[0]
        return _innermost(first.value if isinstance(first, Failure) else first)
    return error


def _text(value: bytes) -> str:
    """
    Browsers take what is not ASCII in an address for UTF-8.
    """
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _plain(text: str) -> str:
    """
    One short line of what can be printed.
    """
    return "".join(letter if letter.isprintable() else " " for letter in text)[:MOST_EXPLANATION].strip()
