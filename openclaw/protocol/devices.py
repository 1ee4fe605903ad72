"""
Devices: pairing and tokens (``device.*``).
"""

from collections.abc import Sequence

from attrs import frozen

from openclaw.protocol.types import NonEmptyString, NonEmptyStrings, NonNegative


@frozen(kw_only=True)
class DevicePairListParams:
    """
    Ask for pending and paired devices. No parameters.
    """


@frozen(kw_only=True)
class DevicePairApproveParams:
    """
    Let a device in.
    """

    request_id: NonEmptyString


@frozen(kw_only=True)
class DevicePairRejectParams:
    """
    Keep a device out.
    """

    request_id: NonEmptyString


@frozen(kw_only=True)
class DeviceTokenRotateParams:
    """
    Give a device a new token for a role; the old one ends.

    :ivar scopes: for the new token; those of the old one if missing.
    """

    device_id: NonEmptyString
    role: NonEmptyString
    scopes: NonEmptyStrings | None = None


@frozen(kw_only=True)
class DeviceTokenRevokeParams:
    """
    End a device's token for a role.
    """

    device_id: NonEmptyString
    role: NonEmptyString


@frozen(kw_only=True)
class DevicePairRequestedEvent:
    """
    A device asks to be paired, or for more than it has.

    :ivar role: the role asked for now; ``roles`` has all that were asked for while the request waited.
    :ivar silent: whether the request is decided without a person.
    :ivar is_repair: whether the device was paired before.
    :ivar ts: milliseconds since the epoch.
    """

    request_id: NonEmptyString
    device_id: NonEmptyString
    public_key: NonEmptyString
    display_name: NonEmptyString | None = None
    platform: NonEmptyString | None = None
    client_id: NonEmptyString | None = None
    client_mode: NonEmptyString | None = None
    role: NonEmptyString | None = None
    roles: NonEmptyStrings | None = None
    scopes: NonEmptyStrings | None = None
    remote_ip: NonEmptyString | None = None
    silent: bool | None = None
    is_repair: bool | None = None
    ts: NonNegative


@frozen(kw_only=True)
class DevicePairResolvedEvent:
    """
    Somebody decided on a device.

    :ivar decision: ``approved`` or ``rejected``.
    :ivar ts: milliseconds since the epoch.
    """

    request_id: NonEmptyString
    device_id: NonEmptyString
    decision: NonEmptyString
    ts: NonNegative


@frozen(kw_only=True)
class DeviceTokenSummary:
    """
    A device's token for one role, without the token itself. Times are milliseconds since the epoch.
    """

    role: NonEmptyString
    scopes: NonEmptyStrings
    created_at_ms: NonNegative
    rotated_at_ms: NonNegative | None = None
    revoked_at_ms: NonNegative | None = None
    last_used_at_ms: NonNegative | None = None


@frozen(kw_only=True)
class PairedDevice:
    """
    A device that was let in.

    :ivar scopes: those that it was approved for.
    :ivar role: of its latest connection.
    """

    device_id: NonEmptyString
    public_key: NonEmptyString
    display_name: NonEmptyString | None = None
    platform: NonEmptyString | None = None
    client_id: NonEmptyString | None = None
    client_mode: NonEmptyString | None = None
    role: NonEmptyString | None = None
    roles: NonEmptyStrings | None = None
    scopes: NonEmptyStrings | None = None
    remote_ip: NonEmptyString | None = None
    created_at_ms: NonNegative
    approved_at_ms: NonNegative
    tokens: Sequence[DeviceTokenSummary]


@frozen(kw_only=True)
class DevicePairListResult:
    """
    What waits for a decision and what is paired, newest first.
    """

    pending: Sequence[DevicePairRequestedEvent]
    paired: Sequence[PairedDevice]


@frozen(kw_only=True)
class DevicePairApproveResult:
    """
    The device is in.
    """

    request_id: NonEmptyString
    device: PairedDevice


@frozen(kw_only=True)
class DevicePairRejectResult:
    """
    The device stays out.
    """

    request_id: NonEmptyString
    device_id: NonEmptyString


@frozen(kw_only=True)
class DeviceTokenRotateResult:
    """
    The new token: the one answer that carries a secret.
    """

    device_id: NonEmptyString
    role: NonEmptyString
    token: NonEmptyString
    scopes: NonEmptyStrings
    rotated_at_ms: NonNegative


@frozen(kw_only=True)
class DeviceTokenRevokeResult:
    """
    The token has ended.
    """

    device_id: NonEmptyString
    role: NonEmptyString
    revoked_at_ms: NonNegative
