"""
What the scheduler does to the store, each in one transaction. These run on the store's thread: they touch nothing but
their arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from attrs import field, frozen

from openclaw.cron import jobs
from openclaw.cron.adopt import adopt
from openclaw.cron.errors import unknown_job
from openclaw.cron.jobs import PRIVATE, Claim, Record, Result
from openclaw.store.interfaces import Unit


@frozen(kw_only=True)
class Adopted:
    """
    The jobs that a start finds.

    :ivar unreadable: ids of those that cannot be read; they stay where they are.
    :ivar mended: ids of those that did not say whether they are on, and whether they are.
    """

    found: list[Record] = field(factory=list)
    unreadable: list[str] = field(factory=list)
    mended: list[tuple[str, bool]] = field(factory=list)


def adopt_all(unit: Unit, now_ms: int, zone: tzinfo, *, going_on: bool) -> Adopted:
    """
    :param going_on: whether runs that an earlier process began are brought to their end; else they are forgotten.
    """
    adopted = Adopted()
    for job_id, record in unit.cron_jobs.all():
        job = adopt(record, now_ms, zone)
        if job is None or job["id"] != job_id:
            adopted.unreadable.append(job_id)
            continue
        if "enabled" not in record:
            adopted.mended.append((job_id, job["enabled"]))
        if not going_on and PRIVATE in job:
            del job[PRIVATE]
            job["state"] = {name: value for name, value in job["state"].items() if name != "runningAtMs"}
        if job != record:
            unit.cron_jobs.put(job_id, job)
        adopted.found.append(job)
    return adopted


def known(unit: Unit, job_id: str) -> Record:
    """
    :raise CronRefused: there is no such job.
    """
    record = unit.cron_jobs.get(job_id)
    if record is None:
        raise unknown_job(job_id)
    return record


def update(unit: Unit, job_id: str, patch: Record, now_ms: int, zone: tzinfo) -> Record:
    """
    :raise CronRefused: there is no such job, or what comes of it makes no sense.
    """
    job = jobs.patch_job(known(unit, job_id), patch, now_ms, zone)
    unit.cron_jobs.put(job_id, job)
    return job


def take_all(
    unit: Unit, due: Sequence[tuple[str, str]], now_ms: int, zone: tzinfo
) -> list[tuple[Record, Claim | None]]:
    """
    Hand out due times.

    :param due: ids of jobs, each with an id for its run.
    """
    taken: list[tuple[Record, Claim | None]] = []
    for job_id, run_id in due:
        record = unit.cron_jobs.get(job_id)
        if record is not None:
            job, claim = jobs.take(record, now_ms, run_id, zone)
            if job != record:
                unit.cron_jobs.put(job_id, job)
            taken.append((job, claim))
    return taken


def run_now(
    unit: Unit, job_id: str, run_id: str, now_ms: int, zone: tzinfo, *, force: bool
) -> tuple[Record, Claim | None]:
    """
    :raise CronRefused: there is no such job.
    """
    record = known(unit, job_id)
    job, claim = jobs.force(record, now_ms, run_id) if force else jobs.take(record, now_ms, run_id, zone)
    unit.cron_jobs.put(job_id, job)
    return job, claim


@frozen(kw_only=True)
class Ended:
    """
    What stands in the store after a run.

    :ivar job: ``None`` if it is gone.
    :ivar removed: whether it went with this run.
    """

    job: Record | None
    line: Record
    removed: bool


def finish(unit: Unit, job_id: str, claim: Claim, result: Result, started_ms: int, now_ms: int, zone: tzinfo) -> Ended:
    """
    Write down how a run ended.
    """
    job, removed = unit.cron_jobs.get(job_id), False
    if job is not None and jobs.claim_of(job) == claim:
        job = jobs.finish(job, claim, result, started_ms=started_ms, now_ms=now_ms, zone=zone)
        removed = job is None
        if job is None:
            unit.cron_jobs.delete(job_id)
        else:
            unit.cron_jobs.put(job_id, job)
    line = jobs.log_line(job_id, job, result, started_ms=started_ms, now_ms=now_ms)
    unit.cron_runs.append(job_id, now_ms, line)
    return Ended(job=job, line=line, removed=removed)
