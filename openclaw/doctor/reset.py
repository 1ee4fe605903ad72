"""
Begin with nothing: everything that a gateway keeps goes to the trash (``gateway --dev --reset``, ``cli.md`` 4.4).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from openclaw.doctor.places import check_movable
from openclaw.doctor.trash import Trash
from openclaw.store.claims import Claim, Claims
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
    :raise ClaimRefused: another one works on the workspace; nothing was moved.
    :raise UnsafePath: one of them is not to be moved; nothing was.
    :raise OSError: something cannot be moved.
    """
    paths = (config, *conversations(state), workspace)
    for path in paths:
        check_movable(path, home)
    with kept_from_gateways(state, config, environ, now, paths):
        trash = Trash.of(home, environ)
        for path in paths:
            if os.path.lexists(path):
                yield path, trash.take(path, datetime.fromtimestamp(now()).astimezone())


@contextmanager
def kept_from_gateways(
    state: Path, config: Path, environ: Mapping[str, str], now: Callable[[], float], moved: Iterable[Path] = ()
) -> Iterator[None]:
    """
    Keep gateways from a state directory meanwhile, and from workspaces, which another profile's gateway may have. What
    is not there is not made for that.

    :param now: seconds since the epoch.
    :param moved: what is to be moved.
    :raise AlreadyRunning: one works on the state.
    :raise ClaimRefused: one works on a directory that is to be moved.
    """
    with ExitStack() as held:
        if state.exists():
            lock = ProcessLock(
                state_dir=state,
                config_path=config,
                now_ms=lambda: int(now() * 1000),
                reference=reference_lock(config, environ, os.getuid()),
            )
            lock.acquire()
            held.callback(lock.release)
        claims = Claims()
        held.callback(claims.release)
        claims.take(
            Claim(path=path, what=str(path), fix="stop it first", is_directory=True) for path in moved if path.is_dir()
        )
        yield


def conversations(state: Path) -> list[Path]:
    """
    What was said and what is secret, also in files of the reference: a new database would import them again.
    """
    return [*(state / name for name in _STATE), *sorted(state.glob("agents/*/sessions"))]
