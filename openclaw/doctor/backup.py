"""
One archive of everything that a gateway keeps: made while it runs, checked, and put back.

The database is copied by SQLite's own means, so that the copy is whole whoever writes meanwhile, and before the files
of large bodies, which are there before anything names them.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final, cast

from attrs import frozen

from openclaw import __version__
from openclaw.config.loader import load
from openclaw.config.paths import config_path, state_dir, workspace_dir
from openclaw.doctor.integrity import damage_of
from openclaw.doctor.reset import state_lock
from openclaw.doctor.trash import Trash
from openclaw.errors import OpenClawError

DATABASE: Final = "openclaw.sqlite3"
MANIFEST: Final = "manifest.json"
VERSION: Final = 1
#: In the state directory, and not worth keeping or of this process alone.
_LEFT_OUT: Final = frozenset({DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", "gateway.lock", "logs"})


@frozen
class BackupBroken(OpenClawError):
    """
    The archive is none of ours, or not whole.
    """

    path: Path
    why: str

    def __str__(self) -> str:
        return f"{self.path}: {self.why}"


@frozen(kw_only=True)
class Places:
    """
    What belongs to a gateway.

    :ivar config: the configuration file, wherever it is.
    """

    state: Path
    config: Path
    workspace: Path

    @classmethod
    def of(cls, environ: Mapping[str, str], home: Path) -> Places:
        """
        Those of the profile; also of a configuration that cannot be used.
        """
        return cls(
            state=state_dir(environ, home),
            config=config_path(environ, home),
            workspace=workspace_dir(environ, home, load(environ, home).model),
        )

    def parts(self) -> Mapping[str, Path]:
        """
        By their names in the archive.
        """
        return {"state": self.state, "config": self.config, "workspace": self.workspace}


def make(places: Places, target: Path, now: datetime) -> int:
    """
    Write the archive; what was there under that name stays until it is whole.

    :return: how many files it has.
    :raise OSError: something cannot be read or written.
    :raise sqlite3.Error: the database cannot be read.
    """
    descriptor, name = tempfile.mkstemp(prefix=f"{target.name}.", dir=target.parent)
    written = Path(name)
    try:
        sums: dict[str, str] = {}
        with os.fdopen(descriptor, "wb") as file:
            with tarfile.open(fileobj=file, mode="w:gz") as archive:
                with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
                    # The archive may be made in what it is of.
                    own = (written, target, Path(scratch))
                    for member, path in _members(places, Path(scratch), own):
                        sums[member] = _add_file(archive, member, path)
                told = {"version": VERSION, "program": __version__, "createdAt": now.isoformat(), "files": sums}
                _add_manifest(archive, json.dumps(told, indent=2).encode())
            file.flush()
            os.fsync(file.fileno())
        written.replace(target)
    except BaseException:
        written.unlink(missing_ok=True)
        raise
    return len(sums)


def _members(places: Places, scratch: Path, own: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    """
    :param scratch: for a copy of the database.
    :param own: what is made by all this.
    """
    if (places.state / DATABASE).exists():
        yield f"state/{DATABASE}", _copy_database(places.state / DATABASE, scratch / DATABASE)
    if places.config.exists():
        yield "config", places.config
    for part, root in (("state", places.state), ("workspace", places.workspace)):
        for path in _files(root):
            relative = path.relative_to(root)
            left_out = part == "state" and (
                relative.parts[0] in _LEFT_OUT
                or path == places.config
                # It has a part of its own, and may stand in the state directory.
                or places.workspace in path.parents
            )
            if not left_out and not any(one == path or one in path.parents for one in own):
                yield f"{part}/{relative.as_posix()}", path


def _files(root: Path) -> Iterator[Path]:
    """
    Regular files; links are not followed, wherever they lead.
    """
    for directory, _, names in os.walk(root):
        for name in sorted(names):
            path = Path(directory) / name
            if path.is_file() and not path.is_symlink():
                yield path


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


def _add_file(archive: tarfile.TarFile, member: str, path: Path) -> str:
    """
    :return: the sum of what was written.
    """
    with path.open("rb") as file:
        told, summed = os.fstat(file.fileno()), _Summed(file)
        info = tarfile.TarInfo(member)
        info.size, info.mode = told.st_size, told.st_mode & 0o700
        archive.addfile(info, cast(IO[bytes], summed))
    return summed.sum.hexdigest()


def _add_manifest(archive: tarfile.TarFile, body: bytes) -> None:
    info = tarfile.TarInfo(MANIFEST)
    info.size, info.mode = len(body), 0o600
    archive.addfile(info, io.BytesIO(body))


def unpack(path: Path, directory: Path) -> Mapping[str, Any]:
    """
    Unpack an archive into an empty directory, and look whether it is whole.

    :return: its manifest.
    :raise BackupBroken: it is not.
    """
    try:
        with tarfile.open(path, "r:gz") as archive:
            # Nothing outside the directory, and nothing but files and directories.
            archive.extractall(directory, filter="data")
        told = json.loads((directory / MANIFEST).read_bytes())
        files = told["files"]
    except (tarfile.TarError, OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise BackupBroken(path, f"it cannot be read: {error}") from error
    if told.get("version") != VERSION:
        raise BackupBroken(path, f"it is of version {told.get('version')}, and this program knows {VERSION}")
    for member, told_sum in files.items():
        if ".." in PurePosixPath(member).parts or not (found := directory / member).is_file():
            raise BackupBroken(path, f"{member} is missing")
        with found.open("rb") as file:
            told_now = hashlib.file_digest(file, "sha256").hexdigest()
        if told_now != told_sum:
            raise BackupBroken(path, f"{member} is not what was written")
    database = directory / "state" / DATABASE
    if database.exists() and (damage := damage_of(database)) is not None:
        raise BackupBroken(path, f"its database is damaged: {damage}")
    manifest: Mapping[str, Any] = told
    return manifest


def verify(path: Path) -> Mapping[str, Any]:
    """
    :return: the manifest of an archive that is whole.
    :raise BackupBroken: it is not.
    """
    with tempfile.TemporaryDirectory() as scratch:
        return unpack(path, Path(scratch))


def restore(
    path: Path, places: Places, *, home: Path, environ: Mapping[str, str], now: Callable[[], float]
) -> list[Path]:
    """
    Put an archive back. What stands in its place goes to the trash, once the archive has proved to be whole.

    :param now: seconds since the epoch.
    :return: where what was there is now.
    :raise AlreadyRunning: a gateway works on it; nothing was changed.
    :raise BackupBroken: the archive is not whole; nothing was changed.
    :raise OSError: something cannot be moved.
    """
    places.state.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{places.state.name}.", dir=places.state.parent) as scratch:
        unpack(path, Path(scratch))
        lock = state_lock(places.state, places.config, environ, now)
        lock.acquire()
        try:
            return _exchange(Path(scratch), places, Trash.of(home, environ), now())
        finally:
            lock.release()


def _exchange(scratch: Path, places: Places, trash: Trash, now: float) -> list[Path]:
    """
    :return: where what was there is now.
    :raise OSError: something cannot be moved; what was there is there again.
    """
    taken: dict[Path, Path] = {}
    put: list[Path] = []
    try:
        # The state first: the others may stand in it.
        for part, target in places.parts().items():
            source = scratch / part
            if not source.exists():
                continue
            if os.path.lexists(target):
                taken[target] = trash.take(target, datetime.fromtimestamp(now).astimezone())
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            put.append(target)
            shutil.move(source, target)
            if source.name != "config":
                target.chmod(0o700)
    except OSError:
        _take_back(scratch, taken, put, trash)
        raise
    return list(taken.values())


def _take_back(scratch: Path, taken: Mapping[Path, Path], put: Sequence[Path], trash: Trash) -> None:
    """
    Undo half an exchange, the last first.
    """
    for number, target in enumerate(reversed(put)):
        if os.path.lexists(target):
            shutil.move(target, scratch / f"undone-{number}")
    for target, item in taken.items():
        trash.put_back(item, target)
