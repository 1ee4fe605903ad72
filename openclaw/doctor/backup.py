"""
One archive of everything that a gateway keeps, made while it runs.

The database is copied by SQLite's own means, so that the copy is whole whoever writes meanwhile, and before the files
of large bodies, which are there before anything names them.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import sqlite3
import tarfile
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Final, cast

from attrs import frozen

from openclaw import __version__
from openclaw.doctor.places import Places

DATABASE: Final = "openclaw.sqlite3"
MANIFEST: Final = "manifest.json"
VERSION: Final = 1
#: In the state directory, and not worth keeping or of this process alone.
_LEFT_OUT: Final = frozenset({DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", "gateway.lock", "logs"})


@frozen(kw_only=True)
class Made:
    """
    What became of an archive.

    :ivar files: how many files it has.
    :ivar outside: what belongs to the gateway, and is not in it: the targets of links, and included files.
    """

    files: int
    outside: Sequence[Path]


def make(places: Places, target: Path, now: datetime) -> Made:
    """
    Write the archive; what was there under that name stays until it is whole. Links are kept as links: what they lead
    to may be on another disk, or not belong to the gateway.

    :raise OSError: something cannot be read or written.
    :raise sqlite3.Error: the database cannot be read.
    """
    descriptor, name = tempfile.mkstemp(prefix=f"{target.name}.", dir=target.parent)
    written = Path(name)
    try:
        sums: dict[str, str] = {}
        links: dict[str, str] = {}
        linked: list[Path] = []
        with os.fdopen(descriptor, "wb") as file:
            with tarfile.open(fileobj=file, mode="w:gz") as archive:
                with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
                    # The archive may be made in what it is of.
                    own = (written, target, Path(scratch))
                    for member, path in _members(places, Path(scratch), own):
                        if path.is_symlink() and member != "config":
                            # One that goes meanwhile, as the locks of editors do, is not missed.
                            with suppress(FileNotFoundError):
                                links[member] = os.readlink(path)
                                linked.append(path)
                        elif (told_sum := _add_file(archive, member, path)) is not None:
                            sums[member] = told_sum
                told = {"version": VERSION, "program": __version__, "createdAt": now.isoformat(), "files": sums}
                told |= {"links": links, "state": str(places.state)}
                _add_manifest(archive, json.dumps(told, indent=2).encode())
            file.flush()
            os.fsync(file.fileno())
        written.replace(target)
    except BaseException:
        written.unlink(missing_ok=True)
        raise
    return Made(files=len(sums), outside=_outside(places, [*linked, *places.includes]))


def _members(places: Places, scratch: Path, own: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    """
    :param scratch: for a copy of the database.
    :param own: what is made by all this.
    """
    if (places.state / DATABASE).exists():
        yield f"state/{DATABASE}", _copy_database(places.state / DATABASE, scratch / DATABASE)
    if places.config.exists():
        yield "config", places.config
    parts = places.parts()
    # Each is in one part only, whatever stands in what.
    roots = frozenset(parts.values())
    for part, root in parts.items():
        for path in _files(root, roots | frozenset(own)):
            relative = path.relative_to(root)
            if part != "state" or relative.parts[0] not in _LEFT_OUT:
                yield f"{part}/{relative.as_posix()}", path


def _files(root: Path, others: Collection[Path]) -> Iterator[Path]:
    """
    Regular files, and links, which are not followed, wherever they lead.

    :param others: not what is in these, if it is in the root.
    """
    for directory, inner, names in os.walk(root, onerror=_unreadable):
        here = Path(directory)
        entries = [path for path in (here / name for name in sorted([*inner, *names])) if path not in others]
        inner[:] = [path.name for path in entries if path.name in inner]
        for path in entries:
            if path.is_symlink() or path.is_file():
                yield path


def _unreadable(error: OSError) -> None:
    # One that has gone meanwhile is not missed.
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error


def _outside(places: Places, paths: Iterable[Path]) -> list[Path]:
    """
    What these lead to, where it is in no part.
    """
    # Not resolve(): a loop of links leads to nothing.
    roots = [Path(os.path.realpath(root)) for root in places.parts().values()]
    targets = dict.fromkeys(Path(os.path.realpath(path)) for path in paths)
    return [target for target in targets if not any(target.is_relative_to(root) for root in roots)]


def _copy_database(source: Path, target: Path) -> Path:
    reader = sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)
    try:
        copy = sqlite3.connect(target)
        try:
            reader.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
        finally:
            copy.close()
    finally:
        reader.close()
    target.chmod(0o600)
    return target


class _Summed:
    """
    A file that is read once, with the sum of what was read.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.sum = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(size)
        self.sum.update(data)
        return data


def _add_file(archive: tarfile.TarFile, member: str, path: Path) -> str | None:
    """
    :return: the sum of what was written; ``None`` when the file has gone, as a gateway's own files may.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return None
    with file:
        told, summed = os.fstat(file.fileno()), _Summed(file)
        info = tarfile.TarInfo(member)
        info.size, info.mode, info.mtime = told.st_size, told.st_mode & 0o700, told.st_mtime
        archive.addfile(info, cast(IO[bytes], summed))
    return summed.sum.hexdigest()


def _add_manifest(archive: tarfile.TarFile, body: bytes) -> None:
    info = tarfile.TarInfo(MANIFEST)
    info.size, info.mode = len(body), 0o600
    archive.addfile(info, io.BytesIO(body))
