"""
Reading the pictures and files of a request (``http.md`` 6.5).
"""

from __future__ import annotations

import binascii
import codecs
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable, Sequence
from email.message import Message
from typing import Any, Protocol

from attrs import define, field, frozen

from openclaw.config.model import Config
from openclaw.config.model_gateway import FilesConfig, ImagesConfig, ResponsesConfig
from openclaw.documents.errors import UnreadableDocument
from openclaw.documents.pdf import PdfLimits, Pdfs
from openclaw.egress.errors import FetchFailed
from openclaw.egress.fetch import Fetched, Limits
from openclaw.web.openai.errors import InvalidRequest
from openclaw.web.openai.sources import MOST_URLS, Brought, Source

PDF = "application/pdf"
PICTURES_ONLY = "[PDF content rendered to images]"
NO_TEXT = "[PDF without text that could be read]"

#: Encodings that are made for something else than files, and slow with large ones.
_NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "unicode-escape", "undefined"})

_CLOSING = re.compile(r"<(\s*/\s*file\b)", re.IGNORECASE)
_URL_SAFE = bytes.maketrans(b"-_", b"+/")


class Fetch(Protocol):
    """
    See :meth:`openclaw.egress.fetch.Egress.fetch`.
    """

    def __call__(self, url: str, *, limits: Limits) -> Awaitable[Fetched]: ...


@define(kw_only=True, eq=False)
class MediaReader:
    """
    Reads them one after the other; the first that cannot be read ends it.

    :ivar in_thread: runs work that takes its time off the reactor thread.
    """

    config: Callable[[], Config]
    fetch: Fetch
    pdfs: Pdfs
    in_thread: Callable[..., Awaitable[Any]]

    async def read(self, sources: Sequence[Source]) -> Brought:
        """
        :raise InvalidRequest: one is too large, of a type that is not taken, or cannot be had.
        """
        urls = sum(source.url is not None for source in sources)
        if urls > MOST_URLS:
            raise _refused(f"Too many URL-based input sources: {urls} (limit: {MOST_URLS})")
        reading = _Reading(self, self.config().gateway.http.endpoints.responses)
        for source in sources:
            await (reading.image(source) if source.kind == "image" else reading.file(source))
        return Brought(blocks=reading.blocks, images=reading.images)


@frozen
class _Taken:
    """
    Something with its type: in lower case without parameters, and as it was told.
    """

    data: bytes
    mime: str
    told: str


@define
class _Reading:
    """
    One request's.
    """

    reader: MediaReader
    config: ResponsesConfig
    blocks: list[str] = field(factory=list)
    images: list[dict[str, str]] = field(factory=list)

    async def image(self, source: Source) -> None:
        config = self.config.images
        taken = await self._take(source, config)
        if taken.mime not in config.allowed_mimes:
            where = " from URL" if source.url is not None else ""
            raise _refused(f"Unsupported image MIME type{where}: {taken.mime}")
        self._add_image(b64encode(taken.data).decode(), taken.mime)

    async def file(self, source: Source) -> None:
        config = self.config.files
        taken = await self._take(source, config)
        if not taken.mime:
            raise _refused("input_file missing media type")
        if taken.mime not in config.allowed_mimes:
            raise _refused(f"Unsupported file MIME type: {taken.mime}")
        if taken.mime == PDF:
            text = await self._pdf(taken.data)
        else:
            text = (await self.reader.in_thread(_decoded, taken))[: config.max_chars]
        if text.strip():
            self.blocks.append(file_block(source.filename, text))

    async def _take(self, source: Source, config: FilesConfig | ImagesConfig) -> _Taken:
        if source.url is None:
            told = source.media_type or ""
            data = await self.reader.in_thread(_from_base64, source, config.max_bytes)
            return _Taken(data, _mime(told), told)
        if not config.allow_url:
            raise _refused(f"input_{source.kind} URL sources are disabled by config")
        limits = Limits(
            max_bytes=config.max_bytes, max_redirects=config.max_redirects, seconds=config.timeout_ms / 1000
        )
        try:
            fetched = await self.reader.fetch(source.url, limits=limits)
        except FetchFailed as error:
            raise InvalidRequest(f"{error.name}: {error}") from error
        return _Taken(fetched.body, fetched.mime, fetched.content_type)

    async def _pdf(self, data: bytes) -> str:
        config = self.config.files
        limits = PdfLimits(
            pages=config.pdf.max_pages,
            chars=config.max_chars,
            pixels=config.pdf.max_pixels,
            image_bytes=self.config.images.max_bytes,
        )
        try:
            text = await self.reader.pdfs.text(data, limits)
        except UnreadableDocument as error:
            raise InvalidRequest(str(error)) from error
        if len(text.strip()) >= config.pdf.min_text_chars:
            return text
        images = await self.reader.pdfs.images(data, limits)
        for image in images:
            self._add_image(image, "image/png")
        return text if text.strip() else PICTURES_ONLY if images else NO_TEXT

    def _add_image(self, data: str, mime: str) -> None:
        self.images.append({"type": "image", "data": data, "mimeType": mime})


def file_block(filename: str | None, text: str) -> str:
    """
    A file as the model reads it. Neither its name nor its text can end it.
    """
    name = (filename or "").translate({ord(mark): " " for mark in '"<>\r\n'}).strip() or "file"
    return f'<file name="{name}">\n{_unclosed(text)}\n</file>'


def _unclosed(text: str) -> str:
    return _CLOSING.sub(r"&lt;\1", text)


def _refused(text: str) -> InvalidRequest:
    return InvalidRequest(f"Error: {text}")


def _mime(told: str) -> str:
    return told.partition(";")[0].strip().lower()


def _from_base64(source: Source, limit: int) -> bytes:
    """
    :raise InvalidRequest: it is too large, or nothing that this encoding makes.
    """
    encoded = b"".join(source.data.encode("ascii", "replace").split()).translate(_URL_SAFE).rstrip(b"=")
    size = len(encoded) * 3 // 4
    if size > limit:
        raise _refused(f"{source.kind.capitalize()} too large: {size} bytes (limit: {limit} bytes)")
    try:
        return binascii.a2b_base64(encoded + b"=" * (-len(encoded) % 4), strict_mode=True)
    except binascii.Error:
        raise _refused(f"input_{source.kind} is not valid base64") from None


def _decoded(taken: _Taken) -> str:
    """
    The text of a file, by the character set of its type; what is no text in it becomes U+FFFD.
    """
    head = Message()
    head["content-type"] = taken.told
    charset = head.get_content_charset() or "utf-8"
    try:
        if codecs.lookup(charset).name in _NO_CHARSETS:
            charset = "utf-8"
        return taken.data.decode(charset, "replace")
    except (LookupError, ValueError):
        return taken.data.decode("utf-8", "replace")
