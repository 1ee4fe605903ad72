"""
The life of one run, from acceptance to its one outcome.

A run waits for its session's lane and then for a global slot; it begins (the message that caused it is written);
models and tools have their turns; it ends, by itself or because somebody ends it. However it ends, the outcome is
written first, then told: one terminal event, then those who wait. While it is *ending* nobody can end it otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from attrs import define, evolve, field
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from openclaw.agent import ledger
from openclaw.agent.beginning import Begun, Collected, begin
from openclaw.agent.events import RunEvents
from openclaw.agent.interruption import Interruption
from openclaw.agent.lanes import Slot
from openclaw.agent.ledger import Reply
from openclaw.agent.limits import Limits
from openclaw.agent.loop import ModelLoop
from openclaw.agent.outcomes import AGENT_TIMEOUT, UNAVAILABLE, make_outcome, usage_of_session
from openclaw.agent.providers.base import ResolvedModel
from openclaw.agent.providers.errors import ProviderError
from openclaw.agent.queue import QueueSettings
from openclaw.agent.record import Prepared
from openclaw.agent.settling import settled
from openclaw.agent.text import SILENT, clean, is_silent
from openclaw.agent.transcript import failure_message
from openclaw.agent.turn import Turn
from openclaw.agent.types import Inbound, Outcome
from openclaw.agent.world import World
from openclaw.clock import millis
from openclaw.errors import OpenClawError
from openclaw.store.interfaces import RunState

#: Seconds of waiting in a lane that are worth a line in the log.
LONG_WAIT = 2.0


@define(kw_only=True, eq=False)
class ActiveRun:
    """
    A run that has not ended.

    :ivar paused: whether it waits for a person.
    :ivar on_outcome: told once, after the outcome is stored and its events are out.
    :ivar on_gone: told last, when nothing of the run is left in memory.
    :ivar gather: gives the queued runs of the same route that become one turn with this one (``queue``).
    :ivar told: whether its outcome is told.
    """

    _log = Logger()
    world: World
    inbound: Inbound
    prepared: Prepared
    session_id: str
    created_at_ms: int
    on_outcome: Callable[[Outcome], None]
    on_gone: Callable[[ActiveRun], None]
    gather: Callable[[ActiveRun], Sequence[ActiveRun]]
    events: RunEvents = field(init=False)
    started_at_ms: int | None = None
    paused: bool = False
    _ending: bool = False
    _interruption: Interruption = field(factory=Interruption)
    _over: list[Deferred[bool]] = field(factory=list)
    _slots: list[Slot] = field(factory=list)
    _absorbed: bool = False
    _queue: QueueSettings | None = None
    _limits: Limits = field(init=False)
    _seen: Deferred[None] | None = None
    _model: ResolvedModel | None = None
    _said: list[str] = field(factory=list)
    told: bool = False

    def __attrs_post_init__(self) -> None:
        expires = self.inbound.expires
        self._limits = Limits(
            clock=self.world.clock,
            seconds=self._limit,
            # Counted from here, not from when it was accepted: no message is too late because no gateway ran.
            expires=None if expires is None else expires.total_seconds(),
            passed=self._limit_passed,
        )
        self.events = RunEvents(
            run_id=self.inbound.run_id,
            shown_key=self.inbound.shown_key,
            publish=self.world.publish,
            clock=self.world.clock,
            on_output=self._first_output,
            chat=self.inbound.shown_key is not None and self.inbound.origin != "heartbeat",
        )

    @property
    def run_id(self) -> str:
        return self.inbound.run_id

    @property
    def begun(self) -> bool:
        """
        Whether it has left the queue.
        """
        return self.started_at_ms is not None

    @property
    def queued(self) -> bool:
        """
        Whether it waits for the runs before it.
        """
        return not self._slots and not self._ending

    @property
    def ended(self) -> bool:
        """
        Whether its end is decided: nobody can end it otherwise.
        """
        return self._ending or self._interruption.reason is not None

    def start(self) -> None:
        """
        Let it run by itself.
        """
        if self._absorbed:
            return
        self._limits.start()
        running = Deferred.fromCoroutine(self._live())
        running.addErrback(lambda failure: self._log.failure("A run came to an end it does not know.", failure))
        running.addBoth(lambda _: None if self._absorbed else self._leave())

    def end(self, reason: str) -> Deferred[bool]:
        """
        End it from outside.

        :return: fires when the run is over, with whether it was this that ended it.
        """
        over = self.over()
        if self._ending:
            return over.addCallback(lambda _: False)
        self._interruption.interrupt(reason)
        return over

    def over(self) -> Deferred[bool]:
        """
        :return: fires when nothing of the run is left in memory.
        """
        self._over.append(Deferred())
        return self._over[-1]

    # -- life ---------------------------------------------------------------------------------------------------------

    async def _live(self) -> None:
        try:
            key, lane = self.inbound.session_key, self.inbound.lane
            busy = self.world.lanes.busy(key)
            await self._take(f"session:{key}", lambda: self.world.lanes.session(key))
            if busy:
                times = lambda: [run.created_at_ms for run in (self, *self.gather(self))]  # noqa: E731 - asked anew
                self._queue = await settled(self.world, self.inbound, times, self._interruption.until)
            await self._take(lane, lambda: self.world.lanes.shared(lane))
            await self._run()
        except Exception as error:
            if self._absorbed:
                # Whoever took the message tells what became of it.
                return
            reason = self._interruption.reason
            if reason is not None and not self._ending:
                self._ending = True
                await self._end_early(reason)
            elif isinstance(error, ProviderError):
                # Each try is in the transcript already.
                await self._fail(str(error), told=True)
            elif isinstance(error, OpenClawError):
                await self._fail(f"Error: {error}")
            else:
                self._log.failure("The run {run} failed.", run=self.run_id)
                await self._fail("Error: internal error")

    async def _take(self, lane: str, acquire: Callable[[], Deferred[Slot]]) -> None:
        began = self.world.clock.seconds()
        self._slots.append(await self._interruption.until(acquire))
        waited = self.world.clock.seconds() - began
        if waited > LONG_WAIT:
            self._log.info(
                "The run {run} waited {seconds:.1f} s for {lane}.", run=self.run_id, seconds=waited, lane=lane
            )

    async def _run(self) -> None:
        begun = await self._begin()
        self._model = begun.model
        self.started_at_ms = begun.started_at_ms
        self._interruption.check()
        if begun.failure is not None:
            raise begun.failure
        self._limits.restart()
        default = self.world.config().agents.defaults.verbose_default
        verbose = self.prepared.verbose or begun.members.get("verboseLevel") or default
        self.events.show_tools = verbose in ("on", "full")
        self.events.started(begun.started_at_ms)
        loop = ModelLoop(
            world=self.world,
            inbound=self.inbound,
            session_id=self.session_id,
            begun=begun,
            events=self.events,
            until=self._interruption.until,
            slots=self._slots,
            pause=self._pause,
            said=self._said,
        )
        turn, message = await loop.run()
        self.events.flush()
        if self._seen is not None:
            await self._seen
        self._interruption.check()
        self._ending = True
        await self._succeed(loop, turn, message)

    async def _begin(self) -> Begun:
        world = self.world
        collects = self._queue is not None and self._queue.mode == "collect"
        others = list(self.gather(self)) if collects else []
        for run in others:
            run.absorb()
        outcomes = [run._outcome("ok", "collected") for run in others]
        notes = world.notes.waiting(self.inbound.session_key)
        try:
            begun = await begin(
                world.store,
                inbound=self.inbound,
                prepared=self.prepared,
                session_id=self.session_id,
                config=world.config(),
                environ=world.environ,
                make_id=world.make_entry_id,
                notes=world.notes.lines(notes),
                now_ms=millis(world.clock),
                collected=[
                    Collected(inbound=run.inbound, prepared=run.prepared, outcome=outcome)
                    for run, outcome in zip(others, outcomes, strict=True)
                ],
                queue=self._queue,
            )
        except Exception:
            for run in others:
                await run._fail("Error: internal error")
                run._leave()
            raise
        if begun.asked:
            world.notes.told(self.inbound.session_key, notes)
        self.prepared = evolve(self.prepared, lead=[lead for run in (self, *others) for lead in run.prepared.lead])
        for run, outcome in zip(others, outcomes, strict=True):
            run.events.answered(None)
            run.on_outcome(outcome)
            run._leave()
        return begun

    def absorb(self) -> None:
        """
        Another run has taken the message: this one waits no more, and nobody can end it.
        """
        self._absorbed = self._ending = True
        self._interruption.cancel()

    # -- output -------------------------------------------------------------------------------------------------------

    def _first_output(self) -> None:
        """
        Nobody sees output before the store knows that it was seen.
        """
        self._seen = ledger.mark(self.world.store, self.run_id, seen=True)
        self._seen.addCallbacks(lambda _: self.events.release(), self._not_marked)

    def _not_marked(self, failure: Any) -> None:
        self._log.failure("The store cannot write; the run {run} ends.", failure, run=self.run_id)
        self.end("store").addErrback(lambda failure: self._log.failure("Ending a run failed.", failure))

    # -- limits -------------------------------------------------------------------------------------------------------

    def _limit(self) -> float:
        if self.inbound.timeout is not None:
            return max(1.0, self.inbound.timeout.total_seconds())
        return float(max(1, self.world.config().agents.defaults.timeout_seconds))

    def _limit_passed(self, reason: str) -> None:
        self.end(reason).addErrback(lambda failure: self._log.failure("Ending a run failed.", failure))

    def _pause(self, waiting: bool) -> None:
        """
        While a person is asked no limit counts.
        """
        self.paused = waiting
        if waiting:
            self._limits.pause()
        else:
            self._limits.resume()

    # -- ends ---------------------------------------------------------------------------------------------------------

    async def _succeed(self, loop: ModelLoop, turn: Turn, message: Mapping[str, Any] | None) -> None:
        told = "" if is_silent(turn.text) and SILENT in turn.text else clean(turn.text)
        text = "\n\n".join(part for part in (*self.prepared.lead, told) if part)
        usage = loop.usage
        members = {**usage_of_session(usage, loop.model), "abortedLastRun": False}
        reply = Reply(id=self.world.make_id(), text=text) if text and self.events.chat else None
        outcome = self._outcome(
            "ok", "completed", text=text, before=self._said, usage=usage, model=loop.model, pending=loop.pending
        )
        await self._write_end("ok", outcome, message=message, members=members, reply=reply)
        self.events.ended(outcome.ended_at_ms, text)
        self.on_outcome(outcome)
        if reply is not None:
            delivering = ledger.delivered(self.world.store, reply, self.world.clock)
            delivering.addErrback(lambda failure: self._log.failure("A delivery was not noted.", failure))

    async def _end_early(self, reason: str) -> None:
        """
        Somebody ended the run, or a limit passed.
        """
        if reason == "shutdown":
            # What the store says of it is settled at the next start.
            return
        if reason == "store":
            await self._fail("Error: the store cannot write")
        elif reason == "deadline":
            await self._time_out()
        else:
            outcome = self._outcome("aborted", "aborted", aborted=True)
            await self._write_or_log("aborted", outcome, members=self._aborted_members())
            self.events.aborted(self.started_at_ms, outcome.ended_at_ms, reason)
            self.on_outcome(outcome)

    def _aborted_members(self) -> Mapping[str, Any]:
        return {"abortedLastRun": True} if self.begun else {}

    async def _time_out(self) -> None:
        text = self.events.so_far
        # While its tools are at work, what the model said last is both.
        before = self._said[:-1] if self._said[-1:] == [text] else self._said
        seconds = self._limit()
        summary = f"The agent did not answer within {seconds:g} second{'' if seconds == 1 else 's'}."
        outcome = self._outcome("error", summary, text=text, before=before, aborted=True, code=AGENT_TIMEOUT)
        await self._write_or_log("error", outcome, members=self._aborted_members())
        self.events.timed_out(self.started_at_ms, outcome.ended_at_ms, text)
        self.on_outcome(outcome)

    async def _fail(self, text: str, *, told: bool = False) -> None:
        """
        :param told: the transcript says it already.
        """
        self._ending = True
        outcome = self._outcome("error", text, code=UNAVAILABLE)
        message = None if told else failure_message(self._model, text, outcome.ended_at_ms)
        await self._write_or_log("error", outcome, message=message)
        self.events.failed(self.started_at_ms, outcome.ended_at_ms, text)
        self.on_outcome(outcome)

    async def _write_or_log(self, state: RunState, outcome: Outcome, **rest: Any) -> None:
        """
        Nobody must wait for ever because the store cannot write: then the next start settles what it says.
        """
        try:
            await self._write_end(state, outcome, **rest)
        except Exception:
            self._log.failure("The end of run {run} could not be stored.", run=self.run_id)

    async def _write_end(self, state: RunState, outcome: Outcome, **rest: Any) -> None:
        await ledger.finish(
            self.world.store,
            inbound=self.inbound,
            session_id=self.session_id,
            state=state,
            outcome=outcome,
            make_id=self.world.make_entry_id,
            **rest,
        )

    def _outcome(self, status: Literal["ok", "error", "aborted"], summary: str, **more: Any) -> Outcome:
        members = {"model": self._model, **more}
        return make_outcome(
            run_id=self.run_id,
            session_id=self.session_id,
            status=status,
            summary=summary,
            created_at_ms=self.created_at_ms,
            started_at_ms=self.started_at_ms,
            now_ms=millis(self.world.clock),
            **members,
        )

    def _leave(self) -> None:
        self._limits.stop()
        self.events.close()
        for slot in self._slots:
            slot.release()
        over, self._over = self._over, []
        self.on_gone(self)
        for waiter in over:
            waiter.callback(True)
