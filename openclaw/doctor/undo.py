"""
What a repair found is kept, so that it can be taken back: ``<state>/doctor-backups/<stamp>/``, a copy of each file that
it touches, and a manifest that says where they were and what they became.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from attrs import define, frozen

from openclaw import __version__
from openclaw.config.files import make_private_directory, replace_file
from openclaw.errors import OpenClawError

DIRECTORY: Final = "doctor-backups"
MANIFEST: Final = "manifest.json"
VERSION: Final = 1
#: How many repairs are kept.
KEPT: Final = 10


@frozen
class CannotUndo(OpenClawError):
    """
    The last repair cannot be taken back; nothing was changed.
    """

    why: str

    def __str__(self) -> str:
        return self.why


@define
class Record:
    """
    One repair.

    :ivar directory: where its copies are.
    :ivar told: the manifest.
    """

    directory: Path
    told: dict[str, Any]

    @property
    def paths(self) -> list[Path]:
        """
        What it touched.
        """
        return [Path(entry["path"]) for entry in self.told["files"]]

    def end(self) -> None:
        """
        Write down what the files have become; from now on it can be taken back.
        """
        for entry in self.told["files"]:
            entry["after"] = _standing(Path(entry["path"]))
        self._write()

    def undo(self, when: datetime) -> list[Path]:
        """
        Put everything back.

        :return: what was put back.
        :raise CannotUndo: something was changed meanwhile.
        :raise OSError: something cannot be written; the rest is as it was.
        """
        entries = self.told["files"]
        if any("after" not in entry for entry in entries):
            raise CannotUndo(f"The last repair was cut off. What it found is in {self.directory}.")
        changed = [entry["path"] for entry in entries if _standing(Path(entry["path"])) != entry["after"]]
        if changed:
            why = f"Changed since the last repair: {', '.join(changed)}."
            raise CannotUndo(f"{why} Nothing was taken back; what the repair found is in {self.directory}.")
        back = []
        for entry in reversed(entries):
            if entry["before"] != entry["after"]:
                self._put_back(Path(entry["path"]), entry)
                back.append(Path(entry["path"]))
        self.told["undoneAt"] = when.isoformat()
        self._write()
        return back

    def _put_back(self, path: Path, entry: dict[str, Any]) -> None:
        before = entry["before"]
        if before["kind"] == "missing":
            path.unlink(missing_ok=True)
        elif before["kind"] == "link":
            path.unlink(missing_ok=True)
            path.symlink_to(before["target"])
        else:
            if before["kind"] == "file":
                path.parent.mkdir(parents=True, exist_ok=True)
                replace_file(path, (self.directory / entry["copy"]).read_bytes())
            path.chmod(before["mode"])

    def _write(self) -> None:
        replace_file(self.directory / MANIFEST, json.dumps(self.told, indent=2).encode())


def begin(state: Path, paths: Sequence[Path], repairs: Sequence[str], when: datetime) -> Record:
    """
    Keep what a repair is about to change. The oldest repairs are forgotten.

    :param paths: files and directories; of the latter only who may use them is kept.
    :param repairs: what is to be done, for people.
    :raise OSError: it cannot be kept; the repair must not go on.
    """
    root = state / DIRECTORY
    make_private_directory(root)
    directory = _reserve(root, when.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ"))
    files = []
    for number, path in enumerate(dict.fromkeys(paths)):
        before = _standing(path)
        entry: dict[str, Any] = {"path": str(path), "before": before}
        if before["kind"] == "file":
            entry["copy"] = f"{number}-{path.name}"
            replace_file(directory / entry["copy"], path.read_bytes())
        files.append(entry)
    told = {"version": VERSION, "program": __version__, "createdAt": when.isoformat(), "repairs": list(repairs)}
    record = Record(directory=directory, told={**told, "files": files})
    record._write()
    for old in sorted(_directories(root))[:-KEPT]:
        shutil.rmtree(old)
    return record


def last(state: Path) -> Record:
    """
    The last repair that was not taken back.

    :raise CannotUndo: there is none.
    """
    for directory in sorted(_directories(state / DIRECTORY), reverse=True):
        try:
            told = json.loads((directory / MANIFEST).read_bytes())
        except (OSError, ValueError) as error:
            raise CannotUndo(f"{directory / MANIFEST} cannot be read: {error}") from error
        if not isinstance(told, dict) or told.get("version") != VERSION:
            raise CannotUndo(f"{directory} is of another version of this program.")
        if "undoneAt" not in told:
            return Record(directory=directory, told=told)
    raise CannotUndo("There is no repair to take back.")


def _reserve(root: Path, name: str) -> Path:
    number = 1
    while True:
        directory = root / (name if number == 1 else f"{name}-{number:02}")
        try:
            directory.mkdir(mode=0o700)
        except FileExistsError:
            number += 1
        else:
            return directory


def _directories(root: Path) -> Iterator[Path]:
    try:
        yield from (path for path in root.iterdir() if (path / MANIFEST).is_file())
    except OSError:
        return


def _standing(path: Path) -> dict[str, Any]:
    """
    What stands at a path, in words that a later look can be compared with.
    """
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return {"kind": "missing"}
    if stat.S_ISLNK(found.st_mode):
        return {"kind": "link", "target": os.readlink(path)}
    mode = stat.S_IMODE(found.st_mode)
    if stat.S_ISDIR(found.st_mode):
        return {"kind": "directory", "mode": mode}
    return {"kind": "file", "mode": mode, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
