"""
The gateway itself: its health and summary, and the events that tell of its life.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from openclaw.protocol.sessions import SessionKind
from openclaw.protocol.types import NonEmptyString, NonEmptyStrings, NonNegative


@frozen(kw_only=True)
class TickEvent:
    """
    A sign of life, so that clients can tell a quiet gateway from a lost one.

    :ivar ts: milliseconds since the epoch.
    """

    ts: NonNegative


@frozen(kw_only=True)
class ShutdownEvent:
    """
    The gateway is about to close every connection.

    :ivar restart_expected_ms: how long the restart is expected to take; missing when it stops for good.
    """

    reason: NonEmptyString
    restart_expected_ms: NonNegative | None = None


@frozen(kw_only=True)
class LinkChannel:
    """
    The first channel that is linked like a device.

    :ivar auth_age_ms: how old its credentials are.
    """

    id: NonEmptyString
    label: NonEmptyString
    linked: bool
    auth_age_ms: int | None


@frozen(kw_only=True)
class HealthSession:
    """
    A session that was used lately.

    :ivar updated_at: milliseconds since the epoch.
    :ivar age: milliseconds.
    """

    key: NonEmptyString
    updated_at: NonNegative | None
    age: int | None


@frozen(kw_only=True)
class HealthSessions:
    """
    The sessions of an agent.

    :ivar path: of the store.
    :ivar recent: newest first.
    """

    path: NonEmptyString
    count: NonNegative
    recent: Sequence[HealthSession]


@frozen(kw_only=True)
class HealthHeartbeat:
    """
    How an agent is woken.

    :ivar every: as configured, or ``disabled``.
    :ivar every_ms: ``null`` when disabled.
    :ivar ack_max_chars: how much may stand beside the word that says that nothing is to be done.
    """

    enabled: bool
    every: NonEmptyString
    every_ms: NonNegative | None
    prompt: str
    target: str
    model: str | None = None
    ack_max_chars: NonNegative


@frozen(kw_only=True)
class HealthAgent:
    """
    One agent in a health snapshot.
    """

    agent_id: NonEmptyString
    name: NonEmptyString | None = None
    is_default: bool
    heartbeat: HealthHeartbeat
    sessions: HealthSessions


@frozen(kw_only=True)
class HealthSnapshot:
    """
    How the gateway is: the answer of ``health`` and the event of that name.

    :ivar ts: when it was made, in milliseconds since the epoch.
    :ivar duration_ms: how long that took.
    :ivar channels: by channel id, each in its own shape.
    :ivar heartbeat_seconds: of the default agent; 0 when disabled.
    :ivar sessions: those of the default agent.
    :ivar reactor_lag: how late the gateway was, in milliseconds, by name of the measure.
    :ivar config_problem: why the configuration file cannot be used as it is now; the one before it counts.
    """

    ok: bool
    ts: NonNegative
    duration_ms: NonNegative
    channels: Mapping[str, Any]
    channel_order: NonEmptyStrings
    channel_labels: Mapping[str, str]
    heartbeat_seconds: NonNegative
    default_agent_id: NonEmptyString
    agents: Sequence[HealthAgent]
    sessions: HealthSessions
    link_channel: LinkChannel | None = None
    reactor_lag: Mapping[str, NonNegative] | None = None
    config_problem: NonEmptyString | None = None


@frozen(kw_only=True)
class HeartbeatsResult:
    """
    Whether heartbeats run now.
    """

    ok: bool
    enabled: bool


@frozen(kw_only=True)
class StatusHeartbeat:
    """
    How often an agent is woken.

    :ivar every: as configured, or ``disabled``.
    """

    agent_id: NonEmptyString
    enabled: bool
    every: NonEmptyString
    every_ms: NonNegative | None


@frozen(kw_only=True)
class StatusHeartbeats:
    """
    How often each agent is woken.
    """

    default_agent_id: NonEmptyString
    agents: Sequence[StatusHeartbeat]


@frozen(kw_only=True)
class StatusSession:
    """
    A session in the summary.

    :ivar age: milliseconds since it was used.
    :ivar percent_used: of the model's window, at most 999.
    :ivar flags: what is set, in short words.
    """

    agent_id: NonEmptyString
    key: NonEmptyString
    kind: SessionKind
    session_id: NonEmptyString | None = None
    updated_at: NonNegative | None
    age: int | None
    thinking_level: str | None = None
    verbose_level: str | None = None
    reasoning_level: str | None = None
    elevated_level: str | None = None
    system_sent: bool | None = None
    aborted_last_run: bool | None = None
    input_tokens: NonNegative | None = None
    output_tokens: NonNegative | None = None
    total_tokens: NonNegative
    remaining_tokens: NonNegative | None
    percent_used: NonNegative | None
    model: str
    context_tokens: NonNegative
    flags: Sequence[str]


@frozen(kw_only=True)
class StatusDefaults:
    """
    The model of sessions that have no other.
    """

    model: str
    context_tokens: NonNegative


@frozen(kw_only=True)
class StatusAgentSessions:
    """
    The sessions of one agent.
    """

    agent_id: NonEmptyString
    path: NonEmptyString
    count: NonNegative
    recent: Sequence[StatusSession]


@frozen(kw_only=True)
class StatusSessions:
    """
    The sessions in numbers, and the newest.
    """

    paths: NonEmptyStrings
    count: NonNegative
    defaults: StatusDefaults
    recent: Sequence[StatusSession]
    by_agent: Sequence[StatusAgentSessions]


@frozen(kw_only=True)
class StatusSummary:
    """
    A short summary of the gateway.

    :ivar channel_summary: lines for people.
    :ivar queued_system_events: notes that wait for the main session of the default agent.
    """

    link_channel: LinkChannel | None = None
    heartbeat: StatusHeartbeats
    channel_summary: Sequence[str]
    queued_system_events: Sequence[str]
    sessions: StatusSessions


@frozen(kw_only=True)
class HealthParams:
    """
    Ask how the gateway is.

    :ivar probe: whether to ask the channels themselves, and wait for them.
    """

    probe: bool | None = None


@frozen(kw_only=True)
class SystemEventParams:
    """
    Publish a presence line or a note. Members of another type are ignored.

    :ivar text: a note, or a line that begins with ``Node:``.
    """

    text: NonEmptyString
    device_id: str | None = None
    instance_id: str | None = None
    host: str | None = None
    ip: str | None = None
    mode: str | None = None
    version: str | None = None
    platform: str | None = None
    device_family: str | None = None
    model_identifier: str | None = None
    reason: str | None = None
    last_input_seconds: float | None = None
    roles: Sequence[str] | None = None
    scopes: Sequence[str] | None = None
    tags: Sequence[str] | None = None


@frozen(kw_only=True)
class SetHeartbeatsParams:
    """
    Turn heartbeats on or off until the process ends.
    """

    enabled: bool
