"""
What clients reach: methods, nodes, WebSockets and HTTP, on one port.
"""

from __future__ import annotations

from attrs import define

from openclaw.gateway.base import Base, link_channel, new_id
from openclaw.gateway.bearer import Bearer
from openclaw.gateway.canvas import CanvasService, make_canvas
from openclaw.gateway.clients import Clients
from openclaw.gateway.nodes import NodeConnections
from openclaw.gateway.readiness import Readiness
from openclaw.gateway.scrape import Scrape
from openclaw.gateway.web import make_web
from openclaw.gateway.websocket import GatewayFactory
from openclaw.gateway.work import Work
from openclaw.methods.context import Caller, MethodContext
from openclaw.nodes.hub import make_nodes
from openclaw.plugins.loading import Plugins
from openclaw.plugins.routes import Routes
from openclaw.tailscale import Whois, find_program
from openclaw.web.hosts import machine_names
from openclaw.web.paths import OWN
from openclaw.web.site import QuietSite
from openclaw.wizard.session import Wizards

NOBODY = Caller(
    connection_id="", role="operator", scopes=frozenset(), client_id="gateway-client", client_mode="backend"
)


@define(kw_only=True, eq=False)
class Front:
    """
    :ivar canvas: ``None`` where it is off.
    :ivar site: answers on the port.
    """

    clients: Clients
    canvas: CanvasService | None
    plugins: Plugins
    whois: Whois
    site: QuietSite


def make_front(base: Base, work: Work, readiness: Readiness) -> Front:
    """
    The client side, on what the agents have.
    """
    setting, reactor, life = base.setting, base.reactor, base.life
    nodes = NodeConnections(
        nodes=make_nodes(reactor, new_id),
        clock=reactor,
        config=base.config,
        store=base.store,
        state_dir=setting.state_dir,
        in_thread=base.in_thread,
    )
    base.events.followers = nodes.followers
    context = work.own_methods.context = make_context(base, work, readiness, nodes)
    names = machine_names()
    canvas = make_canvas(setting, reactor, life.sockets, base.config, base.workspace_of, names, base.in_thread)
    whois = Whois(run=work.run, clock=reactor, program=lambda: find_program(setting.environ.get("PATH")))
    clients = Clients(
        clock=reactor,
        life=life,
        store=base.store,
        events=base.events,
        nodes=nodes,
        health=base.health,
        config=base.config,
        auth=setting.auth,
        limiter=life.limiter,
        wslog=base.wslog,
        meters=base.meters,
        dispatcher=work.dispatcher,
        context=context,
        makers=base.makers,
        machine_names=names,
        whois=whois.confirmed,
        config_path=setting.snapshot.path,
        state_dir=setting.state_dir,
        canvas=canvas.urls if canvas is not None else None,
    )
    plugins = _make_plugins(base)
    site = make_web(
        reactor,
        GatewayFactory(
            make_connection=clients.make,
            refuse=clients.refuse,
            clock=reactor,
            max_payload=setting.config.gateway.max_payload,
        ),
        context=context,
        secrets=Bearer(
            auth=setting.auth, limiter=clients.limiter, clock=reactor, config=base.config, whois=whois.confirmed
        ),
        pending=lambda: [*readiness.pending(), *plugins.pending()],
        workspace_of=base.workspace_of,
        follow=work.following.follow,
        canvas=canvas,
        hooks=work.hooks,
        spawn=setting.spawn,
        egress=work.egress,
        tool_calls=work.tool_calls,
        scrape=Scrape(
            meters=base.meters,
            clients=clients,
            events=base.events,
            runs=work.agents.load,
            store=base.store,
            in_thread=base.in_thread,
        ),
        plugins=plugins,
    )
    return Front(clients=clients, canvas=canvas, plugins=plugins, whois=whois, site=site)


def make_context(base: Base, work: Work, readiness: Readiness, nodes: NodeConnections) -> MethodContext:
    """
    What the handlers of methods are given, with nobody for the caller.
    """
    setting, reactor, life = base.setting, base.reactor, base.life
    return MethodContext(
        caller=NOBODY,
        clock=reactor,
        store=base.store,
        agents=work.agents,
        broadcast=base.events.publish,
        presence=life.presence,
        health=base.health,
        config=base.config,
        snapshot=base.configuration.read,
        configuration=base.configuration,
        restart=life.restarts.ask,
        link_channel=link_channel,
        heartbeats=work.heartbeats,
        cron=work.cron,
        make_id=new_id,
        make_token=base.hidden_token,
        state_dir=setting.state_dir,
        store_path=base.store_path,
        log_path=base.log_path,
        environ=setting.environ,
        in_thread=base.in_thread,
        home=setting.home,
        http=work.http,
        run=work.run,
        wizards=Wizards(reactor, new_id),
        approvals=work.questions,
        node_platforms=nodes.platforms,
        nodes=nodes.nodes,
        ready=readiness.ready,
        workspace_of=base.workspace_of,
    )


def _make_plugins(base: Base) -> Plugins:
    return Plugins(
        config=base.setting.config.plugins,
        reactor=base.reactor,
        in_thread=base.in_thread,
        spawn=base.setting.spawn,
        routes=Routes(reserved=OWN),
    )
