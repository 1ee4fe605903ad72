"""
Writing the configuration: checked first, all or nothing, and only over what the writer has read.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from openclaw.config.auth import weakness
from openclaw.config.backups import backup, rotate
from openclaw.config.dotted import parse_path, typed_path
from openclaw.config.editor import set_value, unset_value
from openclaw.config.environment import is_reference
from openclaw.config.files import (
    NEW_FILE,
    make_private_directory,
    replace_file,
    sync_directory,
    write_temporary,
)
from openclaw.config.issues import ConfigError, ConfigInvalid, Issue
from openclaw.config.loader import Snapshot, evaluate, load
from openclaw.config.raw import dig
from openclaw.config.schema import KeyPath

LOCK_ATTEMPTS = 100
LOCK_PAUSE = 0.05

_SECRETS: tuple[KeyPath, ...] = (("gateway", "auth", "token"), ("gateway", "auth", "password"))


class HashMismatch(ConfigError):
    """
    The file is not what the writer has read; nothing was written.
    """

    def __init__(self, path: Path, expected: str, found: str) -> None:
        self.path = path
        self.expected = expected
        self.found = found
        super().__init__(path, expected, found)

    def __str__(self) -> str:
        return "config changed since last load; re-run config.get and retry"


class BaseHashMissing(ConfigError):
    """
    Whoever changes a file that exists has to say which text they have read.
    """

    def __str__(self) -> str:
        return "config base hash required; re-run config.get and retry"


class BaseHashUnavailable(ConfigError):
    """
    The file is there and cannot be read, so that nobody can have read it.
    """

    def __str__(self) -> str:
        return "config base hash unavailable; re-run config.get and retry"


class ConfigBusy(ConfigError):
    """
    Another writer holds the lock for too long.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(path)

    def __str__(self) -> str:
        return f"{self.path} is being written by another process; try again."


def check_base(snapshot: Snapshot, base_hash: str | None) -> None:
    """
    Whether a writer has read what the file is now. A file that does not exist needs no hash.

    :raise BaseHashMissing: no hash was told.
    :raise HashMismatch: it is another one.
    :raise BaseHashUnavailable: the file cannot be read.
    """
    if not snapshot.exists:
        return
    if snapshot.raw is None:
        raise BaseHashUnavailable
    told = (base_hash or "").strip()
    if not told:
        raise BaseHashMissing
    if told != snapshot.hash:
        raise HashMismatch(snapshot.path, told, snapshot.hash)


def commit(
    path: Path,
    *,
    new_text: str,
    expected_hash: str,
    environ: Mapping[str, str] | None = None,
    home: Path | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> str:
    """
    Give the file a new text. Blocks on the disk, and up to five seconds on another writer.

    :param expected_hash: of the text that the new one was made from.
    :param environ: what ``${NAME}`` refers to; by default that of the process.
    :return: the hash of the new text.
    :raise ConfigInvalid: the new text is wrong, brings a key that nothing reads, or a secret that can be guessed.
    :raise HashMismatch: the file was changed meanwhile.
    """
    environ = os.environ if environ is None else environ
    home = Path.home() if home is None else home
    return replace_text(path, new_text, expected_hash, environ, home, pause=pause).hash


def replace_text(
    path: Path,
    new_text: str,
    expected_hash: str,
    environ: Mapping[str, str],
    home: Path,
    *,
    earlier: bool = False,
    pause: Callable[[float], None] = time.sleep,
) -> Snapshot:
    """
    As :func:`commit`.

    :param earlier: the file had this text before, so that only what cannot be used at all is refused.
    :return: what the file says now.
    """

    def make(before: Snapshot) -> str:
        if before.hash != expected_hash:
            raise HashMismatch(path, expected_hash, before.hash)
        return new_text

    return edit_file(path, make, environ, home, earlier=earlier, pause=pause)


def edit_file(
    path: Path,
    make: Callable[[Snapshot], str],
    environ: Mapping[str, str],
    home: Path,
    *,
    earlier: bool = False,
    pause: Callable[[float], None] = time.sleep,
) -> Snapshot:
    """
    Give the file the text that ``make`` makes of what it says; nobody else writes meanwhile.

    :param earlier: as :func:`replace_text`.
    :return: what the file says now.
    :raise ConfigInvalid: as :func:`commit`.
    """
    # A link stays a link: what it points to is replaced. Includes go from the link, as in reading.
    target = path.resolve()
    make_private_directory(target.parent)
    with locked(target, pause):
        before = load(environ, home, path=path)
        text = make(before)
        after = evaluate(text, path, environ, home)
        if earlier:
            after.require()
        else:
            check_change(before, after)
        if text != before.raw:
            _write(target, text)
    return after


def undo(path: Path, number: int, environ: Mapping[str, str], home: Path) -> Snapshot:
    """
    Give the file the text of a backup. What it said until now becomes the newest backup, so that undoing twice brings
    it back.

    :param number: 1 is the newest backup.
    :raise NoBackup: it does not exist.
    :raise ConfigInvalid: its text cannot be used.
    :raise HashMismatch: as :func:`commit`.
    """
    text = backup(path, number).text()
    return replace_text(path, text, load(environ, home, path=path).hash, environ, home, earlier=True)


def set_key(
    source: Snapshot | Path,
    path: str | Sequence[str | int],
    value: Any,
    *,
    environ: Mapping[str, str] | None = None,
    home: Path | None = None,
) -> str:
    """
    Change one value in the file and leave all else in it as it is.

    :param source: what to change; a snapshot is also what the file must still be.
    :param path: as people type it, or its parts.
    :return: the hash of the new text.
    :raise EditRefused: the file has no place for it.
    :raise ConfigInvalid: as :func:`commit`, or the file was invalid before.
    :raise HashMismatch: as :func:`commit`.
    """
    return _edit(source, environ, home, lambda text: set_value(text, _parts(path), value))


def unset_key(
    source: Snapshot | Path,
    path: str | Sequence[str | int],
    *,
    environ: Mapping[str, str] | None = None,
    home: Path | None = None,
) -> str:
    """
    Remove one member or array element from the file.

    :raise PathNotFound: nothing in this file stands there.
    :raise ConfigInvalid: as :func:`set_key`.
    :raise HashMismatch: as :func:`commit`.
    """
    return _edit(source, environ, home, lambda text: unset_value(text, _parts(path)))


def _parts(path: str | Sequence[str | int]) -> Sequence[str | int]:
    return typed_path(parse_path(path)) if isinstance(path, str) else path


def _edit(
    source: Snapshot | Path, environ: Mapping[str, str] | None, home: Path | None, change: Callable[[str], str]
) -> str:
    environ = os.environ if environ is None else environ
    home = Path.home() if home is None else home
    snapshot = source if isinstance(source, Snapshot) else load(environ, home, path=source)
    snapshot.require()
    text = change(NEW_FILE if snapshot.raw is None else snapshot.raw)
    return commit(snapshot.path, new_text=text, expected_hash=snapshot.hash, environ=environ, home=home)


def last_good_path(path: Path) -> Path:
    """
    Where the last text that could be used is kept.
    """
    return path.with_name(path.name + ".last-good")


def keep_last_good(snapshot: Snapshot) -> None:
    """
    Keep a valid text that someone else has written, for the day when the file is not valid.
    """
    if not snapshot.valid or snapshot.raw is None:
        return
    kept = last_good_path(snapshot.path.resolve())
    if not kept.exists() or kept.read_bytes() != snapshot.raw.encode():
        replace_file(kept, snapshot.raw.encode())


@contextmanager
def locked(path: Path, pause: Callable[[float], None] = time.sleep) -> Iterator[None]:
    """
    Be the only writer; the lock dies with the process, its file stays.

    :param path: the file itself, no link to it.
    :raise ConfigBusy: another one is for too long.
    """
    descriptor = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        for _ in range(LOCK_ATTEMPTS):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                pause(LOCK_PAUSE)
        else:
            raise ConfigBusy(path)
        yield
    finally:
        os.close(descriptor)


def check_change(before: Snapshot, after: Snapshot) -> None:
    """
    Refuse what must not be written.

    :raise ConfigInvalid: as :func:`commit`.
    """
    after.require()
    known = {_any_index((*group.path, key)) for group in before.unknown for key in group.keys}
    issues: list[Issue] = []
    for group in after.unknown:
        new = group.only(key for key in group.keys if _any_index((*group.path, key)) not in known)
        if new.keys:
            issues.append(new.issue())
    issues.extend(_weak_secrets(before, after))
    if issues:
        raise ConfigInvalid(after.path, issues)


def _any_index(path: KeyPath) -> KeyPath:
    """
    The path, whichever element of an array it leads through: elements move.
    """
    return tuple("*" if isinstance(part, int) else part for part in path)


def _weak_secrets(before: Snapshot, after: Snapshot) -> Iterator[Issue]:
    for path in _SECRETS:
        written = dig(after.parsed, *path)
        if not isinstance(written, str) or not written.strip() or is_reference(written):
            continue
        reason = weakness(written)
        if reason is not None and written != dig(before.parsed, *path):
            yield Issue.at(path, f"Weak secret: it {reason}")


def _write(path: Path, text: str) -> None:
    """
    Put the text on the disk, then in place; the old one becomes the newest backup.
    """
    temporary = write_temporary(path, text.encode())
    try:
        if path.exists():
            rotate(path)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)
    replace_file(last_good_path(path), text.encode())
