"""
The log file: one JSON object a line (``service.md`` 7.2), one file a day, bounded in total.

Each line is one ``write`` to a file opened for appending, without a buffer of ours: a process that is killed has lost
nothing, and the call returns as soon as the kernel has the bytes. It never waits for the disk to have them.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import orjson
from attrs import define, field

from openclaw.logs.records import Record, iso_utc
from openclaw.logs.tail import DATED

#: A daily file that grows beyond this is set aside with a number, and a new one begun.
MOST_FILE_BYTES = 16 * 1024 * 1024
#: All files of the directory together; the oldest go first.
MOST_TOTAL_BYTES = 64 * 1024 * 1024
#: Files that nobody has written to for so long are removed when a file is begun.
KEEP = timedelta(hours=24)

#: How often to look whether the file is still the one at its path.
_CHECK_SECONDS = 5.0


def json_line(record: Record) -> bytes:
    """
    A record as the file has it, newline included.
    """
    name = orjson.dumps({"subsystem": record.subsystem}).decode()
    parts = [name, dict(record.meta), record.message] if record.meta else [name, record.message]
    time = iso_utc(record.time)
    line = {
        **{str(number): part for number, part in enumerate(parts)},
        "_meta": {
            "runtime": "python",
            "name": name,
            "parentNames": ["openclaw"],
            "date": time,
            "logLevelId": int(record.level),
            "logLevelName": record.level.name,
        },
        "time": time,
    }
    try:
        return orjson.dumps(line, default=str, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS)
    except TypeError:
        # Half of a surrogate pair, or metadata that no JSON can hold: the text of it all is better than nothing.
        text = f"{record.message} {dict(record.meta) or ''}".encode("utf-8", "backslashreplace").decode()
        plain = Record(time=record.time, level=record.level, subsystem=record.subsystem, message=text)
        return json_line(plain)


def daily_path(directory: Path, seconds: float) -> Path:
    """
    The file of a moment's day, by the local date.
    """
    day = datetime.fromtimestamp(seconds).astimezone()
    return directory / f"openclaw-{day:%Y-%m-%d}.log"


@define(kw_only=True)
class LogFile:
    """
    The file that records are appended to.

    :ivar path: the current file. Without ``fixed`` it changes at local midnight.
    :ivar fixed: a configured path that is not named as a daily file: neither changed nor pruned, but opened again
        when somebody has moved it away.
    :ivar failed: told once for each time that writing stops working; records are lost until it works again.
    """

    directory: Path
    failed: Callable[[OSError], None]
    fixed: Path | None = None
    most_file_bytes: int = MOST_FILE_BYTES
    most_total_bytes: int = MOST_TOTAL_BYTES
    keep: timedelta = KEEP
    _path: Path | None = field(default=None, init=False)
    _fd: int | None = field(default=None, init=False)
    _size: int = field(default=0, init=False)
    _next_check: float = field(default=0.0, init=False)
    _day_ends: float = field(default=0.0, init=False)
    _broken: bool = field(default=False, init=False)

    def path(self, seconds: float) -> Path:
        """
        The file that a record of this time goes to.
        """
        return self.fixed or daily_path(self.directory, seconds)

    def append(self, seconds: float, line: bytes) -> None:
        """
        Append one whole line.

        :param seconds: the time of the record.
        """
        try:
            self._ready(seconds, len(line))
            assert self._fd is not None
            written = os.write(self._fd, line)
            self._size += written
            if written < len(line):
                # A full disk took a part of it; what follows must begin a line.
                os.write(self._fd, b"\n")
        except OSError as error:
            self.close()
            if not self._broken:
                self._broken = True
                self.failed(error)
        else:
            self._broken = False

    def close(self) -> None:
        """
        Close the file; appending opens it again.
        """
        if self._fd is not None:
            os.close(self._fd)
        self._fd = None

    def _ready(self, seconds: float, length: int) -> None:
        if self._fd is not None and (seconds >= self._next_check or seconds >= self._day_ends):
            self._next_check = seconds + _CHECK_SECONDS
            if not self._is_current(seconds):
                self.close()
        if self._fd is not None and self.fixed is None and self._size and self._size + length > self.most_file_bytes:
            self._set_aside()
            self.close()
        if self._fd is None:
            self._open(seconds)

    def _is_current(self, seconds: float) -> bool:
        if self.path(seconds) != self._path:
            return False
        try:
            there = os.stat(self._path)
        except FileNotFoundError:
            return False
        assert self._fd is not None
        return os.path.samestat(there, os.fstat(self._fd))

    def _open(self, seconds: float) -> None:
        path = self.path(seconds)
        make_private(path.parent)
        # Not through a link: in a directory that others may write to, it could lead anywhere.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        fd = os.open(path, flags, 0o600)
        try:
            found = os.fstat(fd)
            if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and found.st_mode & 0o077:
                os.fchmod(fd, 0o600)
        except OSError:
            os.close(fd)
            raise
        self._fd, self._path, self._size = fd, path, found.st_size
        self._next_check = seconds + _CHECK_SECONDS
        self._day_ends = _midnight_after(seconds)
        if self.fixed is None:
            prune(self.directory, path, seconds, keep=self.keep, most_bytes=self.most_total_bytes)

    def _set_aside(self) -> None:
        """
        Give the full file of today the next free number.
        """
        assert self._path is not None
        number = 1
        while (aside := self._path.with_name(f"{self._path.stem}.{number}.log")).exists():
            number += 1
        self._path.rename(aside)


def make_private(directory: Path) -> None:
    """
    Make a directory and those above it that are missing, all for their owner only (``mkdir`` spares the parents).
    """
    if not directory.is_dir():
        if directory.parent != directory:
            make_private(directory.parent)
        directory.mkdir(mode=0o700, exist_ok=True)


def _midnight_after(seconds: float) -> float:
    day = datetime.fromtimestamp(seconds).astimezone().date() + timedelta(days=1)
    return datetime(day.year, day.month, day.day).astimezone().timestamp()


def prune(directory: Path, current: Path, seconds: float, *, keep: timedelta, most_bytes: int) -> None:
    """
    Remove ``openclaw-*.log`` files that are older than ``keep``, then the oldest ones beyond a total size.

    The current file stays. A file that somebody else removed meanwhile is no matter.
    """
    found = []
    for path in directory.glob("openclaw-*.log"):
        if path != current:
            try:
                status = path.lstat()
            except FileNotFoundError:
                continue
            found.append((status.st_mtime, status.st_size, path))
    total = current.stat().st_size
    for modified, size, path in sorted(found, reverse=True):
        total += size
        if total > most_bytes or seconds - modified > keep.total_seconds():
            path.unlink(missing_ok=True)


def make_file(configured: str | None, state_dir: Path, failed: Callable[[OSError], None]) -> LogFile:
    """
    The log file that the configuration asks for; by default a daily one in the state directory.

    A configured path that is named as a daily file stands for its directory.
    """
    if configured is None:
        return LogFile(directory=state_dir / "logs", failed=failed)
    path = Path(configured).expanduser()
    if DATED.fullmatch(path.name):
        return LogFile(directory=path.parent, failed=failed)
    return LogFile(directory=path.parent, fixed=path, failed=failed)
