"""
The agent's own folder: created with its first files, never overwritten (``agent.md`` 12.1).
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from twisted.logger import Logger

from openclaw.config.files import make_private_directory

#: In the order in which the model reads them.
BOOTSTRAP_FILES = ("AGENTS.md", "SOUL.md", "TOOLS.md", "IDENTITY.md", "USER.md", "HEARTBEAT.md")

#: What sub-agents are told of them.
SUBAGENT_FILES = ("AGENTS.md", "TOOLS.md")

#: Only in a workspace that is quite new; the agent removes it when its owner is known.
FIRST_RUN_FILE = "BOOTSTRAP.md"

#: Read where they exist.
MEMORY_FILES = ("MEMORY.md", "memory.md")

GIT_SECONDS = 10.0

_log = Logger()


def template(name: str) -> str:
    """
    The first text of a workspace file.
    """
    return (files("openclaw.agent") / "templates" / name).read_text(encoding="utf-8")


def ensure_workspace(path: Path, *, git: bool = True, first_run: bool = True) -> list[str]:
    """
    Make the folder and whatever of its files is missing. Blocks.

    :param first_run: whether an agent whose workspace is new gets to know who it is.
    :return: names of the files that were made.
    """
    is_new = not path.exists() or not any((path / name).exists() for name in BOOTSTRAP_FILES)
    make_private_directory(path)
    wanted = [*BOOTSTRAP_FILES, FIRST_RUN_FILE] if is_new and first_run else list(BOOTSTRAP_FILES)
    made = [name for name in wanted if _create(path / name, template(name))]
    if is_new and git and not (path / ".git").exists():
        _git_init(path)
    return made


def _create(path: Path, text: str) -> bool:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return True


def _git_init(path: Path) -> None:
    """
    History for the agent's notes, where git is installed.
    """
    try:
        subprocess.run(
            ["git", "init", "--quiet"],  # noqa: S607  # whichever git the owner has
            cwd=path,
            timeout=GIT_SECONDS,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError) as error:
        _log.info("No git history in the workspace {path}: {error}", path=str(path), error=str(error))


def context_files(path: Path, max_chars: int) -> Iterator[tuple[str, str]]:
    """
    The files that are part of the prompt, with their texts. Blocks.
    """
    for name in BOOTSTRAP_FILES:
        text = _read(path / name)
        yield name, f"[MISSING] Expected at: {path / name}" if text is None else shortened(name, text, max_chars)
    first_run = _read(path / FIRST_RUN_FILE)
    if first_run is not None:
        yield FIRST_RUN_FILE, shortened(FIRST_RUN_FILE, first_run, max_chars)
    seen: set[tuple[int, int]] = set()
    for name in MEMORY_FILES:
        memory = path / name
        text = _read(memory)
        if text is None:
            continue
        status = memory.stat()
        # On some file systems both names are one file.
        if (status.st_dev, status.st_ino) not in seen:
            seen.add((status.st_dev, status.st_ino))
            yield name, shortened(name, text, max_chars)


def shortened(name: str, text: str, max_chars: int) -> str:
    """
    A file that is too long for the prompt: its beginning and its end.
    """
    if len(text) <= max_chars:
        return text
    head, tail = int(max_chars * 0.7), int(max_chars * 0.2)
    mark = f"[... {name} is longer than {max_chars} characters: the middle is left out; read the file for it ...]"
    return f"{text[:head]}\n{mark}\n{text[-tail:]}"


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except (FileNotFoundError, IsADirectoryError, PermissionError):
        return None
