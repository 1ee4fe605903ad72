"""
What a run writes down, one transaction each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import evolve, frozen
from twisted.internet.defer import Deferred

from openclaw.agent.context import has_user_message, unanswered_calls
from openclaw.agent.errors import RunRefused, UnknownRun
from openclaw.agent.providers.base import ResolvedModel
from openclaw.agent.providers.catalog import (
    THINKING_LEVELS,
    ModelRefParts,
    NoApiKey,
    UnknownModel,
    find_ref,
    is_allowed,
    parse_ref,
    resolve_model,
    thinking_default,
    thinking_levels,
)
from openclaw.agent.queue import QueueSettings
from openclaw.agent.queue import collected as collected_text
from openclaw.agent.record import Prepared, outcome_record
from openclaw.agent.transcript import (
    Message,
    append_message,
    append_settings,
    append_user,
    path_to,
    tool_message,
    user_message,
)
from openclaw.agent.types import REQUESTER, SUBAGENT, Inbound, Outcome
from openclaw.clock import millis
from openclaw.config.model import Config
from openclaw.errors import OpenClawError
from openclaw.sessions.keys import agent_of, default_agent
from openclaw.sessions.text import ABORTED_NOTE
from openclaw.store.interfaces import Entry, OutboxItem, Run, RunState, Session, Store, Unit

#: Outlets that are there for everybody who is connected.
WEBCHAT = "webchat"

#: The outlet by which sessions are told of what they have started in others.
ANNOUNCE = "announce"


@frozen(kw_only=True)
class Begun:
    """
    What a run knows once it has begun.

    :ivar asked: whether the message, with the notes before it, was written now and not by an earlier process.
    :ivar waited: whether an earlier process left it waiting for a person.
    :ivar failure: why there is nothing to run.
    :ivar model: ``None`` only with a failure.
    """

    path: Sequence[Entry]
    members: Mapping[str, Any]
    started_at_ms: int
    asked: bool = False
    waited: bool = False
    model: ResolvedModel | None = None
    thinking: str = "off"
    failure: OpenClawError | None = None


@frozen(kw_only=True)
class Collected:
    """
    A queued message that becomes part of another run's turn.

    :ivar outcome: how its own run ends.
    """

    inbound: Inbound
    prepared: Prepared
    outcome: Outcome


@frozen(kw_only=True)
class Reply:
    """
    The text a run ends with, for the outbox.
    """

    id: str
    text: str


def begin(
    store: Store,
    *,
    inbound: Inbound,
    prepared: Prepared,
    session_id: str,
    config: Config,
    environ: Mapping[str, str],
    make_id: Callable[[], str],
    notes: Sequence[str],
    now_ms: int,
    collected: Sequence[Collected] = (),
    queue: QueueSettings | None = None,
) -> Deferred[Begun]:
    """
    Write down that a run has begun, with the message that caused it, unless that was written before.

    :param collected: queued messages that are part of the same turn; their runs end here.
    """

    marks = {"origin": inbound.origin, "trust": inbound.trust}

    def work(unit: Unit) -> Begun:
        run = required(unit, inbound.run_id)
        session = unit.sessions.get(inbound.session_key)
        members = {} if session is None else session.members
        started = run.started_at_ms or now_ms
        # One that waits for a person does so until it is decided, however often a process dies meanwhile.
        waited = run.state == "waiting"
        unit.runs.put(evolve(run, state="waiting" if waited else "running", started_at_ms=started))
        model: ResolvedModel | None = None
        failure: OpenClawError | None = None
        thinking = "off"
        try:
            check(inbound, prepared)
            agent_id = agent_of(inbound.session_key, default_agent(config))
            ref = own_ref(inbound, config, environ) or chosen_ref(prepared, members)
            model = resolve_model(config, environ, ref, agent_id=agent_id)
            thinking = chosen_thinking(inbound, prepared, members, config, model)
        except (UnknownModel, NoApiKey, RunRefused) as error:
            failure = error
        path = unit.entries.path(session_id)
        results = [
            append_message(
                unit, make_id, session_id=session_id, run_id=run.run_id, now_ms=now_ms, message=result, marks=marks
            )
            for result in client_results(inbound, path, now_ms)
        ]
        path = [*path, *results]
        asked = not has_user_message(path, run.run_id) and bool(prepared.prompt or inbound.images)
        if (asked or results) and model is not None:
            path = append_settings(
                unit,
                make_id,
                path,
                session_id=session_id,
                run_id=run.run_id,
                now_ms=now_ms,
                model=model,
                thinking=thinking,
            )
        if asked:
            text = full_prompt(inbound, prepared)
            images = list(inbound.images)
            if collected and queue is not None:
                text = collected_text([text, *(full_prompt(one.inbound, one.prepared) for one in collected)], queue)
                images += [image for one in collected for image in one.inbound.images]
            text = with_notes(text, members, notes)
            message = append_user(
                unit,
                make_id,
                session_id=session_id,
                run_id=run.run_id,
                now_ms=now_ms,
                message=user_message(text, images, now_ms),
                marks=marks,
            )
            path = path_to(path, message)
        for one in collected:
            other = required(unit, one.inbound.run_id)
            record = outcome_record(one.outcome)
            unit.runs.put(evolve(other, state="ok", ended_at_ms=now_ms, outcome=record))
        if session is not None and session.session_id == session_id:
            told = {**members, "systemSent": True, "abortedLastRun": False}
            unit.sessions.put(evolve(session, members=told))
        return Begun(
            path=path,
            members=members,
            started_at_ms=started,
            asked=asked,
            waited=waited,
            model=model,
            thinking=thinking,
            failure=failure,
        )

    return store.write(work)


def check(inbound: Inbound, prepared: Prepared) -> None:
    """
    :raise RunRefused: there is nothing to ask, or it is asked in a way that does not exist.
    """
    if not (prepared.prompt or "").strip() and not inbound.images and not inbound.tool_results:
        raise RunRefused("Message (--message) is required")
    if inbound.origin == "agent" and inbound.thinking is not None and prepared.thinking is None:
        raise RunRefused("Invalid thinking level. Use one of: off, minimal, low, medium, high.")


def client_results(inbound: Inbound, path: Sequence[Entry], now_ms: int) -> list[Message]:
    """
    The results that the client brings for calls that the session waits for.
    """
    texts = {result["callId"]: result["text"] for result in inbound.tool_results}
    return [
        tool_message(call, [{"type": "text", "text": texts[call.id]}], None, is_error=False, now_ms=now_ms)
        for call in unanswered_calls(path)
        if call.id in texts
    ]


def own_ref(inbound: Inbound, config: Config, environ: Mapping[str, str]) -> ModelRefParts | None:
    """
    The model that whoever made the record wants for this run.

    :raise RunRefused: the configuration does not allow it.
    """
    if not inbound.model:
        return None
    ref = find_ref(config, inbound.model, environ)
    # A heartbeat's model stands in the configuration itself.
    if inbound.origin != "heartbeat" and not is_allowed(config, ref, environ):
        raise RunRefused(f"model not allowed: {ref}")
    return ref


def chosen_ref(prepared: Prepared, members: Mapping[str, Any]) -> ModelRefParts | None:
    """
    The message's choice of a model, else the session's.
    """
    if prepared.model is not None:
        return parse_ref(prepared.model)
    override = members.get("modelOverride")
    if not override:
        return None
    provider = members.get("providerOverride")
    return parse_ref(f"{provider}/{override}" if provider else str(override))


def chosen_thinking(
    inbound: Inbound, prepared: Prepared, members: Mapping[str, Any], config: Config, model: ResolvedModel
) -> str:
    """
    The message's level, else the session's, else the default, as far as the model goes.
    """
    level = prepared.thinking or members.get("thinkingLevel")
    if level not in THINKING_LEVELS:
        level = thinking_default(config, model)
    return level if level in thinking_levels(model) else "high"


def full_prompt(inbound: Inbound, prepared: Prepared) -> str:
    """
    What the model reads of one message: its text and its id.
    """
    text = prepared.prompt or ""
    return text if inbound.message_id is None else f"{text}\n[message_id: {inbound.message_id}]"


def with_notes(text: str, members: Mapping[str, Any], notes: Sequence[str]) -> str:
    """
    What the model reads before the message: that the last run was aborted, and system notes.
    """
    if notes:
        text = "\n".join(notes) + "\n\n" + text
    return f"{ABORTED_NOTE}\n\n{text}" if members.get("abortedLastRun") else text


def required(unit: Unit, run_id: str) -> Run:
    """
    :raise UnknownRun: the store has lost the run.
    """
    run = unit.runs.get(run_id)
    if run is None:
        raise UnknownRun(run_id)
    return run


def mark(store: Store, run_id: str, *, state: RunState | None = None, seen: bool = False) -> Deferred[None]:
    """
    Write down a run's state, and that output of it is about to be seen.
    """

    def work(unit: Unit) -> None:
        run = required(unit, run_id)
        unit.runs.put(evolve(run, state=state or run.state, seen=run.seen or seen))

    return store.write(work)


def record_message(
    store: Store,
    *,
    run_id: str,
    session_id: str,
    make_id: Callable[[], str],
    message: Mapping[str, Any],
    now_ms: int,
    seen: bool = False,
    foreign: bool = False,
) -> Deferred[Entry]:
    """
    Write one message of a run.

    :param seen: something outside will have changed from here on.
    :param foreign: text from outside is in it: the run's record says so from here on, also to the next process and to
        whoever takes what the run says.
    """

    def work(unit: Unit) -> Entry:
        if seen or foreign:
            run = required(unit, run_id)
            inbound = {**run.inbound, "trust": "external"} if foreign else run.inbound
            unit.runs.put(evolve(run, seen=run.seen or seen, inbound=inbound))
        return append_message(
            unit,
            make_id,
            session_id=session_id,
            run_id=run_id,
            now_ms=now_ms,
            message=message,
        )

    return store.write(work)


def finish(
    store: Store,
    *,
    inbound: Inbound,
    session_id: str,
    state: RunState,
    outcome: Outcome,
    make_id: Callable[[], str],
    message: Mapping[str, Any] | None = None,
    members: Mapping[str, Any] | None = None,
    reply: Reply | None = None,
) -> Deferred[bool]:
    """
    Write down how a run ended, with its last message and what must be delivered.

    :return: fires with ``False``, and nothing is changed, if the run had ended already.
    """
    now_ms = outcome.ended_at_ms

    def work(unit: Unit) -> bool:
        run = required(unit, inbound.run_id)
        if run.outcome is not None:
            return False
        unit.runs.put(evolve(run, state=state, ended_at_ms=now_ms, outcome=outcome_record(outcome)))
        if message is not None:
            append_message(
                unit,
                make_id,
                session_id=session_id,
                run_id=run.run_id,
                now_ms=now_ms,
                message=message,
            )
        _update_session(unit, inbound, session_id, members or {}, now_ms)
        if reply is not None:
            unit.outbox.put(_outbox_item(inbound, reply, now_ms))
        if inbound.origin == SUBAGENT and outcome.status != "aborted":
            unit.outbox.put(_announcement(inbound, now_ms))
        return True

    return store.write(work)


def _update_session(unit: Unit, inbound: Inbound, session_id: str, members: Mapping[str, Any], now_ms: int) -> None:
    session: Session | None = unit.sessions.get(inbound.session_key)
    if session is None or session.session_id != session_id:
        # Reset or deleted meanwhile: what it says of itself now is not ours.
        return
    updated = session.updated_at_ms if inbound.origin == "heartbeat" else max(now_ms, session.updated_at_ms)
    unit.sessions.put(evolve(session, updated_at_ms=updated, members={**session.members, **members}))


def _outbox_item(inbound: Inbound, reply: Reply, now_ms: int) -> OutboxItem:
    return OutboxItem(
        id=reply.id,
        session_key=inbound.session_key,
        run_id=inbound.run_id,
        channel=WEBCHAT,
        payload={"sessionKey": inbound.shown_key, "text": reply.text},
        created_at_ms=now_ms,
    )


def _announcement(inbound: Inbound, now_ms: int) -> OutboxItem:
    """
    That whoever started a run in another session is to be told how it ended.
    """
    return OutboxItem(
        id=f"{ANNOUNCE}:{inbound.run_id}",
        session_key=str(inbound.afterwards.get(REQUESTER, inbound.session_key)),
        run_id=inbound.run_id,
        channel=ANNOUNCE,
        payload={},
        created_at_ms=now_ms,
    )


def delivered(store: Store, reply: Reply, clock: Any) -> Deferred[None]:
    """
    Write down that a reply has gone out.
    """
    at_ms = millis(clock)
    return store.write(lambda unit: unit.outbox.delivered(reply.id, at_ms))
