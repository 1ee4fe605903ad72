"""
The scheduler: one timer for the job that is due next (``agent.md`` 24).

A due time is handed out in one transaction: the job's next due time and the run that it is given are durable before
anything begins. What a dead process had begun, its successor finds there and brings to its end: the run has the id that
stands in the record, so it is started at most once. What an event costs does not depend on how many jobs there are.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from datetime import tzinfo
from pathlib import Path
from typing import Any, Protocol

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, DeferredList
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from openclaw.agent.errors import NotReady, RuntimeStopped
from openclaw.agent.types import Publish
from openclaw.clock import MACHINE_ZONE, millis
from openclaw.cron import jobs, records
from openclaw.cron.errors import refuse, unknown_job
from openclaw.cron.jobs import Claim, Record, Result
from openclaw.store.interfaces import Store

#: The longest time that the timer waits, in seconds; then it looks again.
LONGEST = 86_400.0

#: Seconds after which what failed is tried again.
AGAIN = 5.0

#: Jobs that are handed out in one transaction.
BATCH = 100

MAX_JOBS = 10_000


class Work(Protocol):
    """
    Does what a job says.
    """

    def __call__(self, job: Record, claim: Claim, started: Callable[[], None]) -> Deferred[Result]:
        """
        :param started: to be called when it begins.
        :raise RuntimeStopped: the gateway stops; the next process goes on with it.
        """
        ...


@define(kw_only=True, eq=False, repr=False)
class CronService(Service):
    """
    Knows when which job is due. Everything else about jobs is in the store.

    :ivar enabled: whether jobs run by themselves.
    :ivar work: runs one job.
    :ivar ready: fires when everything is there that a start has to bring in.
    """

    _log = Logger()
    store: Store
    clock: IReactorTime
    publish: Publish
    work: Work
    make_id: Callable[[], str]
    store_path: Path
    enabled: Callable[[], bool]
    ready: Callable[[], Deferred[None]]
    zone: tzinfo = MACHINE_ZONE
    _heap: list[tuple[int, str]] = field(factory=list, init=False)
    _due: dict[str, int | None] = field(factory=dict, init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)
    _taking: bool = field(default=False, init=False)
    _paused: bool = field(default=True, init=False)
    _not_before: float = field(default=0.0, init=False)
    _unreadable: set[str] = field(factory=set, init=False)
    _tasks: list[Deferred[None]] = field(factory=list, init=False)
    _loaded: bool = field(default=False, init=False)
    _waiting: list[Deferred[None]] = field(factory=list, init=False)

    # -- service ------------------------------------------------------------------------------------------------------

    def startService(self) -> None:
        super().startService()
        self._paused = False
        self._begin(self._load())

    def pause(self) -> None:
        """
        Hand out nothing more. What runs may come to its end.
        """
        self._paused = True
        self._arm()

    def stopService(self) -> Deferred[Any]:
        """
        :return: fires when nothing of it is left. What has not ended is brought to its end by the next process.
        """
        super().stopService()
        self.pause()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            waiter.errback(RuntimeStopped())
        return DeferredList(tasks, consumeErrors=True)

    def reconfigured(self) -> None:
        """
        The configuration has changed.
        """
        self._arm()

    async def _load(self) -> None:
        while True:
            try:
                await self.ready()
                break
            except NotReady:
                await deferLater(self.clock, AGAIN)
        now, going_on = millis(self.clock), self.enabled()
        adopted = await self.store.write(lambda unit: records.adopt_all(unit, now, self.zone, going_on=going_on))
        self._unreadable.update(adopted.unreadable)
        for job_id in adopted.unreadable:
            self._log.warn("The cron job {id} cannot be read; it stays where it is.", id=job_id)
        for job_id, on in adopted.mended:
            self._log.info("The cron job {id} did not say whether it is on: {on}.", id=job_id, on=on)
        for record in adopted.found:
            self._schedule(record)
        self._loaded = True
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            waiter.callback(None)
        for record in adopted.found:
            claim = jobs.claim_of(record)
            if claim is not None:
                self._begin(self._run(record, claim))
        self._arm()

    async def loaded(self) -> None:
        """
        Wait until the jobs are known.
        """
        if not self._loaded:
            waiter: Deferred[None] = Deferred()
            self._waiting.append(waiter)
            await waiter

    # -- questions ----------------------------------------------------------------------------------------------------

    async def listing(self, *, disabled: bool) -> list[dict[str, Any]]:
        """
        The jobs by their next due time.
        """
        await self.loaded()
        found = await self.store.read(lambda unit: [record for _, record in unit.cron_jobs.all()])
        shown = [jobs.shown(record) for record in found if record.get("id") not in self._unreadable]
        listed = [job for job in shown if disabled or job["enabled"]]
        return sorted(listed, key=lambda job: job["state"].get("nextRunAtMs", 0))

    async def status(self) -> dict[str, Any]:
        """
        How the scheduler is.
        """
        await self.loaded()
        enabled = self.enabled()
        return {
            "enabled": enabled,
            "storePath": str(self.store_path),
            "jobs": len(self._due),
            "nextWakeAtMs": self._next() if enabled else None,
        }

    async def runs(self, job_id: str, limit: int) -> list[Mapping[str, Any]]:
        """
        The latest lines of a job's run log, oldest first.
        """
        return await self.store.read(lambda unit: unit.cron_runs.newest(job_id, limit))

    # -- changes ------------------------------------------------------------------------------------------------------

    async def add(self, params: Record) -> dict[str, Any]:
        """
        :raise CronRefused: the job makes no sense.
        """
        await self.loaded()
        if len(self._due) >= MAX_JOBS:
            raise refuse(f"too many cron jobs (at most {MAX_JOBS})")
        job = jobs.make_job(params, self.make_id(), millis(self.clock), self.zone)
        await self.store.write(lambda unit: unit.cron_jobs.put(job["id"], job))
        return self._changed(job, "added")

    async def update(self, job_id: str, patch: Record) -> dict[str, Any]:
        """
        :raise CronRefused: there is no such job, or what comes of it makes no sense.
        """
        await self.loaded()
        now = millis(self.clock)

        self._check_readable(job_id)
        return self._changed(
            await self.store.write(lambda unit: records.update(unit, job_id, patch, now, self.zone)), "updated"
        )

    async def remove(self, job_id: str) -> bool:
        """
        :return: whether there was such a job.
        """
        await self.loaded()
        removed = await self.store.write(lambda unit: unit.cron_jobs.delete(job_id))
        if removed:
            self._gone(job_id)
        return removed

    async def run(self, job_id: str, *, force: bool) -> str | None:
        """
        Run a job now, and wait until it has ended.

        :return: why it did not run.
        :raise CronRefused: there is no such job.
        """
        await self.loaded()
        now, run_id = millis(self.clock), self.make_id()

        self._check_readable(job_id)
        job, claim = await self.store.write(
            lambda unit: records.run_now(unit, job_id, run_id, now, self.zone, force=force)
        )
        self._schedule(job)
        self._arm()
        if claim is None:
            return "already-running" if jobs.claim_of(job) is not None else "not-due"
        ended: Deferred[None] = Deferred()
        self._begin(self._run(job, claim)).addBoth(lambda _: ended.callback(None))
        await ended
        if not self.running:
            raise RuntimeStopped
        return None

    def _check_readable(self, job_id: str) -> None:
        if job_id in self._unreadable:
            raise unknown_job(job_id)

    def _changed(self, job: Record, action: str) -> dict[str, Any]:
        self._schedule(job)
        self._arm()
        due = job["state"].get("nextRunAtMs")
        self._tell({"jobId": job["id"], "action": action, **({} if due is None else {"nextRunAtMs": due})})
        return jobs.shown(job)

    def _gone(self, job_id: str) -> None:
        self._due.pop(job_id, None)
        self._unreadable.discard(job_id)
        self._arm()
        self._tell({"jobId": job_id, "action": "removed"})

    def _tell(self, event: Mapping[str, Any]) -> None:
        self.publish("cron", event, drop_if_slow=True)

    # -- time ---------------------------------------------------------------------------------------------------------

    def _schedule(self, job: Record) -> None:
        due = jobs.next_run_ms(job)
        self._due[job["id"]] = due
        if due is not None:
            heapq.heappush(self._heap, (due, job["id"]))
        if len(self._heap) > 2 * len(self._due) + BATCH:
            self._heap = [(due, job_id) for job_id, due in self._due.items() if due is not None]
            heapq.heapify(self._heap)

    def _next(self) -> int | None:
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def _arm(self) -> None:
        """
        Set the one timer.
        """
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
        due = self._next()
        if due is None or self._paused or self._taking or not self._loaded or not self.enabled():
            return
        now = self.clock.seconds()
        # Rounded up: whole milliseconds are never later than the clock.
        delay = max(0.0, (due - millis(self.clock)) / 1000, self._not_before - now)
        self._timer = self.clock.callLater(min(delay, LONGEST), lambda: self._begin(self._wake()))

    async def _wake(self) -> None:
        now = millis(self.clock)
        due: list[tuple[str, str]] = []
        while len(due) < BATCH and (first := self._next()) is not None and first <= now:
            due.append((heapq.heappop(self._heap)[1], self.make_id()))
        if not due:
            # The timer has waited as long as it does, or is early by less than a millisecond.
            self._arm()
            return
        self._taking = True
        try:
            taken = await self.store.write(lambda unit: records.take_all(unit, due, now, self.zone))
        except CancelledError:
            raise
        except Exception:
            self._log.failure("Jobs that are due could not be handed out; it is tried again.")
            self._not_before = self.clock.seconds() + AGAIN
            for job_id, _ in due:
                heapq.heappush(self._heap, (self._due.get(job_id) or now, job_id))
            return
        finally:
            self._taking = False
            self._arm()
        for job, claim in taken:
            if job["id"] in self._due:
                self._schedule(job)
            if claim is not None:
                self._begin(self._run(job, claim))
        self._arm()

    # -- runs ---------------------------------------------------------------------------------------------------------

    def _begin(self, work: Any) -> Deferred[None]:
        """
        Let something go on by itself, and keep it until it has ended.
        """
        task: Deferred[None] = Deferred.fromCoroutine(work)
        self._tasks.append(task)

        def ended(result: Any) -> None:
            self._tasks.remove(task)
            if isinstance(result, Failure) and not result.check(CancelledError, RuntimeStopped):
                self._log.failure("The scheduler failed.", result)

        return task.addBoth(ended)

    async def _run(self, job: Record, claim: Claim) -> None:
        started_ms = millis(self.clock)

        def started() -> None:
            nonlocal started_ms
            started_ms = millis(self.clock)
            self._tell({"jobId": job["id"], "action": "started", "runAtMs": started_ms})

        try:
            result = await self.work(job, claim, started)
        except (CancelledError, RuntimeStopped):
            raise
        except Exception as error:
            self._log.failure("The cron job {id} failed.", id=job["id"])
            result = Result(status="error", error=f"{type(error).__name__}: {error}")
        await self._finish(job["id"], claim, result, started_ms)

    async def _finish(self, job_id: str, claim: Claim, result: Result, started_ms: int) -> None:
        now = millis(self.clock)

        ended = await self.store.write(
            lambda unit: records.finish(unit, job_id, claim, result, started_ms, now, self.zone)
        )
        if ended.job is not None:
            self._schedule(ended.job)
            self._arm()
        self._tell({name: value for name, value in ended.line.items() if name != "ts"})
        if ended.removed:
            self._gone(job_id)
