"""
Sessions: ``sessions.*``.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from attrs import field, frozen

from openclaw.protocol.types import (
    ABSENT,
    Absent,
    Extra,
    Label,
    Minimum,
    MinItems,
    NonEmptyString,
    NonEmptyStrings,
    NonNegative,
    Positive,
)

SessionKind = Literal["direct", "group", "global", "unknown"]


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


@frozen(kw_only=True)
class SessionDefaultModel:
    """
    The model of sessions that have no other.

    :ivar context_tokens: its window.
    """

    model_provider: str
    model: str
    context_tokens: NonNegative


@frozen(kw_only=True)
class SessionRow:
    """
    A session in a list; what is not set is missing.

    :ivar origin: where its last message came from.
    :ivar updated_at: milliseconds since the epoch.
    :ivar total_tokens: of the last turn.
    :ivar delivery_context: where its answers go.
    :ivar derived_title: when titles were asked for.
    :ivar last_message_preview: when last messages were asked for.
    """

    key: NonEmptyString
    kind: SessionKind
    label: str | None = None
    display_name: str | None = None
    channel: str | None = None
    subject: str | None = None
    group_channel: str | None = None
    space: str | None = None
    chat_type: str | None = None
    origin: Any = None
    updated_at: NonNegative | None
    session_id: NonEmptyString | None = None
    system_sent: bool | None = None
    aborted_last_run: bool | None = None
    thinking_level: str | None = None
    verbose_level: str | None = None
    reasoning_level: str | None = None
    elevated_level: str | None = None
    send_policy: str | None = None
    input_tokens: NonNegative | None = None
    output_tokens: NonNegative | None = None
    total_tokens: NonNegative | None = None
    response_usage: str | None = None
    model_provider: str | None = None
    model: str | None = None
    context_tokens: NonNegative | None = None
    delivery_context: Any = None
    last_channel: str | None = None
    last_to: str | None = None
    last_account_id: str | None = None
    derived_title: str | None = None
    last_message_preview: str | None = None


@frozen(kw_only=True)
class SessionsListResult:
    """
    Sessions, newest first.

    :ivar ts: milliseconds since the epoch.
    :ivar path: of the store.
    :ivar count: of the rows.
    """

    ts: NonNegative
    path: NonEmptyString
    count: NonNegative
    defaults: SessionDefaultModel
    sessions: Sequence[SessionRow]


@frozen(kw_only=True)
class PreviewItem:
    """
    One message in short.
    """

    role: Literal["user", "assistant", "tool", "system", "other"]
    text: str


@frozen(kw_only=True)
class SessionPreview:
    """
    The last messages of one session, oldest first.

    :ivar key: as it was asked for.
    """

    key: NonEmptyString
    status: Literal["ok", "empty", "missing", "error"]
    items: Sequence[PreviewItem]


@frozen(kw_only=True)
class SessionsPreviewResult:
    """
    The last messages of several sessions.

    :ivar ts: milliseconds since the epoch.
    """

    ts: NonNegative
    previews: Sequence[SessionPreview]


@frozen(kw_only=True)
class SessionsResolveResult:
    """
    The key of the one session that was meant.
    """

    ok: bool
    key: NonEmptyString


@frozen(kw_only=True)
class SessionEntry:
    """
    All that is kept of a session. Whatever other programs left there stays.

    :ivar updated_at: milliseconds since the epoch.
    """

    session_id: NonEmptyString
    updated_at: NonNegative | None
    extra: Annotated[Mapping[str, Any], Extra()] = field(factory=dict)


@frozen(kw_only=True)
class SessionsPatchResult:
    """
    The session after the change.

    :ivar path: of the store.
    :ivar key: the canonical one.
    """

    ok: bool
    path: NonEmptyString
    key: NonEmptyString
    entry: SessionEntry


@frozen(kw_only=True)
class SessionsResetResult:
    """
    The fresh session.

    :ivar key: the canonical one.
    """

    ok: bool
    key: NonEmptyString
    entry: SessionEntry


@frozen(kw_only=True)
class SessionsDeleteResult:
    """
    The session is gone.

    :ivar key: the canonical one.
    :ivar deleted: whether there was one.
    :ivar archived: where what was said in it still is.
    """

    ok: bool
    key: NonEmptyString
    deleted: bool
    archived: NonEmptyStrings


@frozen(kw_only=True)
class SessionsCompactResult:
    """
    Whether the transcript was cut down.

    :ivar key: the canonical one.
    :ivar reason: why there was nothing to cut.
    :ivar kept: how many lines are left.
    :ivar archived: where the whole transcript still is.
    """

    ok: bool
    key: NonEmptyString
    compacted: bool
    reason: str | None = None
    kept: NonNegative | None = None
    archived: str | None = None
