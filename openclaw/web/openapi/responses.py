"""
``/v1/responses``: see ``openclaw.web.openai.responses``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from openclaw.web.openai.items import PASSED_OVER, ROLES, TEXT_PARTS
from openclaw.web.openapi.openai import asking
from openclaw.web.openapi.shapes import (
    ANYTHING,
    BOOLEAN,
    COUNT,
    NON_EMPTY,
    NULL,
    NUMBER,
    OBJECT,
    POSITIVE,
    STRING,
    TIME,
    Schema,
    array,
    choice,
    const,
    either,
    or_null,
    record,
    ref,
)

_TEXT_MAP: Schema = {"type": "object", "additionalProperties": STRING}

_REASONING = record(
    {},
    {
        "effort": or_null(choice("low", "medium", "high")),
        "summary": or_null(choice("auto", "concise", "detailed")),
    },
    more=True,
)

_REQUEST: Final[Mapping[str, Schema]] = {
    "ResponseRequest": record(
        {"model": STRING, "input": either(NON_EMPTY, array(ref("InputItem"), minItems=1))},
        {
            "instructions": or_null(STRING),
            "tools": ref("Tools"),
            "tool_choice": ref("ToolChoice"),
            "stream": BOOLEAN,
            "user": or_null(STRING),
            "max_output_tokens": or_null(POSITIVE),
            "max_tool_calls": or_null(POSITIVE),
            "temperature": or_null(NUMBER),
            "top_p": or_null(NUMBER),
            "metadata": or_null(_TEXT_MAP),
            "store": or_null(BOOLEAN),
            "previous_response_id": or_null(STRING),
            "reasoning": or_null(_REASONING),
            "truncation": or_null(choice("auto", "disabled")),
        },
        more=True,
        told="Members that are not listed are not read; sampling parameters are only looked at.",
    ),
    "InputItem": either(
        record(
            {"role": choice(*ROLES), "content": either(STRING, array(ref("InputPart")))},
            {"type": const("message")},
            more=True,
        ),
        record(
            {
                "type": const("function_call_output"),
                "call_id": STRING,
                "output": either(STRING, array(ref("InputPart"))),
            },
            more=True,
        ),
        record({"type": choice(*PASSED_OVER)}, more=True, told="Passed over."),
    ),
    "InputPart": either(
        record({"type": choice(*TEXT_PARTS), "text": STRING}, more=True),
        record({"type": const("refusal")}, more=True, told="Passed over."),
        ref("InputImage"),
        ref("InputFile"),
    ),
    "InputImage": record(
        {"type": const("input_image")},
        {"image_url": or_null(STRING), "source": ref("InputSource")},
        more=True,
    ),
    "InputFile": record(
        {"type": const("input_file")},
        {
            "file_url": or_null(STRING),
            "file_data": or_null(STRING),
            "filename": or_null(STRING),
            "source": ref("InputSource"),
        },
        more=True,
    ),
    "InputSource": either(
        record({"type": const("url"), "url": STRING}, more=True),
        record(
            {"type": const("base64"), "media_type": STRING, "data": NON_EMPTY},
            {"filename": or_null(STRING)},
            more=True,
        ),
    ),
}

_ANSWER: Final[Mapping[str, Schema]] = {
    "Response": record(
        {
            "id": NON_EMPTY,
            "object": const("response"),
            "created_at": TIME,
            "status": choice("in_progress", "completed", "incomplete", "failed"),
            "model": STRING,
            "output": array(ref("OutputItem")),
            "usage": ref("ResponseUsage"),
            "error": or_null(record({"code": const("api_error"), "message": STRING, "type": STRING})),
            "incomplete_details": NULL,
            "instructions": or_null(STRING),
            "max_output_tokens": or_null(POSITIVE),
            "metadata": _TEXT_MAP,
            "parallel_tool_calls": const(True),
            "previous_response_id": NULL,
            "temperature": or_null(NUMBER),
            "tool_choice": either(STRING, OBJECT),
            "tools": array(ANYTHING),
            "top_p": or_null(NUMBER),
        },
        told="`incomplete` when the agent has called functions of its client.",
    ),
    "OutputItem": either(ref("OutputMessage"), ref("OutputCall")),
    "OutputMessage": record(
        {
            "type": const("message"),
            "id": NON_EMPTY,
            "role": const("assistant"),
            "content": array(ref("OutputText")),
            "status": choice("in_progress", "completed"),
        }
    ),
    "OutputText": record(
        {"type": const("output_text"), "text": STRING, "annotations": array(ANYTHING), "logprobs": array(ANYTHING)}
    ),
    "OutputCall": record(
        {
            "type": const("function_call"),
            "id": NON_EMPTY,
            "call_id": STRING,
            "name": STRING,
            "arguments": STRING,
            "status": choice("in_progress", "completed"),
        }
    ),
    "ResponseUsage": record(
        {
            "input_tokens": COUNT,
            "output_tokens": COUNT,
            "total_tokens": COUNT,
            "input_tokens_details": record({"cached_tokens": COUNT}),
            "output_tokens_details": record({"reasoning_tokens": COUNT}),
        },
        told="Tokens of the run's last turn.",
    ),
}


def _event(*names: str, **members: Schema) -> Schema:
    return record({"type": choice(*names), "sequence_number": COUNT, **members})


_AT = {"item_id": NON_EMPTY, "output_index": COUNT}
_IN_PART = {**_AT, "content_index": const(0)}

_STREAM: Final[Mapping[str, Schema]] = {
    "ResponseEvent": either(
        _event(
            "response.created",
            "response.in_progress",
            "response.completed",
            "response.failed",
            response=ref("Response"),
        ),
        _event("response.output_item.added", "response.output_item.done", output_index=COUNT, item=ref("OutputItem")),
        _event("response.content_part.added", "response.content_part.done", part=ref("OutputText"), **_IN_PART),
        _event("response.output_text.delta", delta=STRING, logprobs=array(ANYTHING), **_IN_PART),
        _event("response.output_text.done", text=STRING, logprobs=array(ANYTHING), **_IN_PART),
        _event("response.function_call_arguments.delta", delta=STRING, **_AT),
        _event("response.function_call_arguments.done", name=STRING, arguments=STRING, **_AT),
    )
}

SCHEMAS: Final[Mapping[str, Schema]] = {**_REQUEST, **_ANSWER, **_STREAM}

PATHS: Final[dict[str, Any]] = {
    "/v1/responses": {
        "post": asking(
            "createResponse",
            "Let an agent answer items.",
            "One run of an agent. It is ended when the client leaves. Nothing is kept to be retrieved by its id; `user`"
            " keeps a conversation. Where the stream has begun a failure is the event `response.failed`.",
            asked="ResponseRequest",
            answer="Response",
            event="ResponseEvent",
            failed="Response",
            example={"model": "openclaw", "input": "Who are you?"},
        )
    }
}
