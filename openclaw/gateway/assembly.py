"""
The one function where the whole program is visible.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.internet.threads import deferToThreadPool
from twisted.web.server import Site

from openclaw.agent.runtime import AgentRuntime
from openclaw.config.auth import ResolvedAuth
from openclaw.config.loader import Snapshot, load
from openclaw.config.model import Config
from openclaw.gateway.clients import Clients
from openclaw.gateway.collect import make_collect
from openclaw.gateway.connection import Upgrade
from openclaw.gateway.events import EventLog
from openclaw.gateway.handshake import Makers
from openclaw.gateway.health import Health
from openclaw.gateway.heartbeats import HeartbeatSwitch
from openclaw.gateway.life import Life
from openclaw.gateway.limits import FailureLimiter
from openclaw.gateway.listener import Listener
from openclaw.gateway.service import Gateway
from openclaw.gateway.tick import Every, tick_service
from openclaw.gateway.websocket import GatewayFactory
from openclaw.logs.wslog import WsLog
from openclaw.methods.context import Caller, MethodContext
from openclaw.methods.dispatch import Dispatcher
from openclaw.methods.families import METHODS
from openclaw.processes import ReactorRunner
from openclaw.store.sqlite import SqliteStore
from openclaw.tailscale import Whois, find_program
from openclaw.web.hosts import machine_names
from openclaw.web.site import WebContext, make_root_resource

NOBODY = Caller(
    connection_id="", role="operator", scopes=frozenset(), client_id="gateway-client", client_mode="backend"
)


@frozen(kw_only=True)
class Setting:
    """
    Where a gateway runs: everything that is decided before its parts are made.

    :ivar hosts: addresses to listen on, the first of which must work.
    :ivar log_path: gives today's log file.
    """

    snapshot: Snapshot
    config: Config
    auth: ResolvedAuth
    hosts: tuple[str, ...]
    port: int
    state_dir: Path
    home: Path
    environ: Mapping[str, str]
    log_path: Callable[[], Path]
    wslog: WsLog


def new_id() -> str:
    return str(uuid.uuid4())


def new_token() -> str:
    """
    A device token: 32 hexadecimal digits.
    """
    return secrets.token_hex(16)


def make_life(reactor: Any) -> Life:
    """
    The process's own life; one for all service trees in it.
    """
    return Life(clock=reactor, make_id=new_id)


def build(setting: Setting, reactor: Any, life: Life | None = None) -> Gateway:
    """
    Make every part and put them together. Nothing is opened and nothing runs before ``startService``.

    :param life: the process's life; a restart in place hands over the old one.
    """
    life = life or make_life(reactor)
    config = lambda: setting.config  # noqa: E731 - replaced by the reload of a later change
    store_path = setting.state_dir / "openclaw.sqlite3"
    store = SqliteStore(path=store_path, reactor=reactor)
    makers = Makers(make_id=new_id, make_token=new_token)

    health: Health
    events = EventLog(
        boot_id=life.boot_id,
        versions=lambda: {"presence": life.presence.version, "health": health.version},
        on_published=lambda event, clients: setting.wslog.event(event.name, clients, event.drop_if_slow),
    )
    health = Health(
        clock=reactor,
        collect=make_collect(store, config, reactor, store_path, link_channel),
        publish=lambda snapshot: events.publish("health", snapshot, versions=True),
    )
    life.presence.publish = lambda payload: events.publish("presence", payload, drop_if_slow=True, versions=True)
    agents = AgentRuntime(
        store=store,
        config=config,
        publish=events.publish,
        clock=reactor,
        make_id=new_id,
        environ=setting.environ,
        home=setting.home,
    )
    context = MethodContext(
        caller=NOBODY,
        clock=reactor,
        store=store,
        agents=agents,
        broadcast=events.publish,
        presence=life.presence,
        health=health,
        config=config,
        snapshot=lambda: load(dict(setting.environ), setting.home),
        link_channel=link_channel,
        heartbeats=HeartbeatSwitch(),
        make_id=new_id,
        state_dir=setting.state_dir,
        store_path=store_path,
        log_path=setting.log_path,
        environ=setting.environ,
        in_thread=lambda work, *arguments, **named: deferToThreadPool(
            reactor, reactor.getThreadPool(), work, *arguments, **named
        ),
    )
    whois = Whois(
        run=ReactorRunner(reactor=reactor, environ=setting.environ),
        clock=reactor,
        program=lambda: find_program(setting.environ.get("PATH")),
    )
    clients = Clients(
        clock=reactor,
        life=life,
        store=store,
        events=events,
        health=health,
        config=config,
        auth=setting.auth,
        limiter=FailureLimiter(clock=reactor),
        wslog=setting.wslog,
        dispatcher=Dispatcher(METHODS),
        context=context,
        makers=makers,
        machine_names=machine_names(),
        whois=whois.confirmed,
        config_path=setting.snapshot.path,
        state_dir=setting.state_dir,
        canvas_url=no_canvas,
    )
    factory = GatewayFactory(
        make_connection=clients.make,
        allow=clients.allow,
        clock=reactor,
        max_payload=setting.config.gateway.max_payload,
    )
    pending = lambda: [] if store.ready.called else ["store"]  # noqa: E731
    web = WebContext(config=config, pending=pending)
    root = make_root_resource(factory, web)
    listener = Listener(reactor=reactor, factory=Site(root, reactor=reactor), hosts=setting.hosts, port=setting.port)
    ticks = tick_service(reactor, lambda event, payload: events.publish(event, payload, drop_if_slow=True))
    checks = Every(clock=reactor, interval=ticks.interval * 2, work=health.refresh_soon)

    gateway = Gateway(
        life=life,
        clients=clients,
        health=health,
        listener=listener,
        stops=[ticks, checks, agents, store],
        pending=pending,
    )
    for part in (store, ticks, checks, agents, listener):
        part.setServiceParent(gateway)
    return gateway


def link_channel() -> dict[str, Any] | None:
    """
    The first channel that can be linked, in ``health`` and ``status``; there is none before the channels come.
    """
    return None


def no_canvas(upgrade: Upgrade) -> str | None:
    """
    There is no canvas host yet, so ``hello-ok`` names none.
    """
    return None
