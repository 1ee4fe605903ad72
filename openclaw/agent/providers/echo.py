"""
``builtin/echo``: answers while no real model is configured. It needs no network.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from openclaw.agent.providers.base import Emit, ModelRequest, Stop, TextDelta, Usage
from openclaw.config.paths import profiled

#: Seconds between two words: fast enough to read along, slow enough to see that it streams.
PACE = 0.015

EXPLANATION = """\
This is OpenClaw's built-in echo model. It is not a language model: it only repeats what you write, \
because no real model is configured yet.

To talk to a real model, do one of these and start the gateway again:
- set ANTHROPIC_API_KEY or OPENAI_API_KEY in the gateway's environment;
- add a provider under models.providers in the configuration file \
(`{show}` shows where it is) and choose one of its models: \
`{choose}`."""

_ID_LINE = re.compile(r"\n?\[message_id: [^\]]*\]\s*\Z")


@frozen(kw_only=True)
class EchoModel:
    """
    Streams the last message and an explanation, word by word.

    :ivar environ: says how commands for this gateway begin.
    """

    clock: IReactorTime
    environ: Mapping[str, str] = field(factory=dict)

    def stream(self, request: ModelRequest, emit: Emit) -> Deferred[None]:
        words = re.findall(r"\s*\S+\s*", answer(request, self.environ))
        return _Streaming(words, emit, self.clock).start()


def answer(request: ModelRequest, environ: Mapping[str, str]) -> str:
    """
    What the echo model says.
    """
    said = next((_text(m) for m in reversed(request.messages) if m["role"] == "user"), "")
    quoted = "\n".join(f"> {line}" for line in said.splitlines())
    explanation = EXPLANATION.format(
        show=profiled(environ, "openclaw config file"),
        choose=profiled(environ, "openclaw config set agents.defaults.model.primary <provider>/<model>"),
    )
    return f"You wrote:\n\n{quoted}\n\n{explanation}" if quoted else explanation


def _text(message: Mapping[str, Any]) -> str:
    text = "\n".join(block["text"] for block in message["content"] if block["type"] == "text")
    return _ID_LINE.sub("", text).strip()


@define(eq=False)
class _Streaming:
    words: list[str]
    emit: Emit
    clock: IReactorTime
    done: Deferred[None] = field(init=False)
    _next: IDelayedCall | None = None
    _sent: int = 0

    def start(self) -> Deferred[None]:
        self.done = Deferred(self._cancelled)
        self._word()
        return self.done

    def _word(self) -> None:
        self._next = None
        if self._sent < len(self.words):
            self.emit(TextDelta(self.words[self._sent]))
            self._sent += 1
            if not self.done.called:
                self._next = self.clock.callLater(PACE, self._word)
            return
        self.emit(Usage(output=len(self.words)))
        self.emit(Stop("stop"))
        self.done.callback(None)

    def _cancelled(self, _: Deferred[None]) -> None:
        if self._next is not None:
            self._next.cancel()
