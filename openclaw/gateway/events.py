"""
Events are published once and fed to connections from here (``protocol.md`` 18; ``design.md`` 2).

An event's body is serialised once. Each connection numbers what it is meant to get: an event that its role or scopes
keep from it takes no number; one that is dropped for slowness does, so a gap always means that something is missing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from typing import Any, Protocol

from attrs import define, field, frozen

from openclaw.protocol.frames import encode_event_body, splice_seq

#: How many events the ring keeps.
RING_SIZE = 1024

#: More bytes than this waiting for a client make it slow; told in ``hello-ok`` as ``policy.maxBufferedBytes``.
MAX_BUFFERED_BYTES = 1_572_864


@frozen(kw_only=True)
class Published:
    """
    One event in the log.

    :ivar number: its place in this process's life, from 1.
    :ivar body: the serialised frame without ``seq``.
    :ivar scope: the operator scope it needs, ``None`` for everybody.
    """

    number: int
    name: str
    body: bytes
    scope: str | None
    drop_if_slow: bool


class Subscriber(Protocol):
    """
    A connection as the log sees it.
    """

    @property
    def role(self) -> str: ...

    @property
    def scopes(self) -> frozenset[str]: ...

    def waiting_bytes(self) -> int: ...

    def send_event(self, name: str, frame: bytes) -> None: ...

    def slow(self) -> None:
        """
        Close it as a slow consumer.
        """
        ...


@define
class _Feed:
    subscriber: Subscriber
    seq: int = 0


@define(kw_only=True, eq=False, repr=False)
class EventLog:
    """
    The bounded ring of events and the connections that are fed from it.

    :ivar boot_id: tells one process's numbers from another's.
    :ivar numbers: of the events, going on from one service tree to the next.
    :ivar versions: gives the current ``stateVersion``.
    :ivar counted: told of each event how many connections got it, and how many were too slow.
    :ivar followers: who gets an event a second time, without a number: nodes know it so of sessions that they follow.
    """

    boot_id: str
    versions: Callable[[], Mapping[str, int]]
    numbers: Iterator[int] = field(factory=lambda: count(1))
    on_published: Callable[[Published, int], None] = field(default=lambda event, clients: None)
    counted: Callable[[str, int, int], None] = field(default=lambda name, sent, dropped: None)
    followers: Callable[[str, Mapping[str, Any]], Iterable[Subscriber]] = field(default=lambda event, payload: ())
    _ring: deque[Published] = field(factory=lambda: deque(maxlen=RING_SIZE), init=False)
    _feeds: dict[int, _Feed] = field(factory=dict, init=False)

    def __len__(self) -> int:
        return len(self._feeds)

    def __iter__(self) -> Iterator[Subscriber]:
        return iter([feed.subscriber for feed in self._feeds.values()])

    def subscribe(self, subscriber: Subscriber) -> None:
        self._feeds[id(subscriber)] = _Feed(subscriber)

    def unsubscribe(self, subscriber: Subscriber) -> None:
        self._feeds.pop(id(subscriber), None)

    def publish(
        self,
        event: str,
        payload: Mapping[str, Any],
        *,
        drop_if_slow: bool = False,
        scope: str | None = None,
        versions: bool = False,
    ) -> None:
        """
        Publish an event to everybody, or to operators who hold a scope.
        """
        body = encode_event_body(event, payload, self.versions() if versions else None)
        published = Published(number=next(self.numbers), name=event, body=body, scope=scope, drop_if_slow=drop_if_slow)
        self._ring.append(published)
        frames: dict[int, bytes] = {}
        fed = [self._feed(feed, published, frames) for feed in list(self._feeds.values())]
        for subscriber in self.followers(event, payload):
            if subscriber.waiting_bytes() <= MAX_BUFFERED_BYTES:
                subscriber.send_event(event, body)
        self.on_published(published, len(self._feeds))
        self.counted(event, fed.count(True), fed.count(False))

    def _feed(self, feed: _Feed, event: Published, frames: dict[int, bytes]) -> bool | None:
        """
        :return: whether it was sent to one who may see it.
        """
        subscriber = feed.subscriber
        if event.scope is not None and not _may_see(subscriber, event.scope):
            return None
        feed.seq += 1
        if subscriber.waiting_bytes() > MAX_BUFFERED_BYTES:
            if not event.drop_if_slow:
                subscriber.slow()
            return False
        frame = frames.get(feed.seq)
        if frame is None:
            frame = frames[feed.seq] = splice_seq(event.body, feed.seq)
        subscriber.send_event(event.name, frame)
        return True


def _may_see(subscriber: Subscriber, scope: str) -> bool:
    return subscriber.role == "operator" and not subscriber.scopes.isdisjoint({scope, "operator.admin"})
