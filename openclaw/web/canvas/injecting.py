"""
The script that every page of the canvas gets (``http.md`` 12.5).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

SCRIPT = Path(__file__).parent / "bridge.js"

_END = b"</body>"


@cache
def script() -> bytes:
    """
    The text of the script, without its tags.
    """
    return b"\n" + SCRIPT.read_bytes()


def inject(page: bytes) -> bytes:
    """
    Put the script into a page: before the end of its body, else at its end.
    """
    element = b"\n<script>" + script() + b"</script>\n"
    end = page.lower().rfind(_END)
    return page + element if end < 0 else page[:end] + element + page[end:]
