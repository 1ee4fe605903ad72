"""
``/v1/chat/completions``: see ``openclaw.web.openai.chat``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from openclaw.web.openapi.openai import asking
from openclaw.web.openapi.shapes import (
    BOOLEAN,
    COUNT,
    NON_EMPTY,
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

_CALL = {
    "id": STRING,
    "type": const("function"),
    "function": record({"name": STRING, "arguments": STRING}),
}

_CHUNK = {"id": NON_EMPTY, "object": const("chat.completion.chunk"), "created": TIME, "model": STRING}

SCHEMAS: Final[Mapping[str, Schema]] = {
    "ChatCompletionRequest": record(
        {"messages": array(ref("ChatMessage"), minItems=1)},
        {
            "model": or_null(STRING),
            "user": or_null(STRING),
            "stream": or_null(BOOLEAN),
            "stream_options": or_null(record({}, {"include_usage": or_null(BOOLEAN)}, more=True)),
            "tools": ref("Tools"),
            "tool_choice": ref("ToolChoice"),
        },
        more=True,
        told="Sampling parameters and members that are not listed are not read.",
    ),
    "ChatMessage": record(
        {"role": choice("system", "developer", "user", "assistant", "tool", "function")},
        {
            "content": or_null(either(STRING, array(ref("ChatPart")))),
            "name": or_null(STRING),
            "tool_call_id": or_null(STRING),
        },
        more=True,
    ),
    "ChatPart": either(
        record({"type": const("text"), "text": STRING}, more=True),
        record({"type": const("image_url"), "image_url": record({"url": STRING}, more=True)}, more=True),
        record({"type": STRING}, more=True, told="Any other part is left out."),
    ),
    "ChatCompletion": record(
        {
            "id": NON_EMPTY,
            "object": const("chat.completion"),
            "created": TIME,
            "model": STRING,
            "choices": array(ref("ChatChoice"), minItems=1, maxItems=1),
            "usage": ref("ChatUsage"),
        }
    ),
    "ChatChoice": record(
        {
            "index": const(0),
            "message": record(
                {"role": const("assistant"), "content": or_null(STRING)},
                {"tool_calls": array(record(_CALL), minItems=1)},
            ),
            "finish_reason": choice("stop", "tool_calls"),
        }
    ),
    "ChatUsage": record(
        {
            "prompt_tokens": COUNT,
            "completion_tokens": COUNT,
            "total_tokens": COUNT,
            "prompt_tokens_details": record({"cached_tokens": COUNT}),
        },
        told="Tokens of the run's last turn.",
    ),
    "ChatCompletionChunk": either(
        record({**_CHUNK, "choices": array(ref("ChatDelta"), maxItems=1)}, {"usage": ref("ChatUsage")}),
        ref("Error"),
    ),
    "ChatDelta": record(
        {
            "index": const(0),
            "delta": record(
                {},
                {
                    "role": const("assistant"),
                    "content": STRING,
                    "tool_calls": array(record({"index": COUNT, **_CALL})),
                },
            ),
        },
        {"finish_reason": or_null(choice("stop", "tool_calls"))},
    ),
}

PATHS: Final[dict[str, Any]] = {
    "/v1/chat/completions": {
        "post": asking(
            "createChatCompletion",
            "Let an agent answer a conversation.",
            "One run of an agent. It is ended when the client leaves. Where the stream has begun a failure is an event"
            " with `error`.",
            asked="ChatCompletionRequest",
            answer="ChatCompletion",
            event="ChatCompletionChunk",
            failed="Error",
            example={"model": "openclaw", "messages": [{"role": "user", "content": "Who are you?"}]},
        )
    }
}
