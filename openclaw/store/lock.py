"""
One gateway per state directory: ``flock`` on ``<state>/gateway.lock``, which ends with the process however it ends.

What is written in the file only tells people, and the next gateway, whose it is; the lock itself is the kernel's, so a
file that was left behind means nothing. The lock belongs to the open file: a daemon that forks afterwards keeps it.

A reference gateway for the same configuration has a file of its own (``service.md`` 5), whose owner is looked up.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson
from attrs import define, field, frozen

from openclaw.errors import OpenClawError
from openclaw.store.reference import iso, millis_of

NAME = "gateway.lock"

#: How long a starting gateway waits for one that is about to end, and how often it looks, in seconds.
PATIENCE_SECONDS = 5.0
POLL_SECONDS = 0.1

#: A lock of the reference whose owner cannot be told is stale after this, in milliseconds.
STALE_MS = 30_000


@define(kw_only=True)
class AlreadyRunning(OpenClawError):
    """
    Another gateway runs on this state directory, or a reference gateway with this configuration.

    :ivar pid: ``None`` if it is not known.
    """

    pid: int | None
    waited: float

    def __str__(self) -> str:
        told = f"gateway already running (pid {self.pid or 'unknown'})"
        return f"{told}; lock timeout after {self.waited * 1000:.0f}ms" if self.waited else told


@define(kw_only=True)
class LockFailed(OpenClawError):
    """
    The lock can neither be taken nor found taken.
    """

    path: Path
    why: str

    def __str__(self) -> str:
        return f"failed to acquire gateway lock at {self.path}: {self.why}"


@frozen(kw_only=True)
class Waiting:
    """
    How to wait; a gateway whose reactor runs does not.
    """

    sleep: Callable[[float], None]
    seconds: float = PATIENCE_SECONDS


@define(kw_only=True, eq=False)
class ProcessLock:
    """
    The lock of one state directory.

    :ivar reference: the reference's lock file for this configuration; ``None`` looks for none.
    :ivar now_ms: the time, in milliseconds since the epoch.
    """

    state_dir: Path
    config_path: Path
    now_ms: Callable[[], int]
    reference: Path | None = None
    proc: Path = Path("/proc")
    _descriptor: int | None = field(default=None, init=False)

    @property
    def path(self) -> Path:
        return self.state_dir / NAME

    @property
    def is_held(self) -> bool:
        return self._descriptor is not None

    def acquire(self, waiting: Waiting | None = None) -> None:
        """
        Take the lock; taking it again changes nothing.

        :param waiting: how long to wait for another gateway to end; not at all when ``None``.
        :raise AlreadyRunning: it did not end.
        :raise LockFailed: the file cannot be made, or the file system knows no locks.
        """
        if self.is_held:
            return
        left = 0 if waiting is None else round(waiting.seconds / POLL_SECONDS)
        while (owner := self._attempt()) is not None:
            if waiting is None or left <= 0:
                raise AlreadyRunning(pid=owner or None, waited=0.0 if waiting is None else waiting.seconds)
            left -= 1
            waiting.sleep(POLL_SECONDS)

    def release(self) -> None:
        """
        Let another gateway have it. The file stays: to remove it would race with whoever has opened it.
        """
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.ftruncate(descriptor, 0)
            os.close(descriptor)

    def _attempt(self) -> int | None:
        """
        :return: ``None`` when we have it now, else the process that has it, 0 if that is not known.
        """
        other = None if self.reference is None else reference_owner(self.reference, self.proc, self.now_ms())
        if other is not None:
            return other
        try:
            self.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise LockFailed(path=self.path, why=error.strerror or str(error)) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = _pid(_read(self.path))
            os.close(descriptor)
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise LockFailed(path=self.path, why=error.strerror or str(error)) from error
            return owner or 0
        self._descriptor = descriptor
        self._tell(descriptor)
        return None

    def _tell(self, descriptor: int) -> None:
        told: dict[str, Any] = {
            "pid": os.getpid(),
            "createdAt": iso(self.now_ms()),
            "configPath": str(self.config_path),
        }
        started = start_time(os.getpid(), self.proc)
        if started is not None:
            told["startTime"] = started
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, orjson.dumps(told), 0)
        except OSError as error:
            # A full disk: the lock holds all the same.
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise


# -- the reference ----------------------------------------------------------------------------------------------------


def reference_lock(config_path: Path, environ: Mapping[str, str], uid: int) -> Path | None:
    """
    Where a reference gateway with this configuration has its lock.

    :return: ``None`` where several gateways are allowed.
    """
    if environ.get("OPENCLAW_ALLOW_MULTI_GATEWAY", "").strip() == "1":
        return None
    digest = hashlib.sha1(str(config_path).encode(), usedforsecurity=False).hexdigest()[:8]
    return Path(environ.get("TMPDIR") or "/tmp") / f"openclaw-{uid}" / f"gateway.{digest}.lock"  # noqa: S108


def reference_owner(path: Path, proc: Path, now_ms: int) -> int | None:
    """
    The living owner of a reference's lock file.

    :return: 0 if somebody may have it, but nobody can tell who; ``None`` if nobody has it: the file is never touched.
    """
    told = _read(path)
    if told is None:
        return None
    pid = _pid(told)
    if pid is None:
        created = millis_of(told.get("createdAt"))
        return 0 if now_ms - (created if created is not None else _changed_ms(path)) < STALE_MS else None
    if pid == os.getpid() or not _exists(pid):
        return None
    then = told.get("startTime")
    if isinstance(then, int) and proc.is_dir():
        return pid if start_time(pid, proc) == then else None
    return pid if _is_gateway(pid, proc) else None


def _read(path: Path) -> dict[str, Any] | None:
    """
    What a lock file tells; nothing if it is no JSON, ``None`` if there is none.
    """
    try:
        told = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _pid(told: Mapping[str, Any] | None) -> int | None:
    pid = (told or {}).get("pid")
    return pid if type(pid) is int and 0 < pid < 2**31 else None


def _changed_ms(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns // 1_000_000
    except OSError:
        return 0


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def start_time(pid: int, proc: Path) -> int | None:
    """
    When a process began, in ticks since the machine did: field 22 of its ``stat``; Linux only.
    """
    try:
        text = (proc / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
        # The name of the program may hold blanks and brackets; after the last bracket stands field 3.
        return int(text.rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None


def _is_gateway(pid: int, proc: Path) -> bool:
    """
    Whether a process looks like a reference gateway; where that cannot be told, it is taken for one.
    """
    try:
        words = (proc / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return not proc.is_dir()
    return "openclaw" in words and "gateway" in words
