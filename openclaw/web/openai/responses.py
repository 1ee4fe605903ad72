"""
``POST /v1/responses`` (``http.md`` 6).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve
from twisted.internet.defer import CancelledError
from twisted.web.server import Request

from openclaw.agent.types import Inbound
from openclaw.clock import millis
from openclaw.web.answers import answer_json, named_headers
from openclaw.web.bodies import read_json
from openclaw.web.openai.addressing import find_target
from openclaw.web.openai.chat import dedupe_key
from openclaw.web.openai.errors import ONCE, InvalidRequest, RunFailed, error_value, status_of
from openclaw.web.openai.events import Events
from openclaw.web.openai.fields import check_fields
from openclaw.web.openai.items import read_items
from openclaw.web.openai.objects import AskedResponse, failed, output_items, response
from openclaw.web.openai.prompt import make_prompt
from openclaw.web.openai.running import Backend, run
from openclaw.web.openai.streaming import EventStream
from openclaw.web.openai.tools import read_tools

NO_MESSAGE = "Missing user message in `input`."


async def respond(backend: Backend, request: Request) -> bytes:
    """
    Answer one request.

    :raise InvalidRequest: it cannot be understood.
    """
    asked = await read(backend, named_headers(request), check_fields(read_json(request)))
    if asked.stream:
        await _stream(backend, request, asked)
        return b""
    try:
        reply = await run(backend, asked.inbound)
    except RunFailed as error:
        return answer_json(request, status_of(error), failed(asked, error_value(error)), ONCE)
    items = output_items(reply, backend.make_id)
    return answer_json(request, 200, response(evolve(asked, run_id=reply.run_id), items, reply))


async def read(backend: Backend, headers: Mapping[str, str], body: Mapping[str, Any]) -> AskedResponse:
    """
    Understand a request.

    :raise InvalidRequest: it says nothing, or says it wrongly.
    :raise UnknownAgent: it names an agent that is not there.
    """
    tools = read_tools(body.get("tools"), body.get("tool_choice"))
    items = read_items(body.get("input"))
    brought = await backend.media.read(items.sources)
    target = find_target(
        backend.config(), headers, body["model"], body.get("user"), kind="openresponses", make_id=backend.make_id
    )
    instructions = (body.get("instructions") or "").strip()
    waiting = await backend.waiting_calls(target.session_key) if target.lasting else ()
    prompt = make_prompt(items.entries, items.system, waiting)
    if prompt is None:
        raise InvalidRequest(NO_MESSAGE)
    extra = [instructions, *prompt.system, tools.sentence, *brought.blocks]
    run_id = f"resp_{backend.make_id()}"
    limit = body.get("max_output_tokens")
    return AskedResponse(
        run_id=run_id,
        inbound=Inbound(
            run_id=run_id,
            session_key=target.session_key,
            shown_key=target.session_key,
            origin="http",
            dedupe_key=dedupe_key(headers, "responses", run_id),
            message=prompt.message,
            images=brought.images,
            client_tools=tools.specs,
            tool_results=prompt.results,
            max_output_tokens=None if limit is None else int(limit),
            extra_system_prompt="\n\n".join(text for text in extra if text) or None,
        ),
        body=body,
        stream=body.get("stream") is True,
        created=millis(backend.clock) // 1000,
    )


async def _stream(backend: Backend, request: Request, asked: AskedResponse) -> None:
    stream = EventStream(request, backend.clock)
    events = Events(stream, asked, backend.make_id)
    stream.start()
    events.begin()
    try:
        events.end(await run(backend, asked.inbound, events.text))
    except CancelledError:
        stream.left()
        raise
    except Exception as error:
        events.fail(error_value(error))
    stream.done()
