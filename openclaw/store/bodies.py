"""
Large bodies: files beside the database, named by the hash of their content.

A body is written before the row that names it, so that a row never names what is not there. What a failed transaction
or a crash leaves behind, and what another body was put in the place of, is collected in two steps, an hour or so apart:
one looks for files that no row names, the other removes those that still nobody names and nobody has written since.
Both are work of the store, the second one of its only writer: so no file goes between its being written and its being
named, and none that a reader who began before it lost its last row may still come to.
"""

from __future__ import annotations

import hashlib
import heapq
import os
import re
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

from attrs import define

#: A body larger than this is a file of its own.
LARGE_BODY_BYTES = 262_144

NAME: Final = re.compile("[0-9a-f]{64}").fullmatch


class LargeBodies(Protocol):
    """
    Collects bodies that no entry has.
    """

    def loose(self, after: str, limit: int) -> tuple[Mapping[str, int], str | None]:
        """
        Look at some bodies, in the order of their names; it changes nothing.

        :param after: the last one that was looked at; empty for none.
        :return: those that nobody has, with marks for ``drop``, and the last one that was looked at, ``None`` if no
            more are left.
        """
        ...

    def drop(self, loose: Mapping[str, int]) -> int:
        """
        Remove those that still nobody has and nobody has written since. Long enough after the look, so that no reader
        can have begun before it.

        :return: how many.
        """
        ...


@define
class Bodies:
    """
    The folder.
    """

    folder: Path

    def write(self, body: bytes) -> str:
        """
        Write a body, durably, before the row that names it.

        :return: its hash.
        """
        name = hashlib.sha256(body).hexdigest()
        path = self.folder / name
        if path.exists():
            # So that who has seen it without an owner sees that it has been wanted since.
            os.utime(path)
            return name
        self.folder.mkdir(mode=0o700, exist_ok=True)
        # One name, since there is one writer: a crash leaves one file at most, and the next body takes its place.
        temporary = self.folder / "writing.tmp"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        directory = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
        return name

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def marks(self, after: str, limit: int) -> dict[str, int]:
        """
        The next bodies in the order of their names, with when each was last written, in nanoseconds.
        """
        try:
            with os.scandir(self.folder) as found:
                names = heapq.nsmallest(limit, (one.name for one in found if one.name > after and NAME(one.name)))
        except FileNotFoundError:
            return {}
        return {name: mark for name in names if (mark := self.mark(name)) is not None}

    def mark(self, name: str) -> int | None:
        """
        When a body was last written; ``None`` if it is not there.
        """
        try:
            return (self.folder / name).stat().st_mtime_ns
        except FileNotFoundError:
            return None

    def remove(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)


@define
class SqlLargeBodies:
    """
    Large bodies, with the rows of one connection.
    """

    connection: sqlite3.Connection
    bodies: Bodies

    def loose(self, after: str, limit: int) -> tuple[Mapping[str, int], str | None]:
        marks = self.bodies.marks(after, limit)
        last = max(marks) if len(marks) == limit else None
        return {name: mark for name, mark in marks.items() if not self._is_owned(name)}, last

    def drop(self, loose: Mapping[str, int]) -> int:
        gone = [name for name, mark in loose.items() if self.bodies.mark(name) == mark and not self._is_owned(name)]
        for name in gone:
            self.bodies.remove(name)
        return len(gone)

    def _is_owned(self, name: str) -> bool:
        owner = "SELECT 1 FROM entries WHERE body_hash = ? UNION ALL SELECT 1 FROM archived_entries WHERE body_hash = ?"
        return self.connection.execute(f"{owner} LIMIT 1", (name, name)).fetchone() is not None


class NoLargeBodies:
    """
    For a store without files.
    """

    def loose(self, after: str, limit: int) -> tuple[Mapping[str, int], str | None]:
        return {}, None

    def drop(self, loose: Mapping[str, int]) -> int:
        return 0
