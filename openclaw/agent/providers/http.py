"""
One streaming request to a provider: post JSON, read server-sent events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import orjson
from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss

from openclaw.agent.providers.errors import (
    GarbledAnswer,
    ProviderError,
    ProviderRefused,
    ProviderUnreachable,
    StreamBroken,
)
from openclaw.agent.providers.sse import EventParser, ServerEvent
from openclaw.protocol.frames import NotJson, parse_json

#: How much of an error's body is read.
MAX_ERROR_BYTES = 64 * 1024

#: The longest answer that is read: several times what any model says.
MAX_ANSWER_BYTES = 128 * 1024 * 1024

#: How long a server may hold a connection open after its last event, and take to explain a refusal.
GRACE_SECONDS = 5.0


class HttpClient(Protocol):
    """
    The part of ``treq.client.HTTPClient`` that we use.
    """

    def request(self, method: str, url: str, **options: Any) -> Deferred[Any]: ...


class Reader(Protocol):
    """
    Makes model events of one answer's server-sent events.
    """

    def event(self, event: ServerEvent) -> bool:
        """
        :return: whether this was the last event.
        """
        ...

    def finish(self) -> None:
        """
        The body has ended.

        :raise StreamBroken: the answer is not complete.
        """
        ...


def _settled() -> Deferred[None]:
    done: Deferred[None] = Deferred()
    done.callback(None)
    return done


@define(eq=False)
class _Body(TwistedProtocol):
    """
    Feeds a body to a callable until that has had enough.

    :ivar feed: returns whether it wants no more.
    """

    feed: Callable[[bytes], bool]
    clock: IReactorTime
    done: Deferred[None] = field(init=False)
    _grace: IDelayedCall | None = None

    def __attrs_post_init__(self) -> None:
        self.done = Deferred(lambda _: self._abort())

    def dataReceived(self, data: bytes) -> None:
        if self._grace is not None or self.done.called:
            return
        try:
            enough = self.feed(data)
        except Exception:
            failure = Failure()
            if not self.done.called:
                done, self.done = self.done, _settled()
                self._abort()
                done.errback(failure)
            return
        if self.done.called:
            # Whoever read the last event has cancelled the request meanwhile.
            return
        if enough:
            # The answer is complete; the connection may serve the next request, but not be held open for ever.
            self._grace = self.clock.callLater(GRACE_SECONDS, self._abort)
            self.done.callback(None)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._grace is not None and self._grace.active():
            self._grace.cancel()
        if self.done.called:
            return
        if reason.check(ResponseDone, PotentialDataLoss):
            self.done.callback(None)
        else:
            self.done.errback(StreamBroken("The connection to the model was lost in the middle of its answer."))

    def _abort(self) -> None:
        abort = getattr(self.transport, "abortConnection", None) or getattr(self.transport, "loseConnection", None)
        if abort is not None:
            abort()


async def post_events(
    client: HttpClient,
    clock: IReactorTime,
    url: str,
    headers: Mapping[str, str],
    body: Mapping[str, Any],
    reader: Reader,
) -> None:
    """
    Ask, and read the answer to its end.

    :raise ProviderRefused: the status is not 2xx.
    :raise ProviderUnreachable: there was no answer at all.
    :raise StreamBroken: the answer ended too early.
    """
    sent = {"accept": "text/event-stream", "content-type": "application/json", **headers}
    try:
        response = await client.request(
            "POST",
            url,
            headers={name: [value] for name, value in sent.items()},
            data=orjson.dumps(body),
            unbuffered=True,
            allow_redirects=False,
        )
    except (CancelledError, ProviderError):
        raise
    except Exception as error:
        raise ProviderUnreachable(f"Cannot reach the model: {_plain(error)}") from error
    if not 200 <= response.code < 300:
        raise await _refusal(response, clock)
    parser = EventParser()

    received = 0

    def feed(data: bytes) -> bool:
        nonlocal received
        received += len(data)
        if received > MAX_ANSWER_BYTES:
            raise GarbledAnswer("The model's answer does not end.")
        return any(reader.event(event) for event in parser.feed(data))

    await _deliver(response, feed, clock)
    reader.finish()


def _deliver(response: Any, feed: Callable[[bytes], bool], clock: IReactorTime) -> Deferred[None]:
    body = _Body(feed, clock)
    response.deliverBody(body)
    return body.done


async def _refusal(response: Any, clock: IReactorTime) -> ProviderRefused:
    received = bytearray()

    def feed(data: bytes) -> bool:
        received.extend(data[: MAX_ERROR_BYTES - len(received)])
        return len(received) >= MAX_ERROR_BYTES

    # The status is what matters; what has come of its explanation, and comes soon, is enough.
    with suppress(StreamBroken, DeferredTimeout):
        await _deliver(response, feed, clock).addTimeout(GRACE_SECONDS, clock)
    retry_after = _retry_after(response.headers, clock.seconds())
    return ProviderRefused(error_text(bytes(received)), status=response.code, retry_after=retry_after)


def error_text(body: bytes) -> str:
    """
    The sentence in an error's body, wherever its author put it.
    """
    try:
        decoded = parse_json(body)
    except NotJson:
        text = " ".join(body.decode("utf-8", "replace").split())
        return text[:500] or "no explanation"
    while isinstance(decoded, list) and decoded:
        decoded = decoded[0]
    if isinstance(decoded, dict):
        inner = decoded.get("error", decoded)
        if isinstance(inner, dict):
            inner = inner.get("message", inner)
        return inner if isinstance(inner, str) else orjson.dumps(inner).decode()[:500]
    return str(decoded)[:500]


def _retry_after(headers: Any, now: float) -> float | None:
    """
    Seconds that a provider asks to wait: as a number, or until a date.
    """
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        for value in headers.getRawHeaders(name) or ():
            try:
                seconds = float(value) / unit
            except ValueError:
                seconds = _until(value, now)
            if seconds >= 0:
                return seconds
    return None


def _until(date: str, now: float) -> float:
    try:
        return max(0.0, parsedate_to_datetime(date).timestamp() - now)
    except ValueError:
        return -1.0


def _plain(error: BaseException | None) -> str:
    """
    Twisted wraps a refused connection in lists of reasons; people need the innermost.
    """
    reasons = getattr(error, "reasons", None)
    if reasons:
        inner = reasons[0]
        return _plain(inner.value if isinstance(inner, Failure) else inner)
    return str(error) or type(error).__name__
