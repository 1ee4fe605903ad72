"""
The conversation as a chat client sees it: ``chat.*`` and the ``chat`` event.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from attrs import frozen

from openclaw.protocol.types import Maximum, MaxLength, Minimum, NonEmptyString, NonEmptyStrings, NonNegative


@frozen(kw_only=True)
class ChatHistoryParams:
    """
    Ask for the latest messages of a session.

    :ivar limit: how many messages at most; 200 if missing.
    """

    session_key: NonEmptyString
    limit: Annotated[int, Minimum(1), Maximum(1000)] | None = None


@frozen(kw_only=True)
class ChatSendParams:
    """
    Say something in a session; the answer comes as ``chat`` events.

    :ivar message: may be empty when there are attachments.
    :ivar timeout_ms: after what time the run counts as lost and is aborted; the agent's own limit is another one.
    :ivar idempotency_key: becomes the run's id; the same key again starts no second run.
    """

    session_key: NonEmptyString
    message: str
    thinking: str | None = None
    deliver: bool | None = None
    attachments: Sequence[Any] | None = None
    timeout_ms: NonNegative | None = None
    idempotency_key: NonEmptyString


@frozen(kw_only=True)
class ChatAbortParams:
    """
    Stop one run of a session, or all of them when none is named.
    """

    session_key: NonEmptyString
    run_id: NonEmptyString | None = None


@frozen(kw_only=True)
class ChatInjectParams:
    """
    Put a message of the assistant into a session without a run.

    :ivar label: stands in front of the message, in brackets.
    """

    session_key: NonEmptyString
    message: NonEmptyString
    label: Annotated[str, MaxLength(100)] | None = None


@frozen(kw_only=True)
class ChatEvent:
    """
    How a run goes, for a chat client.

    :ivar seq: of the run event it stems from; not the ``seq`` of the frame.
    :ivar message: for ``delta`` all of the current message so far, not what was added; missing when there is no text.
    :ivar stop_reason: of ``aborted``: ``rpc``, ``stop`` or ``timeout``.
    """

    run_id: NonEmptyString
    session_key: NonEmptyString
    seq: NonNegative
    state: Literal["delta", "final", "aborted", "error"]
    message: Any = None
    error_message: str | None = None
    usage: Any = None
    stop_reason: str | None = None


@frozen(kw_only=True)
class ChatHistoryResult:
    """
    The latest messages of a session, oldest first.

    :ivar session_id: missing for a session that does not exist.
    :ivar messages: as they stand in the transcript, envelopes and message ids left out.
    """

    session_key: NonEmptyString
    session_id: NonEmptyString | None = None
    messages: Sequence[Any]
    thinking_level: NonEmptyString | None = None


@frozen(kw_only=True)
class ChatSendResult:
    """
    The message is stored.

    :ivar status: ``in_flight`` and ``ok`` answer a repeat: the run goes on, or has ended.
    """

    run_id: NonEmptyString
    status: Literal["started", "in_flight", "ok"]


@frozen(kw_only=True)
class ChatAbortResult:
    """
    The runs that were ended: the answer of ``chat.abort``, and of ``chat.send`` to a word that stops.
    """

    ok: bool
    aborted: bool
    run_ids: NonEmptyStrings


@frozen(kw_only=True)
class ChatFailure:
    """
    What a failed run of a repeated ``chat.send`` says beside its error.
    """

    run_id: NonEmptyString
    status: Literal["error"]
    summary: str


@frozen(kw_only=True)
class ChatInjectResult:
    """
    The message stands in the transcript.
    """

    ok: bool
    message_id: NonEmptyString
