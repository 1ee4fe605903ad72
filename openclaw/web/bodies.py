"""
Reading JSON bodies (``http.md`` 4).
"""

from __future__ import annotations

from typing import Any

import orjson
from attrs import frozen
from twisted.web.server import Request

from openclaw.errors import OpenClawError


@frozen
class MalformedBody(OpenClawError):
    """
    A body that is no JSON.
    """

    why: str

    def __str__(self) -> str:
        return f"SyntaxError: {self.why}"


def read_json(request: Request) -> Any:
    """
    The whole body as a JSON value, whatever ``Content-Type`` says. An empty one is an empty object.

    :raise MalformedBody: it is no JSON in UTF-8.
    """
    content = request.content
    raw = content.read().strip() if content is not None else b""
    if not raw:
        return {}
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise MalformedBody(str(error)) from error


def read_object(request: Request) -> dict[str, Any]:
    """
    The same, where every value but an object counts as one without members.

    :raise MalformedBody: it is no JSON in UTF-8.
    """
    value = read_json(request)
    return value if isinstance(value, dict) else {}
