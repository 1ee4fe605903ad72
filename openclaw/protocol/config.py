"""
The configuration file over the wire: ``config.*``.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from attrs import frozen

from openclaw.protocol.types import NonEmptyString, NonNegative


@frozen(kw_only=True)
class ConfigGetParams:
    """
    Ask for the configuration. No parameters.
    """


@frozen(kw_only=True)
class ConfigSetParams:
    """
    Replace the configuration file.

    :ivar raw: the whole new text, JSON5.
    :ivar base_hash: hash of the file that the new text was made from; another writer in between is a refusal.
    """

    raw: NonEmptyString
    base_hash: NonEmptyString | None = None


@frozen(kw_only=True)
class ConfigApplyParams:
    """
    Replace the configuration file and restart.

    :ivar raw: the whole new text, JSON5.
    :ivar base_hash: hash of the file that the new text was made from.
    :ivar session_key: the session to be told when the gateway is back.
    :ivar note: what to tell it.
    """

    raw: NonEmptyString
    base_hash: NonEmptyString | None = None
    session_key: str | None = None
    note: str | None = None
    restart_delay_ms: NonNegative | None = None


@frozen(kw_only=True)
class ConfigPatchParams:
    """
    Merge a part into the configuration file and restart.

    :ivar raw: an object in JSON5; ``null`` removes a key.
    :ivar base_hash: hash of the file that the patch was made for.
    :ivar session_key: the session to be told when the gateway is back.
    :ivar note: what to tell it.
    """

    raw: NonEmptyString
    base_hash: NonEmptyString | None = None
    session_key: str | None = None
    note: str | None = None
    restart_delay_ms: NonNegative | None = None


@frozen(kw_only=True)
class ConfigSchemaParams:
    """
    Ask for the schema of the configuration. No parameters.
    """


@frozen(kw_only=True)
class ConfigUiHint:
    """
    How a form shows one key of the configuration.

    :ivar order: smaller stands higher.
    :ivar sensitive: whether the value is a secret.
    """

    label: str | None = None
    help: str | None = None
    group: str | None = None
    order: int | None = None
    advanced: bool | None = None
    sensitive: bool | None = None
    placeholder: str | None = None
    item_template: Any = None


@frozen(kw_only=True)
class ConfigSchemaResponse:
    """
    The schema of the configuration, for forms.

    :ivar ui_hints: by dotted path; ``*`` stands for any item.
    :ivar generated_at: ISO 8601.
    """

    schema: Any
    ui_hints: Mapping[str, ConfigUiHint]
    version: NonEmptyString
    generated_at: NonEmptyString


@frozen(kw_only=True)
class ConfigIssue:
    """
    What is wrong with one key.

    :ivar path: dotted; empty for the whole file.
    """

    path: str
    message: str


@frozen(kw_only=True)
class ConfigSnapshot:
    """
    The configuration file and what it means. Secrets are redacted in all three forms.

    :ivar raw: the text of the file; ``null`` if there is none.
    :ivar parsed: the value of the text, without includes and variables.
    :ivar config: what counts, with defaults.
    :ivar hash: of the text; a write names it.
    :ivar legacy_issues: keys of older versions.
    """

    path: NonEmptyString
    exists: bool
    raw: str | None
    parsed: Any
    valid: bool
    config: Any
    hash: NonEmptyString
    issues: Sequence[ConfigIssue]
    warnings: Sequence[ConfigIssue]
    legacy_issues: Sequence[ConfigIssue]


@frozen(kw_only=True)
class ConfigWritten:
    """
    A change that is in the file.

    :ivar config: what the file means now, without secrets.
    :ivar hash: of the new text.
    :ivar restart_needed: dotted paths of what the running gateway does not follow before it starts again.
    """

    ok: bool
    path: NonEmptyString
    config: Any
    hash: NonEmptyString
    restart_needed: Sequence[NonEmptyString]


@frozen(kw_only=True)
class ConfigRestart:
    """
    What becomes of the restart that was asked for.

    :ivar ok: whether it comes.
    :ivar delay_ms: how long it waits.
    :ivar mode: ``emit`` in this process, ``none`` if it does not come.
    """

    ok: bool
    pid: int
    signal: NonEmptyString
    delay_ms: NonNegative
    reason: NonEmptyString
    mode: Literal["emit", "signal", "none"]


@frozen(kw_only=True)
class ConfigSentinelStats:
    """
    Where a note is from.

    :ivar mode: the method.
    :ivar root: the configuration file.
    """

    mode: NonEmptyString
    root: NonEmptyString


@frozen(kw_only=True)
class ConfigSentinelPayload:
    """
    The note that a session gets after the next start.

    :ivar ts: milliseconds since the epoch.
    :ivar session_key: the session that is told; without it, the main session.
    :ivar message: what the client wanted to be told.
    """

    kind: Literal["config-apply"]
    status: Literal["ok"]
    ts: NonNegative
    session_key: NonEmptyString | None = None
    message: str | None
    doctor_hint: NonEmptyString
    stats: ConfigSentinelStats


@frozen(kw_only=True)
class ConfigSentinel:
    """
    The note and its file.

    :ivar path: ``null`` if it could not be written.
    """

    path: NonEmptyString | None
    payload: ConfigSentinelPayload


@frozen(kw_only=True)
class ConfigApplied:
    """
    A change that is in the file, and what comes after it.

    :ivar config: what the file means now, without secrets.
    :ivar hash: of the new text.
    :ivar restart_needed: dotted paths of what the running gateway does not follow before it starts again.
    """

    ok: bool
    path: NonEmptyString
    config: Any
    hash: NonEmptyString
    restart_needed: Sequence[NonEmptyString]
    restart: ConfigRestart
    sentinel: ConfigSentinel
