"""
The store of a state directory, and what keeps others from it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from openclaw.clock import millis
from openclaw.config.model import Config
from openclaw.config.paths import expand, profiled
from openclaw.gateway.life import Life
from openclaw.sessions.keys import default_agent, stored_key
from openclaw.store.claims import ClaimRefused, claims_of, runtime_dir
from openclaw.store.import_service import ImportService
from openclaw.store.lock import ProcessLock, reference_lock
from openclaw.store.sources import Places
from openclaw.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from openclaw.gateway.setting import Setting

_log = Logger(namespace="gateway")


def make_store(
    setting: Setting,
    reactor: Any,
    path: Path,
    in_thread: Callable[..., Deferred[Any]],
    make_id: Callable[[], str],
) -> tuple[SqliteStore, ImportService]:
    """
    The database of the state directory, and what brings into it what the reference left there.
    """
    config = setting.config
    places = Places(
        state_dir=setting.state_dir,
        session_store=expand(config.session.store, setting.home) if config.session.store else None,
        cron_store=expand(config.cron.store, setting.home) if config.cron.store else None,
        default_agent=default_agent(config),
    )
    importer = ImportService(places=places, clock=reactor, key_of=stored_key, make_id=make_id, in_thread=in_thread)
    importer.store = SqliteStore(path=path, reactor=reactor, first=importer.pairing)
    return importer.store, importer


def make_lock(setting: Setting, reactor: Any) -> ProcessLock:
    """
    What keeps a second gateway from the state directory.
    """
    config_path = setting.snapshot.path
    return ProcessLock(
        state_dir=setting.state_dir,
        config_path=config_path,
        now_ms=lambda: millis(reactor),
        reference=reference_lock(config_path, setting.environ, os.getuid()),
    )


def follow_claims(
    setting: Setting, life: Life, config: Callable[[], Config], in_thread: Callable[..., Deferred[Any]]
) -> Callable[[], None]:
    """
    Takes what a changed configuration has for itself besides what was taken at the start. What another gateway has is
    told; the next start is refused for it.
    """

    def take() -> None:
        directory = runtime_dir(setting.environ, os.getuid())
        wanted = in_thread(lambda: life.claims.take(claims_of(config(), setting.environ, setting.home, directory)))
        wanted.addErrback(refused)

    def refused(failure: Failure) -> None:
        failure.trap(ClaimRefused)
        error: Any = failure.value
        _log.error("{why}. {fix}", why=error, fix=profiled(setting.environ, error.fix))

    return take
