"""
What a client of the gateway can run into.
"""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from openclaw.errors import OpenClawError

#: No close frame arrived; never sent on the wire.
ABNORMAL_CLOSURE = 1006

_HINTS = {1000: " normal closure", ABNORMAL_CLOSURE: " abnormal closure (no close frame)"}


class ClientError(OpenClawError):
    """
    The root of this package's exceptions.
    """


@frozen
class ConnectionClosed(ClientError):
    """
    The gateway closed the connection, or it was never there.

    :ivar code: 1006 when there was no close frame.
    :ivar reason: as sent; may be empty.
    :ivar cause: what the system said, where there was no close frame.
    """

    code: int
    reason: str = ""
    cause: str | None = None

    def __str__(self) -> str:
        return f"gateway closed ({self.code}{_HINTS.get(self.code, '')}): {self.reason.strip() or 'no close reason'}"


@frozen
class GatewayTimeout(ClientError):
    """
    The gateway took longer than the caller wanted to wait.

    :ivar seconds: how long that was.
    :ivar cause: what may be behind it, where that can be said.
    """

    seconds: float
    cause: str | None = None

    def __str__(self) -> str:
        return f"gateway timeout after {round(self.seconds * 1000)}ms"


@frozen
class RequestFailed(ClientError):
    """
    The gateway answered a request with ``ok: false``.

    :ivar code: one of the wire's error codes.
    :ivar payload: what came beside the error; a failed run says there which run it was.
    :ivar error: the whole error object.
    """

    code: str
    message: str
    payload: Any = None
    error: dict[str, Any] = field(factory=dict)

    def __str__(self) -> str:
        return self.message

    @property
    def retryable(self) -> bool:
        """
        Whether the gateway says that the same request may work later.
        """
        return self.error.get("retryable") is True


@frozen
class BadAddress(ClientError):
    """
    A URL is not that of a gateway, or its certificate is not the pinned one.
    """

    message: str

    def __str__(self) -> str:
        return self.message


@frozen
class ProtocolViolation(ClientError):
    """
    The other end does not speak our protocol.

    :ivar close_code: what to close the connection with.
    """

    message: str
    close_code: int = 1002

    def __str__(self) -> str:
        return self.message
