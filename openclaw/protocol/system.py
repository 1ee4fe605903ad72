"""
Events of the gateway itself.
"""

from attrs import frozen

from openclaw.protocol.types import NonEmptyString, NonNegative


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
