"""
Another page in place of ours (``gateway.controlUi.root``): a directory of static files, as the Control UI is one.

Its scripts come from elsewhere and may need what our own page forbids itself, so it gets fewer security headers; it
learns base path, name and avatar from a script that is put into its ``index.html``.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Any

import orjson
from twisted.logger import Logger
from twisted.web.http import CACHED
from twisted.web.server import Request

from openclaw.files import NoSuchFile, NotBelowRoot, OpenedFile, open_below
from openclaw.web.answers import answer, answer_status, answer_text
from openclaw.web.media import media_type
from openclaw.web.sending import send_file

INDEX = "index.html"
ASSETS = "assets/"
#: A page that was prepared for us already.
PREPARED = "__OPENCLAW_ASSISTANT_NAME__"

COMMON_HEADERS = {
    "cache-control": "no-cache",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
}
BUNDLE_HEADERS = {**COMMON_HEADERS, "content-security-policy": "frame-ancestors 'none'"}
MISSING = "Control UI assets not found. Check gateway.controlUi.root, which names their directory."

_log = Logger()


def serve_bundle(request: Request, root: Path, name: str, values: Mapping[str, str]) -> Any:
    """
    Answer with a file of the bundle, or with its page for any other name.

    :param name: the path below the base path, as the client wrote it.
    :param values: what the page learns, by the name of the variable.
    """
    wanted = file_name(name)
    for header, value in BUNDLE_HEADERS.items():
        request.setHeader(header, value)
    try:
        return _send(request, wanted, open_below(root, wanted), values)
    except NotBelowRoot as refused:
        _log.debug("{refused}", refused=refused)
        return answer_status(request, HTTPStatus.NOT_FOUND)
    except NoSuchFile:
        if wanted.startswith(ASSETS):
            return answer_status(request, HTTPStatus.NOT_FOUND)
    try:
        return _send(request, INDEX, open_below(root, INDEX), values)
    except (NotBelowRoot, NoSuchFile):
        _log.warn("There is no {index} in {root}.", index=INDEX, root=str(root))
        return answer_text(request, HTTPStatus.SERVICE_UNAVAILABLE, MISSING)


def file_name(name: str) -> str:
    """
    The file that a path below the base path means.

    A page names its assets relative to itself, wherever it is shown: ``a/b/assets/x.js`` is ``assets/x.js``.
    """
    segments: list[str] = []
    for segment in name.split("/"):
        plain = segment.lower().replace("%2e", ".")
        if plain == "..":
            del segments[-1:]
        elif plain != ".":
            segments.append(segment)
    whole = "/" + "/".join(segments)
    start = whole.find("/" + ASSETS)
    if start > 0:
        whole = whole[start:]
    if whole.endswith("/") or not segments:
        whole += INDEX
    return whole[1:]


def inject(page: bytes, values: Mapping[str, str]) -> bytes:
    """
    Put the values into a page, before the end of its head.
    """
    if PREPARED.encode() in page:
        return page
    told = "".join(f"window.{name}={script_text(value)};" for name, value in values.items())
    script = f"<script>{told}</script>".encode()
    head, mark, rest = page.partition(b"</head>")
    return head + script + mark + rest if mark else script + page


def script_text(value: str) -> str:
    """
    A string literal that cannot end the script around it.
    """
    literal = orjson.dumps(value).decode()
    for character in "<>\u2028\u2029":
        literal = literal.replace(character, f"\\u{ord(character):04x}")
    return literal


def _send(request: Request, name: str, opened: OpenedFile, values: Mapping[str, str]) -> Any:
    if name == INDEX or name.endswith("/" + INDEX):
        with opened.file as file:
            body = inject(file.read(), values)
        if request.setETag(f'"{sha256(body).hexdigest()[:32]}"'.encode()) is CACHED:
            return b""
        return answer(request, HTTPStatus.OK, body, media_type(name))
    if request.setETag(f'W/"{opened.stat.st_mtime_ns:x}-{opened.stat.st_size:x}"'.encode()) is CACHED:
        opened.file.close()
        return b""
    request.setHeader("content-type", media_type(name))
    return send_file(request, opened)
