"""
Begin with nothing: everything that a gateway keeps goes to the trash (``gateway --dev --reset``, ``cli.md`` 4.4).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from openclaw.doctor.trash import Trash
from openclaw.store.lock import ProcessLock, reference_lock

#: In the state directory. What clients keep there (``identity/``) is theirs, and logs are what one reads afterwards.
_STATE = ("openclaw.sqlite3", "openclaw.sqlite3-wal", "openclaw.sqlite3-shm", "blobs", "credentials")


def reset(
    state: Path,
    config: Path,
    workspace: Path,
    *,
    home: Path,
    environ: Mapping[str, str],
    now: Callable[[], float],
) -> Iterator[tuple[Path, Path]]:
    """
    Move configuration, credentials, conversations and workspace out of the way.

    :param now: seconds since the epoch.
    :return: what was moved, and where to, one after the other.
    :raise AlreadyRunning: a gateway works on it; nothing was moved.
    :raise OSError: something cannot be moved.
    """
    lock = state_lock(state, config, environ, now)
    lock.acquire()
    try:
        trash = Trash.of(home, environ)
        for path in (config, *conversations(state), workspace):
            if os.path.lexists(path):
                yield path, trash.take(path, datetime.fromtimestamp(now()).astimezone())
    finally:
        lock.release()


def state_lock(state: Path, config: Path, environ: Mapping[str, str], now: Callable[[], float]) -> ProcessLock:
    """
    What keeps a gateway from a state directory, and us from one that a gateway works on.
    """
    return ProcessLock(
        state_dir=state,
        config_path=config,
        now_ms=lambda: int(now() * 1000),
        reference=reference_lock(config, environ, os.getuid()),
    )


def conversations(state: Path) -> list[Path]:
    """
    What was said and what is secret, also in files of the reference: a new database would import them again.
    """
    return [*(state / name for name in _STATE), *sorted(state.glob("agents/*/sessions"))]
