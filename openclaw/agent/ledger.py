"""
What a run writes down, one transaction each; how it begins is in ``beginning``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import evolve, frozen
from twisted.internet.defer import Deferred

from openclaw.agent.errors import UnknownRun
from openclaw.agent.record import outcome_record
from openclaw.agent.transcript import append_message
from openclaw.agent.types import REQUESTER, SUBAGENT, Inbound, Outcome
from openclaw.clock import millis
from openclaw.store.interfaces import Entry, OutboxItem, Run, RunState, Session, Store, Unit

#: Outlets that are there for everybody who is connected.
WEBCHAT = "webchat"

#: The outlet by which sessions are told of what they have started in others.
ANNOUNCE = "announce"


@frozen(kw_only=True)
class Reply:
    """
    The text a run ends with, for the outbox.
    """

    id: str
    text: str


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
