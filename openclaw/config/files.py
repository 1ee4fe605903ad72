"""
Files that are either whole or not there.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

#: What a configuration file that does not exist is edited as.
NEW_FILE = "{}\n"


def make_private_directory(path: Path) -> None:
    """
    Make a directory, for its owner alone when it is new, and those above it.
    """
    for missing in reversed([part for part in (path, *path.parents) if not part.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)


def write_temporary(path: Path, data: bytes) -> Path:
    """
    Write ``data`` to the disk beside ``path``, readable for its owner only.

    :return: the new file, for the caller to rename or remove.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(8)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def sync_directory(path: Path) -> None:
    """
    Make renames in a directory survive a loss of power.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, data: bytes, *, keep_time: Path | None = None) -> None:
    """
    Give a file new content: afterwards it holds either the old or the new data, never a part.

    :param keep_time: the file whose time of change the new one gets.
    """
    temporary = write_temporary(path, data)
    try:
        if keep_time is not None:
            found = keep_time.stat()
            os.utime(temporary, ns=(found.st_atime_ns, found.st_mtime_ns))
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def create_file(path: Path, text: str) -> bool:
    """
    Make a file that is not there yet.

    :return: ``False`` when it is there, also when someone else was quicker; then it is left alone.
    """
    temporary = write_temporary(path, text.encode())
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        return False
    finally:
        temporary.unlink(missing_ok=True)
    sync_directory(path.parent)
    return True
