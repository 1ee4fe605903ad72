"""
What the HTTP side is given.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openclaw.agent.context import waiting_calls
from openclaw.agent.following import Listener
from openclaw.egress.fetch import Egress
from openclaw.gateway.bearer import Bearer
from openclaw.gateway.canvas import CanvasService
from openclaw.gateway.hooks import HookSecret, HookService
from openclaw.gateway.scrape import Scrape
from openclaw.gateway.tooling import ToolCalls
from openclaw.methods.context import MethodContext
from openclaw.methods.document import protocol_text
from openclaw.methods.identity import identity_of, read_identity
from openclaw.plugins.loading import Plugins
from openclaw.processes import ReactorRunner
from openclaw.web.gate import Gate
from openclaw.web.plugins import PluginCalls
from openclaw.web.site import QuietSite, WebContext, make_root_resource, make_site

if TYPE_CHECKING:
    from openclaw.web.hooks.endpoint import Hooks
    from openclaw.web.openai.endpoint import OpenAI
    from openclaw.web.tools.endpoint import Tools


def _openapi_text() -> bytes:
    from openclaw.web.openapi.document import openapi_text

    return openapi_text()


def make_web(
    reactor: Any,
    websocket: Any,
    *,
    context: MethodContext,
    secrets: Bearer,
    pending: Callable[[], list[str]],
    workspace_of: Callable[[str], Path],
    follow: Callable[[str, Listener], Callable[[], None]],
    canvas: CanvasService | None,
    egress: Egress,
    hooks: HookService,
    tool_calls: ToolCalls,
    spawn: Callable[[Callable[[], None]], object],
    scrape: Scrape,
    plugins: Plugins,
) -> QuietSite:
    """
    The factory of the gateway's port.

    :param websocket: Autobahn's factory.
    :param follow: see ``openclaw.agent.following``.
    :param pending: names of parts that are not ready yet.
    :param egress: fetches what others name.
    :param hooks: does what other programs ask for.
    :param tool_calls: calls single tools.
    :param spawn: runs work in a thread of its own.
    :param scrape: what is measured.
    :param plugins: those of the configuration.
    """

    calls = PluginCalls(plugins)
    web = WebContext(
        config=context.config,
        pending=pending,
        home=context.home,
        workspace=workspace_of,
        told=lambda agent_id: context.in_thread(read_identity, workspace_of(agent_id)),
        presented=lambda agent_id: identity_of(context, agent_id),
        secrets=secrets,
        openai=lambda: _make_openai(reactor, context, secrets, follow, egress),
        protocol=lambda: context.in_thread(protocol_text),
        openapi=lambda: context.in_thread(_openapi_text),
        metrics=scrape.text,
        tools=lambda: _make_tools(reactor, tool_calls, secrets),
        hooks=hooks.current,
        hook_calls=lambda: _make_hook_calls(reactor, context, secrets, hooks, spawn),
        canvas=canvas.host if canvas is not None else None,
        plugins=calls if plugins.config.wanted else None,
    )
    gate = Gate(config=context.config, secrets=secrets, plugin_path=calls.takes)
    return make_site(make_root_resource(websocket, web), reactor, gate, scrape.meters.asked)


# What is imported below is not needed before somebody asks for it.


def _make_openai(
    reactor: Any,
    context: MethodContext,
    secrets: Bearer,
    follow: Callable[[str, Listener], Callable[[], None]],
    egress: Egress,
) -> OpenAI:
    from openclaw.documents.pdf import PdfReader
    from openclaw.web.openai.endpoint import OpenAI
    from openclaw.web.openai.media import MediaReader
    from openclaw.web.openai.running import Backend

    backend = Backend(
        agents=context.agents,
        follow=follow,
        waiting_calls=lambda key: context.store.read(lambda unit: waiting_calls(unit, key)),
        media=MediaReader(
            config=context.config,
            fetch=egress.fetch,
            pdfs=PdfReader(run=ReactorRunner(reactor=reactor, environ={})),
            in_thread=context.in_thread,
        ),
        config=context.config,
        clock=context.clock,
        make_id=context.make_id,
    )
    return OpenAI(backend=backend, secrets=secrets)


def _make_hook_calls(
    reactor: Any,
    context: MethodContext,
    secrets: Bearer,
    hooks: HookService,
    spawn: Callable[[Callable[[], None]], object],
) -> Hooks:
    from openclaw.web.hooks.endpoint import Hooks
    from openclaw.web.hooks.transforms import Transforms

    current = hooks.current
    transform = Transforms(reactor=reactor, hooks=current, directory=current.directory, spawn=spawn)
    door = HookSecret(hooks=current, limiter=secrets.limiter, clock=reactor, config=context.config)
    return Hooks(actions=hooks, door=door, transform=transform, clock=reactor, make_id=context.make_id)


def _make_tools(reactor: Any, calls: ToolCalls, secrets: Bearer) -> Tools:
    from openclaw.web.tools.endpoint import Tools

    return Tools(calls=calls, secrets=secrets, clock=reactor)
