"""
What an approval is about, to the byte: the command line, the directory, the programs and the scripts that they read.

Everything here blocks on the disk.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import frozen

from openclaw.approvals.programs import resolve
from openclaw.approvals.runners import runs_anything
from openclaw.approvals.shell import NotAnalysable, Segment, parse
from openclaw.errors import OpenClawError

#: Larger files are no scripts.
MOST_BYTES = 4 * 2**20
#: Of so many files the content is bound.
MOST_FILES = 64

_WORDS = re.compile(r"[\s;&|<>(){}\"'`$=]+")


@frozen(kw_only=True)
class Changed(OpenClawError):
    """
    Something is not what it was when it was approved; nothing was run.
    """

    what: str

    def __str__(self) -> str:
        return f"exec denied: {self.what} changed after it was approved"


@frozen(kw_only=True)
class Bound:
    """
    What was there when somebody was asked.

    :ivar command: hash of the command line's bytes.
    :ivar cwd: the directory itself, whatever links lead to it.
    :ivar programs: what each program's name led to, by the word that names it.
    :ivar files: hashes of scripts by path; ``None`` for one that was not there.
    """

    command: str
    cwd: str
    programs: Mapping[str, str | None]
    files: Mapping[str, str | None]


def bind(command: str, cwd: Path, search: Sequence[str]) -> Bound:
    """
    Note what a command line would run now.
    """
    try:
        segments = parse(command)
    except NotAnalysable:
        segments = []
    programs: dict[str, str | None] = {}
    files: dict[str, str | None] = {}
    for segment in segments:
        path = resolve(segment.argv[0], cwd, search)
        programs[segment.argv[0]] = None if path is None else os.path.realpath(path)
        if path is not None and (found := script_hash(path)) is not None:
            files[path] = found
    words = _read(segments, programs) if segments else _WORDS.split(command)
    for word in words:
        path = os.path.join(cwd, word)
        if len(files) < MOST_FILES and word and (found := _content_hash(path)) is not None:
            files[path] = found
    return Bound(
        command=_sha256(command.encode("utf-8", "surrogatepass")), cwd=_real(cwd), programs=programs, files=files
    )


def check(bound: Bound, command: str, cwd: Path, search: Sequence[str]) -> None:
    """
    Make sure, right before it runs, that everything is as it was.

    :raise Changed: it is not.
    """
    now = bind(command, cwd, search)
    if now.command != bound.command:
        raise Changed(what="the command")
    if now.cwd != bound.cwd:
        raise Changed(what="the directory")
    for name in bound.programs.keys() | now.programs.keys():
        if now.programs.get(name) != bound.programs.get(name):
            raise Changed(what=f"the program {name}")
    for path in sorted(bound.files.keys() | now.files.keys()):
        if now.files.get(path) != bound.files.get(path):
            raise Changed(what=f"the file {path}")


def script_hash(path: str) -> str | None:
    """
    The hash of a program that is a script; ``None`` for others.
    """
    try:
        with open(path, "rb") as file:
            begins = file.read(2)
    except OSError:
        return None
    return _content_hash(path) if begins == b"#!" else None


def _read(segments: Sequence[Segment], programs: Mapping[str, str | None]) -> list[str]:
    """
    The words that may name what an interpreter reads.
    """
    found = []
    for segment in segments:
        real = programs[segment.argv[0]]
        if real is None or runs_anything(real) or runs_anything(segment.argv[0]):
            for word in segment.argv[1:]:
                found += [word, word.partition("=")[2]]
    return found


def _content_hash(path: str) -> str | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_size > MOST_BYTES:
        os.close(descriptor)
        return None
    with os.fdopen(descriptor, "rb") as file:
        return _sha256(file.read())


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _real(cwd: Path) -> str:
    return os.path.realpath(cwd)
