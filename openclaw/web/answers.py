"""
Small whole answers to HTTP requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import orjson
from twisted.web.iweb import IRequest
from twisted.web.server import Request

from openclaw.web.upgrade import UpgradeRefused

TEXT = "text/plain; charset=utf-8"
JSON = "application/json; charset=utf-8"

NO_STORE = {"cache-control": "no-store"}


def named_headers(request: IRequest) -> dict[str, str]:
    """
    The request's headers by lower-case name; what is sent more than once is joined by commas.
    """
    return {
        name.decode("latin-1").lower(): ", ".join(value.decode("latin-1") for value in values)
        for name, values in request.requestHeaders.getAllRawHeaders()
    }


def answer(
    request: Request,
    code: int,
    body: bytes,
    content_type: str,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """
    Fill in the head of an answer.

    :return: the body, for the caller to return in turn.
    """
    request.setResponseCode(code)
    request.setHeader("content-type", content_type)
    if request.method != b"HEAD":
        request.setHeader("content-length", str(len(body)))
    for name, value in (headers or {}).items():
        request.setHeader(name, value)
    if (headers or {}).get("connection") == "close":
        # Twisted goes by what the client asked for, and would keep the connection that it says is closed.
        request.channel.persistent = False
    return body


def answer_text(request: Request, code: int, text: str, headers: Mapping[str, str] | None = None) -> bytes:
    return answer(request, code, text.encode(), TEXT, headers)


def answer_json(request: Request, code: int, value: object, headers: Mapping[str, str] | None = None) -> bytes:
    return answer(request, code, orjson.dumps(value), JSON, headers)


def answer_status(request: Request, status: HTTPStatus, headers: Mapping[str, str] | None = None) -> bytes:
    """
    A status with its own name as the text: ``Not Found``.
    """
    return answer_text(request, status, status.phrase, headers)


def answer_refused(request: Request, refused: UpgradeRefused) -> bytes:
    """
    What is said to a bad upgrade; then the connection ends.
    """
    headers = {"connection": "close", **refused.headers}
    return answer(request, refused.code, refused.text.encode(), "text/html", headers)


def refuse_host(request: Request) -> bytes:
    """
    To who calls us by a name that cannot be ours.
    """
    return answer_text(request, HTTPStatus.FORBIDDEN, "Forbidden: unknown Host", NO_STORE)
