"""
Operations and their answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from openclaw.web.openapi.shapes import BOOLEAN, NON_EMPTY, STRING, Schema, choice, const, record, ref

JSON: Final = "application/json"
TEXT: Final = "text/plain"
EVENTS: Final = "text/event-stream"

#: The scheme by which a client shows that it has the gateway's secret.
BEARER: Final = "secret"

Answer = dict[str, Any]
Operation = dict[str, Any]

SCHEMAS: Final[Mapping[str, Schema]] = {
    "Error": record(
        {
            "error": record(
                {"message": STRING, "type": choice("invalid_request_error", "api_error", "unauthorized")},
            )
        },
        told="Why there is no answer.",
    ),
    "Probe": record({"ok": BOOLEAN}, {"pending": {"type": "array", "items": NON_EMPTY}}),
}


def told(description: str, content: Mapping[str, Schema], headers: Mapping[str, Schema] | None = None) -> Answer:
    """
    One answer.

    :param content: by media type; none for an answer without a body.
    :param headers: those that it always has.
    """
    shown = {name: {"required": True, "schema": schema} for name, schema in (headers or {}).items()}
    return {
        "description": description,
        **({"headers": shown} if shown else {}),
        **({"content": {name: {"schema": schema} for name, schema in content.items()}} if content else {}),
    }


def error(description: str, headers: Mapping[str, Schema] | None = None, **others: Schema) -> Answer:
    """
    An answer that is an error in JSON.
    """
    return told(description, {JSON: ref("Error"), **others}, headers)


UNAUTHORIZED: Final = error(
    "The secret is missing or wrong. For a wrong one the answer is held back for up to a second."
)
FORBIDDEN: Final = told("The client calls the gateway by a name that cannot be its own.", {TEXT: STRING})
TOO_LARGE: Final = error(
    "The body is larger than the endpoint takes. The connection ends.", {"connection": const("close")}
)
BROKEN: Final = told("The gateway has a defect, of which its log tells.", {TEXT: STRING})
MALFORMED: Final = told("`Host` is missing or no name, or the path is no UTF-8.", {TEXT: STRING})


def wrong_method(*allowed: str) -> Answer:
    """
    The answer to any other method.
    """
    return told("Asked with another method.", {TEXT: STRING}, {"allow": const(", ".join(allowed))})


def operation(
    id: str,
    tag: str,
    summary: str,
    answers: Mapping[int, Answer],
    *,
    description: str | None = None,
    shown: str | None = BEARER,
    parameters: Sequence[Mapping[str, Any]] = (),
    body: Schema | None = None,
    examples: Mapping[str, Any] | None = None,
) -> Operation:
    """
    One operation. Every answer has its status; what all of them may answer is added.

    :param shown: the name of the scheme by which its client shows who it is.
    :param body: of JSON.
    :param examples: of it, by name.
    """
    every = {400: MALFORMED, 500: BROKEN, **answers}
    return {
        "operationId": id,
        "tags": [tag],
        "summary": summary,
        **({"description": description} if description else {}),
        "security": [{shown: []}] if shown else [],
        **({"parameters": [*parameters]} if parameters else {}),
        **({"requestBody": _body(body, examples or {})} if body else {}),
        "responses": {str(status): every[status] for status in sorted(every)},
    }


def _body(schema: Schema, examples: Mapping[str, Any]) -> dict[str, Any]:
    shown = {"examples": {name: {"value": value} for name, value in examples.items()}} if examples else {}
    return {"required": True, "content": {JSON: {"schema": schema, **shown}}}


def reading(get: Operation) -> dict[str, Operation]:
    """
    What can be asked with ``GET`` and, for the head alone, with ``HEAD``.
    """
    get = {**get, "responses": dict(sorted({**get["responses"], "405": wrong_method("GET", "HEAD")}.items()))}
    heads = {
        status: {name: member for name, member in answer.items() if name != "content"}
        for status, answer in get["responses"].items()
    }
    return {"get": get, "head": {**get, "operationId": f"{get['operationId']}Head", "responses": heads}}


def in_path(name: str, description: str, schema: Schema, example: str | None = None) -> dict[str, Any]:
    """
    A parameter that stands in the path.
    """
    shown = {"example": example} if example else {}
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema, **shown}


def in_header(name: str, description: str, schema: Schema | None = None) -> dict[str, Any]:
    """
    A header that may be sent.
    """
    return {"name": name, "in": "header", "description": description, "schema": schema or STRING}


def in_query(name: str, description: str, schema: Schema) -> dict[str, Any]:
    """
    A parameter that may stand in the query.
    """
    return {"name": name, "in": "query", "description": description, "schema": schema}
