"""
Accepting an inbound record: one transaction, after which it is durable and its place in the session is settled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import Any

from attrs import evolve, frozen

from openclaw.agent.commands.base import CommandContext
from openclaw.agent.commands.prepare import read
from openclaw.agent.commands.session import fresh_members
from openclaw.agent.record import Prepared, outcome_record, to_record
from openclaw.agent.transcript import append_message, injected_message
from openclaw.agent.types import Accepted, Inbound, Outcome
from openclaw.config.model import Config
from openclaw.sessions.freshness import is_stale, policy_for
from openclaw.sessions.keys import agent_of, default_agent
from openclaw.store.interfaces import Run, Session, Unit

#: Origins whose text ends silently: they neither extend nor end a session's freshness.
SILENT_ORIGINS = frozenset({"heartbeat"})

#: Members that say where answers go, beside ``lastChannel``.
ROUTE = ("lastTo", "lastAccountId", "lastThreadId")


@frozen(kw_only=True)
class Acceptance:
    """
    What was accepted.

    :ivar prepared: ``None`` when the record was known before.
    :ivar message: the message that answers a command.
    :ivar outcome: of a command that was answered.
    """

    accepted: Accepted
    session_id: str
    prepared: Prepared | None = None
    message: Mapping[str, Any] | None = None
    outcome: Outcome | None = None


@frozen(kw_only=True)
class Reception:
    """
    What a record is accepted with: all that is known before the transaction.
    """

    inbound: Inbound
    config: Config
    environ: Mapping[str, str]
    now_ms: int
    new_session_id: str
    make_entry_id: Callable[[], str]
    zone: tzinfo
    queued: int

    def accept(self, unit: Unit) -> Acceptance:
        """
        Store the record, unless it is known.
        """
        inbound = self.inbound
        known = unit.runs.by_dedupe_key(inbound.dedupe_key) or unit.runs.get(inbound.run_id)
        if known is not None:
            accepted = Accepted(
                run_id=known.run_id, accepted_at_ms=known.created_at_ms, repeated=True, state=known.state
            )
            return Acceptance(accepted=accepted, session_id=known.session_id)
        old = unit.sessions.get(inbound.session_key)
        session = self._session(old)
        reading = read(inbound, self._context(session, old))
        if reading.prepared.resets and inbound.session_id is None:
            session = evolve(session, session_id=self.new_session_id)
        # Where answers go is told whole: nothing of it is left from an earlier message.
        route = dict.fromkeys(ROUTE) if "lastChannel" in inbound.members else {}
        members = _changed(session.members, {**route, **inbound.members, **reading.changes})
        session = evolve(session, members=members)
        if inbound.shown_key is not None:
            unit.sessions.put(session)
        return self._store_run(unit, session, reading.prepared)

    def _session(self, old: Session | None) -> Session:
        """
        The session as this message finds it: new, fresh, or started afresh.
        """
        inbound = self.inbound
        if old is None:
            return Session(
                key=inbound.session_key,
                agent_id=agent_of(inbound.session_key, default_agent(self.config)),
                session_id=inbound.session_id or self.new_session_id,
                updated_at_ms=self.now_ms,
            )
        if inbound.session_id is not None and inbound.session_id != old.session_id:
            return evolve(old, session_id=inbound.session_id, updated_at_ms=self.now_ms)
        if inbound.origin in SILENT_ORIGINS:
            return old
        if inbound.session_id is None and self._is_stale(old):
            members = _changed(old.members, fresh_members())
            return evolve(old, session_id=self.new_session_id, updated_at_ms=self.now_ms, members=members)
        return evolve(old, updated_at_ms=max(self.now_ms, old.updated_at_ms))

    def _is_stale(self, session: Session) -> bool:
        channel = self.inbound.members.get("lastChannel")
        policy = policy_for(self.config.session, session.key, session.members, channel)
        return is_stale(session.updated_at_ms, now_ms=self.now_ms, policy=policy, zone=self.zone)

    def _context(self, session: Session, old: Session | None) -> CommandContext:
        return CommandContext(
            session_key=session.key,
            agent_id=session.agent_id,
            members=session.members,
            config=self.config,
            environ=self.environ,
            now_ms=self.now_ms,
            updated_at_ms=None if old is None else old.updated_at_ms,
            queued=self.queued,
        )

    def _store_run(self, unit: Unit, session: Session, prepared: Prepared) -> Acceptance:
        inbound, now_ms = self.inbound, self.now_ms
        run = Run(
            run_id=inbound.run_id,
            session_key=inbound.session_key,
            session_id=session.session_id,
            state="accepted",
            origin=inbound.origin,
            dedupe_key=inbound.dedupe_key,
            inbound=to_record(inbound, prepared),
            created_at_ms=now_ms,
        )
        accepted = Accepted(run_id=run.run_id, accepted_at_ms=now_ms, repeated=False, state="accepted")
        if prepared.answer is None:
            unit.runs.put(run)
            return Acceptance(accepted=accepted, session_id=session.session_id, prepared=prepared)
        message = injected_message(prepared.answer, now_ms)
        outcome = _answered(run, prepared.answer, now_ms)
        ended = evolve(run, state="ok", started_at_ms=now_ms, ended_at_ms=now_ms, outcome=outcome_record(outcome))
        unit.runs.put(ended)
        append_message(
            unit,
            self.make_entry_id,
            session_id=session.session_id,
            run_id=run.run_id,
            now_ms=now_ms,
            message=message,
        )
        return Acceptance(
            accepted=evolve(accepted, state="ok"),
            session_id=session.session_id,
            prepared=prepared,
            message=message,
            outcome=outcome,
        )


def _changed(members: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**members, **changes}
    return {name: value for name, value in merged.items() if value is not None}


def _answered(run: Run, text: str, now_ms: int) -> Outcome:
    meta = {"durationMs": 0, "agentMeta": {"sessionId": run.session_id}, "aborted": False}
    return Outcome(
        run_id=run.run_id,
        status="ok",
        summary="completed",
        started_at_ms=now_ms,
        ended_at_ms=now_ms,
        result={"payloads": [{"text": text, "mediaUrl": None}], "meta": meta},
    )
