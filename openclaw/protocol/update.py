"""
Updating the program: ``update.run``.
"""

from attrs import frozen

from openclaw.protocol.types import NonNegative, Positive


@frozen(kw_only=True)
class UpdateRunParams:
    """
    Update the program and restart.

    :ivar session_key: the session to be told when the gateway is back.
    :ivar note: what to tell it.
    :ivar timeout_ms: for each step of the update.
    """

    session_key: str | None = None
    note: str | None = None
    restart_delay_ms: NonNegative | None = None
    timeout_ms: Positive | None = None
