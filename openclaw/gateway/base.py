"""
What every part of the gateway stands on: the store, the configuration that counts, events, health, and its own log.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import define
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool

from openclaw.config.model import Config
from openclaw.config.paths import workspace_dir
from openclaw.gateway.collect import make_collect
from openclaw.gateway.config_watch import ConfigWatch
from openclaw.gateway.configuration import Configuration
from openclaw.gateway.events import EventLog
from openclaw.gateway.handshake import Makers
from openclaw.gateway.health import Health
from openclaw.gateway.kept import KeptConfig
from openclaw.gateway.life import Life
from openclaw.gateway.log_service import LogService
from openclaw.gateway.setting import Setting
from openclaw.gateway.storing import follow_claims, make_lock, make_store
from openclaw.gateway.watch import ReactorWatch
from openclaw.logs.wslog import WsLog
from openclaw.methods.families import METHODS
from openclaw.metrics.exposition import is_installed as is_metered
from openclaw.metrics.meters import Counts, NoMeters
from openclaw.store.import_service import ImportService
from openclaw.store.interfaces import Store

#: Runs blocking work off the reactor thread.
InThread = Callable[..., Deferred[Any]]


def new_id() -> str:
    return str(uuid.uuid4())


def new_token() -> str:
    """
    A device token: 32 hexadecimal digits.
    """
    return secrets.token_hex(16)


def threads(reactor: Any) -> InThread:
    """
    The reactor's pool of threads.
    """

    def in_thread(work: Callable[..., Any], *arguments: Any, **named: Any) -> Deferred[Any]:
        return deferToThreadPool(reactor, reactor.getThreadPool(), work, *arguments, **named)

    return in_thread


@define(kw_only=True, eq=False)
class Base:
    """
    :ivar importer: ``None`` where there is nothing to import.
    :ivar watch: measures how late the reactor is; ``None`` where nobody asks.
    """

    setting: Setting
    reactor: Any
    life: Life
    in_thread: InThread
    configuration: Configuration
    store: Store
    importer: ImportService | None
    logs: LogService
    meters: Counts | NoMeters
    wslog: WsLog
    events: EventLog
    watch: ReactorWatch | None
    kept: KeptConfig
    config_watch: ConfigWatch
    health: Health

    def config(self) -> Config:
        """
        The configuration that counts now.
        """
        return self.configuration.running()

    def workspace_of(self, agent_id: str) -> Path:
        return workspace_dir(self.setting.environ, self.setting.home, self.config(), agent_id)

    @property
    def store_path(self) -> Path:
        return database_of(self.setting)

    def log_path(self) -> Path:
        """
        Today's log file, also when nothing is written to it.
        """
        path = None if self.life.logging is None else self.life.logging.path
        return path or self.setting.state_dir / "logs" / "openclaw.log"

    def hidden_token(self) -> str:
        """
        A new device token, which no log shows.
        """
        token = new_token()
        if self.life.logging is not None:
            self.life.logging.redactor.add(token)
        return token

    @property
    def makers(self) -> Makers:
        return Makers(make_id=new_id, make_token=self.hidden_token)


def database_of(setting: Setting) -> Path:
    return setting.state_dir / "openclaw.sqlite3"


def link_channel() -> dict[str, Any] | None:
    """
    The first channel that can be linked, in ``health`` and ``status``; there is none before the channels come.
    """
    return None


def make_base(setting: Setting, reactor: Any, life: Life, store: Store | None) -> Base:
    """
    :param store: in place of the database of the state directory, with what belongs into it.
    """
    in_thread = threads(reactor)
    configuration = Configuration(
        config=setting.config,
        path=setting.snapshot.path,
        environ=setting.environ if setting.own_environ is None else setting.own_environ,
        home=setting.home,
        life=life,
        in_thread=in_thread,
    )
    config = configuration.running
    importer: ImportService | None = None
    if store is None:
        store, importer = make_store(setting, reactor, database_of(setting), in_thread, new_id)
        store.ready.addErrback(life.fail)
        life.lock = life.lock or make_lock(setting, reactor)
        configuration.changed.append(follow_claims(setting, life, config, in_thread))
    meters = Counts(METHODS) if is_metered() else NoMeters()
    wslog = WsLog(clock=reactor, verbose=setting.verbose, style=setting.ws_log)
    events = _make_events(life, meters, wslog)
    watch = ReactorWatch(clock=reactor, heard=meters.late) if setting.watched else None
    kept = KeptConfig(snapshot=setting.snapshot, in_thread=in_thread)
    config_watch = ConfigWatch(
        configuration=configuration, clock=reactor, in_thread=in_thread, keep=kept.keep, restart=life.restarts.ask
    )
    health = Health(
        clock=reactor,
        config_problem=lambda: config_watch.problem,
        lag=watch.lag if watch is not None else None,
        life=life,
        collect=make_collect(store, config, reactor, database_of(setting), link_channel),
        publish=lambda snapshot: events.publish("health", snapshot, versions=True),
    )
    config_watch.told = health.refresh_soon
    life.restarts.refused = config_watch.refused
    life.restarts.allowed = lambda: config().commands.restart
    life.presence.publish = lambda payload: events.publish("presence", payload, drop_if_slow=True, versions=True)
    return Base(
        setting=setting,
        reactor=reactor,
        life=life,
        in_thread=in_thread,
        configuration=configuration,
        store=store,
        importer=importer,
        logs=_make_logs(setting, reactor, life),
        meters=meters,
        wslog=wslog,
        events=events,
        watch=watch,
        kept=kept,
        config_watch=config_watch,
        health=health,
    )


def _make_events(life: Life, meters: Counts | NoMeters, wslog: WsLog) -> EventLog:
    return EventLog(
        boot_id=life.boot_id,
        numbers=life.event_numbers,
        counted=meters.published,
        versions=lambda: {"presence": life.presence.version, "health": life.health_version},
        on_published=lambda event, clients: wslog.event(
            event.name, event.number, clients, drop_if_slow=event.drop_if_slow, frame=event.body
        ),
    )


def _make_logs(setting: Setting, reactor: Any, life: Life) -> LogService:
    return LogService(
        life=life,
        reactor=reactor,
        config=setting.config,
        auth=setting.auth,
        state_dir=setting.state_dir,
        environ=dict(setting.environ),
        verbose=setting.verbose,
        under_twistd=setting.under_twistd,
    )
