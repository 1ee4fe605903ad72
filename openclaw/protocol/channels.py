"""
Channels: their state, and signing in and out (``channels.*``, ``web.login.*``).
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from attrs import field, frozen

from openclaw.protocol.types import ABSENT, Absent, Extra, NonEmptyString, NonEmptyStrings, NonNegative


@frozen(kw_only=True)
class ChannelsStatusParams:
    """
    Ask how the channels are.

    :ivar probe: whether to ask the networks themselves.
    :ivar timeout_ms: for each probe; 10 seconds if missing, never less than one.
    """

    probe: bool | None = None
    timeout_ms: NonNegative | None = None


@frozen(kw_only=True)
class ChannelMeta:
    """
    How a channel is shown.

    :ivar system_image: name of an Apple system symbol.
    """

    id: NonEmptyString
    label: NonEmptyString
    detail_label: NonEmptyString
    system_image: str | None = None


@frozen(kw_only=True)
class ChannelAccount:
    """
    The state of one account of a channel. Channels add keys of their own, kept in ``extra``.

    :ivar configured: whether everything needed to connect is there.
    :ivar linked: for channels that are linked like a device.
    :ivar last_connected_at: milliseconds since the epoch, as are all members named ``last_…_at``.
    """

    account_id: NonEmptyString
    name: str | None = None
    enabled: bool | None = None
    configured: bool | None = None
    linked: bool | None = None
    running: bool | None = None
    connected: bool | None = None
    reconnect_attempts: NonNegative | None = None
    last_connected_at: NonNegative | None = None
    last_error: str | None = None
    last_start_at: NonNegative | None = None
    last_stop_at: NonNegative | None = None
    last_inbound_at: NonNegative | None = None
    last_outbound_at: NonNegative | None = None
    last_probe_at: NonNegative | None = None
    mode: str | None = None
    dm_policy: str | None = None
    allow_from: Sequence[str] | None = None
    token_source: str | None = None
    bot_token_source: str | None = None
    app_token_source: str | None = None
    base_url: str | None = None
    allow_unmentioned_groups: bool | None = None
    cli_path: str | Absent | None = ABSENT
    db_path: str | Absent | None = ABSENT
    port: NonNegative | Absent | None = ABSENT
    probe: Any = None
    audit: Any = None
    application: Any = None
    extra: Annotated[Mapping[str, Any], Extra()] = field(factory=dict)


@frozen(kw_only=True)
class ChannelsStatusResult:
    """
    Every channel and account. All mappings are by channel id.

    :ivar ts: milliseconds since the epoch.
    :ivar channel_order: the order to show them in.
    :ivar channels: a summary of each in its own shape, kept for old clients.
    """

    ts: NonNegative
    channel_order: NonEmptyStrings
    channel_labels: Mapping[str, NonEmptyString]
    channel_detail_labels: Mapping[str, NonEmptyString] | None = None
    channel_system_images: Mapping[str, NonEmptyString] | None = None
    channel_meta: Sequence[ChannelMeta] | None = None
    channels: Mapping[str, Any]
    channel_accounts: Mapping[str, Sequence[ChannelAccount]]
    channel_default_account_id: Mapping[str, NonEmptyString]


@frozen(kw_only=True)
class ChannelsLogoutParams:
    """
    Sign an account out; the default account if none is named.
    """

    channel: NonEmptyString
    account_id: str | None = None


@frozen(kw_only=True)
class WebLoginStartParams:
    """
    Begin linking a channel by QR code.

    :ivar force: whether to link anew although an account is linked.
    """

    force: bool | None = None
    timeout_ms: NonNegative | None = None
    verbose: bool | None = None
    account_id: str | None = None


@frozen(kw_only=True)
class WebLoginWaitParams:
    """
    Wait for the QR code to be scanned.
    """

    timeout_ms: NonNegative | None = None
    account_id: str | None = None


@frozen(kw_only=True)
class ChannelsLogoutResult:
    """
    Whether an account was signed out. Channels add keys of their own.

    :ivar cleared: whether there were credentials.
    """

    channel: NonEmptyString
    account_id: NonEmptyString
    cleared: bool
    logged_out: bool | None = None
    extra: Annotated[Mapping[str, Any], Extra()] = field(factory=dict)


@frozen(kw_only=True)
class WebLoginStartResult:
    """
    A code to scan, or why there is none.

    :ivar qr_data_url: a picture, as a ``data:`` address.
    """

    qr_data_url: str | None = None
    message: str


@frozen(kw_only=True)
class WebLoginWaitResult:
    """
    Whether the code was scanned.
    """

    connected: bool
    message: str
