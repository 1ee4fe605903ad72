"""
Which program a word names, and which patterns name a program.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

#: Where file names are the same in capitals and in small letters.
IGNORES_CASE = sys.platform in ("darwin", "win32")


def resolve(word: str, cwd: Path, search: Sequence[str]) -> str | None:
    """
    The absolute path of what the shell runs for a word; ``None`` where it would find nothing.

    :param search: the directories of ``PATH``; an empty or relative one is seen from ``cwd``, as the shell does it.
    """
    candidates = [word] if "/" in word else [f"{directory or '.'}/{word}" for directory in search]
    for candidate in candidates:
        path = _absolute(candidate, cwd)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return None


def _absolute(path: str, cwd: Path) -> str:
    whole = path if path.startswith("/") else f"{cwd}/{path}"
    directory, name = os.path.split(whole)
    if any(part in ("", ".", "..") for part in directory.split("/")[1:]):
        # ".." behind a link leads elsewhere than the text says.
        directory = os.path.realpath(directory)
    return os.path.join(directory, name)


def matches(pattern: str, path: str, *, home: Path, ignore_case: bool = IGNORES_CASE) -> bool:
    """
    Whether a pattern of an allowlist names a program.

    :param pattern: ``**`` stands for anything, ``*`` for anything within one name, ``?`` for one character of a name;
        ``~/`` is the home directory. One without a slash names nothing.
    :param path: absolute.
    """
    pattern = pattern.strip()
    if "/" not in pattern:
        return False
    if pattern.startswith("~/"):
        pattern = f"{home}/{pattern[2:]}"
    return _compiled(pattern, ignore_case).fullmatch(path) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    pieces = re.split(r"(\*\*+|\*|\?)", pattern)
    special = {"*": "[^/]*", "?": "[^/]"}
    source = "".join(
        special.get(piece, ".*" if piece.startswith("**") else re.escape(piece)) for piece in pieces if piece
    )
    return re.compile(source, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def literal(path: str) -> bool:
    """
    Whether a path, taken as a pattern, names itself and nothing else.
    """
    return path.startswith("/") and not any(char in path for char in "*?") and path == path.strip()
