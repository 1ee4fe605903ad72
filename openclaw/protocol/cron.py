"""
Scheduled jobs and wake-ups: ``cron.*`` and ``wake``.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from attrs import frozen

from openclaw.protocol.types import ABSENT, Absent, Maximum, Minimum, NonEmptyString, NonNegative, Positive, one_of


@frozen(kw_only=True)
class WakeParams:
    """
    Tell the main session something, now or with the next heartbeat.
    """

    mode: Literal["now", "next-heartbeat"]
    text: NonEmptyString


@frozen(kw_only=True)
class CronScheduleAt:
    """
    Once.

    :ivar at_ms: milliseconds since the epoch.
    """

    kind: Literal["at"]
    at_ms: NonNegative


@frozen(kw_only=True)
class CronScheduleEvery:
    """
    At a fixed interval.

    :ivar anchor_ms: a moment that the series goes through; when the job was made, if missing.
    """

    kind: Literal["every"]
    every_ms: Positive
    anchor_ms: NonNegative | None = None


@frozen(kw_only=True)
class CronScheduleCron:
    """
    By a cron expression.

    :ivar expr: five fields, or six with seconds first.
    :ivar tz: an IANA time zone; that of the host if missing.
    """

    kind: Literal["cron"]
    expr: NonEmptyString
    tz: str | None = None


CronSchedule = CronScheduleAt | CronScheduleEvery | CronScheduleCron


@frozen(kw_only=True)
class CronPayloadSystemEvent:
    """
    Tell the main session something.
    """

    kind: Literal["systemEvent"]
    text: NonEmptyString


@frozen(kw_only=True)
class CronPayloadAgentTurn:
    """
    Have an agent take a turn.

    :ivar deliver: whether the answer is sent to a channel.
    :ivar channel: a channel's id, or where the last message came from.
    :ivar best_effort_deliver: whether a failed delivery still counts as a success of the job.
    """

    kind: Literal["agentTurn"]
    message: NonEmptyString
    model: str | None = None
    thinking: str | None = None
    timeout_seconds: Positive | None = None
    deliver: bool | None = None
    channel: Literal["last"] | NonEmptyString | None = None
    to: str | None = None
    best_effort_deliver: bool | None = None


CronPayload = CronPayloadSystemEvent | CronPayloadAgentTurn


@frozen(kw_only=True)
class CronIsolation:
    """
    What a job in a session of its own reports to the main session.

    :ivar post_to_main_max_chars: of the report, for ``full``.
    """

    post_to_main_prefix: str | None = None
    post_to_main_mode: Literal["summary", "full"] | None = None
    post_to_main_max_chars: NonNegative | None = None


@frozen(kw_only=True)
class CronJobState:
    """
    What happened to a job so far. Times are milliseconds since the epoch.
    """

    next_run_at_ms: NonNegative | None = None
    running_at_ms: NonNegative | None = None
    last_run_at_ms: NonNegative | None = None
    last_status: Literal["ok", "error", "skipped"] | None = None
    last_error: str | None = None
    last_duration_ms: NonNegative | None = None


@frozen(kw_only=True)
class CronJob:
    """
    A job that runs by the clock.
    """

    id: NonEmptyString
    agent_id: NonEmptyString | None = None
    name: NonEmptyString
    description: str | None = None
    enabled: bool
    delete_after_run: bool | None = None
    created_at_ms: NonNegative
    updated_at_ms: NonNegative
    schedule: CronSchedule
    session_target: Literal["main", "isolated"]
    wake_mode: Literal["next-heartbeat", "now"]
    payload: CronPayload
    isolation: CronIsolation | None = None
    state: CronJobState


@frozen(kw_only=True)
class CronListParams:
    """
    Ask for the jobs.
    """

    include_disabled: bool | None = None


@frozen(kw_only=True)
class CronStatusParams:
    """
    Ask how the scheduler is. No parameters.
    """


@frozen(kw_only=True)
class CronAddParams:
    """
    Make a job.

    :ivar agent_id: ``null`` means the default agent.
    """

    name: NonEmptyString
    agent_id: NonEmptyString | Absent | None = ABSENT
    description: str | None = None
    enabled: bool | None = None
    delete_after_run: bool | None = None
    schedule: CronSchedule
    session_target: Literal["main", "isolated"]
    wake_mode: Literal["next-heartbeat", "now"]
    payload: CronPayload
    isolation: CronIsolation | None = None


@frozen(kw_only=True)
class CronPayloadSystemEventPatch:
    """
    Change what the main session is told.
    """

    kind: Literal["systemEvent"]
    text: NonEmptyString | None = None


@frozen(kw_only=True)
class CronPayloadAgentTurnPatch:
    """
    Change the turn that an agent takes.
    """

    kind: Literal["agentTurn"]
    message: NonEmptyString | None = None
    model: str | None = None
    thinking: str | None = None
    timeout_seconds: Positive | None = None
    deliver: bool | None = None
    channel: Literal["last"] | NonEmptyString | None = None
    to: str | None = None
    best_effort_deliver: bool | None = None


CronPayloadPatch = CronPayloadSystemEventPatch | CronPayloadAgentTurnPatch


@frozen(kw_only=True)
class CronJobPatch:
    """
    What to change of a job. What is missing stays.

    :ivar agent_id: ``null`` means the default agent.
    """

    name: NonEmptyString | None = None
    agent_id: NonEmptyString | Absent | None = ABSENT
    description: str | None = None
    enabled: bool | None = None
    delete_after_run: bool | None = None
    schedule: CronSchedule | None = None
    session_target: Literal["main", "isolated"] | None = None
    wake_mode: Literal["next-heartbeat", "now"] | None = None
    payload: CronPayloadPatch | None = None
    isolation: CronIsolation | None = None
    state: CronJobState | None = None


@one_of("id", "job_id")
@frozen(kw_only=True)
class CronUpdateParams:
    """
    Change a job. Either name of its id will do.
    """

    id: NonEmptyString | None = None
    job_id: NonEmptyString | None = None
    patch: CronJobPatch


@one_of("id", "job_id")
@frozen(kw_only=True)
class CronRemoveParams:
    """
    Remove a job. Either name of its id will do.
    """

    id: NonEmptyString | None = None
    job_id: NonEmptyString | None = None


@one_of("id", "job_id")
@frozen(kw_only=True)
class CronRunParams:
    """
    Run a job out of turn. Either name of its id will do.

    :ivar mode: ``due``, which is meant if missing, runs it only when its time has come.
    """

    id: NonEmptyString | None = None
    job_id: NonEmptyString | None = None
    mode: Literal["due", "force"] | None = None


@one_of("id", "job_id")
@frozen(kw_only=True)
class CronRunsParams:
    """
    Ask for the latest runs of a job, oldest first. Either name of its id will do.

    :ivar limit: runs; 200 if missing.
    """

    id: NonEmptyString | None = None
    job_id: NonEmptyString | None = None
    limit: Annotated[int, Minimum(1), Maximum(5000)] | None = None


@frozen(kw_only=True)
class CronRunLogEntry:
    """
    One finished run of a job. Times are milliseconds since the epoch.
    """

    ts: NonNegative
    job_id: NonEmptyString
    action: Literal["finished"]
    status: Literal["ok", "error", "skipped"] | None = None
    error: str | None = None
    summary: str | None = None
    run_at_ms: NonNegative | None = None
    duration_ms: NonNegative | None = None
    next_run_at_ms: NonNegative | None = None


@frozen(kw_only=True)
class CronEvent:
    """
    What happened to a job.

    :ivar run_at_ms: when the run began, in milliseconds since the epoch; of ``started`` and ``finished``.
    :ivar status: how the run ended, as are ``error``, ``summary`` and ``duration_ms``; of ``finished``.
    """

    job_id: NonEmptyString
    action: Literal["added", "updated", "removed", "started", "finished"]
    run_at_ms: NonNegative | None = None
    duration_ms: NonNegative | None = None
    status: Literal["ok", "error", "skipped"] | None = None
    error: str | None = None
    summary: str | None = None
    next_run_at_ms: NonNegative | None = None


@frozen(kw_only=True)
class HeartbeatEvent:
    """
    How a heartbeat went.

    :ivar ts: milliseconds since the epoch.
    :ivar reason: why it was skipped or failed, else what asked for it.
    :ivar preview: the first words of what was said.
    :ivar indicator_type: how a client shows it.
    """

    ts: NonNegative
    status: Literal["sent", "ok-token", "ok-empty", "skipped", "failed"]
    reason: str | None = None
    to: str | None = None
    account_id: str | None = None
    preview: str | None = None
    duration_ms: NonNegative | None = None
    has_media: bool | None = None
    channel: str | None = None
    silent: bool | None = None
    indicator_type: Literal["ok", "alert", "error"] | None = None


# -- what ours has beside the reference -------------------------------------------------------------------------------

Misfire = Literal["skip", "once", "all"]


@frozen(kw_only=True)
class CronJobView(CronJob):
    """
    A job as we tell it.

    :ivar misfire: what becomes of due times at which the gateway was not there: they are left out, make one run
        together, or a run each. If missing, ``once`` for a job that runs once, else ``skip``.
    """

    misfire: Misfire | None = None


@frozen(kw_only=True)
class CronAddRequest(CronAddParams):
    """
    Make a job.

    :ivar misfire: see ``CronJobView``.
    """

    misfire: Misfire | None = None


@frozen(kw_only=True)
class CronJobChange(CronJobPatch):
    """
    What to change of a job. What is missing stays.

    :ivar misfire: see ``CronJobView``.
    """

    misfire: Misfire | None = None


@one_of("id", "job_id")
@frozen(kw_only=True)
class CronUpdateRequest(CronUpdateParams):
    """
    Change a job. Either name of its id will do.
    """

    patch: CronJobChange


@frozen(kw_only=True)
class CronJobs:
    """
    The jobs.
    """

    jobs: Sequence[CronJobView]


@frozen(kw_only=True)
class CronStatus:
    """
    How the scheduler is.

    :ivar enabled: whether jobs run by themselves.
    :ivar store_path: where the jobs are kept.
    :ivar jobs: how many there are, those that are off included.
    :ivar next_wake_at_ms: when the next one is due; ``null`` if none is.
    """

    enabled: bool
    store_path: str
    jobs: NonNegative
    next_wake_at_ms: NonNegative | None


@frozen(kw_only=True)
class CronRemoved:
    """
    Whether there was such a job.
    """

    ok: bool
    removed: bool


@frozen(kw_only=True)
class CronRan:
    """
    Whether a job ran.

    :ivar reason: why not: ``not-due`` or ``already-running``.
    """

    ok: bool
    ran: bool
    reason: str | None = None


@frozen(kw_only=True)
class CronRuns:
    """
    Runs of a job, oldest first.
    """

    entries: Sequence[CronRunLogEntry]
