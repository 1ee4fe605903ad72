"""
Sub-agents: runs in sessions of their own; the session that started one is told how it ended (``agent.md`` 22).

That somebody is to be told is written in the same transaction as the end of the run, as what waits in the outbox; so a
process that dies between the two leaves it to the next one. A requester that ends its own runs ends those of its
sub-agents, too, and is told nothing of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from openclaw.agent.commands.status import short
from openclaw.agent.errors import RuntimeStopped
from openclaw.agent.external import wrapped
from openclaw.agent.ledger import ANNOUNCE
from openclaw.agent.outcomes import AGENT_TIMEOUT, last_text
from openclaw.agent.record import read_outcome
from openclaw.agent.runtime import AgentRuntime
from openclaw.agent.text import SILENT
from openclaw.agent.types import REQUESTER, SUBAGENT, Inbound, Outcome
from openclaw.clock import millis
from openclaw.errors import OpenClawError
from openclaw.sessions.keys import agent_of, default_agent, is_subagent
from openclaw.store.interfaces import OutboxItem, Run, Session, Unit
from openclaw.tools.base import Methods, ToolFailed
from openclaw.tools.subagents import Started, Subagent

#: Sub-agents that are not at their end.
MOST: Final = 64

#: Characters of what a sub-agent said that its requester is told.
MOST_TOLD: Final = 30_000

#: How often it is looked for sessions that are over, and what was not told.
INTERVAL: Final = timedelta(minutes=5)
BATCH: Final = 1_000

LANE: Final = "subagent"

#: The end of what a requester reads.
NOW_SAY: Final = (
    "Tell the user what matters of this, in your own words and in one or two sentences, without the numbers and names"
    f" above unless they are asked for. If there is nothing to say, answer {SILENT}."
)


@define(kw_only=True, eq=False, repr=False)
class SubagentService(Service):
    """
    Starts them and tells how they ended. Implements ``openclaw.tools.subagents.Subagents``.

    :ivar agents: who runs them; there before anybody starts one.
    :ivar methods: the gateway's own, by which sessions are deleted.
    """

    _log = Logger()
    methods: Methods
    agents: AgentRuntime = field(init=False)
    _waiting: dict[str, Deferred[Any]] = field(factory=dict, init=False)
    _starting: int = field(default=0, init=False)
    _work: Deferred[None] | None = field(default=None, init=False)
    _again: bool = field(default=False, init=False)
    _loop: LoopingCall = field(init=False)
    _looping: Deferred[Any] = field(init=False)

    def startService(self) -> None:
        super().startService()
        reading = self.agents.store.read(
            lambda unit: [run.run_id for run in unit.runs.unfinished() if run.origin == SUBAGENT]
        )
        reading.addCallback(self._go_on)
        reading.addErrback(lambda failure: self._log.debug("No sub-agents: {error}", error=failure.value))
        self._loop = LoopingCall(self._look)
        self._loop.clock = self.agents.clock
        self._looping = self._loop.start(INTERVAL.total_seconds(), now=False)

    def _go_on(self, run_ids: Sequence[str]) -> None:
        for run_id in run_ids:
            self._follow(run_id)
        self._tell()

    def stopService(self) -> Deferred[Any]:
        super().stopService()
        if self._loop.running:
            self._loop.stop()
        for waiting in list(self._waiting.values()):
            waiting.cancel()
        if self._work is not None:
            self._work.cancel()
        return self._looping

    # -- starting -----------------------------------------------------------------------------------------------------

    async def start(self, wanted: Subagent) -> Started:
        """
        :return: when it is durable.
        :raise ToolFailed: too many are at work.
        """
        if len(self._waiting) + self._starting >= MOST:
            raise ToolFailed(f"{MOST} sub-agents are at work already; wait until one has ended.")
        self._starting += 1
        try:
            return await self._start(wanted)
        finally:
            self._starting -= 1

    async def _start(self, wanted: Subagent) -> Started:
        agents, run_id = self.agents, self.agents.make_id()
        key = f"agent:{wanted.agent_id}:subagent:{agents.make_id()}"
        await agents.submit(
            Inbound(
                run_id=run_id,
                session_key=key,
                shown_key=key,
                origin=SUBAGENT,
                trust="external" if wanted.trust == "external" else "operator",
                dedupe_key=f"{SUBAGENT}:{run_id}",
                message=wanted.task,
                thinking=wanted.thinking,
                timeout=wanted.timeout,
                lane=LANE,
                extra_system_prompt=_role(wanted),
                members={
                    "spawnedBy": wanted.requester,
                    **({"label": wanted.label} if wanted.label else {}),
                    **await self._model(wanted),
                },
                afterwards={
                    REQUESTER: wanted.requester,
                    "task": wanted.label or wanted.task,
                    "forget": wanted.forget,
                },
            )
        )
        self._follow(run_id)
        return Started(session_key=key, run_id=run_id)

    async def _model(self, wanted: Subagent) -> Mapping[str, Any]:
        """
        The model that was chosen, else the one that the requester was given, where that is the same agent.
        """
        if wanted.model is not None:
            return {"modelOverride": wanted.model.model_id, "providerOverride": wanted.model.provider}
        if agent_of(wanted.requester, default_agent(self.agents.config())) != wanted.agent_id:
            return {}
        session = await self.agents.store.read(lambda unit: unit.sessions.get(wanted.requester))
        members = {} if session is None else session.members
        return {name: members[name] for name in ("modelOverride", "providerOverride") if members.get(name)}

    def _follow(self, run_id: str) -> None:
        if run_id in self._waiting:
            return
        waiting = self._waiting[run_id] = self.agents.outcome(run_id)

        def ended(result: Any) -> None:
            del self._waiting[run_id]
            if not isinstance(result, Failure):
                self._tell()
            elif not result.check(CancelledError, RuntimeStopped):
                self._log.failure("How the sub-agent {run} ended is not known.", result, run=run_id)

        waiting.addBoth(ended)

    # -- telling ------------------------------------------------------------------------------------------------------

    def _tell(self) -> None:
        """
        Tell everything that waits to be told, one after the other.
        """
        self._again = True
        if self._work is None and self.running:
            self._work = Deferred.fromCoroutine(self._told())
            self._work.addErrback(self._not_told)
            self._work.addBoth(self._done)

    def _done(self, _: object) -> None:
        self._work = None

    def _not_told(self, failure: Failure) -> None:
        # It waits in the outbox.
        if not failure.check(CancelledError, RuntimeStopped):
            self._log.failure("How a sub-agent ended could not be told; it is tried again.", failure)

    async def _told(self) -> None:
        while self._again:
            self._again = False
            items = await self.agents.store.read(lambda unit: list(unit.outbox.waiting(BATCH)))
            for item in items:
                if item.channel == ANNOUNCE:
                    await self._announce(item)

    async def _announce(self, item: OutboxItem) -> None:
        store, agents, run_id = self.agents.store, self.agents, item.run_id or ""
        run = await store.read(lambda unit: unit.runs.get(run_id))
        if run is not None and run.outcome is not None:
            await agents.submit(
                Inbound(
                    run_id=agents.make_id(),
                    session_key=item.session_key,
                    shown_key=item.session_key,
                    origin=ANNOUNCE,
                    trust="external" if run.inbound.get("trust") == "external" else "operator",
                    dedupe_key=item.id,
                    message=announcement(run, read_outcome(run.outcome)),
                )
            )
        now_ms = millis(agents.clock)
        await store.write(lambda unit: unit.outbox.delivered(item.id, now_ms))
        if run is not None and (run.inbound.get("afterwards") or {}).get("forget"):
            await self._delete(run.session_key)

    # -- forgetting ---------------------------------------------------------------------------------------------------

    def _look(self) -> Deferred[None]:
        self._tell()
        looking = Deferred.fromCoroutine(self._archive())
        return looking.addErrback(lambda failure: self._log.failure("Sub-agents could not be looked at.", failure))

    async def _archive(self) -> None:
        """
        Sessions in which nothing happened for long go out of the listings; what was said stays in the archive.
        """
        minutes = self.agents.config().agents.defaults.subagents.archive_after_minutes
        before = millis(self.agents.clock) - minutes * 60_000

        def over(unit: Unit) -> list[str]:
            found = unit.sessions.search(text=f":{SUBAGENT}:", limit=BATCH)
            return [session.key for session in found if _is_over(session, before)]

        for key in await self.agents.store.read(over):
            if not self.agents.active(key):
                await self._delete(key)

    async def _delete(self, key: str) -> None:
        try:
            await self.methods("sessions.delete", {"key": key, "deleteTranscript": True})
        except OpenClawError as error:
            self._log.warn("The session {key} of a sub-agent could not be deleted: {error}", key=key, error=error)


def _is_over(session: Session, before_ms: int) -> bool:
    return (
        is_subagent(session.key)
        and bool(session.members.get("spawnedBy"))
        and session.updated_at_ms is not None
        and session.updated_at_ms < before_ms
    )


def _role(wanted: Subagent) -> str:
    return (
        "You are a sub-agent: the session that started you gave you one task, which is the message you are answering."
        " Do that and nothing else. You speak to no person, and nobody answers questions. Your last message is all that"
        f" goes back, so put into it what was found or done. Requester: {wanted.requester}"
        + (f". Label: {wanted.label}" if wanted.label else "")
    )


def announcement(run: Run, outcome: Outcome) -> str:
    """
    What the requester reads of a sub-agent that has ended.
    """
    told = run.inbound.get("afterwards") or {}
    text = last_text(outcome).strip()[:MOST_TOLD] or "(it said nothing)"
    found = wrapped(text, "Sub-agent") if run.inbound.get("trust") == "external" else text
    return "\n\n".join(
        [
            f'The sub-agent for "{_one_line(str(told.get("task", "")))}" {_how(outcome)}.',
            f"What it said last:\n{found}",
            _stats(run, outcome),
            NOW_SAY,
        ]
    )


def _how(outcome: Outcome) -> str:
    if outcome.status == "ok":
        return "completed successfully"
    if outcome.code == AGENT_TIMEOUT:
        return "timed out"
    return f"failed: {_one_line(outcome.summary.removeprefix('Error: '))}"


def _stats(run: Run, outcome: Outcome) -> str:
    started = outcome.started_at_ms or outcome.ended_at_ms
    meta = (outcome.result or {}).get("meta", {}).get("agentMeta", {})
    used = meta.get("usage", {})
    read = sum(used.get(name, 0) for name in ("input", "cacheRead", "cacheWrite"))
    written = used.get("output", 0)
    parts = [f"runtime {max(0, outcome.ended_at_ms - started) // 1000}s"]
    if read or written:
        parts.append(f"tokens {short(read + written)} (in {short(read)} / out {short(written)})")
    parts += [f"sessionKey {run.session_key}", f"sessionId {run.session_id}"]
    return f"Stats: {' • '.join(parts)}"


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 200 else f"{line[:200]}…"
