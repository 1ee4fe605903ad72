"""
A response as a stream of events (``http.md`` 6.7).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import define, field

from openclaw.web.openai.objects import (
    AskedResponse,
    begun_message,
    call_item,
    failed,
    in_progress,
    message_item,
    response,
    text_part,
)
from openclaw.web.openai.running import Reply
from openclaw.web.openai.streaming import EventStream


@define(eq=False)
class Events:
    """
    Tells of one response. Its message begins with its first text, so that one of calls only has none.
    """

    stream: EventStream
    asked: AskedResponse
    make_id: Callable[[], str]
    _message_id: str = field(default="", init=False)
    _texts: list[str] = field(factory=list, init=False)
    _output: list[dict[str, Any]] = field(factory=list, init=False)
    _number: int = field(default=0, init=False)

    def begin(self) -> None:
        """
        That there will be a response.
        """
        for name in ("response.created", "response.in_progress"):
            self._send(name, response=in_progress(self.asked))

    def text(self, delta: str) -> None:
        """
        A piece of its message.
        """
        if not self._message_id:
            self._message_id = f"msg_{self.make_id()}"
            self._send("response.output_item.added", output_index=0, item=begun_message(self._message_id))
            self._part("response.content_part.added", part=text_part(""))
        self._texts.append(delta)
        self._part("response.output_text.delta", delta=delta, logprobs=[])

    def end(self, reply: Reply) -> None:
        """
        What has not been told yet, and the whole of it.
        """
        if not self._message_id and reply.text:
            self.text(reply.text)
        if self._message_id:
            self._end_message()
        for call in reply.calls:
            self._call(call)
        self._send("response.completed", response=response(self.asked, self._output, reply))

    def fail(self, error: Mapping[str, Any]) -> None:
        """
        That there is none.
        """
        self._send("response.failed", response=failed(self.asked, error))

    def _end_message(self) -> None:
        text = "".join(self._texts)
        self._part("response.output_text.done", text=text, logprobs=[])
        self._part("response.content_part.done", part=text_part(text))
        self._done(message_item(self._message_id, text))

    def _call(self, call: Mapping[str, str]) -> None:
        item_id, index = f"fc_{self.make_id()}", len(self._output)
        at = {"item_id": item_id, "output_index": index}
        begun = call_item(item_id, call, "in_progress")
        self._send("response.output_item.added", output_index=index, item=begun)
        self._send("response.function_call_arguments.delta", **at, delta=call["arguments"])
        arguments = {"name": call["name"], "arguments": call["arguments"]}
        self._send("response.function_call_arguments.done", **at, **arguments)
        self._done(call_item(item_id, call))

    def _done(self, item: dict[str, Any]) -> None:
        self._send("response.output_item.done", output_index=len(self._output), item=item)
        self._output.append(item)

    def _part(self, event: str, /, **members: Any) -> None:
        self._send(event, item_id=self._message_id, output_index=0, content_index=0, **members)

    def _send(self, event: str, /, **members: Any) -> None:
        self.stream.send({"type": event, **members, "sequence_number": self._number}, event)
        self._number += 1
