"""
The one function where the whole program is visible.
"""

from __future__ import annotations

import os
import secrets
import uuid
from collections.abc import Callable, MutableMapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool

from openclaw.agent.following import Following
from openclaw.agent.providers.factory import Models, make_client
from openclaw.agent.runtime import AgentRuntime
from openclaw.config.paths import canvas_port, workspace_dir
from openclaw.config.sentinel import DEFAULT_DELAY_MS
from openclaw.egress.fetch import Egress
from openclaw.gateway.advertising import Advertising, no_host
from openclaw.gateway.approvals import RunQuestions, make_questions
from openclaw.gateway.bearer import Bearer
from openclaw.gateway.canvas import make_canvas
from openclaw.gateway.clients import Clients
from openclaw.gateway.collect import make_collect
from openclaw.gateway.config_watch import ConfigWatch
from openclaw.gateway.configuration import Configuration
from openclaw.gateway.events import EventLog
from openclaw.gateway.exposure import Exposure
from openclaw.gateway.handshake import Makers
from openclaw.gateway.health import Health
from openclaw.gateway.hooks import make_hooks
from openclaw.gateway.kept import KeptConfig
from openclaw.gateway.life import Life
from openclaw.gateway.listener import Listener
from openclaw.gateway.log_service import LogService
from openclaw.gateway.nodes import NodeConnections
from openclaw.gateway.readiness import Readiness
from openclaw.gateway.restart_note import RestartNote
from openclaw.gateway.retention import Retention
from openclaw.gateway.root import Root
from openclaw.gateway.schedule import make_schedule
from openclaw.gateway.scrape import Scrape
from openclaw.gateway.service import Gateway
from openclaw.gateway.setting import Setting
from openclaw.gateway.storing import follow_claims, make_lock, make_store
from openclaw.gateway.subagents import SubagentService
from openclaw.gateway.supervisor import Supervisor
from openclaw.gateway.tick import Every, tick_service
from openclaw.gateway.tooling import OwnMethods, ToolCalls, ToolPolicy
from openclaw.gateway.watch import ReactorWatch
from openclaw.gateway.web import make_web
from openclaw.gateway.websocket import GatewayFactory
from openclaw.logs.wslog import WsLog
from openclaw.methods.context import Caller, MethodContext
from openclaw.methods.dispatch import Dispatcher
from openclaw.methods.families import METHODS
from openclaw.metrics.exposition import is_installed as is_metered
from openclaw.metrics.meters import Counts, NoMeters
from openclaw.nodes.hub import make_nodes
from openclaw.plugins.loading import Plugins
from openclaw.processes import ReactorRunner
from openclaw.sessions.keys import default_agent
from openclaw.store.import_service import ImportService
from openclaw.store.interfaces import Store
from openclaw.tailscale import Publishing, Whois, find_program
from openclaw.tls.listening import encrypted
from openclaw.tools.base import ToolWorld
from openclaw.tools.registry import make_tools
from openclaw.web.hosts import machine_names
from openclaw.wizard.session import Wizards

NOBODY = Caller(
    connection_id="", role="operator", scopes=frozenset(), client_id="gateway-client", client_mode="backend"
)


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


def make_root(
    make: Callable[[Callable[[str], None]], Setting],
    reactor: Any,
    life: Life,
    started: Callable[[Setting, Gateway], None],
    environ: MutableMapping[str, str],
) -> Root:
    """
    The process's services: a gateway, and another one after each restart in place.

    :param make: reads the configuration, given what tells of oddities; also called in a thread.
    :param started: told of each gateway that runs.
    :param environ: of the process.
    :raise OpenClawError: of ``make``.
    """
    return Root(
        life=life,
        reactor=reactor,
        make=make,
        build=lambda setting: build(setting, reactor, life),
        in_thread=threads(reactor),
        started=started,
        takes_signal=True,
        supervisor=Supervisor.of(environ, os.getpid()),
    )


def threads(reactor: Any) -> Callable[..., Deferred[Any]]:
    """
    Runs blocking work off the reactor thread.
    """

    def in_thread(work: Callable[..., Any], *arguments: Any, **named: Any) -> Deferred[Any]:
        return deferToThreadPool(reactor, reactor.getThreadPool(), work, *arguments, **named)

    return in_thread


def build(setting: Setting, reactor: Any, life: Life | None = None, store: Store | None = None) -> Gateway:
    """
    Make every part and put them together. Nothing is opened and nothing runs before ``startService``.

    :param life: the process's life; a restart in place hands over the old one.
    :param store: in place of the database of the state directory; tests give a twin.
    """
    life = life or make_life(reactor)
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

    def workspace_of(agent_id: str) -> Path:
        return workspace_dir(setting.environ, setting.home, config(), agent_id)

    store_path = setting.state_dir / "openclaw.sqlite3"
    importer: ImportService | None = None
    if store is None:
        # Whoever gives a store has put into it what belongs there.
        store, importer = make_store(setting, reactor, store_path, in_thread, new_id)
        store.ready.addErrback(life.fail)
        life.lock = life.lock or make_lock(setting, reactor)
        configuration.changed.append(follow_claims(setting, life, config, in_thread))
    readiness = Readiness(store=store, importer=importer, clock=reactor, stopping=lambda: clients.stopping)
    wslog = WsLog(clock=reactor, verbose=setting.verbose, style=setting.ws_log)
    logs = LogService(
        life=life,
        reactor=reactor,
        config=setting.config,
        auth=setting.auth,
        state_dir=setting.state_dir,
        environ=dict(setting.environ),
        verbose=setting.verbose,
        under_twistd=setting.under_twistd,
    )

    def hidden_token() -> str:
        token = new_token()
        if life.logging is not None:
            life.logging.redactor.add(token)
        return token

    makers = Makers(make_id=new_id, make_token=hidden_token)

    meters = Counts(METHODS) if is_metered() else NoMeters()
    events = EventLog(
        boot_id=life.boot_id,
        numbers=life.event_numbers,
        counted=meters.published,
        versions=lambda: {"presence": life.presence.version, "health": life.health_version},
        on_published=lambda event, clients: wslog.event(
            event.name, event.number, clients, drop_if_slow=event.drop_if_slow, frame=event.body
        ),
    )
    watch = ReactorWatch(clock=reactor, heard=meters.late) if setting.watched else None
    kept = KeptConfig(snapshot=setting.snapshot, in_thread=in_thread)
    life.restarts.allowed = lambda: config().commands.restart
    config_watch = ConfigWatch(
        configuration=configuration, clock=reactor, in_thread=in_thread, keep=kept.keep, restart=life.restarts.ask
    )
    health = Health(
        clock=reactor,
        config_problem=lambda: config_watch.problem,
        lag=watch.lag if watch is not None else None,
        life=life,
        collect=make_collect(store, config, reactor, store_path, link_channel),
        publish=lambda snapshot: events.publish("health", snapshot, versions=True),
    )
    config_watch.told = health.refresh_soon
    life.presence.publish = lambda payload: events.publish("presence", payload, drop_if_slow=True, versions=True)

    run = ReactorRunner(reactor=reactor, environ=setting.environ)
    http = cache(lambda: make_client(reactor))
    questions = make_questions(reactor, events.publish, events, new_id)
    asking = RunQuestions(questions, lambda: default_agent(config()))
    following = Following(events.publish)
    dispatcher, egress = Dispatcher(METHODS), setting.egress or Egress(reactor)
    own_methods, policy = OwnMethods(dispatcher), ToolPolicy(config)
    subagents = SubagentService(methods=own_methods)
    tools = make_tools(
        ToolWorld(
            methods=own_methods,
            config=config,
            store=store,
            clock=reactor,
            make_id=new_id,
            environ=setting.environ,
            state_dir=setting.state_dir,
            workspace_of=workspace_of,
            in_thread=in_thread,
            fetch=egress.fetch,
            subagents=subagents,
            http=http,
            config_path=setting.snapshot.path,
            restart=life.restarts.ask,
        )
    )
    agents = AgentRuntime(
        store=store,
        config=config,
        publish=following,
        clock=reactor,
        make_id=new_id,
        environ=setting.environ,
        workspace_of=workspace_of,
        make_model=setting.make_model or Models(clock=reactor, make_client=http, environ=setting.environ),
        in_thread=in_thread,
        tools=tools if setting.tools is None else setting.tools,
        offered=policy,
        ready=readiness.ready,
        ask=asking.ask,
        withdrawn=asking.withdrawn,
        ended=meters.ended,
        restart=lambda: life.restarts.ask("/restart", DEFAULT_DELAY_MS / 1000),
    )
    asking.decide, subagents.agents = agents.decide, agents
    heartbeats, cron = make_schedule(
        agents, life, in_thread=in_thread, workspace_of=workspace_of, store_path=store_path, ready=readiness.ready
    )
    hooks = make_hooks(agents, heartbeats, setting.auth, setting.snapshot.path.parent)
    configuration.changed += [heartbeats.reconfigured, cron.reconfigured, hooks.current.reconfigured]
    nodes = make_nodes(reactor, new_id)
    node_connections = NodeConnections(
        nodes=nodes,
        clock=reactor,
        config=config,
        store=store,
        state_dir=setting.state_dir,
        in_thread=in_thread,
    )
    events.followers = node_connections.followers
    context = MethodContext(
        caller=NOBODY,
        clock=reactor,
        store=store,
        agents=agents,
        broadcast=events.publish,
        presence=life.presence,
        health=health,
        config=config,
        snapshot=configuration.read,
        configuration=configuration,
        restart=life.restarts.ask,
        link_channel=link_channel,
        heartbeats=heartbeats,
        cron=cron,
        make_id=new_id,
        make_token=hidden_token,
        state_dir=setting.state_dir,
        store_path=store_path,
        log_path=lambda: log_path(setting, life),
        environ=setting.environ,
        in_thread=in_thread,
        home=setting.home,
        http=http,
        run=run,
        wizards=Wizards(reactor, new_id),
        approvals=questions,
        node_platforms=node_connections.platforms,
        nodes=nodes,
        ready=readiness.ready,
        workspace_of=workspace_of,
    )
    own_methods.context = context
    names = machine_names()
    canvas = make_canvas(setting, reactor, life.sockets, config, workspace_of, names, in_thread)
    whois = Whois(
        run=run,
        clock=reactor,
        program=lambda: find_program(setting.environ.get("PATH")),
    )
    clients = Clients(
        clock=reactor,
        life=life,
        store=store,
        events=events,
        nodes=node_connections,
        health=health,
        config=config,
        auth=setting.auth,
        limiter=life.limiter,
        wslog=wslog,
        meters=meters,
        dispatcher=dispatcher,
        context=context,
        makers=makers,
        machine_names=names,
        whois=whois.confirmed,
        config_path=setting.snapshot.path,
        state_dir=setting.state_dir,
        canvas=canvas.urls if canvas is not None else None,
    )
    factory = GatewayFactory(
        make_connection=clients.make,
        refuse=clients.refuse,
        clock=reactor,
        max_payload=setting.config.gateway.max_payload,
    )
    secrets = Bearer(auth=setting.auth, limiter=clients.limiter, clock=reactor, config=config, whois=whois.confirmed)
    plugins = Plugins(config=setting.config.plugins, clock=reactor, in_thread=in_thread)
    site = make_web(
        reactor,
        factory,
        context=context,
        secrets=secrets,
        pending=lambda: [*readiness.pending(), *plugins.pending()],
        workspace_of=workspace_of,
        follow=following.follow,
        canvas=canvas,
        hooks=hooks,
        spawn=setting.spawn,
        egress=egress,
        tool_calls=ToolCalls.of(tools, policy, config, setting.environ, reactor, workspace_of),
        scrape=Scrape(
            meters=meters, clients=clients, events=events, runs=agents.load, store=store, in_thread=in_thread
        ),
        plugins=plugins,
    )
    listener = Listener(
        sockets=life.sockets, factory=encrypted(site, setting.tls, reactor), hosts=setting.hosts, port=setting.port
    )
    exposure = Exposure(
        life=life,
        config=setting.tailscale,
        publishing=Publishing(run=run, program=whois.program),
        port=listener.bound_port,
        encrypted=setting.tls is not None,
        prefix=setting.config.gateway.control_ui.prefix,
        restarting=lambda: gateway.restarting,
    )
    advertising = Advertising(
        config=setting.config.discovery.mdns,
        environ=setting.environ,
        in_thread=in_thread,
        port=listener.bound_port,
        fingerprint=setting.tls.fingerprint if setting.tls else None,
        canvas_port=canvas_port(setting.port, setting.environ, setting.config) if canvas is not None else None,
        tailnet_host=exposure.publishing.host if setting.tailscale.mode != "off" else no_host,
    )
    restart_note = RestartNote(state_dir=setting.state_dir, config=config, note=agents.note, in_thread=in_thread)
    ticks = tick_service(reactor, lambda event, payload: events.publish(event, payload, drop_if_slow=True))
    retention = Retention(store=store, clock=reactor)
    checks = Every(clock=reactor, interval=ticks.interval * 2, work=health.refresh_soon)

    gateway = Gateway(
        life=life,
        clients=clients,
        health=health,
        claims=setting.claims,
        fronts=[advertising, exposure, *([canvas] if canvas else [])],
        listener=listener,
        agents=agents,
        drain_limit=lambda: timedelta(milliseconds=config().gateway.shutdown.drain_ms),
        pauses=[heartbeats.pause, cron.pause],
        stops=[
            *([watch] if watch else []),
            config_watch,
            kept,
            restart_note,
            ticks,
            checks,
            retention,
            questions,
            cron,
            heartbeats,
            hooks,
            subagents,
            plugins,
            agents,
            *([importer] if importer else []),
            *([store] if isinstance(store, Service) else []),
        ],
        pending=readiness.pending,
    )
    parts = (
        watch,
        *([config_watch] if setting.follows else []),
        kept,
        restart_note,
        store,
        importer,
        ticks,
        checks,
        retention,
        questions,
        hooks,
        agents,
        subagents,
        heartbeats,
        cron,
        canvas,
        plugins,
        listener,
        exposure,
        advertising,
    )
    for part in (*([logs] if setting.logs else []), *parts):
        if isinstance(part, Service):
            part.setServiceParent(gateway)
    return gateway


def log_path(setting: Setting, life: Life) -> Path:
    """
    Today's log file, also when nothing is written to it.
    """
    path = None if life.logging is None else life.logging.path
    return path or setting.state_dir / "logs" / "openclaw.log"


def link_channel() -> dict[str, Any] | None:
    """
    The first channel that can be linked, in ``health`` and ``status``; there is none before the channels come.
    """
    return None
