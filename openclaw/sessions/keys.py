"""
Session keys: how the one canonical key is made of what a client wrote (``methods.md`` 3, ``agent.md`` 2).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from openclaw.config.model import Config

#: Keys that belong to no agent.
SPECIAL = frozenset({"global", "unknown"})

#: The last part of every main session's key; ``session.mainKey`` is accepted and ignored.
MAIN = "main"

MAX_AGENT_ID = 64

_AGENT_KEY = re.compile(r"agent:([^:]+):(.+)", re.IGNORECASE | re.DOTALL)
_NOT_IN_ID = re.compile(r"[^a-z0-9_-]+")

Kind = Literal["direct", "group", "global", "unknown"]


def normalize_agent_id(text: str | None) -> str:
    """
    An agent id as keys and stores have it; what is left empty is ``main``.
    """
    collapsed = _NOT_IN_ID.sub("-", (text or "").strip().lower())
    return collapsed.strip("-").lstrip("_-")[:MAX_AGENT_ID].rstrip("-") or MAIN


def default_agent(config: Config) -> str:
    """
    The agent that takes what names no other.
    """
    return normalize_agent_id(config.agents.default_id)


def main_session_key(config: Config, agent_id: str | None = None) -> str:
    """
    The key of an agent's main session.

    :param agent_id: the default agent if missing.
    """
    if config.session.scope == "global":
        return "global"
    return f"agent:{normalize_agent_id(agent_id) if agent_id else default_agent(config)}:{MAIN}"


def canonical_key(key: str, config: Config) -> str:
    """
    The one key that storage, lanes and abort go by, whatever a client wrote for it.
    """
    given = key.strip()
    lowered = given.lower()
    if lowered in SPECIAL:
        return lowered
    if not given or lowered == MAIN:
        return main_session_key(config)
    named = _AGENT_KEY.fullmatch(given)
    if named is None:
        return f"agent:{default_agent(config)}:{given}"
    agent_id, rest = named.groups()
    if rest.strip().lower() == MAIN:
        return main_session_key(config, agent_id)
    return f"agent:{normalize_agent_id(agent_id)}:{rest}"


def stored_key(key: str, agent_id: str) -> tuple[str, str]:
    """
    The canonical key of an entry in a store of the reference, and its agent.

    :param agent_id: whose store it is: keys that name no agent are that one's.
    """
    given = key.strip()
    if given.lower() in SPECIAL:
        return given.lower(), normalize_agent_id(agent_id)
    named = _AGENT_KEY.fullmatch(given)
    owner = normalize_agent_id(named[1] if named else agent_id)
    rest = named[2] if named else given or MAIN
    return f"agent:{owner}:{MAIN if rest.strip().lower() == MAIN else rest}", owner


def agent_of(key: str, default: str = MAIN) -> str:
    """
    The agent that a canonical key belongs to.

    :param default: whose the keys are that name no agent (``global``, ``unknown``).
    """
    named = _AGENT_KEY.fullmatch(key)
    return normalize_agent_id(named[1]) if named else default


def rest_of(key: str) -> str:
    """
    What a canonical key says after the agent; the special keys are their own rest.
    """
    named = _AGENT_KEY.fullmatch(key)
    return named[2] if named else key


def is_subagent(key: str) -> bool:
    """
    Whether the key is that of a session which another one started, in whatever letters: such a session has fewer tools.
    """
    return rest_of(key).lower().startswith("subagent:")


def kind(key: str, members: Mapping[str, Any] | None = None) -> Kind:
    """
    What sort of conversation a session is.
    """
    if key == "global":
        return "global"
    if key == "unknown":
        return "unknown"
    if (members or {}).get("chatType") in ("group", "channel") or ":group:" in key or ":channel:" in key:
        return "group"
    return "direct"
