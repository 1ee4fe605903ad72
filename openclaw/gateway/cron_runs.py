"""
What a scheduled job does when its time has come: it tells the main session something, or has an agent take a turn in a
session of its own (``methods.md`` 16.8).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from openclaw.agent.heartbeat import OK
from openclaw.agent.lanes import Lane, lane_limit
from openclaw.agent.outcomes import last_text
from openclaw.agent.types import Agents, Inbound, Outcome
from openclaw.clock import MACHINE_ZONE
from openclaw.config.model import Config
from openclaw.cron.errors import CronRefused
from openclaw.cron.jobs import MAX_SUMMARY, Claim, Record, Result, Status
from openclaw.cron.schedule import zone_of
from openclaw.gateway.heartbeats import HeartbeatService
from openclaw.methods.agents import agent_exists
from openclaw.methods.delivery import DEFAULT_CHANNEL, LAST, WEBCHAT
from openclaw.sessions.keys import default_agent, main_session_key, normalize_agent_id
from openclaw.store.interfaces import Store

MAX_POSTED = 8000

#: The longest time that a turn may be given.
MAX_SECONDS = 10**7


@define(kw_only=True, eq=False, repr=False)
class CronRunner:
    """
    Runs jobs. Those with a session of their own wait for each other (``cron.maxConcurrentRuns``).
    """

    store: Store
    config: Callable[[], Config]
    clock: IReactorTime
    agents: Agents
    heartbeats: HeartbeatService
    _lane: Lane = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._lane = Lane(lambda: lane_limit(self.config(), "cron"))

    def run(self, job: Record, claim: Claim, started: Callable[[], None]) -> Deferred[Result]:
        """
        See ``openclaw.gateway.cron.Work``.
        """
        work = self._main(job, started) if job["sessionTarget"] == "main" else self._isolated(job, claim, started)
        return Deferred.fromCoroutine(work)

    def _agent(self, job: Record) -> str:
        config = self.config()
        agent_id = normalize_agent_id(job["agentId"]) if job.get("agentId") else default_agent(config)
        # An agent that was taken out of the configuration leaves its jobs to the default one.
        return agent_id if agent_exists(config, agent_id) else default_agent(config)

    async def _main(self, job: Record, started: Callable[[], None]) -> Result:
        started()
        agent_id, text = self._agent(job), job["payload"]["text"]
        summary = text[:MAX_SUMMARY]
        if not text.strip():
            return Result(status="skipped", error="main job requires non-empty systemEvent text")
        self.agents.note(main_session_key(self.config(), agent_id), text)
        reason = f"cron:{job['id']}"
        if job["wakeMode"] != "now":
            self.heartbeats.request(agent_id, reason)
            return Result(status="ok", summary=summary)
        beat = await self.heartbeats.beat_now(agent_id, reason)
        statuses: dict[str, Status] = {"ran": "ok", "failed": "error"}
        return Result(status=statuses.get(beat.status, "skipped"), error=beat.reason, summary=summary)

    async def _isolated(self, job: Record, claim: Claim, started: Callable[[], None]) -> Result:
        slot = await self._lane.acquire()
        try:
            started()
            agent_id = self._agent(job)
            key = f"agent:{agent_id}:cron:{job['id']}"
            payload = job["payload"]
            seconds = payload.get("timeoutSeconds")
            await self.agents.submit(
                Inbound(
                    run_id=claim.run_id,
                    session_key=key,
                    shown_key=key,
                    session_id=claim.run_id,
                    origin="cron",
                    dedupe_key=f"cron:{claim.run_id}",
                    message=self._prompt(job),
                    thinking=payload.get("thinking"),
                    model=payload.get("model"),
                    timeout=None if seconds is None else timedelta(seconds=min(seconds, MAX_SECONDS)),
                    lane="cron",
                )
            )
            result, text = await self._outcome(job, await self.agents.outcome(claim.run_id), agent_id)
        finally:
            slot.release()
        self._post(job, agent_id, result, text)
        return result

    def _prompt(self, job: Record) -> str:
        now, zone = told_now(self.clock.seconds(), self.config())
        return f"[cron:{job['id']} {job['name']}] {job['payload']['message']}\nCurrent time: {now} ({zone})"

    async def _outcome(self, job: Record, outcome: Outcome, agent_id: str) -> tuple[Result, str]:
        if outcome.status != "ok":
            why = outcome.summary.removeprefix("Error: ")
            return Result(status="error", error=why, final=outcome.status == "aborted"), ""
        text = last_text(outcome)
        summary = text[:MAX_SUMMARY] or None
        why_not = await self._undelivered(job, text, agent_id)
        if why_not is not None:
            # The turn itself was taken; doing it again would mend nothing.
            return Result(status="error", error=why_not, summary=summary, final=True), text
        return Result(status="ok", summary=summary), text

    async def _undelivered(self, job: Record, text: str, agent_id: str) -> str | None:
        """
        Deliver an answer as the job asks. No channel can do it yet.

        :return: why that was not possible; ``None`` if nobody asked for it, or nobody has to know.
        """
        payload = job["payload"]
        deliver = payload.get("deliver")
        wanted = deliver is True or (deliver is None and bool((payload.get("to") or "").strip()))
        if not wanted or payload.get("bestEffortDeliver") or not text.strip() or text.strip() == OK:
            return None
        channel = payload.get("channel") or LAST
        if channel == LAST:
            key = main_session_key(self.config(), agent_id)
            session = await self.store.read(lambda unit: unit.sessions.get(key))
            channel = (session.members.get("lastChannel") if session is not None else None) or WEBCHAT
            if channel == WEBCHAT:
                channel = DEFAULT_CHANNEL
        return f"Unknown channel: {channel}"

    def _post(self, job: Record, agent_id: str, result: Result, text: str) -> None:
        """
        Tell the main session what came of a job, and wake it if the job says so.
        """
        isolation: dict[str, Any] = job.get("isolation") or {}
        prefix = (isolation.get("postToMainPrefix") or "").strip() or "Cron"
        body = result.summary or result.error or result.status
        if isolation.get("postToMainMode") == "full" and text.strip():
            most = isolation.get("postToMainMaxChars")
            body = text[: MAX_POSTED if most is None else int(most)]
        lead = prefix if result.status == "ok" else f"{prefix} ({result.status})"
        self.agents.note(main_session_key(self.config(), agent_id), f"{lead}: {body}")
        if job["wakeMode"] == "now":
            self.heartbeats.request(agent_id, f"cron:{job['id']}")


def told_now(moment: float, config: Config) -> tuple[str, str]:
    """
    A moment as prompts say it, in the user's zone: ``Monday, November 23rd, 2026 — 6:32 AM`` and ``UTC``.

    :param moment: seconds since the epoch.
    """
    defaults = config.agents.defaults
    try:
        zone = zone_of(defaults.user_timezone)
    except CronRefused:
        zone = MACHINE_ZONE
    return told_time(moment, zone, hours=24 if defaults.time_format == "24" else 12)


def told_time(moment: float, zone: tzinfo, *, hours: int) -> tuple[str, str]:
    """
    The same in a given zone.

    :param hours: of the clock, 12 or 24.
    """
    local = datetime.fromtimestamp(moment, zone)
    endings = {1: "st", 2: "nd", 3: "rd"}
    ending = "th" if 10 < local.day < 14 else endings.get(local.day % 10, "th")
    clock = (
        f"{local:%H:%M}" if hours == 24 else f"{local.hour % 12 or 12}:{local:%M} {'AM' if local.hour < 12 else 'PM'}"
    )
    name = getattr(zone, "key", None) or local.tzname() or ""
    return f"{local:%A, %B} {local.day}{ending}, {local.year} — {clock}", name
