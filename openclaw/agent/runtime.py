"""
The agent runtime: everything that can start a run comes in here, and every run leaves with one outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, DeferredList, fail, maybeDeferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from openclaw.agent.accept import Acceptance, Reception
from openclaw.agent.approvals import Approvals, Question
from openclaw.agent.errors import RuntimeStopped, UnknownRun
from openclaw.agent.events import RunEvents
from openclaw.agent.lanes import Lanes, lane_limit
from openclaw.agent.load import Load, load_of
from openclaw.agent.notes import Notes
from openclaw.agent.providers.base import Model, ResolvedModel
from openclaw.agent.providers.keys import run_key_command
from openclaw.agent.queue import route
from openclaw.agent.record import Prepared, read_outcome
from openclaw.agent.recovery import recover
from openclaw.agent.retry import RetryPolicy
from openclaw.agent.run import ActiveRun
from openclaw.agent.tools import Offered, Tool, all_of_them
from openclaw.agent.transcript import entry_id
from openclaw.agent.types import REQUESTER, Accepted, Inbound, Outcome, Publish
from openclaw.agent.world import World
from openclaw.clock import MACHINE_ZONE, millis
from openclaw.config.model import Config
from openclaw.errors import OpenClawError
from openclaw.store.interfaces import TERMINAL_STATES, Run, Store


@define(kw_only=True, eq=False)
class AgentRuntime(Service):
    """
    Accepts, queues, runs, ends and remembers runs. Implements ``openclaw.agent.types.Agents``.

    :ivar config: the running configuration, asked anew for each run.
    :ivar make_id: gives ids; at least 32 hexadecimal digits of them are unique.
    :ivar workspace_of: the workspace of an agent.
    :ivar make_model: from a resolved model to one that can be asked (``providers.factory``).
    :ivar in_thread: runs blocking work off the reactor's thread; the default runs it at once, for tests.
    :ivar ready: fires when conversations are whole and may go on; fails where that takes too long.
    :ivar ask: tells people of a question (``approvals``).
    :ivar withdrawn: tells them that a question is none any more.
    :ivar ended: told of every outcome.
    :ivar restart: restarts the gateway, once what is said of it has gone out.
    """

    _log = Logger()
    store: Store
    config: Callable[[], Config]
    publish: Publish
    clock: IReactorTime
    make_id: Callable[[], str]
    environ: Mapping[str, str]
    workspace_of: Callable[[str], Path]
    make_model: Callable[[ResolvedModel], Model]
    in_thread: Callable[..., Deferred[Any]] = maybeDeferred
    zone: Callable[[], tzinfo] | None = None
    tools: Sequence[Tool] = ()
    offered: Offered = all_of_them
    ready: Callable[[], Deferred[None]] = lambda: succeed(None)
    ask: Callable[[Question], None] = lambda question: None
    withdrawn: Callable[[str], None] = lambda question_id: None
    ended: Callable[[Outcome], None] = lambda outcome: None
    restart: Callable[[], object] = lambda: None
    retries: RetryPolicy = field(factory=RetryPolicy)
    approvals: Approvals = field(init=False)
    _world: World = field(init=False)
    _runs: dict[str, ActiveRun] = field(init=False, factory=dict)
    _waiters: dict[str, list[Deferred[Outcome]]] = field(init=False, factory=dict)
    _arriving: dict[str, list[Deferred[None]]] = field(init=False, factory=dict)
    _accepting: bool = field(init=False, default=True)
    _recovering: Deferred[None] | None = field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        zone = self.zone or self._zone
        self.approvals = Approvals(
            store=self.store,
            now_ms=lambda: millis(self.clock),
            make_entry_id=self._make_entry_id,
            ask=self.ask,
            withdrawn=self.withdrawn,
        )
        self._world = World(
            store=self.store,
            config=self.config,
            publish=self.publish,
            clock=self.clock,
            environ=self.environ,
            make_id=self.make_id,
            make_entry_id=self._make_entry_id,
            workspace_of=self.workspace_of,
            make_model=self.make_model,
            in_thread=self.in_thread,
            zone=zone,
            run_command=run_key_command,
            lanes=Lanes(lambda name: lane_limit(self.config(), name)),
            notes=Notes(self.clock, zone),
            approvals=self.approvals,
            tools=self.tools,
            offered=self.offered,
            retries=self.retries,
        )

    # -- service ------------------------------------------------------------------------------------------------------

    def startService(self) -> None:
        super().startService()
        self._accepting = True
        self._recovering = Deferred.fromCoroutine(recover(self._world, self._resume, self._told))
        self._recovering.addErrback(self._not_recovered)

    def _not_recovered(self, failure: Failure) -> None:
        if failure.check(CancelledError) and not self._accepting:
            return  # Stopped meanwhile: the next process recovers them.
        if failure.check(OpenClawError):
            # Such as a database that cannot be opened, of which the store tells.
            self._log.error("Runs could not be recovered: {error}", error=failure.value)
        else:
            self._log.failure("Runs could not be recovered.", failure)

    @property
    def recovered(self) -> Deferred[None]:
        """
        Fires when every run that an earlier process left behind is settled or goes on.
        """
        waiter: Deferred[None] = Deferred()
        recovering = self._recovering
        if recovering is None:
            waiter.callback(None)
        else:
            recovering.addBoth(lambda _: waiter.callback(None))
        return waiter

    def drain(self) -> Deferred[None]:
        """
        Take no more records, begin none, and let what runs come to its end. Not waited for is who waits for a person.

        :return: fires when no run is left that can end by itself. Cancelling it stops waiting.
        """
        self._accepting = False
        return Deferred.fromCoroutine(self._drain())

    async def _drain(self) -> None:
        while runs := [run for run in self._runs.values() if not run.paused]:
            # What has not begun starts again with the next process.
            await _all([run.over() if run.begun else run.end("shutdown") for run in runs])

    def stopService(self) -> Deferred[None]:
        """
        End what runs. A run of which nothing was seen starts again with the next process; of the others the next
        process tells how they ended.
        """
        super().stopService()
        self._accepting = False
        if self._recovering is not None:
            self._recovering.cancel()
        ending = _all([run.end("shutdown") for run in list(self._runs.values())])
        waiters, self._waiters = self._waiters, {}
        for waiting in waiters.values():
            for waiter in waiting:
                waiter.errback(RuntimeStopped())
        return ending

    # -- Agents -------------------------------------------------------------------------------------------------------

    def submit(self, inbound: Inbound) -> Deferred[Accepted]:
        """
        Store a record, then let it run.
        """
        if not self._accepting:
            return fail(RuntimeStopped())
        arriving = self._arriving.setdefault(inbound.session_key, [])
        settled: Deferred[None] = Deferred()
        arriving.append(settled)

        def arrived(result: Any) -> Any:
            arriving.remove(settled)
            if not arriving:
                del self._arriving[inbound.session_key]
            settled.callback(None)
            return result

        return Deferred.fromCoroutine(self._submit(inbound)).addBoth(arrived)

    async def _submit(self, inbound: Inbound) -> Accepted:
        await self.ready()
        # What an earlier process accepted comes first.
        await self.recovered
        reception = Reception(
            inbound=inbound,
            config=self.config(),
            environ=self.environ,
            now_ms=millis(self.clock),
            new_session_id=self.make_id(),
            make_entry_id=self._make_entry_id,
            zone=self._world.zone(),
            queued=sum(run.queued for run in self._of_session(inbound.session_key)),
        )
        acceptance = await self.store.write(reception.accept)
        prepared = acceptance.prepared
        if prepared is not None and (self._accepting or acceptance.outcome is not None):
            # What was stored while the runtime stopped is begun by the next process.
            if prepared.resets or prepared.stops:
                self._clear(inbound.session_key, everything=prepared.stops)
            if prepared.restarts:
                self.restart()
            if acceptance.outcome is None:
                self._add(inbound, prepared, acceptance)
            # The answer to whoever asked goes out before the first event.
            self.clock.callLater(0, self._launch, inbound, acceptance)
        return acceptance.accepted

    def outcome(self, run_id: str) -> Deferred[Outcome]:
        """
        How a run ended, once it has.
        """
        waiter: Deferred[Outcome] = Deferred(lambda waiter: self._forget(run_id, waiter))
        self._waiters.setdefault(run_id, []).append(waiter)
        reading = self.store.read(lambda unit: unit.runs.get(run_id))
        reading.addCallback(self._found, run_id, waiter)
        reading.addErrback(self._not_found, run_id, waiter)
        return waiter

    def abort(self, session_key: str, *, run_id: str | None = None, reason: str = "rpc") -> Deferred[list[str]]:
        """
        End queued and running runs of a session, also those whose records are being stored now.
        """
        return Deferred.fromCoroutine(self._abort(session_key, run_id, reason))

    async def _abort(self, session_key: str, run_id: str | None, reason: str) -> list[str]:
        arrived = _all(self._arriving.get(session_key, ()))
        ending = Deferred.fromCoroutine(self._end(self._meant(session_key, run_id), reason))
        if run_id is not None and run_id in self._runs:
            return await ending
        await arrived
        more = await self._end([run for run in self._meant(session_key, run_id) if not run.ended], reason)
        return [*await ending, *more]

    def _meant(self, session_key: str, run_id: str | None) -> list[ActiveRun]:
        if run_id is None:
            return self._with_subagents(session_key)
        return [run for run in self._of_session(session_key) if run.run_id == run_id]

    async def _end(self, runs: Sequence[ActiveRun], reason: str) -> list[str]:
        # The queue first: what is behind a run must not begin when that ends.
        ending = [(run.run_id, run.end(reason)) for run in sorted(runs, key=lambda run: run.begun)]
        return [run_id for run_id, over in ending if await over]

    def active(self, session_key: str) -> Sequence[str]:
        return [run.run_id for run in self._of_session(session_key)]

    def load(self) -> Load:
        return load_of(self._runs.values())

    def note(self, session_key: str, text: str) -> None:
        self._world.notes.add(session_key, text)

    def notes(self, session_key: str) -> Sequence[str]:
        return self._world.notes.texts(session_key)

    def decide(self, question_id: str, allowed: bool) -> Deferred[bool]:
        """
        Answer a question that a tool call waits for. See ``Approvals.decide``.
        """
        return self.approvals.decide(question_id, allowed)

    # -- runs ---------------------------------------------------------------------------------------------------------

    def _of_session(self, session_key: str) -> list[ActiveRun]:
        return [run for run in self._runs.values() if run.inbound.session_key == session_key]

    def _with_subagents(self, session_key: str) -> list[ActiveRun]:
        """
        Also what a session has started in others: who ends everything does not want to hear of that, either.
        """
        started = [run for run in self._runs.values() if run.inbound.afterwards.get(REQUESTER) == session_key]
        return [*self._of_session(session_key), *started]

    def _add(self, inbound: Inbound, prepared: Prepared, acceptance: Acceptance) -> ActiveRun:
        run = ActiveRun(
            world=self._world,
            inbound=inbound,
            prepared=prepared,
            session_id=acceptance.session_id,
            created_at_ms=acceptance.accepted.accepted_at_ms,
            on_outcome=self._told,
            on_gone=self._gone,
            gather=self._queued_with,
        )
        self._runs[run.run_id] = run
        return run

    def _resume(self, run: Run, inbound: Inbound, prepared: Prepared) -> None:
        """
        Go on with a run of an earlier process.
        """
        accepted = Accepted(run_id=run.run_id, accepted_at_ms=run.created_at_ms, repeated=False, state=run.state)
        acceptance = Acceptance(accepted=accepted, session_id=run.session_id, prepared=prepared)
        if run.run_id not in self._runs:
            self._add(inbound, prepared, acceptance).start()

    def _launch(self, inbound: Inbound, acceptance: Acceptance) -> None:
        if acceptance.outcome is None:
            run = self._runs.get(inbound.run_id)
            if run is not None:
                run.start()
            return
        if inbound.shown_key is not None:
            events = RunEvents(
                run_id=inbound.run_id,
                shown_key=inbound.shown_key,
                publish=self.publish,
                clock=self.clock,
                on_output=lambda: None,
            )
            events.answered(acceptance.message)
        self._told(acceptance.outcome)

    def _clear(self, session_key: str, *, everything: bool) -> None:
        """
        Drop what has not begun in a session, or end all of it.
        """
        of_session = self._of_session(session_key)
        runs = self._with_subagents(session_key) if everything else [run for run in of_session if not run.begun]
        ending = Deferred.fromCoroutine(self._end(runs, "stop"))
        ending.addErrback(lambda failure: self._log.failure("Runs could not be ended.", failure))

    def _told(self, outcome: Outcome) -> None:
        run = self._runs.get(outcome.run_id)
        if run is not None:
            run.told = True
        self.ended(outcome)
        for waiter in self._waiters.pop(outcome.run_id, ()):
            waiter.callback(outcome)

    def _queued_with(self, leader: ActiveRun) -> list[ActiveRun]:
        """
        Queued runs whose messages may become one turn with another's, in the order they came.
        """
        where = route(leader.inbound)
        return [
            run
            for run in self._of_session(leader.inbound.session_key)
            if run is not leader and run.queued and where is not None and route(run.inbound) == where
        ]

    def _gone(self, run: ActiveRun) -> None:
        self._runs.pop(run.run_id, None)

    # -- outcomes -----------------------------------------------------------------------------------------------------

    def _found(self, run: Run | None, run_id: str, waiter: Deferred[Outcome]) -> None:
        if waiter.called:
            return
        if run is None:
            self._forget(run_id, waiter)
            waiter.errback(UnknownRun(run_id))
        elif run.outcome is not None and run.state in TERMINAL_STATES and self._is_told(run_id):
            self._forget(run_id, waiter)
            waiter.callback(read_outcome(run.outcome))

    def _is_told(self, run_id: str) -> bool:
        # A run still in memory is about to tell; its events come first.
        active = self._runs.get(run_id)
        return active is None or active.told

    def _not_found(self, failure: Failure, run_id: str, waiter: Deferred[Outcome]) -> None:
        self._forget(run_id, waiter)
        if not waiter.called:
            waiter.errback(failure)

    def _forget(self, run_id: str, waiter: Deferred[Outcome]) -> None:
        waiting = self._waiters.get(run_id, [])
        if waiter in waiting:
            waiting.remove(waiter)
        if not waiting:
            self._waiters.pop(run_id, None)

    # -- small things -------------------------------------------------------------------------------------------------

    def _make_entry_id(self) -> str:
        return entry_id(self.make_id())

    def _zone(self) -> tzinfo:
        named = self.config().agents.defaults.user_timezone
        if named:
            try:
                return ZoneInfo(named)
            except (ZoneInfoNotFoundError, ValueError):
                self._log.warn("The time zone {zone} is not known; the machine's is used.", zone=named)
        return MACHINE_ZONE


def _all(waiting: Sequence[Deferred[Any]]) -> Deferred[None]:
    """
    :return: fires when each of them has; how each did is told elsewhere. Cancelling it stops waiting and nothing else.
    """
    done: Deferred[None] = Deferred()
    each = DeferredList(waiting, consumeErrors=True)
    each.addCallback(lambda _: None if done.called else done.callback(None))
    return done
