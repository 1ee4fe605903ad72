"""
Reading JSON bodies (``http.md`` 4).
"""

from __future__ import annotations

from typing import Any

from attrs import frozen
from twisted.web.server import Request

from openclaw.errors import OpenClawError
from openclaw.protocol.frames import NotJson, parse_json


@frozen
class MalformedBody(OpenClawError):
    """
    A body that is no JSON, or that nothing here could write again.
    """

    why: str

    def __str__(self) -> str:
        return f"SyntaxError: {self.why}"


def read_json(request: Request) -> Any:
    """
    The whole body as a JSON value, whatever ``Content-Type`` says. An empty one is an empty object.

    :raise MalformedBody: it is no JSON in UTF-8, or nested deeper than any of our messages.
    """
    content = request.content
    raw = content.read().strip() if content is not None else b""
    if not raw:
        return {}
    try:
        return parse_json(raw)
    except NotJson as error:
        raise MalformedBody(str(error)) from error


def read_object(request: Request) -> dict[str, Any]:
    """
    The same, where every value but an object counts as one without members.

    :raise MalformedBody: it is no JSON in UTF-8, or nested deeper than any of our messages.
    """
    value = read_json(request)
    return value if isinstance(value, dict) else {}
