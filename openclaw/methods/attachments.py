"""
Pictures that come with a message (``methods.md`` 6.4).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any

from twisted.logger import Logger

from openclaw.methods.mapping import invalid

MAX_BYTES = 5_000_000

_DATA_URL = re.compile(r"data:[^;,]*(?:;[^;,]*)*;base64,", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/=]*")

#: What files begin with, and what they are. Only pictures are passed on; the others are known to be none.
SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
)

_log = Logger()


def has_content(attachments: Sequence[Any] | None) -> bool:
    """
    Whether there is an attachment that says something.
    """
    return any(_content(item) for item in attachments or ())


def images(attachments: Sequence[Any] | None) -> list[dict[str, Any]]:
    """
    The pictures among attachments, as message blocks. What is no picture is left out.

    :raise Failed: one is no base64, empty or too large.
    """
    blocks = []
    for number, item in enumerate(attachments or (), start=1):
        if _content(item):
            block = _image(item, _label(item, number))
            if block is not None:
                blocks.append(block)
    return blocks


def _content(item: Any) -> str:
    content = item.get("content") if isinstance(item, Mapping) else None
    return content if isinstance(content, str) else ""


def _label(item: Mapping[str, Any], number: int) -> str:
    return str(item.get("fileName") or item.get("type") or f"attachment-{number}")


def _image(item: Mapping[str, Any], label: str) -> dict[str, Any] | None:
    text = _content(item).strip()
    prefix = _DATA_URL.match(text)
    if prefix is not None:
        text = text[prefix.end() :]
    if len(text) % 4 or _BASE64.fullmatch(text) is None:
        raise invalid(f"Error: attachment {label}: invalid base64 content")
    try:
        data = base64.b64decode(text)
    except ValueError:
        raise invalid(f"Error: attachment {label}: invalid base64 content") from None
    if not data or len(data) > MAX_BYTES:
        raise invalid(f"Error: attachment {label}: exceeds size limit ({len(data)} > {MAX_BYTES} bytes)")
    kind = sniffed(data)
    if kind is None:
        declared = item.get("mimeType")
        kind = declared.split(";")[0].strip().lower() if isinstance(declared, str) else None
    if kind is None or not kind.startswith("image/"):
        _log.warn("Left out attachment {label}: it is no picture ({kind}).", label=label, kind=kind or "unknown")
        return None
    return {"type": "image", "data": text, "mimeType": kind}


def sniffed(data: bytes) -> str | None:
    """
    The type that the first bytes tell, if they tell one.
    """
    if data[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(data[8:12])
    if data[4:8] == b"ftyp":
        return "image/heic" if data[8:12] in (b"heic", b"heix", b"mif1") else "video/mp4"
    return next((kind for start, kind in SIGNATURES if data.startswith(start)), None)
