"""
Begin with nothing: everything that a gateway keeps goes to the trash (``gateway --dev --reset``, ``cli.md`` 4.4).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from openclaw.doctor.places import check_movable
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
    :raise UnsafePath: one of them is not to be moved; nothing was.
    :raise OSError: something cannot be moved.
    """
    paths = (config, *conversations(state), workspace)
    for path in paths:
        check_movable(path, home)
    with kept_from_gateways(state, config, environ, now):
        trash = Trash.of(home, environ)
        for path in paths:
            if os.path.lexists(path):
                yield path, trash.take(path, datetime.fromtimestamp(now()).astimezone())


@contextmanager
def kept_from_gateways(
    state: Path, config: Path, environ: Mapping[str, str], now: Callable[[], float]
) -> Iterator[None]:
    """
    Keep gateways from a state directory meanwhile. One that is not there is not made for that.

    :param now: seconds since the epoch.
    :raise AlreadyRunning: one works on it.
    """
    if not state.exists():
        yield
        return
    lock = ProcessLock(
        state_dir=state,
        config_path=config,
        now_ms=lambda: int(now() * 1000),
        reference=reference_lock(config, environ, os.getuid()),
    )
    lock.acquire()
    try:
        yield
    finally:
        lock.release()


def conversations(state: Path) -> list[Path]:
    """
    What was said and what is secret, also in files of the reference: a new database would import them again.
    """
    return [*(state / name for name in _STATE), *sorted(state.glob("agents/*/sessions"))]
