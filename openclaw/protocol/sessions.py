"""
Sessions: ``sessions.*``.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from attrs import frozen

from openclaw.protocol.types import ABSENT, Absent, Label, Minimum, MinItems, NonEmptyString, Positive


@frozen(kw_only=True)
class SessionsListParams:
    """
    Ask for sessions, newest first.

    :ivar active_minutes: only those touched within this time.
    :ivar include_derived_titles: whether to read a title off the first message of each.
    :ivar include_last_message: whether to read the last message of each.
    :ivar spawned_by: only those started by this session.
    :ivar search: a part of a name, a key or an id, in any case of letters.
    """

    limit: Positive | None = None
    active_minutes: Positive | None = None
    include_global: bool | None = None
    include_unknown: bool | None = None
    include_derived_titles: bool | None = None
    include_last_message: bool | None = None
    label: Label | None = None
    spawned_by: NonEmptyString | None = None
    agent_id: NonEmptyString | None = None
    search: str | None = None


@frozen(kw_only=True)
class SessionsPreviewParams:
    """
    Ask for the last few messages of several sessions at once.

    :ivar limit: messages for each session; 12 if missing.
    :ivar max_chars: of each message; 240 if missing.
    """

    keys: Annotated[Sequence[NonEmptyString], MinItems(1)]
    limit: Positive | None = None
    max_chars: Annotated[int, Minimum(20)] | None = None


@frozen(kw_only=True)
class SessionsResolveParams:
    """
    Find the key of one session: exactly one of ``key``, ``session_id`` and ``label`` says which.
    """

    key: NonEmptyString | None = None
    session_id: NonEmptyString | None = None
    label: Label | None = None
    agent_id: NonEmptyString | None = None
    spawned_by: NonEmptyString | None = None
    include_global: bool | None = None
    include_unknown: bool | None = None


@frozen(kw_only=True)
class SessionsPatchParams:
    """
    Change the settings of a session. What is missing stays, ``null`` clears.
    """

    key: NonEmptyString
    label: Label | Absent | None = ABSENT
    thinking_level: NonEmptyString | Absent | None = ABSENT
    verbose_level: NonEmptyString | Absent | None = ABSENT
    reasoning_level: NonEmptyString | Absent | None = ABSENT
    response_usage: Literal["off", "tokens", "full", "on"] | Absent | None = ABSENT
    elevated_level: NonEmptyString | Absent | None = ABSENT
    exec_host: NonEmptyString | Absent | None = ABSENT
    exec_security: NonEmptyString | Absent | None = ABSENT
    exec_ask: NonEmptyString | Absent | None = ABSENT
    exec_node: NonEmptyString | Absent | None = ABSENT
    model: NonEmptyString | Absent | None = ABSENT
    spawned_by: NonEmptyString | Absent | None = ABSENT
    send_policy: Literal["allow", "deny"] | Absent | None = ABSENT
    group_activation: Literal["mention", "always"] | Absent | None = ABSENT


@frozen(kw_only=True)
class SessionsResetParams:
    """
    Start a session afresh under its key.
    """

    key: NonEmptyString


@frozen(kw_only=True)
class SessionsDeleteParams:
    """
    Forget a session.

    :ivar delete_transcript: whether what was said goes too; it does if missing.
    """

    key: NonEmptyString
    delete_transcript: bool | None = None


@frozen(kw_only=True)
class SessionsCompactParams:
    """
    Cut a session's transcript down to its last lines.

    :ivar max_lines: 400 if missing.
    """

    key: NonEmptyString
    max_lines: Positive | None = None
