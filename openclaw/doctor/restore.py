"""
An archive of ``openclaw backup``, checked and put back.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from attrs import evolve, frozen

from openclaw.config.include import read_file
from openclaw.config.loader import evaluate
from openclaw.config.paths import workspace_dir
from openclaw.doctor.backup import DATABASE, MANIFEST, VERSION
from openclaw.doctor.integrity import damage_of
from openclaw.doctor.places import Places, check_movable, workspaces
from openclaw.doctor.reset import kept_from_gateways
from openclaw.doctor.trash import Trash
from openclaw.errors import OpenClawError

#: Parts of an archive, which are moved as they are.
_ROOTS = frozenset({"state", "config", "workspace", "workspaces"})


@frozen
class BackupBroken(OpenClawError):
    """
    The archive is none of ours, or not whole.
    """

    path: Path
    why: str

    def __str__(self) -> str:
        return f"{self.path}: {self.why}"


@frozen
class TargetRefused(OpenClawError):
    """
    A workspace of the archive cannot go where it would.
    """

    path: Path
    why: str

    def __str__(self) -> str:
        return (
            f"The workspace {self.path} is not replaced: {self.why}. Move it away first, or restore where it was made."
        )


@frozen(kw_only=True)
class Manifest:
    """
    What an archive tells of itself.

    :ivar files: the SHA-256 of each, in hex, by its name in the archive.
    :ivar links: what each leads to, by its name.
    :ivar state: the state directory that it was made of; ``None`` in those of earlier versions.
    """

    created_at: str
    program: str
    files: Mapping[str, str]
    links: Mapping[str, str]
    state: str | None = None

    @classmethod
    def of(cls, told: Any) -> Manifest:
        """
        :raise ValueError: it is none that this program knows.
        """
        if not isinstance(told, dict) or told.get("version") != VERSION:
            raise ValueError(f"its {MANIFEST} is not of version {VERSION}, which is what this program knows")
        created_at, program = told.get("createdAt"), told.get("program")
        files, links = told.get("files", {}), told.get("links", {})
        if not isinstance(created_at, str) or not isinstance(program, str):
            raise ValueError(f"its {MANIFEST} does not say when and by what it was made")
        for members in (files, links):
            if not isinstance(members, dict) or not all(isinstance(value, str) for value in members.values()):
                raise ValueError(f"its {MANIFEST} does not list what is in it")
            for member in members:
                if PurePosixPath(member).is_absolute() or ".." in PurePosixPath(member).parts:
                    raise ValueError(f"{member} leads out of it")
        state = told.get("state")
        if state is not None and not isinstance(state, str):
            raise ValueError(f"its {MANIFEST} does not say what it is of")
        return cls(created_at=created_at, program=program, files=files, links=links, state=state)


def unpack(path: Path, directory: Path) -> Manifest:
    """
    Unpack an archive into an empty directory, and look whether it is whole.

    :raise BackupBroken: it is not.
    """
    try:
        with tarfile.open(path, "r:gz") as archive:
            # Nothing outside the directory, and nothing but files and directories.
            archive.extractall(directory, filter="data")
        manifest = Manifest.of(json.loads((directory / MANIFEST).read_bytes()))
        _check_files(directory, manifest.files)
        _make_links(directory, manifest.links)
    except (tarfile.TarError, zlib.error, OSError, EOFError, ValueError, RecursionError) as error:
        raise BackupBroken(path, f"it cannot be read: {error}") from error
    return manifest


def _check_files(directory: Path, files: Mapping[str, str]) -> None:
    """
    :raise ValueError: they are not what was written.
    """
    there = {path.relative_to(directory).as_posix(): path for path in directory.rglob("*") if not path.is_dir()}
    for member in files:
        if member not in there:
            raise ValueError(f"{member} is missing")
    for member, path in there.items():
        if member == MANIFEST:
            continue
        if member not in files or path.is_symlink():
            raise ValueError(f"{member} is in it, and was not written")
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != files[member]:
                raise ValueError(f"{member} is not what was written")
    database = directory / "state" / DATABASE
    if database.exists() and (damage := damage_of(database)) is not None:
        raise ValueError(f"its database is damaged: {damage}")


def _make_links(directory: Path, links: Mapping[str, str]) -> None:
    """
    :raise ValueError: one would stand behind another, and so anywhere.
    """
    for member, target in links.items():
        if member in _ROOTS or PurePosixPath(member).parent.as_posix() == "workspaces":
            raise ValueError(f"{member} is no link")
        if any(parent.as_posix() in links for parent in PurePosixPath(member).parents):
            raise ValueError(f"{member} is behind a link")
        (directory / member).parent.mkdir(parents=True, exist_ok=True)
        (directory / member).symlink_to(target)


def verify(path: Path) -> Manifest:
    """
    :raise BackupBroken: the archive is not whole.
    """
    with tempfile.TemporaryDirectory() as scratch:
        return unpack(path, Path(scratch))


def restore(
    path: Path, places: Places, *, home: Path, environ: Mapping[str, str], now: Callable[[], float]
) -> list[Path]:
    """
    Put an archive back. What stands in its place goes to the trash, once the archive has proved to be whole.

    :param places: of the profile. Workspaces go where the configuration of the archive says.
    :param now: seconds since the epoch.
    :return: where what was there is now.
    :raise AlreadyRunning: a gateway works on it; nothing was changed.
    :raise ClaimRefused: another one works on a workspace; nothing was changed.
    :raise BackupBroken: the archive is not whole; nothing was changed.
    :raise TargetRefused: a workspace is not that of this profile, or that of two agents; nothing was changed.
    :raise UnsafePath: something would go in the place of the home directory; nothing was changed.
    :raise OSError: something cannot be moved.
    """
    places.state.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{places.state.name}.", dir=places.state.parent) as name:
        scratch = Path(name)
        manifest = unpack(path, scratch)
        places = _places(scratch, places, environ, home)
        _check_targets(places, manifest)
        targets = list(places.parts().values())
        for target in targets:
            check_movable(target, home)
        with kept_from_gateways(places.state, places.config, environ, now, targets):
            return _exchange(scratch, places, Trash.of(home, environ), now())


def _check_targets(places: Places, manifest: Manifest) -> None:
    """
    :raise TargetRefused: something would take the place of what is not this profile's, or of another part.
    """
    seen: set[Path] = set()
    for target in places.workspaces.values():
        if target in seen:
            raise TargetRefused(target, "two agents of the archive would have it")
        seen.add(target)
        # An archive of another profile, or of another home, names the workspaces of that one.
        other = manifest.state is not None and manifest.state != str(places.state)
        if other and os.path.lexists(target) and not target.is_relative_to(places.state):
            raise TargetRefused(target, f"it is there, and the archive is of {manifest.state}")


def _places(scratch: Path, places: Places, environ: Mapping[str, str], home: Path) -> Places:
    """
    Where everything in an archive goes. A configuration that cannot be used says nothing of that, and then the one that
    is there does.
    """
    found = places.workspaces
    with suppress(OSError, UnicodeDecodeError):
        text = (scratch / "config").read_bytes().decode()
        restored = evaluate(text, places.config, environ, home, lambda path: _read_include(path, scratch, places))
        if restored.model is not None:
            found = workspaces(environ, home, restored.model)
    parts = (f"workspaces/{path.name}" for path in (scratch / "workspaces").glob("*"))
    others = {part: workspace_dir(environ, home, None, part.rpartition("/")[2]) for part in parts if part not in found}
    return evolve(places, workspaces={**found, **others})


def _read_include(path: Path, scratch: Path, places: Places) -> str:
    # What a part stands in comes before it.
    for part, root in reversed([*places.parts().items()]):
        if part != "config" and path.is_relative_to(root):
            return read_file(scratch / part / path.relative_to(root))
    return read_file(path)


def _exchange(scratch: Path, places: Places, trash: Trash, now: float) -> list[Path]:
    """
    :return: where what was there is now.
    :raise OSError: something cannot be moved; what was there is there again.
    """
    taken: dict[Path, Path] = {}
    put: list[Path] = []
    try:
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
