"""
``agent``, ``agent.wait``, ``agent.identity.get`` (``methods.md`` 7).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from attrs import frozen
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.task import deferLater

from openclaw.agent.errors import UnknownRun
from openclaw.agent.types import Inbound, Outcome
from openclaw.clock import millis
from openclaw.methods import attachments
from openclaw.methods.agents import agent_exists, check_agent
from openclaw.methods.authorise import READ, WRITE
from openclaw.methods.chat import check_sending
from openclaw.methods.context import MethodContext
from openclaw.methods.delivery import undelivered
from openclaw.methods.idempotency import (
    LIFETIME_MS,
    MOST_ANSWERS,
    error_record,
    payload_record,
    read_error,
    read_payload,
)
from openclaw.methods.identity import identity_of
from openclaw.methods.mapping import invalid
from openclaw.methods.runs import agent_answer, wait_answer
from openclaw.methods.table import Failed, MethodTable, Staged
from openclaw.protocol.agent import (
    AgentAccepted,
    AgentFailure,
    AgentIdentityParams,
    AgentIdentityResult,
    AgentParams,
    AgentResult,
    AgentWaitParams,
    AgentWaitResult,
)
from openclaw.protocol.codes import ErrorCode
from openclaw.protocol.frames import ErrorShape
from openclaw.sessions import levels
from openclaw.sessions.keys import agent_of, canonical_key, default_agent, main_session_key, normalize_agent_id
from openclaw.store.interfaces import TERMINAL_STATES, Answer, Unit

#: Channels that a request may name although the gateway has no outlet of that name.
CHANNEL_WORDS = frozenset({"webchat", "last"})

#: Channels that every version knows, enabled or not.
BUILT_IN_CHANNELS = frozenset({"telegram", "whatsapp", "discord", "googlechat", "slack", "signal", "imessage"})

WAIT_MS = 30_000

#: How often ``agent.wait`` looks for a run that is not there yet, in seconds.
LOOK_AGAIN = 0.5

NO_SESSION = "Error: Pass --to <E.164>, --session-id, or --agent to choose a session"
NO_TIME = "Error: --timeout must be a positive integer (seconds)"

methods = MethodTable()


@frozen(kw_only=True)
class Target:
    """
    The session that a request means.

    :ivar shown: the key as events tell it; ``None`` for a run without a session key.
    """

    key: str
    shown: str | None
    session_id: str | None = None


@methods.method(
    "agent",
    AgentParams,
    first=AgentAccepted,
    result=AgentResult,
    failure=AgentFailure,
    errors=(ErrorCode.AGENT_TIMEOUT,),
    scope=WRITE,
    idempotent=True,
    durable=True,
)
async def agent(context: MethodContext, params: AgentParams) -> Any:
    """
    Run one turn of an agent. Answers twice: once the message is stored, and when the run has ended. A repeat with the
    same key answers once: that the run was accepted, or how it ended (``methods.md`` 7.3).

    :raise Failed: the request cannot be done as asked; nothing was stored.
    """
    known = await _known(context, params)
    if known is not None:
        return known
    images = attachments.images(params.attachments)
    await _check(context, params)
    target = await _target(context, params)
    if target is None:
        return await _failing(context, params, NO_SESSION)
    await check_agent(context, "agent", target.key)
    await check_sending(context, target.key)
    if params.timeout == 0:
        return await _failing(context, params, NO_TIME)
    accepted = await context.agents.submit(
        Inbound(
            run_id=params.idempotency_key,
            session_key=target.key,
            shown_key=target.shown,
            session_id=target.session_id,
            origin="agent",
            dedupe_key=_key(params),
            message=params.message,
            images=images,
            thinking=params.thinking,
            timeout=None if params.timeout is None else timedelta(seconds=min(params.timeout, 10**7)),
            lane=(params.lane or "").strip() or "main",
            extra_system_prompt=params.extra_system_prompt,
            members=_members(params),
        )
    )
    if accepted.repeated:
        return await _repeated(context, accepted.run_id, accepted.state, accepted.accepted_at_ms)
    first = _ack(accepted.run_id, accepted.accepted_at_ms)
    return Staged(first=first, outcome=_delivered(context, params, target.key, accepted.run_id))


def _key(params: AgentParams) -> str:
    return f"agent:{params.idempotency_key}"


def _ack(run_id: str, at_ms: int) -> dict[str, Any]:
    return {"runId": run_id, "status": "accepted", "acceptedAt": at_ms}


async def _final(context: MethodContext, run_id: str) -> dict[str, Any]:
    return agent_answer(await context.agents.outcome(run_id))


async def _delivered(context: MethodContext, params: AgentParams, session_key: str, run_id: str) -> dict[str, Any]:
    """
    The final answer, after what the run said was delivered.
    """
    outcome = await context.agents.outcome(run_id)
    answer = agent_answer(outcome)
    why = await undelivered(context, params, session_key) if outcome.status == "ok" else None
    if why is not None:
        raise await _remembered(context, params, why)
    return answer


async def _known(context: MethodContext, params: AgentParams) -> dict[str, Any] | None:
    """
    The answer to a key that was answered before, whatever else the request says now.

    :raise Failed: what was asked then has failed.
    """
    key, not_before = _key(params), millis(context.clock) - LIFETIME_MS
    run, answer = await context.store.read(
        lambda unit: (unit.runs.by_dedupe_key(key), unit.answers.get(key, not_before))
    )
    if answer is not None:
        error = read_error(answer.error or {})
        raise Failed(code=error.code, message=error.message, payload=read_payload(answer.payload))
    if run is not None:
        return await _repeated(context, run.run_id, run.state, run.created_at_ms)
    return None


async def _repeated(context: MethodContext, run_id: str, state: str, accepted_at_ms: int) -> dict[str, Any]:
    return await _final(context, run_id) if state in TERMINAL_STATES else _ack(run_id, accepted_at_ms)


async def _failing(context: MethodContext, params: AgentParams, message: str) -> Staged:
    """
    The answers to a request that is acknowledged and then fails, as clients know it.
    """
    failure = await _remembered(context, params, message)

    async def fail() -> Any:
        raise failure

    return Staged(first=_ack(params.idempotency_key, millis(context.clock)), outcome=fail())


async def _remembered(context: MethodContext, params: AgentParams, message: str) -> Failed:
    """
    A failure that no run stands for. It is kept for who asks again.
    """
    now = millis(context.clock)
    error = ErrorShape(code=ErrorCode.UNAVAILABLE.value, message=message)
    payload = {"runId": params.idempotency_key, "status": "error", "summary": message}
    answer = Answer(
        key=_key(params), ok=False, payload=payload_record(payload), error=error_record(error), written_at_ms=now
    )

    def keep(unit: Unit) -> None:
        unit.answers.put(answer)
        unit.answers.sweep(now - LIFETIME_MS, MOST_ANSWERS)

    await context.store.write(keep)
    return Failed(code=error.code, message=message, payload=payload)


async def _check(context: MethodContext, params: AgentParams) -> None:
    """
    What is wrong before anything is stored.
    """
    known = CHANNEL_WORDS | BUILT_IN_CHANNELS | set(context.known_channels)
    for given in (params.channel, params.reply_channel):
        channel = (given or "").strip().lower()
        if channel and channel not in known:
            raise invalid(f"invalid agent params: unknown channel: {channel}")
    if params.agent_id is None:
        return
    agent_id = normalize_agent_id(params.agent_id)
    if not agent_exists(context.config(), agent_id):
        raise invalid(f'invalid agent params: unknown agent id "{params.agent_id.strip()}"')
    check_agent_matches(context, "agent", agent_id, params.session_key)


def check_agent_matches(context: MethodContext, method: str, agent_id: str, session_key: str | None) -> None:
    """
    :raise Failed: a session key belongs to another agent than the one that was named.
    """
    if not (session_key or "").strip():
        return
    config = context.config()
    owner = agent_of(canonical_key(session_key or "", config), default_agent(config))
    if owner != agent_id:
        raise invalid(f'invalid {method} params: agent "{agent_id}" does not match session key agent "{owner}"')


async def _target(context: MethodContext, params: AgentParams) -> Target | None:
    config = context.config()
    given = (params.session_key or "").strip()
    if given:
        return Target(key=canonical_key(given, config), shown=params.session_key)
    if params.agent_id is not None:
        key = main_session_key(config, params.agent_id)
        return Target(key=key, shown=key)
    session_id = (params.session_id or "").strip()
    if session_id:
        found = await context.store.read(lambda unit: unit.sessions.by_session_id(session_id))
        if found:
            return Target(key=found[0].key, shown=found[0].key, session_id=session_id)
        # A transcript without a session of its own gets a key for the lanes and the store; nobody is told of it.
        return Target(key=f"agent:{default_agent(config)}:transcript:{session_id}", shown=None, session_id=session_id)
    if (params.to or "").strip():
        key = main_session_key(config)
        return Target(key=key, shown=key)
    return None


def _members(params: AgentParams) -> dict[str, Any]:
    """
    What the request says of its session. A level of thinking is kept there; ``off`` is the absence of one.
    """
    told = {
        "groupId": params.group_id,
        "groupChannel": params.group_channel,
        "space": params.group_space,
        "spawnedBy": params.spawned_by,
        "label": params.label,
        "channel": None if (params.channel or "").strip().lower() in ("", "last") else params.channel,
    }
    members: dict[str, Any] = {name: value.strip() for name, value in told.items() if value and value.strip()}
    level = levels.thinking_level(params.thinking) if params.thinking else None
    if level is not None:
        members["thinkingLevel"] = None if level == "off" else level
    return members


@methods.method("agent.wait", AgentWaitParams, result=AgentWaitResult, scope=WRITE)
async def wait(context: MethodContext, params: AgentWaitParams) -> dict[str, Any]:
    """
    Wait for a run to end; also for one that has not begun, or is not there yet.
    """
    limit = (WAIT_MS if params.timeout_ms is None else params.timeout_ms) / 1000
    deadline = context.clock.seconds() + limit
    while True:
        left = deadline - context.clock.seconds()
        try:
            outcome = await _outcome_within(context, params.run_id, left)
        except UnknownRun:
            if left <= 0:
                return {"runId": params.run_id, "status": "timeout"}
            await deferLater(context.clock, min(LOOK_AGAIN, left))
        except DeferredTimeout:
            return {"runId": params.run_id, "status": "timeout"}
        else:
            return wait_answer(outcome)


async def _outcome_within(context: MethodContext, run_id: str, seconds: float) -> Outcome:
    if seconds > 0:
        return await context.agents.outcome(run_id).addTimeout(seconds, context.clock)
    # Not waiting still means looking; the store answers in its own time.
    run = await context.store.read(lambda unit: unit.runs.get(run_id))
    if run is None or run.state not in TERMINAL_STATES:
        raise DeferredTimeout
    return await context.agents.outcome(run_id)


@methods.method("agent.identity.get", AgentIdentityParams, result=AgentIdentityResult, scope=READ)
async def identity(context: MethodContext, params: AgentIdentityParams) -> dict[str, Any]:
    """
    How an agent presents itself. An unknown one is answered with what holds for all.

    :raise Failed: the session belongs to another agent than the one that was named.
    """
    config = context.config()
    session_key = (params.session_key or "").strip()
    named = normalize_agent_id(params.agent_id) if params.agent_id and params.agent_id.strip() else None
    if named is not None:
        check_agent_matches(context, "agent.identity.get", named, session_key)
    if session_key:
        agent_id = agent_of(canonical_key(session_key, config), default_agent(config))
    else:
        agent_id = named or default_agent(config)
    return await identity_of(context, agent_id)
