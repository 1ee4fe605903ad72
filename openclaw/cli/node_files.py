"""
Files that devices send to ``openclaw nodes``.
"""

from __future__ import annotations

import os
import re
import uuid
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from openclaw.cli.exits import CommandFailed, UsageError
from openclaw.cli.node_link import Asking

FORMATS = ("png", "jpg", "jpeg", "mp4")

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|)")
_UNITS = {"": 1, "ms": 1, "s": 1_000, "m": 60_000}


def kept(payload: Any, name: str, suffix: str, path: str | None = None) -> str:
    """
    Write a file that a node sent, for the user only.

    :return: where it is.
    """
    data = payload.get("base64") if isinstance(payload, Mapping) else None
    try:
        decoded = b64decode(data, validate=True) if isinstance(data, str) and data else None
    except Base64Error:
        decoded = None
    if decoded is None:
        raise CommandFailed("the node sent no file that can be read")
    told = str(payload.get("format") or suffix).lower()
    suffix = told if told in FORMATS else suffix
    # Not every command needs it, and each pays for it.
    import tempfile

    target = Path(path) if path else Path(tempfile.gettempdir()) / f"openclaw-{name}-{uuid.uuid4()}.{suffix}"
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if path else os.O_EXCL), 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(decoded)
    except OSError as error:
        raise CommandFailed(f"{target} cannot be written: {error.strerror}") from error
    return str(target)


def show_files(ask: Asking, paths: Sequence[str], *, several: bool = False) -> None:
    if ask.options.json:
        ask.context.json({"files": list(paths)} if several else {"file": paths[0]})
        return
    for path in paths:
        ask.context.line(f"MEDIA:{path}")


def duration_ms(text: str | None, default_ms: int) -> int:
    """
    :raise UsageError: it is no span of time.
    """
    if text is None:
        return default_ms
    found = _DURATION.fullmatch(text.strip().lower())
    if found is None or float(found[1]) <= 0:
        raise UsageError("--duration must be a time, such as 3000, 10s or 1m")
    return int(float(found[1]) * _UNITS[found[2]])
