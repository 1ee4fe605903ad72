"""
Reading the end of the log from a cursor: ``logs.tail`` (``methods.md`` 17).
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from attrs import frozen

from openclaw.errors import OpenClawError

DEFAULT_LINES = 500
MOST_LINES = 5_000
DEFAULT_BYTES = 250_000
MOST_BYTES = 1_000_000

#: The names of daily files.
DATED = re.compile(r"openclaw-\d{4}-\d{2}-\d{2}\.log")


class LogUnreadable(OpenClawError):
    """
    The log exists and cannot be read.
    """

    def __init__(self, error: OSError) -> None:
        super().__init__(f"log read failed: {error}")
        self.error = error


@frozen(kw_only=True)
class TailResult:
    """
    What was read.

    :param cursor: a byte offset; given back, reading goes on from there.
    :param truncated: earlier bytes of the file were left out.
    :param reset: the lines do not continue from the cursor that was given.
    """

    file: str
    cursor: int
    size: int
    lines: tuple[str, ...]
    truncated: bool
    reset: bool


def tail(
    path: Path, cursor: int | None = None, limit: int = DEFAULT_LINES, max_bytes: int = DEFAULT_BYTES
) -> TailResult:
    """
    Read what was written since ``cursor``, or the end of the file.

    Blocks on the disk for up to ``max_bytes``: call it in a thread.

    :param path: today's file, or the configured one. If a daily file does not exist, the latest one beside it is read.
    :param limit: at most so many lines, the last ones.
    :raise LogUnreadable: the file is there and cannot be read.
    """
    path = existing(path)
    try:
        handle = path.open("rb")
    except FileNotFoundError:
        return TailResult(file=str(path), cursor=0, size=0, lines=(), truncated=False, reset=False)
    except OSError as error:
        raise LogUnreadable(error) from error
    with handle:
        try:
            size = os.fstat(handle.fileno()).st_size
            start, truncated, reset = _start(cursor, size, max_bytes)
            # One byte more tells whether the first line is whole.
            handle.seek(max(0, start - 1))
            data = handle.read(size - max(0, start - 1))
        except OSError as error:
            raise LogUnreadable(error) from error
    lines = _lines(data, whole=start == 0)
    return TailResult(
        file=str(path),
        cursor=size,
        size=size,
        lines=tuple(lines[-limit:]) if limit > 0 else (),
        truncated=truncated,
        reset=reset,
    )


def existing(path: Path) -> Path:
    """
    The file to read for ``path``: itself, or the daily file beside it that was written last.
    """
    if path.exists() or DATED.fullmatch(path.name) is None:
        return path
    try:
        dated = [
            (entry.stat().st_mtime, entry.name) for entry in os.scandir(path.parent) if DATED.fullmatch(entry.name)
        ]
    except OSError:
        # The directory is missing, or a file left it meanwhile: then there is nothing to read.
        return path
    return path.with_name(max(dated)[1]) if dated else path


def _start(cursor: int | None, size: int, max_bytes: int) -> tuple[int, bool, bool]:
    """
    Where to begin, and the flags ``truncated`` and ``reset``.
    """
    latest = max(0, size - max_bytes)
    if cursor is None:
        return latest, latest > 0, False
    if cursor > size:
        return latest, latest > 0, True
    if cursor < latest:
        return latest, True, True
    return cursor, False, False


def _lines(data: bytes, *, whole: bool) -> list[str]:
    """
    :param whole: the data begins the file; otherwise its first byte is the one before the start.
    """
    lines = data.decode("utf-8", "replace").split("\n")
    if not whole:
        # Before a whole line stands the end of another, which leaves an empty first element.
        lines = lines[1:]
    return lines[:-1] if lines and not lines[-1] else lines
