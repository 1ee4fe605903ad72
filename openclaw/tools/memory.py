"""
``memory_get`` and ``memory_search``: ``MEMORY.md`` and ``memory/*.md`` of the agent's workspace. Reading them needs no
key of anybody, and where nothing makes embeddings they are searched by words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from openclaw.agent.tools import ToolContext, ToolResult
from openclaw.files import NoSuchFile, NotBelowRoot, open_below
from openclaw.tools.base import Arguments, ToolFailed, ToolWorld, result

FILES: Final = ("MEMORY.md", "memory.md")
DIRECTORY: Final = "memory"

#: Of one file, in bytes, and of files.
MOST_BYTES: Final = 1024 * 1024
MOST_FILES: Final = 1_000
#: Lines that are looked at together, and how many of them the next ones have in common with them.
WINDOW: Final = 12
OVERLAP: Final = 4
MOST_SNIPPET: Final = 700
MOST_RESULTS: Final = 50

_WORD = re.compile(r"\w+")


async def memory_get(world: ToolWorld, arguments: Arguments, context: ToolContext) -> ToolResult:
    """
    Lines of one file.
    """
    path = arguments.needed("path").removeprefix("./")
    if not _is_memory(path):
        raise ToolFailed(f"path must be MEMORY.md or a file memory/*.md, not {path!r}")
    text = await world.in_thread(_text, context.workspace, path)
    start = arguments.number("from")
    if start is not None or arguments.number("lines") is not None:
        first = max(1, int(start or 1))
        count = arguments.whole("lines", 1_000_000, most=1_000_000)
        text = "\n".join(text.split("\n")[first - 1 : first - 1 + count])
    return result({"path": path, "text": text})


def _is_memory(path: str) -> bool:
    return path in FILES or (path.startswith(f"{DIRECTORY}/") and path.endswith(".md"))


def _text(workspace: Path, path: str) -> str:
    """
    A file that is not there yet is empty.

    :raise ToolFailed: it leads out of the workspace.
    """
    try:
        opened = open_below(workspace, path)
    except (NoSuchFile, FileNotFoundError):
        return ""
    except NotBelowRoot as error:
        raise ToolFailed(str(error)) from error
    with opened.file as file:
        return file.read(MOST_BYTES).decode("utf-8", "replace")


async def memory_search(world: ToolWorld, arguments: Arguments, context: ToolContext) -> ToolResult:
    """
    The passages that have the most of the query's words.
    """
    query = arguments.needed("query")
    most = arguments.whole("maxResults", 6, most=MOST_RESULTS)
    least = arguments.number("minScore") or 0.0
    found = await world.in_thread(_search, context.workspace, query)
    rows = [
        {
            "path": passage.path,
            "startLine": passage.start,
            "endLine": passage.end,
            "score": round(score, 3),
            "snippet": passage.text[:MOST_SNIPPET],
            "source": "memory",
        }
        for score, passage in found
        if score >= least
    ]
    return result({"results": rows[:most], "provider": "keywords", "model": None, "fallback": None})


@frozen
class _Passage:
    path: str
    start: int
    end: int
    text: str


def _search(workspace: Path, query: str) -> list[tuple[float, _Passage]]:
    wanted = list(dict.fromkeys(word.lower() for word in _WORD.findall(query)))[:32]
    found = [(_score(wanted, query, passage), passage) for passage in _passages(workspace)]
    best: dict[str, list[tuple[float, _Passage]]] = {}
    for score, passage in sorted(found, key=lambda one: -one[0]):
        kept = best.setdefault(passage.path, [])
        # Of passages that overlap, the better one.
        if score > 0 and all(passage.start > other.end or passage.end < other.start for _, other in kept):
            kept.append((score, passage))
    return sorted((one for kept in best.values() for one in kept), key=lambda one: -one[0])


def _score(wanted: list[str], query: str, passage: _Passage) -> float:
    """
    From 0 to 1: the share of the words that are there, whole ones before the beginnings of others.
    """
    if not wanted:
        return 0.0
    text = passage.text.lower()
    words = set(_WORD.findall(text))
    points = sum(1.0 if word in words else 0.5 if len(word) > 3 and word in text else 0.0 for word in wanted)
    bonus = 0.1 if len(wanted) > 1 and query.strip().lower() in text else 0.0
    return min(1.0, points / len(wanted) * 0.9 + bonus)


def _passages(workspace: Path) -> Iterator[_Passage]:
    for path in _files(workspace):
        lines = _text(workspace, path).split("\n")
        for start in range(0, max(1, len(lines) - OVERLAP), WINDOW - OVERLAP):
            part = lines[start : start + WINDOW]
            text = "\n".join(part).strip()
            if text:
                yield _Passage(path, start + 1, start + len(part), text)


def _files(workspace: Path) -> list[str]:
    found: list[str] = []
    seen: set[tuple[int, int]] = set()
    names = [*FILES, *(f"{DIRECTORY}/{name}" for name in _listed(workspace / DIRECTORY))]
    for name in names[:MOST_FILES]:
        try:
            stat = (workspace / name).lstat()
        except OSError:
            continue
        # On some file systems both names are one file.
        if (stat.st_dev, stat.st_ino) not in seen:
            seen.add((stat.st_dev, stat.st_ino))
            found.append(name)
    return found


def _listed(directory: Path) -> list[str]:
    """
    Names of notes below a directory, without following links.
    """
    if directory.is_symlink() or not directory.is_dir():
        return []
    found: list[Any] = [path for path in directory.rglob("*.md") if path.is_file() and not path.is_symlink()]
    return sorted(str(path.relative_to(directory)) for path in found)
