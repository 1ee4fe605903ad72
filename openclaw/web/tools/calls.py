"""
What the endpoint acts on, and answers that are given twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Protocol

import orjson
from attrs import define, field, frozen
from twisted.internet.defer import Deferred

from openclaw.errors import OpenClawError

#: For how long an answer is given again, in seconds, how many of them, and how many bytes they are together.
KEPT_SECONDS = 600.0
KEPT = 500
KEPT_BYTES = 64 * 1024 * 1024


@frozen
class ToolRefused(OpenClawError):
    """
    A tool could not do what it was asked for.
    """

    text: str

    def __str__(self) -> str:
        return self.text


@frozen
class KeyReused(OpenClawError):
    """
    An idempotency key came with another request than before.
    """

    def __str__(self) -> str:
        return "Idempotency-Key was used for another request"


@frozen(kw_only=True)
class Whose:
    """
    For whom a tool is called.

    :ivar session_key: canonical.
    :ivar channel: the chat channel of the conversation, as the request tells it; ``account_id`` is the account there.
    """

    session_key: str
    channel: str = ""
    account_id: str = ""


class ToolCalls(Protocol):
    """
    The tools of the gateway, by the policy as it is now.
    """

    def session_key(self, given: str | None) -> str:
        """
        The key that a request means.

        :raise UnknownAgent: it is that of an agent which is not there.
        """
        ...

    def has(self, name: str, whose: Whose) -> bool:
        """
        Whether a tool may be called for a session.
        """
        ...

    def takes_action(self, name: str) -> bool:
        """
        Whether an argument ``action`` says what a tool is to do.
        """
        ...

    def checked(self, name: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """
        Arguments as the tool takes them, for who only asks.

        :raise ToolRefused: they are not what it takes, or it would refuse them.
        """
        ...

    async def call(self, name: str, arguments: Mapping[str, Any], whose: Whose) -> Mapping[str, Any]:
        """
        Cancelling it ends what was begun.

        :return: ``{"content": [...], "details": ...}``.
        :raise ToolRefused: it could not be done.
        :raise StoreUnavailable: nor anything else just now.
        """
        ...


@frozen
class Answered:
    """
    An answer that can be given again.
    """

    status: HTTPStatus
    value: Any


@define(eq=False)
class _Entry:
    fingerprint: bytes
    until: float
    answer: Answered | None = None
    size: int = 0
    waiting: list[Deferred[Answered | None]] = field(factory=list)

    def end(self, answer: Answered | None) -> None:
        self.answer = answer
        waiting, self.waiting = self.waiting, []
        for waiter in waiting:
            waiter.callback(answer)


@define(eq=False)
class Once:
    """
    Work that is done once for each key, and answered as often as it is asked for.
    """

    seconds: Callable[[], float]
    _entries: dict[str, _Entry] = field(factory=dict, init=False)

    async def __call__(self, key: str | None, fingerprint: bytes, work: Callable[[], Awaitable[Answered]]) -> Answered:
        """
        :param fingerprint: of the request, which must be the same each time.
        :raise KeyReused: it is another one.
        """
        if key is None:
            return await work()
        while (known := self._known(key)) is not None:
            if known.fingerprint != fingerprint:
                raise KeyReused()
            answer = known.answer or await self._wait(known)
            if answer is not None:
                return answer
        entry = self._entries[key] = _Entry(fingerprint, self.seconds() + KEPT_SECONDS)
        answer = None
        try:
            answer = await work()
        finally:
            if answer is None:
                self._entries.pop(key, None)
            entry.end(answer)
        entry.size = len(orjson.dumps(answer.value))
        self._shrink()
        return answer

    def _known(self, key: str) -> _Entry | None:
        entry = self._entries.get(key)
        if entry is not None and entry.answer is not None and entry.until <= self.seconds():
            del self._entries[key]
            return None
        return entry

    async def _wait(self, entry: _Entry) -> Answered | None:
        waiter: Deferred[Answered | None] = Deferred(lambda waiter: entry.waiting.remove(waiter))
        entry.waiting.append(waiter)
        return await waiter

    def _shrink(self) -> None:
        """
        Forget the oldest answers until the others fit.
        """
        left, size = len(self._entries), sum(entry.size for entry in self._entries.values())
        for key, entry in [*self._entries.items()][:-1]:
            if left <= KEPT and size <= KEPT_BYTES:
                break
            if entry.answer is not None:
                del self._entries[key]
                left, size = left - 1, size - entry.size
