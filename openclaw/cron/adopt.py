"""
Jobs as a start finds them: some were written by other versions, or by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

from openclaw.clock import MACHINE_ZONE
from openclaw.cron.errors import CronRefused
from openclaw.cron.jobs import PRIVATE, Record, claim_of, first_due, shown
from openclaw.cron.normalize import normalize_add
from openclaw.cron.schedule import check_schedule
from openclaw.protocol.cron import CronJobView
from openclaw.protocol.validate import violations


def adopt(record: Record, now_ms: int, zone: tzinfo = MACHINE_ZONE) -> dict[str, Any] | None:
    """
    A job that can be scheduled, of what the store has.

    One without ``enabled`` is on if ``cron.add`` made it, which lost the member: then it has a ``state``. A run that is
    under way by the record and that we know nothing of belongs to a process that is gone.

    :return: ``None`` if it cannot be read.
    """
    if (
        PRIVATE not in record
        and violations(CronJobView, shown(record)) is None
        and "runningAtMs" not in record["state"]
    ):
        job = {**record, "state": dict(record["state"])}
    else:
        job = _repaired(record)
        if violations(CronJobView, shown(job)) is not None:
            return None
    try:
        if claim_of(job) is None and job["enabled"] and "nextRunAtMs" not in job["state"]:
            due = first_due(job, now_ms, zone)
            if due is not None:
                job["state"] = {"nextRunAtMs": due, **job["state"]}
        check_schedule(job["schedule"], now_ms)
    except CronRefused:
        # It is told, and never due.
        job["state"] = {name: value for name, value in job["state"].items() if name != "nextRunAtMs"}
    return job


def _repaired(record: Record) -> dict[str, Any]:
    job: dict[str, Any] = normalize_add(record)
    state = record.get("state")
    job.setdefault("enabled", isinstance(state, Mapping))
    job["state"] = dict(state) if isinstance(state, Mapping) else {}
    try:
        claim = claim_of(job)
    except (KeyError, TypeError, AttributeError):
        job.pop(PRIVATE)
        claim = None
    if claim is None:
        job["state"].pop("runningAtMs", None)
    for name, other in (("updatedAtMs", "createdAtMs"), ("createdAtMs", "updatedAtMs")):
        if name not in job and other in job:
            job[name] = job[other]
    return job
