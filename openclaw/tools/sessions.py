"""
Agents and sessions: ``agents_list``, ``sessions_list``, ``sessions_history``, ``session_status`` and ``sessions_send``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from attrs import evolve

from openclaw.agent.commands.base import CommandContext
from openclaw.agent.commands.status import status
from openclaw.agent.outcomes import last_text
from openclaw.agent.record import read_outcome
from openclaw.agent.tools import ToolContext, ToolResult
from openclaw.clock import MACHINE_ZONE, millis
from openclaw.config.model import Config
from openclaw.sessions.keys import agent_of, canonical_key, default_agent, main_session_key, normalize_agent_id, rest_of
from openclaw.store.interfaces import Unit
from openclaw.tools.base import Arguments, ToolFailed, ToolWorld, result

MOST_SESSIONS: Final = 200
MOST_MESSAGES: Final = 20
MOST_HISTORY: Final = 1000
#: How long ``sessions_send`` waits, in seconds.
MOST_WAIT: Final = 600

ROW: Final = (
    "label",
    "displayName",
    "deliveryContext",
    "updatedAt",
    "sessionId",
    "model",
    "contextTokens",
    "totalTokens",
    "thinkingLevel",
    "verboseLevel",
    "systemSent",
    "abortedLastRun",
    "sendPolicy",
    "lastChannel",
    "lastTo",
    "lastAccountId",
)

#: What a session is for, by how its key begins after the agent.
KINDS: Final = (("cron:", "cron"), ("hook:", "hook"), ("node-", "node"), ("node:", "node"))
ANY: Final = "*"
GLOBAL: Final = "global"


async def agents_list(world: ToolWorld, arguments: Arguments, context: ToolContext) -> ToolResult:
    """
    The agents that may be started from here.
    """
    config = world.config()
    own = context.agent_id
    entries = {normalize_agent_id(entry.id): entry for entry in config.agents.list}
    named = entries[own].subagents.allow_agents if own in entries else ()
    more = sorted(entries if ANY in named else {normalize_agent_id(name) for name in named})
    rows = []
    for agent_id in [own, *(one for one in more if one != own)]:
        name = entries[agent_id].name if agent_id in entries else None
        rows.append({"id": agent_id, **({"name": name} if name else {}), "configured": agent_id in entries})
    return result({"requester": own, "allowAny": ANY in named, "agents": rows})


async def sessions_list(world: ToolWorld, arguments: Arguments, context: ToolContext) -> ToolResult:
    """
    Sessions, newest first.
    """
    config, minutes = world.config(), arguments.number("activeMinutes")
    limit = arguments.whole("limit", MOST_SESSIONS, most=MOST_SESSIONS)
    kinds = set(arguments.names("kinds"))
    asked: dict[str, Any] = {"includeGlobal": True}
    talk = config.tools.agent_to_agent
    # What is left out of the answer must not use up the limit.
    all_seen = talk.enabled and not talk.allow
    if config.session.scope != GLOBAL and not talk.enabled:
        asked["agentId"], all_seen = context.agent_id, True
    if all_seen and not kinds:
        asked["limit"] = limit
    if minutes is not None and minutes >= 1:
        asked["activeMinutes"] = int(minutes)
    found = (await world.methods("sessions.list", asked))["sessions"]
    own = main_session_key(config, context.agent_id)
    rows = [_row(own, row) for row in found if _may_see(config, row["key"], context)]
    rows = [row for row in rows if not kinds or row["kind"] in kinds][:limit]
    messages, foreign = arguments.whole("messageLimit", 0, least=0, most=MOST_MESSAGES), False
    if messages:
        for row in rows[:MOST_MESSAGES]:
            key = own if row["key"] == "main" else row["key"]
            row["messages"] = await _messages(world, key, messages, tools=False)
            foreign = foreign or await _has_foreign(world, key, messages)
    return result({"count": len(rows), "sessions": rows}, foreign=foreign)


def _row(own: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """
    :param own: the main session of the agent that asks, which it calls ``main``.
    """
    key = row["key"]
    kind = _kind(own, key, row)
    shown = "main" if kind == "main" else key
    channel = row.get("channel") or row.get("lastChannel") or "unknown"
    return {"key": shown, "kind": kind, "channel": channel, **{name: row[name] for name in ROW if name in row}}


def _kind(own: str, key: str, row: Mapping[str, Any]) -> str:
    if key == own:
        return "main"
    rest = rest_of(key)
    for start, kind in KINDS:
        if rest.startswith(start):
            return kind
    return "group" if row.get("kind") == "group" else "other"


def _may_see(config: Config, key: str, context: ToolContext) -> bool:
    """
    Sessions of another agent are that one's, unless agents may talk to each other.
    """
    owner = agent_of(key, default_agent(config))
    if owner == context.agent_id:
        return True
    talk = config.tools.agent_to_agent
    allowed = {normalize_agent_id(name) if name != ANY else ANY for name in talk.allow}
    return talk.enabled and (not allowed or ANY in allowed or {owner, context.agent_id} <= allowed)


async def _found(world: ToolWorld, named: str, context: ToolContext, what: str) -> str:
    """
    The canonical key of a session that was named by its key or its id.

    :raise ToolFailed: it is another agent's.
    """
    config = world.config()
    key = main_session_key(config, context.agent_id) if named == "main" else canonical_key(named, config)
    if await world.store.read(lambda unit: unit.sessions.get(key)) is None and ":" not in named and named != "main":
        key = (await world.methods("sessions.resolve", {"sessionId": named}))["key"]
    if not _may_see(config, key, context):
        raise ToolFailed(f"Agent-to-agent {what} is disabled. Set tools.agentToAgent.enabled=true to allow it.")
    return key


async def _messages(world: ToolWorld, key: str, limit: int, *, tools: bool) -> list[Any]:
    history = await world.methods("chat.history", {"sessionKey": key, "limit": min(MOST_HISTORY, limit)})
    return [message for message in history["messages"] if tools or message.get("role") != "toolResult"]


async def _has_foreign(world: ToolWorld, key: str, limit: int) -> bool:
    """
    Whether text from outside may be in the latest messages of a session: that of a hook, or what a run there has read.
    """

    def read(unit: Unit) -> bool:
        session = unit.sessions.get(key)
        entries = () if session is None else unit.entries.messages(session.session_id, limit)
        run_ids = {entry.run_id for entry in entries if entry.run_id}
        runs = (unit.runs.get(run_id) for run_id in run_ids)
        return any(run is not None and run.inbound.get("trust") == "external" for run in runs)

    return rest_of(key).startswith("hook:") or await world.store.read(read)


async def sessions_history(world: ToolWorld, arguments: Arguments, context: ToolContext) -> ToolResult:
    """
    The latest messages of a session.
    """
    named = arguments.needed("sessionKey")
    key = await _found(world, named, context, "history")
    limit = arguments.whole("limit", 200, most=MOST_HISTORY)
    messages = await _messages(world, key, limit, tools=arguments.flag("includeTools"))
    return result({"sessionKey": named, "messages": messages}, foreign=await _has_foreign(world, key, limit))


async def session_status(world: ToolWorld, arguments: Arguments, context: ToolContext) -> ToolResult:
    """
    A session at a glance; with ``model``, another model for it before.
    """
    named, model = arguments.text("sessionKey"), arguments.text("model")
    key = context.session_key if named is None else await _found(world, named, context, "status")
    if model is not None:
        await world.methods("sessions.patch", {"key": key, "model": None if model == "default" else model})
    session = await world.store.read(lambda unit: unit.sessions.get(key))
    card = status(
        CommandContext(
            session_key=key,
            agent_id=agent_of(key, default_agent(world.config())),
            members=session.members if session is not None else {},
            config=world.config(),
            environ=world.environ,
            now_ms=millis(world.clock),
            updated_at_ms=session.updated_at_ms if session is not None else None,
        ),
        "",
    )
    now = datetime.fromtimestamp(world.clock.seconds(), UTC).astimezone(MACHINE_ZONE)
    text = f"{card.answer}\n🕒 Time: {now:%A, %Y-%m-%d %H:%M %Z}"
    details = {"ok": True, "sessionKey": key, "changedModel": model is not None, "statusText": text}
    return ToolResult(content=[{"type": "text", "text": text}], details=details)


async def sessions_send(world: ToolWorld, arguments: Arguments, context: ToolContext) -> ToolResult:
    """
    Say something in another session, and wait for its answer if that is wanted.
    """
    message, label = arguments.needed("message"), arguments.text("label")
    named = arguments.text("sessionKey")
    if named is None and label is None:
        raise ToolFailed("sessionKey or label required")
    if named is None:
        asked = {"label": label, **arguments.known("agentId")}
        named = (await world.methods("sessions.resolve", asked))["key"]
    key = await _found(world, named or "", context, "messaging")
    if key == context.session_key:
        raise ToolFailed("sessions_send cannot talk to the session that it is called in")
    run_id = world.make_id()
    told = f"Agent-to-agent message from {context.session_key}; its sender gets your answer."
    await world.methods(
        "agent",
        {
            "message": message,
            "sessionKey": key,
            "idempotencyKey": run_id,
            "deliver": False,
            "lane": "nested",
            "extraSystemPrompt": told,
        },
    )
    seconds = arguments.whole("timeoutSeconds", 30, least=0, most=MOST_WAIT)
    if seconds == 0:
        return result({"runId": run_id, "status": "accepted", "sessionKey": named})
    outcome = await world.methods("agent.wait", {"runId": run_id, "timeoutMs": seconds * 1000})
    told_back: dict[str, Any] = {"runId": run_id, "status": outcome["status"], "sessionKey": named}
    run = await world.store.read(lambda unit: unit.runs.get(run_id))
    if outcome["status"] == "ok":
        # What the run answered, and not what was said there before or since; nothing, if it chose to be silent.
        ended = run.outcome if run is not None else None
        told_back["reply"] = last_text(read_outcome(ended)) if ended else ""
    elif outcome.get("error"):
        told_back["error"] = outcome["error"]
    # What the other one read from outside may be in what it says.
    return evolve(result(told_back), foreign=run is not None and run.inbound.get("trust") == "external")
