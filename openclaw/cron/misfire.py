"""
What becomes of due times at which nobody was there: the gateway was down, the machine slept, or the job itself took
longer than its interval.

========  ==================================================================================
policy    missed due times
========  ==================================================================================
``skip``  are left out; one that is not later than a minute still counts
``once``  make one run together
``all``   make a run each, one after the other, as far as they lie within the last 24 hours
========  ==================================================================================

A job that says nothing has ``once`` if it runs at one certain time, else ``skip``, as the reference does it. Every due
time is handed out at most once: the one after it is durable before a run begins.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any, Final, Literal

from attrs import frozen

from openclaw.clock import MACHINE_ZONE
from openclaw.cron.schedule import next_after

Policy = Literal["skip", "once", "all"]

GRACE_MS: Final = 60_000
WINDOW_MS: Final = 24 * 3_600_000


@frozen(kw_only=True)
class Plan:
    """
    What to do with a job whose time has come.

    :ivar due_ms: the due time to run for; ``None`` if it is left out.
    :ivar next_ms: the due time after it, which may be over as well; ``None`` if there is none.
    """

    due_ms: int | None
    next_ms: int | None


def policy_of(job: Mapping[str, Any]) -> Policy:
    """
    The policy of a job.
    """
    policy: Policy | None = job.get("misfire")
    return policy or ("once" if job["schedule"]["kind"] == "at" else "skip")


def plan(job: Mapping[str, Any], due_ms: int, now_ms: int, zone: tzinfo = MACHINE_ZONE) -> Plan:
    """
    :param due_ms: the job's next due time, which is not later than ``now_ms``.
    """
    schedule, created_ms = job["schedule"], job["createdAtMs"]

    def after(moment_ms: int) -> int | None:
        return next_after(schedule, moment_ms, created_ms=created_ms, zone=zone)

    policy = policy_of(job)
    span_ms = {"skip": GRACE_MS, "all": WINDOW_MS}.get(policy)
    first = due_ms if span_ms is None or due_ms >= now_ms - span_ms else after(now_ms - span_ms - 1)
    if first is None or first > now_ms:
        return Plan(due_ms=None, next_ms=first)
    return Plan(due_ms=first, next_ms=after(first if policy == "all" else now_ms))
