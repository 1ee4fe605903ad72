"""
What the pages know of the gateway.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import field, frozen
from twisted.web.server import Request

from openclaw.config.model import Config
from openclaw.config.model_hooks import HooksConfig
from openclaw.web.canvas.host import CanvasHost
from openclaw.web.gate import Nobody, Secrets
from openclaw.web.hosts import host_allowed, machine_names

if TYPE_CHECKING:
    from openclaw.web.hooks.endpoint import Hooks
    from openclaw.web.openai.endpoint import OpenAI
    from openclaw.web.plugins import PluginCalls
    from openclaw.web.tools.endpoint import Tools


async def nothing_told(agent_id: str) -> Mapping[str, str]:
    """
    An agent that says nothing of itself.
    """
    return {}


async def unnamed(agent_id: str) -> Mapping[str, str]:
    """
    How an agent without an identity is shown.
    """
    return {"name": "Assistant", "avatar": "A"}


async def no_document() -> bytes:
    """
    There is nothing to describe.
    """
    return b"{}"


async def no_metrics() -> bytes | None:
    """
    Nothing is measured.
    """
    return None


@frozen(kw_only=True)
class WebContext:
    """
    Everything is asked anew for each request, so a reload of the configuration needs nothing here.

    :ivar pending: names of the parts that are not ready yet.
    :ivar names: the names of this machine, by which clients may call it.
    :ivar workspace: where an agent's own files are; ``None`` serves no avatars.
    :ivar told: what an agent's ``IDENTITY.md`` says of it.
    :ivar presented: ``name`` and ``avatar`` of an agent, as ``agent.identity.get`` gives them.
    :ivar secrets: who brings the gateway's secret.
    :ivar openapi: the document of the HTTP side, as JSON.
    :ivar metrics: what is measured, in Prometheus's text format; ``None`` where what writes it is not installed.
    :ivar openai: what is below ``/v1/``; called once, when it is asked for first.
    :ivar protocol: the document of the protocol, as JSON.
    :ivar tools: what calls single tools; called once, when it is asked for first.
    :ivar hooks: the configuration of the hooks that counts.
    :ivar hook_calls: what is below their path; called once, when it is asked for first.
    :ivar canvas: serves the canvas, if that is on.
    :ivar plugins: asks the plugins, where any are configured.
    """

    config: Callable[[], Config]
    pending: Callable[[], list[str]]
    names: frozenset[str] = field(factory=machine_names)
    home: Path = field(factory=Path.home)
    workspace: Callable[[str], Path] | None = None
    told: Callable[[str], Awaitable[Mapping[str, str]]] = nothing_told
    presented: Callable[[str], Awaitable[Mapping[str, str]]] = unnamed
    secrets: Secrets = field(factory=Nobody)
    protocol: Callable[[], Awaitable[bytes]] = no_document
    openapi: Callable[[], Awaitable[bytes]] = no_document
    metrics: Callable[[], Awaitable[bytes | None]] = no_metrics
    openai: Callable[[], OpenAI] | None = None
    tools: Callable[[], Tools] | None = None
    hooks: Callable[[], HooksConfig] = HooksConfig
    hook_calls: Callable[[], Hooks] | None = None
    canvas: CanvasHost | None = None
    plugins: PluginCalls | None = None

    def knows_host(self, request: Request, headers: Mapping[str, str]) -> bool:
        """
        Whether the client calls us by a name that can be ours.

        :param headers: of the request, by lower-case name.
        """
        # A UNIX socket has no address, and is as local as loopback.
        peer = getattr(request.getClientAddress(), "host", "127.0.0.1")
        return host_allowed(headers, peer, self.config(), self.names)
