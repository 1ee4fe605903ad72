"""
The user's trash, as desktops know it: what is moved there can be taken back.

On Linux that is the trash of freedesktop.org's specification, with a file beside each item that says where it was; on
macOS ``~/.Trash``.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from attrs import frozen

#: In bytes: file systems take 255, and ``.trashinfo`` comes behind it.
_LONGEST_NAME = 240


@frozen(kw_only=True)
class Trash:
    """
    One user's trash.

    :ivar files: where items go.
    :ivar info: where it is written down where they were; ``None`` where nobody reads that.
    """

    files: Path
    info: Path | None

    @classmethod
    def of(cls, home: Path, environ: Mapping[str, str], platform: str = sys.platform) -> Trash:
        """
        The trash of who has this home directory.
        """
        if platform == "darwin":
            return cls(files=home / ".Trash", info=None)
        data = environ.get("XDG_DATA_HOME", "")
        trash = (Path(data) if os.path.isabs(data) else home / ".local" / "share") / "Trash"
        return cls(files=trash / "files", info=trash / "info")

    def take(self, path: Path, when: datetime) -> Path:
        """
        Move a file or a directory here; nothing that is here already is replaced.

        :param when: local time, written beside it.
        :return: where it is now.
        :raise OSError: it cannot be moved.
        """
        for directory in (self.files, self.info):
            if directory is not None:
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        name, number = _short(path.name), 1
        while not self._reserve(name, path, when):
            number += 1
            name = _short(f"{path.stem}.{number}{path.suffix}")
        target = self.files / name
        shutil.move(path, target)
        return target

    def put_back(self, item: Path, path: Path) -> None:
        """
        Move an item to where it was.

        :param item: as ``take`` has returned it.
        :raise OSError: it cannot be moved.
        """
        shutil.move(item, path)
        if self.info is not None:
            (self.info / f"{item.name}.trashinfo").unlink(missing_ok=True)

    def _reserve(self, name: str, path: Path, when: datetime) -> bool:
        """
        Take a name; the file that says where the item was is what keeps others from it.
        """
        if os.path.lexists(self.files / name):
            return False
        if self.info is None:
            return True
        told = f"[Trash Info]\nPath={quote(os.fsencode(path))}\nDeletionDate={when:%Y-%m-%dT%H:%M:%S}\n"
        try:
            with open(self.info / f"{name}.trashinfo", "x", encoding="utf-8") as file:
                file.write(told)
        except FileExistsError:
            return False
        return True


def _short(name: str) -> str:
    """
    One that has room for what is put behind it.
    """
    while len(os.fsencode(name)) > _LONGEST_NAME:
        name = name[:-1]
    return name
