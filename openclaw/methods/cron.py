"""
``cron.*`` and ``wake`` (``methods.md`` 16).
"""

from __future__ import annotations

from typing import Any

from openclaw.cron.normalize import normalize_add, normalize_update
from openclaw.methods.authorise import READ, WRITE
from openclaw.methods.context import MethodContext
from openclaw.methods.mapping import invalid
from openclaw.methods.table import MethodTable
from openclaw.protocol.calls import Done
from openclaw.protocol.convert import unstructure
from openclaw.protocol.cron import (
    CronAddRequest,
    CronJobs,
    CronJobView,
    CronListParams,
    CronRan,
    CronRemoved,
    CronRemoveParams,
    CronRunParams,
    CronRuns,
    CronRunsParams,
    CronStatus,
    CronStatusParams,
    CronUpdateRequest,
    WakeParams,
)
from openclaw.sessions.keys import default_agent, main_session_key

RUNS = 200

methods = MethodTable()


@methods.method("cron.list", CronListParams, result=CronJobs, scope=READ)
async def list_jobs(context: MethodContext, params: CronListParams) -> dict[str, Any]:
    """
    The jobs by their next due time; those that are off only on request.
    """
    await context.ready()
    return {"jobs": await context.cron.listing(disabled=bool(params.include_disabled))}


@methods.method("cron.status", CronStatusParams, result=CronStatus, scope=READ)
async def status(context: MethodContext, params: CronStatusParams) -> dict[str, Any]:
    """
    Whether jobs run by themselves, how many there are, and when the next one is due.
    """
    await context.ready()
    return await context.cron.status()


@methods.method("cron.add", CronAddRequest, result=CronJobView, durable=True, prepare=normalize_add)
async def add(context: MethodContext, params: CronAddRequest) -> dict[str, Any]:
    """
    Make a job.

    :raise CronRefused: it makes no sense.
    """
    await context.ready()
    return await context.cron.add(unstructure(params))


@methods.method("cron.update", CronUpdateRequest, result=CronJobView, durable=True, prepare=normalize_update)
async def update(context: MethodContext, params: CronUpdateRequest) -> dict[str, Any]:
    """
    Change a job. Of a change that is refused nothing is kept.

    :raise CronRefused: there is no such job, or what comes of it makes no sense.
    """
    await context.ready()
    return await context.cron.update(job_id(params), unstructure(params.patch))


@methods.method("cron.remove", CronRemoveParams, result=CronRemoved, durable=True)
async def remove(context: MethodContext, params: CronRemoveParams) -> dict[str, Any]:
    """
    Remove a job. Its run log stays.
    """
    await context.ready()
    return {"ok": True, "removed": await context.cron.remove(job_id(params))}


@methods.method("cron.run", CronRunParams, result=CronRan, durable=True)
async def run(context: MethodContext, params: CronRunParams) -> dict[str, Any]:
    """
    Run a job now if it is due, or in any case, and answer when it has ended.

    :raise CronRefused: there is no such job.
    """
    await context.ready()
    why_not = await context.cron.run(job_id(params), force=params.mode == "force")
    return {"ok": True, "ran": True} if why_not is None else {"ok": True, "ran": False, "reason": why_not}


@methods.method("cron.runs", CronRunsParams, result=CronRuns, scope=READ)
async def runs(context: MethodContext, params: CronRunsParams) -> dict[str, Any]:
    """
    The latest runs of a job, oldest first.

    :raise Failed: the id is none.
    """
    await context.ready()
    wanted = job_id(params)
    if "/" in wanted or "\\" in wanted:
        # It is no file name for us; the refusal is the same everywhere.
        raise invalid("invalid cron.runs params: id must not contain path separators")
    return {"entries": await context.cron.runs(wanted, params.limit or RUNS)}


def job_id(params: CronUpdateRequest | CronRemoveParams | CronRunParams | CronRunsParams) -> str:
    """
    The id under either of its names.
    """
    return str(params.id or params.job_id)


@methods.method("wake", WakeParams, result=Done, scope=WRITE)
async def wake(context: MethodContext, params: WakeParams) -> dict[str, Any]:
    """
    Tell the default agent something in its main session: with its next heartbeat, or with one right now.
    """
    text = params.text.strip()
    if not text:
        return {"ok": False}
    config = context.config()
    context.agents.note(main_session_key(config), text)
    if params.mode == "now":
        context.heartbeats.request(default_agent(config), "wake")
    return {"ok": True}
