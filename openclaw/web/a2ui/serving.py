"""
Sending the page and its scripts.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Any

from twisted.web.server import Request

from openclaw.files import NoSuchFile, NotBelowRoot
from openclaw.web.answers import answer_text
from openclaw.web.canvas.answering import answer_absent, send
from openclaw.web.canvas.injecting import inject, script
from openclaw.web.canvas.opening import INDEX, BadPath, find

PAGE = Path(__file__).parent / "page"

#: In the page: what leads from its address to its other files.
HERE = b"{here}"


def content_security_policy() -> str:
    """
    What the page may do: run its own scripts, and show pictures from anywhere, since agents name them.
    """
    own = b64encode(sha256(script()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'self' 'sha256-{own}'; style-src 'self'; connect-src 'self'; "
        "img-src * data: blob:; media-src * data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )


def serve_a2ui(request: Request, name: str) -> Any:
    """
    Answer with a file of the page.

    :param name: below the page's own address, as the client wrote it.
    :return: what a Klein handler returns.
    """
    if not (PAGE / INDEX).is_file():
        return answer_text(request, HTTPStatus.SERVICE_UNAVAILABLE, "A2UI assets not found")
    try:
        found = find(PAGE, name)
    except (BadPath, NoSuchFile, NotBelowRoot) as error:
        return answer_absent(request, error)
    if found.name == INDEX:
        request.setHeader("content-security-policy", content_security_policy())
    # Without a slash at its end the address of the page counts as that of a file.
    here = b"" if name else b"a2ui/"
    return send(request, found, lambda text: inject(text.replace(HERE, here)))
