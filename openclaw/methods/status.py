"""
``status``: a short summary of the gateway (``methods.md`` 5.2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import frozen

from openclaw.agent.heartbeat import heartbeat_of
from openclaw.clock import millis
from openclaw.config.model import Config
from openclaw.methods.agents import agent_ids
from openclaw.methods.authorise import READ
from openclaw.methods.context import MethodContext
from openclaw.methods.models import model_defaults
from openclaw.methods.table import MethodTable
from openclaw.protocol.system import StatusSummary
from openclaw.sessions.keys import default_agent, main_session_key
from openclaw.sessions.rows import ModelDefaults, status_row
from openclaw.store.interfaces import Session, Unit
from openclaw.store.shared import SharedRead

#: Sessions that are shown, of all and of each agent.
RECENT = 10

methods = MethodTable()


@frozen(kw_only=True)
class Found:
    """
    What the store knows for a summary.
    """

    agent_ids: Sequence[str]
    recent: Sequence[Session]
    count: int
    by_agent: Mapping[str, tuple[int, Sequence[Session]]]


def _reading(config: Config) -> Callable[[Unit], Found]:
    def read(unit: Unit) -> Found:
        ids = agent_ids(config, unit)
        return Found(
            agent_ids=ids,
            recent=unit.sessions.newest(RECENT),
            count=unit.sessions.count(),
            by_agent={name: (unit.sessions.count(name), unit.sessions.newest(RECENT, name)) for name in ids},
        )

    return read


@methods.method("status", result=StatusSummary, scope=READ)
async def status(context: MethodContext, params: Mapping[str, Any]) -> dict[str, Any]:
    """
    The summary. Its cost does not depend on how many sessions there are.
    """
    config = context.config()
    first = default_agent(config)
    now = millis(context.clock)
    found = await context.derived.get("status", lambda: SharedRead(context.store, _reading(config))).get()
    ids, recent, count, by_agent = found.agent_ids, found.recent, found.count, found.by_agent
    defaults = model_defaults(context)
    path = str(context.store_path)

    def rows(sessions: Sequence[Session], model: ModelDefaults) -> list[dict[str, Any]]:
        return [status_row(session, model, now, first) for session in sessions]

    linked = context.link_channel()
    return {
        **({} if linked is None else {"linkChannel": dict(linked)}),
        "heartbeat": {
            "defaultAgentId": first,
            "agents": [_heartbeat(context, name) for name in ids],
        },
        "channelSummary": [],
        "queuedSystemEvents": list(context.agents.notes(main_session_key(config))),
        "sessions": {
            "paths": [path],
            "count": count,
            "defaults": {"model": defaults.model, "contextTokens": defaults.context_tokens},
            "recent": rows(recent, defaults),
            "byAgent": [
                {
                    "agentId": name,
                    "path": path,
                    "count": by_agent[name][0],
                    "recent": rows(by_agent[name][1], model_defaults(context, name)),
                }
                for name in ids
            ],
        },
    }


def _heartbeat(context: MethodContext, agent_id: str) -> dict[str, Any]:
    heartbeat = context.derived.get(("heartbeat", agent_id), lambda: heartbeat_of(context.config(), agent_id))
    return {
        "agentId": agent_id,
        "enabled": heartbeat.every_ms is not None,
        "every": heartbeat.every,
        "everyMs": heartbeat.every_ms,
    }
