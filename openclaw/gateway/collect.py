"""
What a health snapshot says of agents and sessions (``methods.md`` 5.1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred

from openclaw.agent.heartbeat import Heartbeat, heartbeat_of
from openclaw.clock import Seconds, millis
from openclaw.config.model import Config
from openclaw.methods.agents import configured_agents
from openclaw.sessions.keys import default_agent
from openclaw.store.interfaces import Store, Unit

#: Sessions named for each agent.
RECENT = 5


def agent_ids(config: Config, unit: Unit) -> list[str]:
    """
    The configured agents in their order, else those that have sessions; the default one first if it is not listed.
    """
    ids = list(configured_agents(config)) or list(unit.sessions.agent_ids())
    first = default_agent(config)
    return ids if first in ids else [first, *ids]


def told(heartbeat: Heartbeat) -> dict[str, Any]:
    """
    A heartbeat's settings as a snapshot has them.
    """
    return {
        "enabled": heartbeat.every_ms is not None,
        "every": heartbeat.every,
        "everyMs": heartbeat.every_ms,
        "prompt": heartbeat.prompt,
        "target": heartbeat.target,
        **({} if heartbeat.model is None else {"model": heartbeat.model}),
        "ackMaxChars": heartbeat.ack_max_chars,
    }


def make_collect(
    store: Store,
    config: Callable[[], Config],
    clock: Seconds,
    store_path: Path,
    link_channel: Callable[[], Mapping[str, Any] | None],
) -> Callable[[bool], Deferred[Mapping[str, Any]]]:
    """
    A function that makes the members of a snapshot. Its cost does not grow with the number of sessions.
    """

    def collect(probe: bool) -> Deferred[Mapping[str, Any]]:
        running = config()
        now = millis(clock)
        return store.read(lambda unit: members(unit, running, now))

    def members(unit: Unit, running: Config, now: int) -> Mapping[str, Any]:
        first = default_agent(running)
        agents = [agent_member(unit, running, agent_id, now) for agent_id in agent_ids(running, unit)]
        linked = link_channel()
        return {
            "channels": {},
            "channelOrder": [],
            "channelLabels": {},
            "heartbeatSeconds": round((heartbeat_of(running, first).every_ms or 0) / 1000),
            "defaultAgentId": first,
            "agents": agents,
            "sessions": next(agent["sessions"] for agent in agents if agent["agentId"] == first),
            **({} if linked is None else {"linkChannel": dict(linked)}),
        }

    def agent_member(unit: Unit, running: Config, agent_id: str, now: int) -> dict[str, Any]:
        recent = unit.sessions.newest(RECENT, agent_id)
        entry = configured_agents(running).get(agent_id)
        return {
            "agentId": agent_id,
            **({"name": entry.name} if entry is not None and entry.name else {}),
            "isDefault": agent_id == default_agent(running),
            "heartbeat": told(heartbeat_of(running, agent_id)),
            "sessions": {
                "path": str(store_path),
                "count": unit.sessions.count(agent_id),
                "recent": [
                    {"key": session.key, "updatedAt": session.updated_at_ms, "age": now - session.updated_at_ms}
                    for session in recent
                ],
            },
        }

    return collect
