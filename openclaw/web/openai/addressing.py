"""
Which agent and which session a request means (``http.md`` 5.1).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from openclaw.config.model import Config
from openclaw.sessions.keys import MAIN, agent_of, canonical_key, default_agent, normalize_agent_id
from openclaw.web.errors import UnknownAgent

AGENT_HEADERS = ("x-openclaw-agent-id", "x-openclaw-agent")
SESSION_HEADER = "x-openclaw-session-key"

_MODEL = re.compile(r"(?:openclaw[:/]|agent:)([a-z0-9][a-z0-9_-]{0,63})", re.IGNORECASE)


@frozen(kw_only=True)
class Target:
    """
    Where a request runs.

    :ivar lasting: whether later requests find the same session.
    """

    agent_id: str
    session_key: str
    lasting: bool


def find_target(
    config: Config, headers: Mapping[str, str], model: str, user: Any, *, kind: str, make_id: Callable[[], str]
) -> Target:
    """
    :param headers: by lower-case name.
    :param kind: what keys of the endpoint's sessions begin with: ``openai`` or ``openresponses``.
    :raise UnknownAgent: one was named that is not configured.
    """
    given = headers.get(SESSION_HEADER, "").strip()
    if given:
        key = canonical_key(given, config)
        return Target(agent_id=_known(config, agent_of(key, default_agent(config))), session_key=key, lasting=True)
    agent_id = _known(config, named_agent(headers, model) or _fallback(config))
    if isinstance(user, str) and user.strip():
        key = f"agent:{agent_id}:{kind}-user:{user.strip().lower()}"
        return Target(agent_id=agent_id, session_key=key, lasting=True)
    return Target(agent_id=agent_id, session_key=f"agent:{agent_id}:{kind}:{make_id()}", lasting=False)


def named_agent(headers: Mapping[str, str], model: str) -> str | None:
    """
    The agent that a header names, else ``model``.
    """
    named = next((headers[name] for name in AGENT_HEADERS if headers.get(name, "").strip()), None)
    if named is not None:
        return normalize_agent_id(named)
    found = _MODEL.fullmatch(model.strip())
    return found[1].lower() if found else None


def agent_ids(config: Config) -> list[str]:
    """
    The agents that are configured, else the one that is there without configuration.
    """
    return [normalize_agent_id(agent.id) for agent in config.agents.list] or [MAIN]


def _fallback(config: Config) -> str:
    ids = agent_ids(config)
    return MAIN if MAIN in ids else default_agent(config)


def _known(config: Config, agent_id: str) -> str:
    if agent_id not in agent_ids(config):
        raise UnknownAgent(agent_id)
    return agent_id
