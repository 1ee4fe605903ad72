"""
Opening files that others name, without ever leaving a directory.

The path is walked one segment at a time from an open directory, never following a link blindly: a link is read and its
target is walked as well, so neither ``..`` nor a link nor a directory that is swapped meanwhile leads out.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

from attrs import frozen

from openclaw.errors import OpenClawError

#: More links than this on one way are a circle.
MOST_LINKS = 40

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
#: ``O_NONBLOCK`` so that a FIFO cannot hold us up; it is refused once it is open.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
#: Nothing of that name, something in its way, or a name that the file system cannot hold.
_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.ENXIO})


@frozen(kw_only=True)
class NotBelowRoot(OpenClawError):
    """
    The name leads, or could lead, out of the directory.
    """

    name: str
    why: str

    def __str__(self) -> str:
        return f"{self.name!r} is refused: {self.why}."


@frozen(kw_only=True)
class NoSuchFile(OpenClawError):
    """
    There is no regular file of that name below the directory.
    """

    name: str

    def __str__(self) -> str:
        return f"There is no file {self.name!r}."


@frozen(kw_only=True)
class OpenedFile:
    """
    An open regular file; whoever has it closes it.

    :ivar stat: of the open file itself, so that size and time belong to what is read.
    """

    file: BinaryIO
    stat: os.stat_result


def open_below(root: Path, name: str, *, may_be_link: bool = True) -> OpenedFile:
    """
    Open a regular file for reading.

    :param name: segments separated by ``/``, relative to ``root``. Links are followed as long as they stay below it.
    :param may_be_link: whether the file itself, not only a directory before it, may be reached through a link.
    :raise NotBelowRoot: the name is absolute, empty, has ``.``, ``..``, a backslash or a NUL, or a link leads out or
        stands where none may be.
    :raise NoSuchFile: there is nothing, or something that is no regular file.
    """
    segments = _checked(name)
    held = [_open_root(root, name)]
    try:
        descriptor = _walk(held, segments, name, may_be_link=may_be_link)
    finally:
        for directory in held:
            os.close(directory)
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise NoSuchFile(name=name)
    return OpenedFile(file=os.fdopen(descriptor, "rb"), stat=found)


def _checked(name: str) -> list[str]:
    """
    The segments of a name that nothing is wrong with.
    """
    if "\0" in name:
        raise NotBelowRoot(name=name, why="it contains a NUL")
    if "\\" in name:
        raise NotBelowRoot(name=name, why="it contains a backslash")
    if name.startswith("/"):
        raise NotBelowRoot(name=name, why="it is absolute")
    segments = name.split("/")
    if any(segment in ("", ".", "..") for segment in segments):
        raise NotBelowRoot(name=name, why="it has an empty segment, '.' or '..'")
    return segments


def _open_root(root: Path, name: str) -> int:
    """
    The directory itself may be reached through links: its owner configured it.
    """
    try:
        return os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in _ABSENT:
            raise NoSuchFile(name=name) from error
        raise


def _walk(held: list[int], segments: list[str], name: str, *, may_be_link: bool) -> int:
    """
    Go down the segments.

    :param held: the open directories from the root to where we stand; the caller closes them.
    :return: the descriptor of what the last segment names.
    """
    ahead = list(reversed(segments))
    links = 0
    while ahead:
        segment = ahead.pop()
        if segment == "..":  # only a link's target has these
            if len(held) == 1:
                raise NotBelowRoot(name=name, why="a link leads out")
            os.close(held.pop())
            continue
        try:
            descriptor = os.open(segment, _DIRECTORY if ahead else _FILE, dir_fd=held[-1])
        except OSError as error:
            target = _link(segment, held[-1], error)
            if target is None:
                if error.errno in _ABSENT:
                    raise NoSuchFile(name=name) from error
                raise
            if not ahead and not may_be_link:
                raise NotBelowRoot(name=name, why="it is a link") from error
            links += 1
            if links > MOST_LINKS:
                raise NotBelowRoot(name=name, why="its links go in a circle") from error
            if target.startswith("/"):
                raise NotBelowRoot(name=name, why="a link leads out") from error
            ahead += [part for part in reversed(target.split("/")) if part not in ("", ".")]
            continue
        if not ahead:
            return descriptor
        held.append(descriptor)
    raise NoSuchFile(name=name)  # a link to a directory stood last


def _link(segment: str, directory: int, error: OSError) -> str | None:
    """
    The target of a link that could not be opened because it is one.
    """
    # Linux says ELOOP for a file, and ENOTDIR for a directory that was asked for.
    if error.errno not in (errno.ELOOP, errno.ENOTDIR, errno.EMLINK):
        return None
    try:
        return os.readlink(segment, dir_fd=directory)
    except OSError:
        return None  # no link, or gone: the first error is the one to tell
