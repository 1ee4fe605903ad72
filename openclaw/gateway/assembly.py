"""
The one place where the whole program is visible.
"""

from __future__ import annotations

import os
from collections.abc import Callable, MutableMapping
from datetime import timedelta
from typing import Any

from twisted.application.service import Service

from openclaw.config.paths import canvas_port
from openclaw.gateway.advertising import Advertising, no_host
from openclaw.gateway.base import Base, make_base, new_id, threads
from openclaw.gateway.exposure import Exposure
from openclaw.gateway.front import Front, make_front
from openclaw.gateway.life import Life
from openclaw.gateway.listener import Listener
from openclaw.gateway.readiness import Readiness
from openclaw.gateway.restart_note import RestartNote
from openclaw.gateway.retention import Retention
from openclaw.gateway.root import Root
from openclaw.gateway.service import Gateway
from openclaw.gateway.setting import Setting
from openclaw.gateway.supervisor import Supervisor
from openclaw.gateway.tick import Every, tick_service
from openclaw.gateway.work import Work, make_work
from openclaw.store.interfaces import Store
from openclaw.tailscale import Publishing
from openclaw.tls.listening import encrypted


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


def build(setting: Setting, reactor: Any, life: Life | None = None, store: Store | None = None) -> Gateway:
    """
    Make every part and put them together. Nothing is opened and nothing runs before ``startService``.

    :param life: the process's life; a restart in place hands over the old one.
    :param store: in place of the database of the state directory; tests give a twin.
    """
    base = make_base(setting, reactor, life or make_life(reactor), store)
    readiness = Readiness(
        store=base.store, importer=base.importer, clock=reactor, stopping=lambda: front.clients.stopping
    )
    work = make_work(base, readiness.ready)
    front = make_front(base, work, readiness)
    listener = Listener(
        sockets=base.life.sockets,
        factory=encrypted(front.site, setting.tls, reactor),
        hosts=setting.hosts,
        port=setting.port,
    )
    exposure = _make_exposure(base, work, front, listener, lambda: gateway.restarting)
    advertising = _make_advertising(base, front, listener, exposure)
    restart_note = RestartNote(
        state_dir=setting.state_dir, config=base.config, note=work.agents.note, in_thread=base.in_thread
    )
    ticks = tick_service(reactor, lambda event, payload: base.events.publish(event, payload, drop_if_slow=True))
    retention = Retention(store=base.store, clock=reactor)
    checks = Every(clock=reactor, interval=ticks.interval * 2, work=base.health.refresh_soon)
    gateway = Gateway(
        life=base.life,
        clients=front.clients,
        health=base.health,
        claims=setting.claims,
        fronts=[advertising, exposure, *([front.canvas] if front.canvas else [])],
        listener=listener,
        agents=work.agents,
        answered=front.site.answered,
        drain_limit=lambda: timedelta(milliseconds=base.config().gateway.shutdown.drain_ms),
        pauses=[work.heartbeats.pause, work.cron.pause],
        stops=_services(
            base.watch,
            base.config_watch,
            base.kept,
            restart_note,
            ticks,
            checks,
            retention,
            work.questions,
            work.cron,
            work.heartbeats,
            work.hooks,
            work.subagents,
            front.plugins,
            work.agents,
            base.importer,
            base.store,
        ),
        pending=readiness.pending,
    )
    for service in _services(
        base.logs if setting.logs else None,
        base.watch,
        base.config_watch if setting.follows else None,
        base.kept,
        restart_note,
        base.store,
        base.importer,
        ticks,
        checks,
        retention,
        work.questions,
        work.hooks,
        work.agents,
        work.subagents,
        work.heartbeats,
        work.cron,
        front.canvas,
        front.plugins,
        listener,
        exposure,
        advertising,
    ):
        service.setServiceParent(gateway)
    return gateway


def _make_exposure(
    base: Base, work: Work, front: Front, listener: Listener, restarting: Callable[[], bool]
) -> Exposure:
    setting = base.setting
    return Exposure(
        life=base.life,
        config=setting.tailscale,
        publishing=Publishing(run=work.run, program=front.whois.program),
        port=listener.bound_port,
        encrypted=setting.tls is not None,
        prefix=setting.config.gateway.control_ui.prefix,
        restarting=restarting,
    )


def _make_advertising(base: Base, front: Front, listener: Listener, exposure: Exposure) -> Advertising:
    setting = base.setting
    return Advertising(
        config=setting.config.discovery.mdns,
        environ=setting.environ,
        in_thread=base.in_thread,
        port=listener.bound_port,
        fingerprint=setting.tls.fingerprint if setting.tls else None,
        canvas_port=canvas_port(setting.port, setting.environ, setting.config) if front.canvas is not None else None,
        tailnet_host=exposure.publishing.host if setting.tailscale.mode != "off" else no_host,
    )


def _services(*parts: object) -> list[Service]:
    """
    Those that are there, and that start and stop: a store in memory does not.
    """
    return [part for part in parts if isinstance(part, Service)]
