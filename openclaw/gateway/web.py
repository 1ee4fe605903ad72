"""
What the HTTP side is given.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.web.server import Site

from openclaw.gateway.bearer import Bearer
from openclaw.methods.context import MethodContext
from openclaw.methods.document import protocol_text
from openclaw.methods.identity import identity_of, read_identity
from openclaw.web.gate import Gate
from openclaw.web.site import WebContext, make_root_resource, make_site


def make_web(
    reactor: Any,
    websocket: Any,
    *,
    context: MethodContext,
    secrets: Bearer,
    pending: Callable[[], list[str]],
    workspace_of: Callable[[str], Path],
) -> Site:
    """
    The factory of the gateway's port.

    :param websocket: Autobahn's factory.
    :param pending: names of parts that are not ready yet.
    """
    web = WebContext(
        config=context.config,
        pending=pending,
        home=context.home,
        workspace=workspace_of,
        told=lambda agent_id: context.in_thread(read_identity, workspace_of(agent_id)),
        presented=lambda agent_id: identity_of(context, agent_id),
        secrets=secrets,
        protocol=lambda: context.in_thread(protocol_text),
    )
    return make_site(make_root_resource(websocket, web), reactor, Gate(config=context.config, secrets=secrets))
