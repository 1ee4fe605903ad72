"""
Messages to a channel without an agent: ``send`` and ``poll``.
"""

from collections.abc import Sequence
from typing import Annotated

from attrs import frozen

from openclaw.protocol.types import Maximum, MaxItems, Minimum, MinItems, NonEmptyString, Positive


@frozen(kw_only=True)
class SendParams:
    """
    Send a message to somebody on a channel.

    :ivar to: an address in the channel's own form.
    :ivar session_key: where the message is also written down.
    :ivar idempotency_key: the same key again sends nothing and gets the same answer.
    """

    to: NonEmptyString
    message: NonEmptyString
    media_url: str | None = None
    media_urls: Sequence[str] | None = None
    gif_playback: bool | None = None
    channel: str | None = None
    account_id: str | None = None
    session_key: str | None = None
    idempotency_key: NonEmptyString


@frozen(kw_only=True)
class PollParams:
    """
    Ask a group on a channel to vote.

    :ivar max_selections: how many options one person may choose; one if missing.
    :ivar idempotency_key: the same key again sends nothing and gets the same answer.
    """

    to: NonEmptyString
    question: NonEmptyString
    options: Annotated[Sequence[NonEmptyString], MinItems(2), MaxItems(12)]
    max_selections: Annotated[int, Minimum(1), Maximum(12)] | None = None
    duration_hours: Positive | None = None
    channel: str | None = None
    account_id: str | None = None
    idempotency_key: NonEmptyString


@frozen(kw_only=True)
class SendResult:
    """
    The message went out; which ids there are depends on the channel.

    :ivar message_id: of the last part, where a text was too long for one message.
    """

    run_id: NonEmptyString
    message_id: NonEmptyString
    channel: NonEmptyString
    chat_id: str | None = None
    channel_id: str | None = None
    to_jid: str | None = None
    conversation_id: str | None = None


@frozen(kw_only=True)
class PollResult(SendResult):
    """
    The vote has begun.
    """

    poll_id: str | None = None
