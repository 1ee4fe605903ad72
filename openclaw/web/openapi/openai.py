"""
What OpenAI's clients ask: what both endpoints for answers have in common, and the models.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from openclaw.web.openai.tools import MOST_NAME, MOST_TOOLS
from openclaw.web.openapi.operations import (
    EVENTS,
    JSON,
    TEXT,
    TOO_LARGE,
    UNAUTHORIZED,
    Operation,
    error,
    in_header,
    in_path,
    operation,
    reading,
    told,
    wrong_method,
)
from openclaw.web.openapi.shapes import (
    BOOLEAN,
    NON_EMPTY,
    OBJECT,
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

TAG: Final = "openai"

_FUNCTION = {"description": or_null(STRING), "parameters": or_null(OBJECT), "strict": or_null(BOOLEAN)}
_NAME: Schema = {"type": "string", "minLength": 1, "maxLength": MOST_NAME}

SCHEMAS: Final[Mapping[str, Schema]] = {
    "Model": record(
        {"id": NON_EMPTY, "object": const("model"), "created": TIME, "owned_by": STRING},
        told="An agent, as a model that can be asked for.",
    ),
    "ModelList": record({"object": const("list"), "data": array(ref("Model"))}),
    "Tool": {
        "description": "A function of the client, in the nested form of chat completions or the flat one of responses.",
        **either(
            record({"type": const("function"), "function": record({"name": _NAME}, _FUNCTION, more=True)}, more=True),
            record({"type": const("function"), "name": _NAME}, _FUNCTION, more=True),
        ),
    },
    "Tools": or_null(array(ref("Tool"), maxItems=MOST_TOOLS)),
    "ToolChoice": or_null(
        either(
            choice("none", "auto", "required"),
            record({"type": const("function"), "function": record({"name": NON_EMPTY}, more=True)}, more=True),
            record({"type": const("function"), "name": NON_EMPTY}, more=True),
        )
    ),
}

PARAMETERS: Final = (
    in_header("x-openclaw-agent-id", "The agent that answers. It goes before `model`."),
    in_header("x-openclaw-session-key", "The session in which it answers. It goes before `user` and the agent."),
    in_header("idempotency-key", "A second request with the same key gets the answer of the first."),
)

_AGAIN = {"x-should-retry": const("false")}


def asking(
    id: str,
    summary: str,
    description: str,
    *,
    asked: str,
    answer: str,
    event: str,
    failed: str,
    example: Mapping[str, Any],
) -> Operation:
    """
    An operation that lets an agent answer, whole or as a stream.

    :param asked: the name of the request's schema.
    :param event: that of what a stream consists of.
    :param failed: that of the answer where there is none.
    :param example: a request.
    """
    data: Schema = {"type": "string", "contentMediaType": JSON, "contentSchema": ref(event)}
    stream: Schema = {
        "description": "One of the server-sent events, as OpenAPI 3.2 describes them. The last is `[DONE]`.",
        **either(record({"data": const("[DONE]")}, {"event": STRING}), record({"data": data}, {"event": STRING})),
    }
    failure = {JSON: ref(failed)}
    return operation(
        id,
        TAG,
        summary,
        {
            200: told("The answer; a stream where one was asked for.", {JSON: ref(answer), EVENTS: stream}),
            400: error("The request cannot be understood.", **{TEXT: STRING}),
            401: UNAUTHORIZED,
            404: error("There is no such agent, or the endpoint is switched off."),
            405: wrong_method("POST"),
            413: TOO_LARGE,
            500: error("The gateway has a defect, of which its log tells.", **{TEXT: STRING}),
            502: told("The run failed. The gateway has tried again itself.", failure, _AGAIN),
            503: error("The gateway starts or stops.", {"retry-after": STRING}),
            504: told("The run took longer than it may.", failure, _AGAIN),
        },
        description=description,
        parameters=PARAMETERS,
        body=ref(asked),
        examples={"whole": example, "stream": {**example, "stream": True}},
    )


PATHS: Final[dict[str, Any]] = {
    "/v1/models": reading(
        operation(
            "listModels",
            TAG,
            "The agents, as models.",
            {200: told("All of them.", {JSON: ref("ModelList")}), 401: UNAUTHORIZED},
        )
    ),
    "/v1/models/{id}": reading(
        operation(
            "getModel",
            TAG,
            "One agent, as a model.",
            {
                200: told("The agent.", {JSON: ref("Model")}),
                401: UNAUTHORIZED,
                404: error("There is none."),
            },
            parameters=[in_path("id", "`openclaw`, or `openclaw:` and the agent's id.", NON_EMPTY, "openclaw")],
        )
    ),
}
