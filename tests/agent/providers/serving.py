"""
A model's server in memory, behind the part of an HTTP client that providers use.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone, ResponseFailed
from twisted.web.http_headers import Headers

from openclaw.agent.providers.base import ModelEvent, ResolvedModel, TextDelta, Usage


@define(eq=False)
class Transport:
    aborted: bool = False

    def abortConnection(self) -> None:
        self.aborted = True


@define(eq=False)
class Answer:
    """
    One response, whose body a test gives piece by piece.
    """

    code: int = 200
    headers: Headers = field(factory=Headers)
    transport: Transport = field(factory=Transport)
    protocol: Protocol | None = None

    def deliverBody(self, protocol: Protocol) -> None:
        self.protocol = protocol
        protocol.makeConnection(self.transport)

    def say(self, *pieces: bytes) -> None:
        assert self.protocol is not None
        for piece in pieces:
            self.protocol.dataReceived(piece)

    def end(self) -> None:
        self._lose(ResponseDone())

    def cut(self) -> None:
        self._lose(ResponseFailed([]))

    def _lose(self, reason: Exception) -> None:
        assert self.protocol is not None
        self.protocol.connectionLost(Failure(reason))


@define(eq=False)
class Server:
    """
    Answers each request with the next answer; an exception in its place is how the request fails.
    """

    answers: list[Answer | Exception]
    requests: list[tuple[str, dict[str, list[str]], Any]] = field(factory=list)

    def request(self, method: str, url: str, **options: Any) -> Deferred[Any]:
        self.requests.append((f"{method} {url}", options["headers"], orjson.loads(options["data"])))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            failed: Deferred[Any] = Deferred()
            failed.errback(answer)
            return failed
        return succeed(answer)


def sse(*events: Mapping[str, Any] | str, named: bool = False) -> bytes:
    """
    The bytes of a stream of events.
    """
    lines: list[bytes] = []
    for event in events:
        if named and isinstance(event, Mapping):
            lines.append(b"event: " + str(event["type"]).encode() + b"\n")
        data = event.encode() if isinstance(event, str) else orjson.dumps(event)
        lines.append(b"data: " + data + b"\n\n")
    return b"".join(lines)


def in_units(*events: Mapping[str, Any]) -> bytes:
    """
    The same from a server that escapes each UTF-16 unit, halves of pairs too.
    """
    return sse(*(json.dumps(event) for event in events))


def joined(events: Sequence[ModelEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def usages(events: Sequence[ModelEvent]) -> list[Usage]:
    return [event for event in events if isinstance(event, Usage)]


def resolved(**changes: Any) -> ResolvedModel:
    members = {
        "provider": "mock",
        "model_id": "mock-1",
        "api": "openai-completions",
        "base_url": "http://model.test/v1",
        "api_key": "sk-mock",
    }
    return ResolvedModel(**{**members, **changes})
