"""
Pictures in the messages of a chat completion: data addresses that hold one, and addresses on the web. What is neither
is left out, as every other part that is no text (``http.md`` 5.2).
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Any

from openclaw.web.openai.sources import Source

#: What pictures begin with, by their type.
_BEGINNINGS = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
}


Image = dict[str, str] | Source


def chat_images(messages: Any) -> tuple[list[Image], list[Image]]:
    """
    The pictures of all messages of users, in order: as the agent takes them, or where they are to be had.

    :return: those of earlier messages, and those of the last one.
    """
    found = [
        [image for part in _parts(message.get("content")) if (image := _image(part)) is not None]
        for message in (messages if isinstance(messages, list) else ())
        if isinstance(message, dict) and message.get("role") == "user"
    ]
    earlier = [image for images in found[:-1] for image in images]
    return earlier, found[-1] if found else []


def image_type(data: bytes) -> str | None:
    """
    The type that the first bytes of a picture tell.
    """
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for kind, starts in _BEGINNINGS.items() if data.startswith(starts)), None)


def _parts(content: Any) -> Iterator[Mapping[str, Any]]:
    for part in content if isinstance(content, list) else ():
        if isinstance(part, dict) and part.get("type") == "image_url":
            yield part


def _image(part: Mapping[str, Any]) -> Image | None:
    told = part.get("image_url")
    url = told.get("url") if isinstance(told, dict) else told
    if isinstance(url, str) and url.lower().startswith(("http:", "https:")):
        return Source(kind="image", url=url)
    head, mark, encoded = url.partition(";base64,") if isinstance(url, str) else ("", "", "")
    if not mark or not head.lower().startswith("data:image/"):
        return None
    try:
        kind = image_type(b64decode(encoded[:64] + "=" * (-len(encoded[:64]) % 4), validate=True))
        b64decode(encoded, validate=True)
    except binascii.Error:
        return None
    return None if kind is None else {"type": "image", "data": encoded, "mimeType": kind}
