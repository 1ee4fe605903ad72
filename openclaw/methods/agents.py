"""
``agents.list``, and which agents there are.
"""

from __future__ import annotations

import base64
import mimetypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openclaw.config.model import Config
from openclaw.config.model_agents import AgentConfig
from openclaw.files import NoSuchFile, NotBelowRoot, open_below
from openclaw.methods.authorise import READ
from openclaw.methods.context import MethodContext
from openclaw.methods.mapping import invalid
from openclaw.methods.table import MethodTable
from openclaw.protocol.agents import AgentsListParams, AgentsListResult
from openclaw.sessions.keys import MAIN, agent_of, default_agent, normalize_agent_id
from openclaw.store.interfaces import Unit

MAX_AVATAR_BYTES = 2 * 1024 * 1024

methods = MethodTable()


def configured_agents(config: Config) -> Mapping[str, AgentConfig]:
    """
    The entries of ``agents.list`` by normal id.
    """
    return {normalize_agent_id(entry.id): entry for entry in config.agents.list}


def agent_exists(config: Config, agent_id: str) -> bool:
    """
    Whether an agent is configured; without a list there is only ``main``.
    """
    return agent_id in (configured_agents(config) or {MAIN})


def agent_ids(config: Config, unit: Unit) -> list[str]:
    """
    The agents in the order of lists: the default one first, the rest sorted. Without ``agents.list`` these are the
    default one and all that have sessions.
    """
    first = default_agent(config)
    known = set(configured_agents(config)) or set(unit.sessions.agent_ids())
    return [first, *sorted(known - {first})]


async def check_agent(context: MethodContext, method: str, session_key: str) -> None:
    """
    A run for an agent that nobody has made would make it.

    :param session_key: canonical.
    :raise Failed: it is that of an agent which ``agents.list`` does not tell of.
    """
    config = context.config()
    agent_id = agent_of(session_key, default_agent(config))
    if agent_exists(config, agent_id):
        return
    if agent_id not in await context.store.read(lambda unit: agent_ids(config, unit)):
        raise invalid(f'invalid {method} params: unknown agent id "{agent_id}"')


@methods.method("agents.list", AgentsListParams, result=AgentsListResult, scope=READ)
async def list_agents(context: MethodContext, params: AgentsListParams) -> dict[str, Any]:
    """
    The agents and how sessions are made for them.
    """
    config = context.config()
    ids = await context.store.read(lambda unit: agent_ids(config, unit))
    entries = configured_agents(config)
    rows = await context.in_thread(
        lambda: [_row(agent_id, entries.get(agent_id), context.workspace_of(agent_id)) for agent_id in ids]
    )
    return {"defaultId": default_agent(config), "mainKey": MAIN, "scope": config.session.scope, "agents": rows}


def _row(agent_id: str, entry: AgentConfig | None, workspace: Path | None) -> dict[str, Any]:
    if entry is None:
        return {"id": agent_id}
    told = {
        "name": entry.identity.name,
        "theme": entry.identity.theme,
        "emoji": entry.identity.emoji,
        "avatar": entry.identity.avatar,
        "avatarUrl": avatar_url(entry.identity.avatar, workspace),
    }
    identity = {name: value.strip() for name, value in told.items() if value and value.strip()}
    name = {"name": entry.name} if entry.name else {}
    return {"id": agent_id, **name, **({"identity": identity} if identity else {})}


def avatar_url(avatar: str | None, workspace: Path | None) -> str | None:
    """
    An address that shows an avatar: its own, or the picture in the workspace as a data URL. Reads the file.
    """
    if not avatar:
        return None
    if avatar.lower().startswith(("http://", "https://", "data:")):
        return avatar
    kind, _ = mimetypes.guess_type(avatar)
    if workspace is None or kind is None or not kind.startswith("image/"):
        return None
    try:
        opened = open_below(workspace, avatar.removeprefix("./"))
        with opened.file as picture:
            data = picture.read(MAX_AVATAR_BYTES + 1)
    except (NotBelowRoot, NoSuchFile, OSError):
        # No picture is shown then; the agent is there all the same.
        return None
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}" if len(data) <= MAX_AVATAR_BYTES else None
