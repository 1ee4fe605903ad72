"""
``POST /v1/chat/completions`` (``http.md`` 5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from attrs import define, field, frozen
from twisted.internet.defer import CancelledError
from twisted.web.server import Request

from openclaw.agent.types import Inbound, http_key
from openclaw.clock import millis
from openclaw.web.answers import answer_json, named_headers
from openclaw.web.bodies import read_object
from openclaw.web.openai.addressing import find_target
from openclaw.web.openai.errors import InvalidRequest, error_value
from openclaw.web.openai.images import chat_images
from openclaw.web.openai.prompt import chat_messages, make_prompt
from openclaw.web.openai.running import Backend, Reply, run
from openclaw.web.openai.sources import MOST_URLS, Source
from openclaw.web.openai.streaming import EventStream
from openclaw.web.openai.tools import read_tools

NO_MESSAGE = "Missing user message in `messages`."


@frozen(kw_only=True)
class Asked:
    """
    A request that was understood.

    :ivar model: as it is echoed.
    :ivar usage: whether a stream ends with the numbers of tokens.
    """

    inbound: Inbound
    model: str
    stream: bool
    usage: bool
    created: int


async def complete(backend: Backend, request: Request) -> bytes:
    """
    Answer one request.

    :raise InvalidRequest: it cannot be understood.
    :raise RunFailed: there is no answer. In a stream that is an event.
    """
    body = read_object(request)
    asked = await read(backend, named_headers(request), body)
    if asked.stream:
        await _stream(backend, request, asked)
        return b""
    reply = await run(backend, asked.inbound)
    return answer_json(request, 200, completion(asked, reply))


async def read(backend: Backend, headers: Mapping[str, str], body: Mapping[str, Any]) -> Asked:
    """
    Understand a request.

    :raise InvalidRequest: it says nothing, or uses tools wrongly.
    :raise UnknownAgent: it names an agent that is not there.
    """
    given = body.get("model")
    model = given if isinstance(given, str) and given else "openclaw"
    tools = read_tools(body.get("tools"), body.get("tool_choice"))
    target = find_target(backend.config(), headers, model, body.get("user"), kind="openai", make_id=backend.make_id)
    entries, system = chat_messages(body.get("messages"))
    waiting = await backend.waiting_calls(target.session_key) if target.lasting else ()
    prompt = make_prompt(entries, system, waiting)
    if prompt is None:
        raise InvalidRequest(NO_MESSAGE)
    extra = [*prompt.system, *([tools.sentence] if tools.sentence else [])]
    run_id = f"chatcmpl_{backend.make_id()}"
    options = body.get("stream_options")
    return Asked(
        inbound=Inbound(
            run_id=run_id,
            session_key=target.session_key,
            shown_key=target.session_key,
            origin="http",
            dedupe_key=dedupe_key(headers, "chat", run_id),
            message=prompt.message,
            images=await _images(backend, body.get("messages")),
            client_tools=tools.specs,
            tool_results=prompt.results,
            extra_system_prompt="\n\n".join(extra) or None,
        ),
        model=model,
        stream=bool(body.get("stream")),
        usage=isinstance(options, dict) and options.get("include_usage") is True,
        created=millis(backend.clock) // 1000,
    )


async def _images(backend: Backend, messages: Any) -> Sequence[Mapping[str, str]]:
    """
    :raise InvalidRequest: one of the last message's cannot be had. Of earlier ones, which clients send again each time,
        what is gone is left out, as are addresses beyond the newest few.
    """
    earlier, last = chat_images(messages)
    room = MOST_URLS - sum(isinstance(image, Source) for image in last)
    found: list[Mapping[str, str]] = []
    for image in reversed(earlier):
        if not isinstance(image, Source):
            found.insert(0, image)
        elif room > 0:
            room -= 1
            with suppress(InvalidRequest):
                found[:0] = (await backend.media.read([image])).images
    brought = iter((await backend.media.read([image for image in last if isinstance(image, Source)])).images)
    return [*found, *(next(brought) if isinstance(image, Source) else image for image in last)]


def dedupe_key(headers: Mapping[str, str], kind: str, run_id: str) -> str:
    """
    What makes a second request the same as a first one: the key that its client gives, if any.
    """
    given = headers.get("idempotency-key", "").strip()
    return f"http:{kind}:{given[:256]}" if given else http_key(run_id)


# -- one answer -------------------------------------------------------------------------------------------------------


def completion(asked: Asked, reply: Reply) -> dict[str, Any]:
    """
    The whole answer.
    """
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or None}
    if reply.calls:
        message["tool_calls"] = [_call(call) for call in reply.calls]
    choice = {"index": 0, "message": message, "finish_reason": _reason(reply)}
    return {
        "id": reply.run_id,
        "object": "chat.completion",
        "created": asked.created,
        "model": asked.model,
        "choices": [choice],
        "usage": usage(reply),
    }


def usage(reply: Reply) -> dict[str, Any]:
    """
    Tokens of the run's last turn, as OpenAI counts them.
    """
    told = reply.usage
    cached = told.get("cacheRead", 0)
    prompt = told.get("input", 0) + cached + told.get("cacheWrite", 0)
    completed = told.get("output", 0)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completed,
        "total_tokens": prompt + completed,
        "prompt_tokens_details": {"cached_tokens": cached},
    }


def _call(call: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": call["id"],
        "type": "function",
        "function": {"name": call["name"], "arguments": call["arguments"]},
    }


def _reason(reply: Reply) -> str:
    return "tool_calls" if reply.calls else "stop"


# -- a stream ---------------------------------------------------------------------------------------------------------


async def _stream(backend: Backend, request: Request, asked: Asked) -> None:
    stream = EventStream(request, backend.clock)
    chunks = Chunks(stream, asked)
    stream.start()
    try:
        reply = await run(backend, asked.inbound, chunks.text)
        chunks.end(reply)
    except CancelledError:
        stream.left()
        raise
    except Exception as error:
        stream.send({"error": error_value(error)})
    stream.done()


@define
class Chunks:
    """
    The events of a stream.
    """

    stream: EventStream
    asked: Asked
    _begun: bool = field(default=False, init=False)

    def text(self, delta: str) -> None:
        """
        A piece of the answer.
        """
        self._delta({"content": delta})

    def end(self, reply: Reply) -> None:
        """
        What has not been told yet, and how it ended.
        """
        if not self._begun and reply.text:
            self.text(reply.text)
        for index, call in enumerate(reply.calls):
            self._delta({"tool_calls": [{"index": index, **_call(call)}]})
        self._send([{"index": 0, "delta": {}, "finish_reason": _reason(reply)}])
        if self.asked.usage:
            self._send([], usage=usage(reply))

    def _delta(self, delta: Mapping[str, Any]) -> None:
        if not self._begun:
            self._begun = True
            self._send([{"index": 0, "delta": {"role": "assistant"}}])
        self._send([{"index": 0, "delta": delta, "finish_reason": None}])

    def _send(self, choices: list[dict[str, Any]], **more: Any) -> None:
        self.stream.send(
            {
                "id": self.asked.inbound.run_id,
                "object": "chat.completion.chunk",
                "created": self.asked.created,
                "model": self.asked.model,
                "choices": choices,
                **more,
            }
        )
