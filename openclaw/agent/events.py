"""
What the world hears of one run: ``agent`` and ``chat`` events (``methods.md`` 6.1 and 6.2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import define, field
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from openclaw.agent.text import ShownText, clean
from openclaw.agent.types import Publish
from openclaw.clock import millis

#: Seconds between two ``chat`` deltas of a run.
DELTA_INTERVAL = 0.150

#: Seconds between two ``assistant`` events of a run. Each repeats the whole text, so a longer text waits longer:
#: what a model says within that time is told together (``performance.md`` 3, 5), its first words at once.
LEAST_PACE, MOST_PACE = 0.030, 0.150

#: Characters of repeated text that a run sends in a second, between these two.
PACE_CHARACTERS = 64_000

#: Characters of a tool's text that clients are sent.
MAX_TOOL_TEXT = 8_000


@define(eq=False)
class RunEvents:
    """
    The voice of one run.

    Everything that shows output waits for ``release``: the store must know that output was seen before anybody sees it.

    :ivar shown_key: the session key as the caller wrote it; ``None`` keeps it out of the events.
    :ivar chat: whether the run has ``chat`` events.
    :ivar show_tools: whether ``tool`` events are broadcast; their numbers are used up in any case.
    :ivar on_output: called once, when the first output waits for ``release``.
    """

    run_id: str
    shown_key: str | None
    publish: Publish
    clock: IReactorTime
    on_output: Callable[[], None]
    chat: bool = True
    show_tools: bool = False
    seq: int = 0
    _text: ShownText = field(factory=ShownText)
    _pieces: list[str] = field(factory=list)
    _pause: IDelayedCall | None = None
    _told: str = ""
    _last_delta: float | None = None
    _waiting: list[Callable[[], None]] | None = None
    _released: bool = False
    _closed: bool = False

    # -- output -------------------------------------------------------------------------------------------------------

    def text(self, delta: str) -> None:
        """
        More of the current assistant message. What follows close upon the last is told with what comes next.
        """
        if delta and not self._closed:
            self._pieces.append(delta)
            if self._pause is None:
                self.flush()

    def flush(self) -> None:
        """
        Tell what has not been told yet.
        """
        pieces, self._pieces = self._pieces, []
        if not pieces:
            return
        shown = self._text.add("".join(pieces))
        told = shown != self._told
        if told:
            self._tell(shown)
        if self._pause is None and (told or self._text.special):
            self._pause = self.clock.callLater(pace(len(self._text.raw)), self._go_on)

    def _go_on(self) -> None:
        self._pause = None
        self.flush()

    def new_message(self) -> None:
        """
        A new assistant message begins: the text starts anew.
        """
        self.flush()
        self._end_pause()
        self._text, self._told = ShownText(), ""

    def retry(self) -> None:
        """
        The current message is asked for again. What was told stays the measure of what is new.
        """
        self.flush()
        self._text = ShownText()

    def tool(self, phase: str, name: str, call_id: str, members: Mapping[str, Any]) -> None:
        """
        Something happened to a tool call.
        """
        self.flush()
        data = {"phase": phase, "name": name, "toolCallId": call_id, **members}
        self.seq += 1
        if self.show_tools:
            self._output(self._agent_payload("tool", data, self.seq))

    @property
    def so_far(self) -> str:
        """
        The shown text of the current message.
        """
        return clean(self._text.raw + "".join(self._pieces))

    def close(self) -> None:
        """
        No more output, also none that waits.
        """
        self._closed, self._waiting, self._pieces = True, None, []
        self._end_pause()

    def release(self) -> None:
        """
        The store knows that output is seen: from now on it goes out at once.
        """
        self._released = True
        waiting, self._waiting = self._waiting or [], None
        for send in waiting:
            send()

    # -- beginning and end --------------------------------------------------------------------------------------------

    def started(self, at_ms: int) -> None:
        self._agent("lifecycle", {"phase": "start", "startedAt": at_ms})

    def ended(self, at_ms: int, text: str) -> None:
        """
        A normal end.
        """
        self._last_output()
        self._agent("lifecycle", {"phase": "end", "endedAt": at_ms})
        self._final(text)

    def timed_out(self, started_ms: int | None, at_ms: int, text: str) -> None:
        """
        The agent's own limit passed: clients keep the text so far.
        """
        self._last_output()
        self._agent("lifecycle", {"phase": "end", **_started(started_ms), "endedAt": at_ms, "aborted": True})
        self._final(text)

    def aborted(self, started_ms: int | None, at_ms: int, reason: str) -> None:
        """
        Somebody ended the run: the text so far is forgotten.
        """
        self.close()
        self._chat(self.seq + 1, {"state": "aborted", "stopReason": reason})
        self._agent("lifecycle", {"phase": "end", **_started(started_ms), "endedAt": at_ms, "aborted": True})

    def failed(self, started_ms: int | None, at_ms: int, error: str) -> None:
        self._last_output()
        members = {"phase": "error", **_started(started_ms), "endedAt": at_ms, "error": error}
        self._agent("lifecycle", members)
        self._chat(self.seq, {"state": "error", "errorMessage": error})

    def answered(self, message: Mapping[str, Any] | None) -> None:
        """
        A command was answered without a run.
        """
        members = {"state": "final"} if message is None else {"state": "final", "message": message}
        self._chat(self.seq + 1, members)

    def _last_output(self) -> None:
        """
        Nothing may follow the end: what still waits for the store is not told.
        """
        if self._released:
            self.flush()
        self.close()

    def _end_pause(self) -> None:
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None

    # -- wire ---------------------------------------------------------------------------------------------------------

    def _tell(self, shown: str) -> None:
        extends = shown.startswith(self._told)
        if extends:
            self.seq += 1
            data = {"text": shown, "delta": shown[len(self._told) :]}
            self._output(self._agent_payload("assistant", data, self.seq))
            self._told = shown
        elif len(shown) <= len(self._told):
            # A repeated message has not yet caught up with what was told.
            return
        now = self.clock.seconds()
        if not self.chat or (self._last_delta is not None and now - self._last_delta < DELTA_INTERVAL):
            return
        self._last_delta = now
        payload = self._chat_payload(self.seq, {"state": "delta", "message": self._message(shown)})
        self._output(lambda: self.publish("chat", payload, drop_if_slow=True))

    def _output(self, send: Callable[[], None]) -> None:
        if self._closed:
            return
        if self._released:
            send()
        elif self._waiting is None:
            self._waiting = [send]
            self.on_output()
        else:
            self._waiting.append(send)

    def _final(self, text: str) -> None:
        members: dict[str, Any] = {"state": "final"}
        if text:
            members["message"] = self._message(text)
        self._chat(self.seq, members)

    def _message(self, text: str) -> dict[str, Any]:
        content = [{"type": "text", "text": text}]
        return {"role": "assistant", "content": content, "timestamp": millis(self.clock)}

    def _agent(self, stream: str, data: Mapping[str, Any]) -> None:
        self.seq += 1
        self._agent_payload(stream, data, self.seq)()

    def _agent_payload(self, stream: str, data: Mapping[str, Any], seq: int) -> Callable[[], None]:
        payload: dict[str, Any] = {"runId": self.run_id, "stream": stream, "data": data}
        if self.shown_key is not None:
            payload["sessionKey"] = self.shown_key
        payload["seq"] = seq
        payload["ts"] = millis(self.clock)
        return lambda: self.publish("agent", payload)

    def _chat(self, seq: int, members: Mapping[str, Any]) -> None:
        if self.chat:
            self.publish("chat", self._chat_payload(seq, members))

    def _chat_payload(self, seq: int, members: Mapping[str, Any]) -> dict[str, Any]:
        return {"runId": self.run_id, "sessionKey": self.shown_key, "seq": seq, **members}


def pace(characters: int) -> float:
    """
    :return: seconds until a text of this length is sent again.
    """
    return min(max(LEAST_PACE, characters / PACE_CHARACTERS), MOST_PACE)


def _started(at_ms: int | None) -> dict[str, int]:
    return {} if at_ms is None else {"startedAt": at_ms}


def trimmed_result(content: Sequence[Mapping[str, Any]], details: Any = None) -> dict[str, Any]:
    """
    A tool's result as clients are sent it: long texts cut, pictures left out.
    """
    blocks: list[dict[str, Any]] = []
    for block in content:
        if block["type"] == "image":
            kept = {name: value for name, value in block.items() if name != "data"}
            blocks.append({**kept, "bytes": len(block["data"]), "omitted": True})
        elif block["type"] == "text" and len(block["text"]) > MAX_TOOL_TEXT:
            blocks.append({**block, "text": f"{block['text'][:MAX_TOOL_TEXT]}\n…(truncated)…"})
        else:
            blocks.append(dict(block))
    result: dict[str, Any] = {"content": blocks}
    if details is not None:
        result["details"] = details
    return result
