"""
Heartbeats as they run (``agent.md`` 23): one timer for the agent that is next, and wakes by whoever has something to
tell an agent. Every heartbeat is a run like any other, with the origin ``heartbeat``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Literal

from attrs import define, field, frozen
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, DeferredList
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from openclaw.agent.errors import RuntimeStopped
from openclaw.agent.heartbeat import TASKS, Heartbeat, has_tasks, heartbeat_of, heartbeats, is_active, judge
from openclaw.agent.outcomes import last_text
from openclaw.agent.types import Agents, Inbound, Outcome, Publish
from openclaw.clock import millis
from openclaw.config.model import Config
from openclaw.gateway.heartbeat_switch import HeartbeatSwitch
from openclaw.store.interfaces import Session, Store

#: Wakes within this span are one.
GATHER: Final = timedelta(milliseconds=250)

#: How soon a wake looks again while the session is busy, and a job that waits for its heartbeat.
BUSY: Final = timedelta(seconds=1)
BUSY_JOB: Final = timedelta(milliseconds=250)

#: How long a job waits for a busy session.
PATIENCE: Final = timedelta(seconds=120)

INTERVAL: Final = "interval"
MAX_PREVIEW: Final = 200
DAY_MS: Final = 86_400_000
#: The longest time that the timer waits, in seconds; then it looks again.
LONGEST: Final = 86_400.0


@frozen(kw_only=True)
class Beat:
    """
    What became of one heartbeat.

    :ivar reason: why it did not run, or failed.
    """

    status: Literal["ran", "skipped", "busy", "failed"]
    reason: str | None = None


@define(kw_only=True, eq=False, repr=False)
class HeartbeatService(Service):
    """
    Implements ``openclaw.methods.context.Heartbeats``.

    :ivar workspace_of: the workspace of an agent.
    :ivar in_thread: runs what waits for the disk.
    """

    _log = Logger()
    switch: HeartbeatSwitch
    store: Store
    config: Callable[[], Config]
    clock: IReactorTime
    agents: Agents
    publish: Publish
    make_id: Callable[[], str]
    workspace_of: Callable[[str], Path]
    in_thread: Callable[..., Deferred[Any]]
    _due: dict[str, tuple[int, float]] = field(factory=dict, init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)
    _wanted: dict[str, str] = field(factory=dict, init=False)
    _gathering: IDelayedCall | None = field(default=None, init=False)
    _beating: set[str] = field(factory=set, init=False)
    _tasks: list[Deferred[Any]] = field(factory=list, init=False)
    _paused: bool = field(default=True, init=False)

    # -- service ------------------------------------------------------------------------------------------------------

    def startService(self) -> None:
        super().startService()
        self._paused = False
        self.reconfigured()

    def pause(self) -> None:
        """
        Begin no more heartbeats.
        """
        self._paused = True
        for call in (self._timer, self._gathering):
            if call is not None and call.active():
                call.cancel()

    def stopService(self) -> Deferred[Any]:
        """
        :return: fires when nothing of it is left.
        """
        super().stopService()
        self.pause()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        return DeferredList(tasks, consumeErrors=True)

    def reconfigured(self) -> None:
        """
        The configuration has changed: an agent whose interval is another one begins it now.
        """
        now, due = self.clock.seconds(), {}
        for one in heartbeats(self.config()):
            every = one.every_ms or 0
            known = self._due.get(one.agent_id)
            due[one.agent_id] = known if known is not None and known[0] == every else (every, now + every / 1000)
        self._due = due
        self._arm()

    # -- Heartbeats ---------------------------------------------------------------------------------------------------

    def last(self) -> Mapping[str, Any] | None:
        """
        The last ``heartbeat`` event.
        """
        return self.switch.last

    def enable(self, enabled: bool) -> None:
        """
        Let heartbeats run, or none.
        """
        self.switch.enabled = enabled

    def request(self, agent_id: str, reason: str) -> None:
        """
        Wake an agent in a moment; wakes that come together are one.
        """
        self._want(agent_id, reason, GATHER)

    async def beat_now(self, agent_id: str, reason: str) -> Beat:
        """
        Wake an agent, and wait for what comes of it.
        """
        end = self.clock.seconds() + PATIENCE.total_seconds()
        while True:
            beat = await self._beat(agent_id, reason)
            if beat.status != "busy" or self.clock.seconds() >= end:
                return beat
            await deferLater(self.clock, BUSY_JOB.total_seconds())

    # -- time ---------------------------------------------------------------------------------------------------------

    def _arm(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
        if self._due and not self._paused:
            delay = min(due for _, due in self._due.values()) - self.clock.seconds()
            self._timer = self.clock.callLater(min(max(0.0, delay), LONGEST), self._interval_over)

    def _interval_over(self) -> None:
        now = self.clock.seconds()
        for agent_id, (every, due) in self._due.items():
            if due <= now:
                self._due[agent_id] = (every, now + every / 1000)
                self._want(agent_id, INTERVAL, timedelta())
        self._arm()

    def _want(self, agent_id: str, reason: str, delay: timedelta) -> None:
        if self._paused:
            return
        if reason != INTERVAL or agent_id not in self._wanted:
            self._wanted[agent_id] = reason
        if self._gathering is None or not self._gathering.active():
            self._gathering = self.clock.callLater(delay.total_seconds(), self._gathered)

    def _gathered(self) -> None:
        wanted, self._wanted = self._wanted, {}
        for agent_id, reason in wanted.items():
            self._keep(self._woken(agent_id, reason))

    def _keep(self, work: Any) -> None:
        task: Deferred[Any] = Deferred.fromCoroutine(work)
        self._tasks.append(task)

        def ended(result: Any) -> None:
            self._tasks.remove(task)
            if isinstance(result, Failure) and not result.check(CancelledError):
                self._log.failure("A heartbeat failed.", result)

        task.addBoth(ended)

    async def _woken(self, agent_id: str, reason: str) -> None:
        beat = await self._beat(agent_id, reason)
        if beat.status == "busy":
            self._want(agent_id, reason, BUSY)

    # -- one heartbeat ------------------------------------------------------------------------------------------------

    async def _beat(self, agent_id: str, reason: str) -> Beat:
        config = self.config()
        heartbeat = heartbeat_of(config, agent_id)
        if not self.switch.enabled or heartbeat.every_ms is None:
            return Beat(status="skipped", reason="disabled")
        if not is_active(heartbeat.active_hours, self.clock.seconds(), config.agents.defaults.user_timezone):
            return Beat(status="skipped", reason="quiet-hours")
        key = heartbeat.session_key(config)
        if agent_id in self._beating or self.agents.active(key):
            return Beat(status="busy", reason="requests-in-flight")
        self._beating.add(agent_id)
        try:
            return await self._run(heartbeat, key, reason)
        except RuntimeStopped:
            return Beat(status="skipped", reason="gateway-stopping")
        finally:
            self._beating.discard(agent_id)

    async def _run(self, heartbeat: Heartbeat, key: str, reason: str) -> Beat:
        began = millis(self.clock)
        # Whoever wakes an agent has something to tell it; only the interval alone may find that there is nothing to do.
        if reason == INTERVAL and not self.agents.notes(key):
            tasks = await self.in_thread(_read, self.workspace_of(heartbeat.agent_id) / TASKS)
            if tasks is not None and not has_tasks(tasks):
                self._tell("skipped", began, reason="empty-heartbeat-file")
                return Beat(status="skipped", reason="empty-heartbeat-file")
        run_id = self.make_id()
        await self.agents.submit(
            Inbound(
                run_id=run_id,
                session_key=key,
                shown_key=key,
                origin="heartbeat",
                dedupe_key=f"heartbeat:{run_id}",
                message=heartbeat.prompt,
                model=heartbeat.model,
            )
        )
        outcome = await self.agents.outcome(run_id)
        if outcome.status != "ok":
            self._tell("failed", began, reason=outcome.summary, indicatorType="error")
            return Beat(status="failed", reason=outcome.summary)
        await self._answered(heartbeat, key, reason, outcome, began)
        return Beat(status="ran")

    async def _answered(self, heartbeat: Heartbeat, key: str, reason: str, outcome: Outcome, began: int) -> None:
        kind, text = judge(last_text(outcome), heartbeat.ack_max_chars)
        if kind != "text":
            status = "ok-token" if kind == "token" else "ok-empty"
            self._tell(status, began, reason=reason, silent=True, indicatorType="ok")
            return
        session = await self.store.read(lambda unit: unit.sessions.get(key))
        told = {"preview": text[:MAX_PREVIEW], "hasMedia": False}
        if session is not None and _is_repeated(session, text, millis(self.clock)):
            self._tell("skipped", began, reason="duplicate", **told)
            return
        # No channel can take it yet; whoever is connected has seen the run.
        why = "target-none" if heartbeat.target.strip().lower() == "none" else "no-target"
        self._tell("skipped", began, reason=why, **told)

    def _tell(self, status: str, began: int, *, reason: str | None = None, **members: Any) -> None:
        now = millis(self.clock)
        event = {"ts": now, "status": status, "reason": reason, "durationMs": now - began, **members}
        self.switch.last = event
        self.publish("heartbeat", event, drop_if_slow=True)


def _is_repeated(session: Session, text: str, now_ms: int) -> bool:
    """
    Whether the last heartbeat that was sent said the same, not long ago.
    """
    sent_at = session.members.get("lastHeartbeatSentAt")
    fresh = isinstance(sent_at, int | float) and now_ms - sent_at < DAY_MS
    return fresh and str(session.members.get("lastHeartbeatText", "")).strip() == text


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
