"""
``sessions_spawn``: a piece of work in a session of its own (``agent.md`` 22).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from openclaw.agent.providers.catalog import ModelRefParts, UnknownModel, find_ref, is_allowed
from openclaw.agent.tools import ToolContext, ToolResult
from openclaw.config.model import Config
from openclaw.sessions.keys import default_agent, is_subagent, normalize_agent_id
from openclaw.sessions.levels import thinking_level
from openclaw.tools.base import Arguments, ToolFailed, ToolWorld, result
from openclaw.tools.subagents import Subagent

#: Seconds.
MOST_TIME: Final = 7 * 24 * 3600
MOST_LABEL: Final = 64
ANY: Final = "*"


async def sessions_spawn(world: ToolWorld, arguments: Arguments, context: ToolContext) -> ToolResult:
    """
    Begin it. How it ended is told later, as a message to this session.
    """
    task, config = arguments.needed("task"), world.config()
    if is_subagent(context.session_key):
        return _forbidden("sessions_spawn is not allowed from sub-agent sessions")
    agent_id = normalize_agent_id(arguments.text("agentId") or context.agent_id)
    why = refusal(config, context.agent_id, agent_id)
    if why is not None:
        return _forbidden(why)
    seconds = arguments.number("runTimeoutSeconds")
    seconds = arguments.number("timeoutSeconds") if seconds is None else seconds
    started = await world.subagents.start(
        Subagent(
            requester=context.session_key,
            agent_id=agent_id,
            task=task,
            trust=context.trust,
            label=(arguments.text("label") or "")[:MOST_LABEL].strip() or None,
            model=_model(world, arguments.text("model"), context, agent_id),
            thinking=_thinking(arguments.text("thinking")),
            timeout=timedelta(seconds=min(seconds, MOST_TIME)) if seconds and seconds > 0 else None,
            forget=arguments.text("cleanup") == "delete",
        )
    )
    return result({"status": "accepted", "childSessionKey": started.session_key, "runId": started.run_id})


def refusal(config: Config, requester: str, agent_id: str) -> str | None:
    """
    Why an agent may not start sessions of another one; ``None`` if it may.
    """
    if agent_id == requester:
        return None
    entries = {normalize_agent_id(entry.id): entry for entry in config.agents.list}
    named = entries[requester].subagents.allow_agents if requester in entries else ()
    allowed = {ANY if name.strip() == ANY else normalize_agent_id(name) for name in named}
    if not allowed & {ANY, agent_id}:
        listed = ", ".join(sorted(allowed)) or "none"
        return f"agentId is not allowed for sessions_spawn (allowed: {listed})"
    return None if agent_id in (entries or {default_agent(config)}) else f'unknown agent id "{agent_id}"'


def _forbidden(why: str) -> ToolResult:
    return result({"status": "forbidden", "error": why})


def _thinking(word: str | None) -> str | None:
    """
    :raise ToolFailed: there is no such level.
    """
    if word is None:
        return None
    level = thinking_level(word)
    if level is None:
        raise ToolFailed(f'Invalid thinking level "{word}". Use one of: off, minimal, low, medium, high, xhigh.')
    return level


def _model(world: ToolWorld, word: str | None, context: ToolContext, agent_id: str) -> ModelRefParts | None:
    """
    The model that is named, else the one that is configured for such sessions.

    :raise ToolFailed: there is no such model, or it may not be used.
    """
    config = world.config()
    named = word or configured_model(config, agent_id)
    if named is None:
        return None
    try:
        ref = find_ref(config, named, world.environ)
    except UnknownModel as error:
        raise ToolFailed(str(error)) from error
    if word is not None and not is_allowed(config, ref, world.environ):
        raise ToolFailed(f"model not allowed: {ref}")
    return ref


def configured_model(config: Config, agent_id: str) -> str | None:
    """
    What the configuration says of sessions that others start: of an agent's, else of all.
    """
    entry = next((one for one in config.agents.list if normalize_agent_id(one.id) == agent_id), None)
    own = entry.subagents.model.primary if entry is not None else None
    return own or config.agents.defaults.subagents.model.primary
