"""
How the files of canvas and A2UI are sent.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from twisted.web.server import Request

from openclaw.errors import OpenClawError
from openclaw.web.answers import answer, answer_status, answer_text
from openclaw.web.canvas.opening import BadPath, Found
from openclaw.web.canvas.types import HTML, canvas_type
from openclaw.web.sending import send_file

HEADERS = {
    "cache-control": "no-store",
    # The path of a page may be what lets its reader in.
    "referrer-policy": "no-referrer",
    "x-frame-options": "SAMEORIGIN",
    "cross-origin-resource-policy": "same-site",
}

#: A larger page is sent as it is, not put together in memory.
MOST_PREPARED_BYTES = 4 * 1024 * 1024


def unchanged(page: bytes) -> bytes:
    return page


def answer_absent(request: Request, error: OpenClawError) -> bytes:
    """
    Answer where no file was found.
    """
    if isinstance(error, BadPath):
        return answer_status(request, HTTPStatus.BAD_REQUEST)
    return answer_text(request, HTTPStatus.NOT_FOUND, "not found")


def send(request: Request, found: Found, prepare: Callable[[bytes], bytes]) -> Any:
    """
    Answer with a file.

    :param prepare: makes of a page what is sent; other files are sent as they are.
    :return: what a Klein handler returns.
    """
    media_type = canvas_type(found.name)
    if media_type == HTML and found.opened.stat.st_size <= MOST_PREPARED_BYTES:
        with found.opened.file as file:
            body = prepare(file.read(MOST_PREPARED_BYTES))
        return answer(request, HTTPStatus.OK, body, HTML)
    request.setHeader("content-type", media_type)
    return send_file(request, found.opened)
