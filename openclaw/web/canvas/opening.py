"""
The file that a path below the canvas means (``http.md`` 12.2).
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote_to_bytes

from attrs import frozen

from openclaw.errors import OpenClawError
from openclaw.files import NoSuchFile, NotBelowRoot, OpenedFile, open_below

INDEX = "index.html"

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


@frozen
class BadPath(OpenClawError):
    """
    A path that no file can have.
    """

    why: str

    def __str__(self) -> str:
        return self.why


@frozen(kw_only=True)
class Found:
    """
    An open file; whoever has it closes it.

    :ivar name: below the root, of the file itself.
    """

    name: str
    opened: OpenedFile


def decode(name: str) -> list[str]:
    """
    The segments of a name that is written with ``%``. It is decoded once: ``%252e`` is a file called ``%2e``.

    :raise BadPath: an escape is none, or the name has a NUL or is no UTF-8.
    """
    if _BAD_ESCAPE.search(name):
        raise BadPath("invalid percent escape")
    try:
        plain = unquote_to_bytes(name.encode("latin-1")).decode()
    except UnicodeDecodeError as error:
        raise BadPath("not UTF-8") from error
    if "\0" in plain:
        raise BadPath("NUL byte")
    return [segment for segment in plain.split("/") if segment not in ("", ".")]


def find(root: Path, name: str) -> Found:
    """
    Open the file that a name means; a directory means its index.

    :param name: below the root, as the client wrote it.
    :raise BadPath: no file can be called so.
    :raise NoSuchFile: there is none, or a hidden one.
    :raise NotBelowRoot: the name leads out, or the file is a link.
    """
    segments = decode(name)
    plain = "/".join(segments)
    if any(segment.startswith(".") and segment != ".." for segment in segments):
        raise NoSuchFile(name=plain)
    if segments and not name.endswith("/"):
        try:
            return Found(name=plain, opened=open_below(root, plain, may_be_link=False))
        except NoSuchFile:
            pass
    index = "/".join([*segments, INDEX])
    return Found(name=index, opened=open_below(root, index, may_be_link=False))


__all__ = ["BadPath", "Found", "NoSuchFile", "NotBelowRoot", "decode", "find"]
