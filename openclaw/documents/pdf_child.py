"""
What reads one PDF in a process of its own, since a hostile one takes all time and memory that there is.

``python -I pdf_child.py text|images <limits as JSON>`` reads the PDF from standard input and writes ``{"text": ...}``
or ``{"images": [base64 of a PNG, ...]}``. It is run by its path and imports nothing of the package.
"""

from __future__ import annotations

import base64
import io
import json
import logging
import sys
from collections.abc import Mapping
from typing import Any

#: Exit codes. Whatever else the process ends with, it has met a limit.
INVALID = 3
LOCKED = 4
UNAVAILABLE = 5

OPEN_FILES = 64


def main(mode: str, limits: Mapping[str, Any]) -> int:
    """
    :param limits: ``memory`` in bytes, ``seconds`` of processor time, ``pages``, and ``chars`` of text or ``pixels``
        and ``bytes`` of each picture.
    """
    _limit(limits["memory"], limits["seconds"])
    logging.disable(logging.CRITICAL)
    data = sys.stdin.buffer.read()
    try:
        read = {"text": read_text, "images": render}[mode](data, limits)
    except ImportError:
        return UNAVAILABLE
    except InvalidStructure:
        return INVALID
    except PasswordNeeded:
        return LOCKED
    sys.stdout.write(json.dumps(read))
    return 0


class InvalidStructure(Exception):
    """
    This is no PDF, or a broken one.
    """


class PasswordNeeded(Exception):
    """
    It opens with a password only.
    """


def read_text(data: bytes, limits: Mapping[str, Any]) -> dict[str, Any]:
    """
    The words of the first pages, a space between two and a blank line between pages.
    """
    from pypdf import PdfReader
    from pypdf.errors import FileNotDecryptedError

    try:
        reader = PdfReader(io.BytesIO(data))
        count = len(reader.pages)
    except FileNotDecryptedError:
        raise PasswordNeeded from None
    except MemoryError:
        raise
    except Exception:
        raise InvalidStructure from None
    pages = [_page_text(reader, number) for number in range(min(count, limits["pages"]))]
    return {"text": "\n\n".join(page for page in pages if page)[: limits["chars"]]}


def _page_text(reader: Any, number: int) -> str:
    try:
        return " ".join(reader.pages[number].extract_text().split())
    except MemoryError:
        raise
    except Exception:
        # One broken page does not take the others along.
        return ""


def render(data: bytes, limits: Mapping[str, Any]) -> dict[str, Any]:
    """
    Pictures of the first pages, none scaled up.
    """
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError:
        raise InvalidStructure from None
    images: list[str] = []
    for number in range(min(len(document), limits["pages"])):
        try:
            picture = _picture(document[number], limits["pixels"])
        except pypdfium2.PdfiumError:
            # One broken page does not take the others along.
            continue
        if picture is not None and len(picture) <= limits["bytes"]:
            images.append(base64.b64encode(picture).decode())
    return {"images": images}


def _picture(page: Any, most_pixels: int) -> bytes | None:
    width, height = page.get_size()
    scale = min(1.0, (most_pixels / max(width * height, 1.0)) ** 0.5)
    if scale < 0.1:
        return None
    picture = io.BytesIO()
    page.render(scale=scale).to_pil().save(picture, "PNG")
    return picture.getvalue()


def _limit(memory: int, seconds: int) -> None:
    """
    Whoever goes beyond ends; this process writes no file and leaves no core.
    """
    try:
        import resource
    except ImportError:  # not on Windows, where the time that the gateway allows is the only limit
        return
    wanted = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: OPEN_FILES,
    }
    for what, most in wanted.items():
        _, hard = resource.getrlimit(what)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], json.loads(sys.argv[2])))
