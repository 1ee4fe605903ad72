"""
The record of a job: a JSON object in the form of ``CronJob``, and beside it ``scheduler``, which is ours alone and says
which run is under way. Functions give new records and change none.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any, Final, Literal

from attrs import frozen

from openclaw.clock import MACHINE_ZONE
from openclaw.cron.errors import refuse
from openclaw.cron.misfire import plan
from openclaw.cron.schedule import MAX_MS, check_schedule, next_after

Record = Mapping[str, Any]
Status = Literal["ok", "error", "skipped"]

#: The one member that nobody is shown.
PRIVATE: Final = "scheduler"

#: How often a job for one certain time is tried again after an error, and how long before the first time.
RETRIES: Final = 3
RETRY_MS: Final = 30_000

MAX_SUMMARY: Final = 2000

#: Members in the order in which they are told.
_ORDER: Final = (
    "id",
    "agentId",
    "name",
    "description",
    "enabled",
    "deleteAfterRun",
    "createdAtMs",
    "updatedAtMs",
    "schedule",
    "sessionTarget",
    "wakeMode",
    "payload",
    "isolation",
    "misfire",
    "state",
)
_FINISHED: Final = ("ok", "skipped")


@frozen(kw_only=True)
class Claim:
    """
    A run that a job has been given. It stands in the record until the run has ended.

    :ivar run_id: also the id of the session of a run in one of its own.
    :ivar due_ms: the due time it is for.
    :ivar at_ms: when it was given.
    :ivar forced: somebody asked for it; it is not for a due time.
    """

    run_id: str
    due_ms: int
    at_ms: int
    forced: bool = False


@frozen(kw_only=True)
class Result:
    """
    How a run ended.

    :ivar final: an error that trying again would not mend.
    """

    status: Status
    error: str | None = None
    summary: str | None = None
    final: bool = False


def shown(record: Record) -> dict[str, Any]:
    """
    A job as clients see it.
    """
    return {name: record[name] for name in _ORDER if name in record}


def next_run_ms(record: Record) -> int | None:
    """
    When the job is due; ``None`` while a run is under way and for jobs that are off.
    """
    if not record.get("enabled") or claim_of(record) is not None:
        return None
    due: int | None = record["state"].get("nextRunAtMs")
    return due


def claim_of(record: Record) -> Claim | None:
    """
    The run that is under way.
    """
    claim = record.get(PRIVATE, {}).get("claim")
    if claim is None:
        return None
    return Claim(run_id=claim["runId"], due_ms=claim["dueAtMs"], at_ms=claim["atMs"], forced=claim.get("forced", False))


# -- making and changing ----------------------------------------------------------------------------------------------


def make_job(params: Record, job_id: str, now_ms: int, zone: tzinfo = MACHINE_ZONE) -> dict[str, Any]:
    """
    :param params: valid parameters of ``cron.add``.
    :raise CronRefused: they make no sense together.
    """
    given = {name: value for name, value in params.items() if value is not None}
    job = {
        **given,
        "id": job_id,
        "enabled": given.get("enabled", True),
        "createdAtMs": now_ms,
        "updatedAtMs": now_ms,
        "state": {},
    }
    return _rescheduled(_checked(job, now_ms), now_ms, zone)


def patch_job(record: Record, patch: Record, now_ms: int, zone: tzinfo = MACHINE_ZONE) -> dict[str, Any]:
    """
    :param patch: a valid patch.
    :raise CronRefused: what comes of it makes no sense; nothing is changed then.
    """
    job = dict(record)
    changes = {name: value for name, value in patch.items() if name not in ("payload", "state", "agentId")}
    job |= {name: value for name, value in changes.items() if value is not None}
    if "agentId" in patch:
        job.pop("agentId", None)
        if patch["agentId"] is not None:
            job["agentId"] = patch["agentId"]
    if patch.get("payload") is not None:
        job["payload"] = _patched_payload(record["payload"], patch["payload"])
    if patch.get("state") is not None:
        job["state"] = {**record["state"], **{k: v for k, v in patch["state"].items() if v is not None}}
    job["updatedAtMs"] = now_ms
    job = _checked(job, now_ms)
    changed = job["schedule"] != record["schedule"]
    if not job["enabled"]:
        return {**job, "state": _without(job["state"], "nextRunAtMs", "runningAtMs")}
    if changed or not record.get("enabled") or "nextRunAtMs" not in job["state"]:
        if changed and job["schedule"]["kind"] == "at":
            # Another time is another chance.
            job = {**job, PRIVATE: _without(job.get(PRIVATE, {}), "attempt")}
        return _rescheduled(job, now_ms, zone)
    return job


def _patched_payload(old: Record, patch: Record) -> dict[str, Any]:
    given = {name: value for name, value in patch.items() if value is not None}
    if patch["kind"] == old["kind"]:
        return {**old, **given}
    needed = "text" if patch["kind"] == "systemEvent" else "message"
    if needed not in given:
        raise refuse(f'cron.update payload.kind="{patch["kind"]}" requires {needed}')
    return given


def _checked(job: dict[str, Any], now_ms: int) -> dict[str, Any]:
    name = job["name"].strip()
    if not name:
        raise refuse("cron job name is required")
    target, kind = job["sessionTarget"], job["payload"]["kind"]
    if target == "main" and kind != "systemEvent":
        raise refuse('main cron jobs require payload.kind="systemEvent"')
    if target == "isolated" and kind != "agentTurn":
        raise refuse('isolated cron jobs require payload.kind="agentTurn"')
    if job["enabled"]:
        check_schedule(job["schedule"], now_ms)
    job["name"] = name
    if "description" in job and not job["description"].strip():
        del job["description"]
    return job


def _rescheduled(job: dict[str, Any], now_ms: int, zone: tzinfo) -> dict[str, Any]:
    """
    With its next due time reckoned anew.
    """
    state = _without(job["state"], "nextRunAtMs")
    due = first_due(job, now_ms, zone) if job["enabled"] else None
    return {**job, "state": state if due is None else {"nextRunAtMs": due, **state}}


def first_due(job: Record, now_ms: int, zone: tzinfo = MACHINE_ZONE) -> int | None:
    """
    When a job is due that has no due time yet. One for a certain time is due until it has run, also when that is over.
    """
    schedule, state = job["schedule"], job["state"]
    if schedule["kind"] == "at":
        at_ms = min(int(schedule["atMs"]), MAX_MS)
        done = state.get("lastStatus") in _FINISHED and state.get("lastRunAtMs", 0) >= at_ms
        return None if done else at_ms
    return next_after(schedule, now_ms, created_ms=job["createdAtMs"], zone=zone)


# -- running ----------------------------------------------------------------------------------------------------------


def take(record: Record, now_ms: int, run_id: str, zone: tzinfo = MACHINE_ZONE) -> tuple[dict[str, Any], Claim | None]:
    """
    Give a job the run for its due time, or leave the due time out, as its policy says.

    :return: its record with the due time after that one, and the run; no run if it is not due (any more).
    """
    due = next_run_ms(record)
    if due is None or due > now_ms:
        return dict(record), None
    planned = plan(record, due, now_ms, zone)
    state = _without(record["state"], "nextRunAtMs")
    if planned.next_ms is not None:
        state = {"nextRunAtMs": planned.next_ms, **state}
    job = {**record, "state": state}
    if planned.due_ms is not None:
        return _claimed(job, Claim(run_id=run_id, due_ms=planned.due_ms, at_ms=now_ms))
    if record["schedule"]["kind"] == "at":
        # It is over for good.
        job["enabled"] = False
        job["state"] = {**state, "lastStatus": "skipped", "lastError": "missed"}
    return job, None


def force(record: Record, now_ms: int, run_id: str) -> tuple[dict[str, Any], Claim | None]:
    """
    Give a job a run out of turn, unless one is under way.
    """
    if claim_of(record) is not None:
        return dict(record), None
    return _claimed(dict(record), Claim(run_id=run_id, due_ms=now_ms, at_ms=now_ms, forced=True))


def _claimed(job: dict[str, Any], claim: Claim) -> tuple[dict[str, Any], Claim]:
    told = {"runId": claim.run_id, "dueAtMs": claim.due_ms, "atMs": claim.at_ms}
    if claim.forced:
        told["forced"] = True
    private = {**job.get(PRIVATE, {}), "claim": told}
    return {**job, "state": {**job["state"], "runningAtMs": claim.at_ms}, PRIVATE: private}, claim


def finish(
    record: Record, claim: Claim, result: Result, *, started_ms: int, now_ms: int, zone: tzinfo = MACHINE_ZONE
) -> dict[str, Any] | None:
    """
    A job after its run.

    :return: ``None`` if it is to be removed.
    """
    state = _without(record["state"], "runningAtMs", "lastError")
    state |= {"lastRunAtMs": started_ms, "lastStatus": result.status, "lastDurationMs": max(0, now_ms - started_ms)}
    if result.error is not None:
        state["lastError"] = result.error
    private = _without(record.get(PRIVATE, {}), "claim", "attempt")
    job: dict[str, Any] = {**_without(record, PRIVATE), "state": state}
    if record["schedule"]["kind"] == "at":
        if result.status in _FINISHED and job.get("deleteAfterRun"):
            return None
        if result.status in _FINISHED:
            job |= {"enabled": False, "state": _without(state, "nextRunAtMs")}
        elif not claim.forced:
            attempt = record.get(PRIVATE, {}).get("attempt", 0)
            if result.final or attempt >= RETRIES:
                job |= {"enabled": False, "state": _without(state, "nextRunAtMs")}
            else:
                private["attempt"] = attempt + 1
                job["state"] = {**state, "nextRunAtMs": now_ms + RETRY_MS * 2**attempt}
    elif job["enabled"] and "nextRunAtMs" not in state:
        job = _rescheduled(job, now_ms, zone)
    return {**job, PRIVATE: private} if private else job


def log_line(job_id: str, record: Record | None, result: Result, *, started_ms: int, now_ms: int) -> dict[str, Any]:
    """
    What the run log keeps of a run, and the event ``cron`` tells.

    :param record: after the run; ``None`` if it is gone.
    """
    due = None if record is None or not record.get("enabled") else record["state"].get("nextRunAtMs")
    return {
        "ts": now_ms,
        "jobId": job_id,
        "action": "finished",
        "status": result.status,
        **({} if result.error is None else {"error": result.error}),
        **({} if result.summary is None else {"summary": result.summary}),
        "runAtMs": started_ms,
        "durationMs": max(0, now_ms - started_ms),
        **({} if due is None else {"nextRunAtMs": due}),
    }


def _without(value: Record, *names: str) -> dict[str, Any]:
    return {name: item for name, item in value.items() if name not in names}
