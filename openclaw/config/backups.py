"""
The texts that a configuration file had before: ``openclaw.json.bak``, ``.bak.1`` to ``.bak.4``, the newest first.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from attrs import frozen

from openclaw.config.files import replace_file
from openclaw.config.issues import ConfigError

BACKUPS = 5


class NoBackup(ConfigError):
    """
    There is no backup of this number.
    """

    def __init__(self, path: Path, number: int) -> None:
        self.path = path
        self.number = number
        super().__init__(path, number)

    def __str__(self) -> str:
        if self.number == 1:
            return f"There is no backup of {self.path}."
        return f"There is no backup {self.number} of {self.path}."


@frozen(kw_only=True)
class Backup:
    """
    One earlier text.

    :ivar number: 1 is the newest.
    :ivar written: when this text was put into the configuration file.
    """

    number: int
    path: Path
    written: datetime

    def text(self) -> str:
        """
        :raise OSError: the file cannot be read.
        :raise UnicodeDecodeError: it is no text.
        """
        return self.path.read_bytes().decode()


def backups(path: Path) -> list[Backup]:
    """
    The backups of a configuration file, the newest first.
    """
    found = []
    for number, name in enumerate(_names(path.resolve()), start=1):
        if name.exists():
            written = datetime.fromtimestamp(name.stat().st_mtime, UTC)
            found.append(Backup(number=number, path=name, written=written))
    return found


def backup(path: Path, number: int) -> Backup:
    """
    One of them.

    :raise NoBackup: it does not exist.
    """
    for found in backups(path):
        if found.number == number:
            return found
    raise NoBackup(path, number)


def rotate(path: Path) -> None:
    """
    Make what stands in a file its newest backup. A crash on the way loses no text but the oldest.
    """
    names = _names(path)
    for older, newer in reversed(list(zip(names[1:], names, strict=False))):
        if newer.exists():
            newer.replace(older)
    replace_file(names[0], path.read_bytes(), keep_time=path)


def _names(path: Path) -> list[Path]:
    return [path.with_name(f"{path.name}.bak" + (f".{number}" if number else "")) for number in range(BACKUPS)]
