"""
Agent runs: ``agent``, ``agent.wait``, ``agent.identity.get`` and the events of a run.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from attrs import frozen

from openclaw.protocol.types import Label, NonEmptyString, NonNegative


@frozen(kw_only=True)
class AgentEvent:
    """
    One event of a run.

    :ivar seq: counts the events of this run from 1; not the ``seq`` of the frame.
    :ivar stream: ``lifecycle``, ``assistant``, ``tool``, ``compaction`` or ``error``.
    :ivar ts: milliseconds since the epoch.
    :ivar data: depends on the stream.
    """

    run_id: NonEmptyString
    seq: NonNegative
    stream: NonEmptyString
    ts: NonNegative
    data: Mapping[str, Any]


@frozen(kw_only=True)
class AgentParams:
    """
    Ask an agent for one turn.

    :ivar to: whom the answer goes to when it is delivered; also chooses the session when no key is given.
    :ivar thinking: a level, which the session keeps; ``off`` removes it.
    :ivar deliver: whether the answer is also sent to a channel.
    :ivar timeout: seconds; the configured limit if missing. 0 fails after the run was accepted.
    :ivar lane: the queue, beside that of its session, in which this run waits; ``main`` if missing.
    :ivar idempotency_key: names the run; the same key again gets the same answer.
    :ivar label: a name for the session it runs in.
    :ivar spawned_by: key of the session that started this one.
    """

    message: NonEmptyString
    agent_id: NonEmptyString | None = None
    to: str | None = None
    reply_to: str | None = None
    session_id: str | None = None
    session_key: str | None = None
    thinking: str | None = None
    deliver: bool | None = None
    attachments: Sequence[Any] | None = None
    channel: str | None = None
    reply_channel: str | None = None
    account_id: str | None = None
    reply_account_id: str | None = None
    thread_id: str | None = None
    group_id: str | None = None
    group_channel: str | None = None
    group_space: str | None = None
    timeout: NonNegative | None = None
    lane: str | None = None
    extra_system_prompt: str | None = None
    idempotency_key: NonEmptyString
    label: Label | None = None
    spawned_by: str | None = None


@frozen(kw_only=True)
class AgentIdentityParams:
    """
    Ask how an agent presents itself; without both members, the default agent.
    """

    agent_id: NonEmptyString | None = None
    session_key: str | None = None


@frozen(kw_only=True)
class AgentIdentityResult:
    """
    How an agent presents itself.

    :ivar avatar: an emoji, a text of a few letters, or an address to load.
    """

    agent_id: NonEmptyString
    name: NonEmptyString | None = None
    avatar: NonEmptyString | None = None


@frozen(kw_only=True)
class AgentWaitParams:
    """
    Wait for a run to end.

    :ivar timeout_ms: how long to wait, 30 seconds if missing; the run goes on when it passes.
    """

    run_id: NonEmptyString
    timeout_ms: NonNegative | None = None


@frozen(kw_only=True)
class AgentRunEvent(AgentEvent):
    """
    One event of a run, with the session it belongs to.

    :ivar session_key: as the one who started the run wrote it; missing for a run without a session.
    """

    session_key: NonEmptyString | None = None


@frozen(kw_only=True)
class AgentUsage:
    """
    Tokens of a whole run.

    :ivar total: what was read and written in all.
    """

    input: NonNegative
    output: NonNegative
    cache_read: NonNegative
    cache_write: NonNegative
    total: NonNegative


@frozen(kw_only=True)
class AgentMeta:
    """
    Who answered.
    """

    session_id: NonEmptyString
    provider: NonEmptyString | None = None
    model: NonEmptyString | None = None
    usage: AgentUsage | None = None


@frozen(kw_only=True)
class PendingToolCall:
    """
    A call of a tool that is the client's.

    :ivar arguments: JSON text.
    """

    id: NonEmptyString
    name: NonEmptyString
    arguments: str


@frozen(kw_only=True)
class AgentRunMeta:
    """
    How a run went.

    :ivar aborted: whether somebody or its time limit ended it.
    :ivar stop_reason: ``tool_calls`` when it ended with calls for its client.
    """

    duration_ms: NonNegative
    agent_meta: AgentMeta
    aborted: bool
    stop_reason: NonEmptyString | None = None
    pending_tool_calls: Sequence[PendingToolCall] | None = None


@frozen(kw_only=True)
class AgentReply:
    """
    One part of what a run said.

    :ivar media_url: a picture or a sound to it.
    """

    text: str
    media_url: str | None
    media_urls: Sequence[str] | None = None
    channel_data: Any = None


@frozen(kw_only=True)
class AgentOutput:
    """
    What a run said. Nothing at all is possible.
    """

    payloads: Sequence[AgentReply]
    meta: AgentRunMeta


@frozen(kw_only=True)
class AgentAccepted:
    """
    The first of two answers: the message is stored, and the run will be.

    :ivar accepted_at: milliseconds since the epoch.
    """

    run_id: NonEmptyString
    status: Literal["accepted"]
    accepted_at: NonNegative


@frozen(kw_only=True)
class AgentResult:
    """
    The last answer, of a run that ended well or was ended by somebody.
    """

    run_id: NonEmptyString
    status: Literal["ok"]
    summary: str
    result: AgentOutput | None = None


@frozen(kw_only=True)
class AgentFailure:
    """
    The last answer, of a run that failed; its error stands beside it.

    :ivar result: what was said before a time limit passed.
    """

    run_id: NonEmptyString
    status: Literal["error"]
    summary: str
    result: AgentOutput | None = None


@frozen(kw_only=True)
class AgentWaitResult:
    """
    How a run ended, or that it has not.

    :ivar status: ``timeout`` also for a run that nobody knows.
    :ivar started_at: milliseconds since the epoch.
    :ivar ended_at: milliseconds since the epoch.
    :ivar error: why it failed.
    """

    run_id: NonEmptyString
    status: Literal["ok", "error", "timeout"]
    started_at: NonNegative | None = None
    ended_at: NonNegative | None = None
    error: str | None = None
