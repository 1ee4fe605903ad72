"""
Pictures and files that a request brings along (``http.md`` 6.5, 7.2).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol
from urllib.parse import unquote_to_bytes, urlsplit

from attrs import field, frozen

from openclaw.web.openai.errors import InvalidRequest

INVALID = "input: Invalid input"
IMAGE_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")

#: Addresses in one request.
MOST_URLS = 8

_DATA = re.compile(r"data:([^,]*?)(;base64)?,(.*)", re.DOTALL | re.IGNORECASE)
_URL = re.compile(r"[a-z][a-z0-9+.-]*:.", re.IGNORECASE | re.DOTALL)


@frozen(kw_only=True)
class Source:
    """
    Where a picture or file comes from.

    :ivar kind: what it is meant to be.
    :ivar url: an address that is to be fetched, else ``data`` in base64 holds it.
    :ivar media_type: as it was told, with its parameters.
    """

    kind: Literal["image", "file"]
    url: str | None = None
    data: str = ""
    media_type: str | None = None
    filename: str | None = None


@frozen(kw_only=True)
class Brought:
    """
    What came of the sources of a request.

    :ivar blocks: texts for the system prompt.
    :ivar images: as the agent takes them.
    """

    blocks: Sequence[str] = field(factory=list)
    images: Sequence[Mapping[str, str]] = field(factory=list)


class Media(Protocol):
    """
    Reads sources.
    """

    async def read(self, sources: Sequence[Source]) -> Brought:
        """
        :raise InvalidRequest: one is too large, of a type that is not taken, or cannot be had.
        """
        ...


def read_source(part: Mapping[str, Any], where: str) -> Source:
    """
    :param part: of type ``input_image`` or ``input_file``, in either form.
    :param where: its path in the request, for errors.
    :raise InvalidRequest: there is nothing in it that could be read.
    """
    kind: Literal["image", "file"] = "image" if part["type"] == "input_image" else "file"
    source = part.get("source")
    if isinstance(source, Mapping):
        return _nested(kind, source, where)
    if part.get("file_id") is not None:
        raise InvalidRequest(f"{where}.file_id: files are not kept here; send the file itself")
    filename = part.get("filename") if isinstance(part.get("filename"), str) else None
    url = part.get("image_url") if kind == "image" else part.get("file_url")
    if isinstance(url, Mapping):
        url = url.get("url")
    if isinstance(url, str):
        return _from_url(kind, url, filename, f"{where}.{kind}_url")
    data = part.get("file_data")
    if kind == "file" and isinstance(data, str) and data:
        if data[:5].lower() == "data:":
            return _from_data(kind, data, filename, f"{where}.file_data")
        return Source(kind=kind, data=data, media_type=_type_of_name(filename), filename=filename)
    raise InvalidRequest(INVALID)


def _nested(kind: Literal["image", "file"], source: Mapping[str, Any], where: str) -> Source:
    if source.get("type") == "url" and isinstance(source.get("url"), str):
        url = source["url"]
        if not _is_url(url):
            raise InvalidRequest(f"{where}.source.url: Invalid URL")
        return Source(kind=kind, url=url)
    data, told, filename = source.get("data"), source.get("media_type"), source.get("filename")
    if source.get("type") != "base64" or not isinstance(data, str) or not data or not isinstance(told, str):
        raise InvalidRequest(INVALID)
    if kind == "image" and told not in IMAGE_TYPES:
        raise InvalidRequest(INVALID)
    return Source(kind=kind, data=data, media_type=told, filename=filename if isinstance(filename, str) else None)


def _from_url(kind: Literal["image", "file"], url: str, filename: str | None, where: str) -> Source:
    if url[:5].lower() == "data:":
        return _from_data(kind, url, filename, where)
    if not _is_url(url):
        raise InvalidRequest(f"{where}: Invalid URL")
    return Source(kind=kind, url=url, filename=filename)


def _from_data(kind: Literal["image", "file"], url: str, filename: str | None, where: str) -> Source:
    found = _DATA.fullmatch(url)
    if found is None:
        raise InvalidRequest(f"{where}: Invalid URL")
    told, encoded, data = found.groups()
    if encoded is None:
        from base64 import b64encode

        data = b64encode(unquote_to_bytes(data)).decode()
    return Source(kind=kind, data=data, media_type=told or "text/plain", filename=filename)


def _is_url(text: str) -> bool:
    if _URL.match(text) is None:
        return False
    try:
        urlsplit(text)
    except ValueError:
        return False
    return True


def _type_of_name(filename: str | None) -> str | None:
    from mimetypes import guess_type

    return guess_type(filename)[0] if filename else None
