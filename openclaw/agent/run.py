"""
The life of one run, from acceptance to its one outcome.

A run waits for its session's lane and then for a global slot; it begins (the message that caused it is written);
models and tools have their turns; it ends, by itself or because somebody ends it. However it ends, the outcome is
written first, then told: one terminal event, then those who wait. While it is *ending* nobody can end it otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from openclaw.agent import ledger
from openclaw.agent.errors import Ended
from openclaw.agent.events import RunEvents
from openclaw.agent.lanes import Slot
from openclaw.agent.ledger import Begun, Reply
from openclaw.agent.loop import ModelLoop
from openclaw.agent.providers.base import ResolvedModel, Usage
from openclaw.agent.providers.errors import ProviderError
from openclaw.agent.record import Prepared
from openclaw.agent.text import SILENT, clean, is_silent
from openclaw.agent.transcript import failure_message
from openclaw.agent.turn import Turn
from openclaw.agent.types import Inbound, Outcome
from openclaw.agent.world import World
from openclaw.clock import millis
from openclaw.errors import OpenClawError
from openclaw.store.interfaces import RunState

T = TypeVar("T")

AGENT_TIMEOUT = "AGENT_TIMEOUT"
UNAVAILABLE = "UNAVAILABLE"


@define(kw_only=True, eq=False)
class ActiveRun:
    """
    A run that has not ended.

    :ivar on_outcome: told once, after the outcome is stored and its events are out.
    :ivar on_gone: told last, when nothing of the run is left in memory.
    """

    _log = Logger()
    world: World
    inbound: Inbound
    prepared: Prepared
    session_id: str
    created_at_ms: int
    on_outcome: Callable[[Outcome], None]
    on_gone: Callable[[ActiveRun], None]
    events: RunEvents = field(init=False)
    started_at_ms: int | None = None
    _ending: bool = False
    _ended: str | None = None
    _awaited: Deferred[Any] | None = None
    _over: list[Deferred[bool]] = field(factory=list)
    _slots: list[Slot] = field(factory=list)
    _deadline: IDelayedCall | None = None
    _expiry: IDelayedCall | None = None
    _seen: Deferred[None] | None = None
    _model: ResolvedModel | None = None

    def __attrs_post_init__(self) -> None:
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

    def start(self) -> None:
        """
        Let it run by itself.
        """
        self._arm_expiry()
        self._arm_deadline()
        running = Deferred.fromCoroutine(self._live())
        running.addErrback(lambda failure: self._log.failure("A run came to an end it does not know.", failure))
        running.addBoth(lambda _: self._leave())

    def end(self, reason: str) -> Deferred[bool]:
        """
        End it from outside.

        :return: fires when the run is over, with whether it was this that ended it.
        """
        over: Deferred[bool] = Deferred()
        self._over.append(over)
        if self._ending:
            return over.addCallback(lambda _: False)
        if self._ended is None:
            self._ended = reason
            if self._awaited is not None:
                self._awaited.cancel()
        return over

    # -- life ---------------------------------------------------------------------------------------------------------

    async def _live(self) -> None:
        try:
            self._slots.append(await self._until(lambda: self.world.lanes.session(self.inbound.session_key)))
            self._slots.append(await self._until(lambda: self.world.lanes.shared(self.inbound.lane)))
            await self._run()
        except Exception as error:
            if self._ended is not None and not self._ending:
                self._ending = True
                await self._end_early(self._ended)
            elif isinstance(error, ProviderError):
                # Each try is in the transcript already.
                await self._fail(str(error), told=True)
            elif isinstance(error, OpenClawError):
                await self._fail(f"Error: {error}")
            else:
                self._log.failure("The run {run} failed.", run=self.run_id)
                await self._fail("Error: internal error")

    async def _run(self) -> None:
        begun = await self._begin()
        self._model = begun.model
        self.started_at_ms = begun.started_at_ms
        self._check_ended()
        if begun.failure is not None:
            raise begun.failure
        self._arm_deadline()
        verbose = self.prepared.verbose or begun.members.get("verboseLevel") or self._verbose_default()
        self.events.show_tools = verbose in ("on", "full")
        self.events.started(begun.started_at_ms)
        loop = ModelLoop(
            world=self.world,
            inbound=self.inbound,
            session_id=self.session_id,
            begun=begun,
            events=self.events,
            until=self._until,
            slots=self._slots,
            pause=self._pause,
        )
        turn, message = await loop.run()
        if self._seen is not None:
            await self._seen
        self._check_ended()
        self._ending = True
        await self._succeed(loop, turn, message)

    async def _begin(self) -> Begun:
        world = self.world
        return await ledger.begin(
            world.store,
            inbound=self.inbound,
            prepared=self.prepared,
            session_id=self.session_id,
            config=world.config(),
            environ=world.environ,
            ids=world.entry_ids(),
            notes=world.notes.drain(self.inbound.session_key),
            now_ms=millis(world.clock),
        )

    def _verbose_default(self) -> str:
        return self.world.config().agents.defaults.verbose_default

    async def _until(self, begin: Callable[[], Deferred[T]]) -> T:
        """
        Wait for something that ending the run cancels.

        :raise Ended: the run was ended; whatever else came of it no longer counts.
        """
        self._check_ended()
        awaited = begin()
        self._awaited = awaited
        if self._ended is not None:
            awaited.cancel()
        try:
            result = await awaited
        except Exception:
            self._check_ended()
            raise
        finally:
            self._awaited = None
        if self._ended is not None and isinstance(result, Slot):
            result.release()
        self._check_ended()
        return result

    def _check_ended(self) -> None:
        if self._ended is not None:
            raise Ended(self._ended)

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

    def _arm_deadline(self) -> None:
        """
        A run may wait as long as its limit, and then run as long.
        """
        _cancel(self._deadline)
        self._deadline = self.world.clock.callLater(self._limit(), self._limit_passed, "deadline")

    def _arm_expiry(self) -> None:
        expires: timedelta | None = self.inbound.expires
        if expires is None:
            return
        left = self.created_at_ms / 1000 + expires.total_seconds() - self.world.clock.seconds()
        self._expiry = self.world.clock.callLater(max(0.0, left), self._limit_passed, "timeout")

    def _limit_passed(self, reason: str) -> None:
        self.end(reason).addErrback(lambda failure: self._log.failure("Ending a run failed.", failure))

    def _pause(self, waiting: bool) -> None:
        """
        While a person is asked no limit counts.
        """
        _cancel(self._deadline)
        _cancel(self._expiry)
        self._deadline = self._expiry = None
        if not waiting:
            self._arm_deadline()

    # -- ends ---------------------------------------------------------------------------------------------------------

    async def _succeed(self, loop: ModelLoop, turn: Turn, message: Mapping[str, Any]) -> None:
        told = "" if is_silent(turn.text) and SILENT in turn.text else clean(turn.text)
        text = "\n\n".join(part for part in (*self.prepared.lead, told) if part)
        usage = loop.last_usage
        members = {
            "inputTokens": loop.usage.input,
            "outputTokens": loop.usage.output,
            "totalTokens": usage.input + usage.cache_read + usage.cache_write,
            "modelProvider": loop.model.provider,
            "model": loop.model.model_id,
            "contextTokens": loop.model.context_window,
            "abortedLastRun": False,
        }
        reply = Reply(id=self.world.make_id(), text=text) if text and self.events.chat else None
        outcome = self._outcome("ok", "completed", text=text, usage=loop.usage, model=loop.model)
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
            outcome = self._outcome("aborted", "aborted", text="", aborted=True)
            await self._write_or_log("aborted", outcome, members={"abortedLastRun": True})
            self.events.aborted(self.started_at_ms, outcome.ended_at_ms, reason)
            self.on_outcome(outcome)

    async def _time_out(self) -> None:
        text = self.events.so_far
        summary = f"The agent did not answer within {self._limit():g} seconds."
        outcome = self._outcome("error", summary, text=text, aborted=True, code=AGENT_TIMEOUT)
        await self._write_or_log("error", outcome, members={"abortedLastRun": True})
        self.events.timed_out(self.started_at_ms, outcome.ended_at_ms, text)
        self.on_outcome(outcome)

    async def _fail(self, text: str, *, told: bool = False) -> None:
        """
        :param told: the transcript says it already.
        """
        self._ending = True
        outcome = self._outcome("error", text, text="", code=UNAVAILABLE)
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
            ids=self.world.entry_ids(),
            **rest,
        )

    def _outcome(
        self,
        status: Any,
        summary: str,
        *,
        text: str,
        usage: Usage | None = None,
        model: ResolvedModel | None = None,
        aborted: bool = False,
        code: str | None = None,
    ) -> Outcome:
        now_ms = millis(self.world.clock)
        model = model or self._model
        agent: dict[str, Any] = {"sessionId": self.session_id}
        if model is not None:
            agent |= {"provider": model.provider, "model": model.model_id}
        if usage is not None:
            agent["usage"] = _usage(usage)
        result = {
            "payloads": [{"text": text, "mediaUrl": None}] if text else [],
            "meta": {
                "durationMs": now_ms - (self.started_at_ms or self.created_at_ms),
                "agentMeta": agent,
                "aborted": aborted,
            },
        }
        return Outcome(
            run_id=self.run_id,
            status=status,
            summary=summary,
            started_at_ms=self.started_at_ms,
            ended_at_ms=now_ms,
            result=result,
            code=code,
        )

    def _leave(self) -> None:
        _cancel(self._deadline)
        _cancel(self._expiry)
        for slot in self._slots:
            slot.release()
        over, self._over = self._over, []
        self.on_gone(self)
        for waiter in over:
            waiter.callback(True)


def _usage(usage: Usage) -> dict[str, int]:
    return {
        "input": usage.input,
        "output": usage.output,
        "cacheRead": usage.cache_read,
        "cacheWrite": usage.cache_write,
        "total": usage.total,
    }


def _cancel(call: IDelayedCall | None) -> None:
    if call is not None and call.active():
        call.cancel()
