"""
One model turn: ask, collect the answer, ask again when that may help.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from itertools import count
from typing import Any, Protocol, TypeVar

from attrs import define, evolve, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from openclaw.agent.events import RunEvents
from openclaw.agent.providers.base import (
    Model,
    ModelEvent,
    ModelRequest,
    Stop,
    TextDelta,
    ThinkingDelta,
    ToolCall,
    Usage,
)
from openclaw.agent.providers.errors import ProviderError, StreamBroken
from openclaw.agent.retry import RetryPolicy

T = TypeVar("T")


class Until(Protocol):
    """
    Waits for something that the end of the run cancels.
    """

    def __call__(self, begin: Callable[[], Deferred[T]]) -> Awaitable[T]: ...


@frozen(kw_only=True)
class Turn:
    """
    A whole answer.

    :ivar content: blocks as transcripts keep them.
    """

    content: list[Mapping[str, Any]]
    calls: list[ToolCall]
    usage: Usage
    stop: str
    text: str

    def with_own_ids(self, taken: Collection[str]) -> Turn:
        """
        The same with an id for each call that no other call of the run has: some servers count anew in each answer, or
        give none. Decisions of people and events go by these ids.
        """
        used = set(taken)
        content: list[Mapping[str, Any]] = []
        calls = iter(self.calls)
        own: list[ToolCall] = []
        for block in self.content:
            if block["type"] == "toolCall":
                call = next(calls)
                call = evolve(call, id=_unused(call.id, used))
                used.add(call.id)
                own.append(call)
                block = {**block, "id": call.id}
            content.append(block)
        return evolve(self, content=content, calls=own)


def _unused(id: str, used: Collection[str]) -> str:
    if id and id not in used:
        return id
    return next(made for number in count(2 if id else 1) if (made := f"{id or 'call'}_{number}") not in used)


@define(eq=False)
class Collector:
    """
    Puts an answer together while it streams.
    """

    events: RunEvents
    anything: bool = False
    usage: Usage = Usage()  # noqa: RUF009  # frozen
    stop: str | None = None
    calls: list[ToolCall] = field(factory=list)
    _blocks: list[dict[str, Any]] = field(factory=list)
    _pieces: list[str] = field(factory=list)
    _kind: str = ""
    _signature: str = ""

    def take(self, event: ModelEvent) -> None:
        if isinstance(event, TextDelta):
            self._open("text")
            self._pieces.append(event.text)
            self.events.text(event.text)
        elif isinstance(event, ThinkingDelta):
            self._open("thinking")
            self._pieces.append(event.text)
            self._signature = event.signature or self._signature
        elif isinstance(event, ToolCall):
            self._close()
            self.calls.append(event)
            call = {"type": "toolCall", "id": event.id, "name": event.name, "arguments": dict(event.arguments)}
            self._blocks.append(call)
        elif isinstance(event, Usage):
            self.usage = event
        elif isinstance(event, Stop):
            self.stop = event.reason
        self.anything = True

    def whole(self) -> Turn:
        """
        :raise StreamBroken: the provider's stream ended without saying that it is complete.
        """
        self._close()
        if self.stop is None:
            raise StreamBroken("The model's answer ended before it was complete.")
        text = "".join(block["text"] for block in self._blocks if block["type"] == "text")
        return Turn(content=list(self._blocks), calls=self.calls, usage=self.usage, stop=self.stop, text=text)

    def _open(self, kind: str) -> None:
        if self._kind != kind:
            self._close()
            self._kind = kind

    def _close(self) -> None:
        text, kind = "".join(self._pieces), self._kind
        if kind == "text" and text:
            self._blocks.append({"type": "text", "text": text})
        elif kind == "thinking" and (text or self._signature):
            self._blocks.append({"type": "thinking", "thinking": text, "thinkingSignature": self._signature})
        self._pieces, self._kind, self._signature = [], "", ""


@frozen(kw_only=True)
class Asking:
    """
    How one model is asked.

    :ivar until: see :class:`Until`.
    :ivar failed: writes a failed try into the transcript.
    """

    model: Model
    events: RunEvents
    clock: IReactorTime
    retries: RetryPolicy
    until: Until
    failed: Callable[[ProviderError], Awaitable[None]]

    async def ask(self, request: ModelRequest) -> Turn:
        """
        :raise ProviderError: also the last try failed.
        """
        tries = 0
        while True:
            if tries:
                self.events.retry()
            try:
                return await self._try(request)
            except ProviderError as error:
                tries += 1
                await self.failed(error)
                delay = self.retries.turn_delay(error, tries)
                if delay is None:
                    raise
                await self._sleep(delay)

    async def _try(self, request: ModelRequest) -> Turn:
        requests = 0
        while True:
            collector = Collector(self.events)
            try:
                await self._stream(request, collector)
                return collector.whole()
            except ProviderError as error:
                requests += 1
                delay = None if collector.anything else self.retries.request_delay(error, requests)
                if delay is None:
                    raise
                await self._sleep(delay)

    async def _stream(self, request: ModelRequest, collector: Collector) -> None:
        await self.until(lambda: self.model.stream(request, collector.take))

    async def _sleep(self, seconds: float) -> None:
        await self.until(lambda: deferLater(self.clock, seconds))
