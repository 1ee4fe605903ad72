"""
The one place that knows both exceptions and wire codes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import frozen
from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from openclaw.agent.errors import NotReady, RuntimeStopped, UnknownRun
from openclaw.approvals.errors import (
    AlreadyPending,
    ApprovalsChanged,
    ApprovalsHashMissing,
    InvalidDecision,
    UnknownApproval,
)
from openclaw.config.issues import ConfigError, ConfigInvalid
from openclaw.config.writer import ConfigBusy
from openclaw.cron.errors import CronRefused
from openclaw.devices.tokens import UnknownDeviceRole
from openclaw.logs.redact import BUILT_IN, redact_shapes
from openclaw.methods.table import Failed
from openclaw.nodes.invoke import NodeBusy
from openclaw.nodes.pairing import TooManyRequests
from openclaw.pairing import UnknownRequest
from openclaw.protocol.codes import ErrorCode
from openclaw.protocol.frames import ErrorShape
from openclaw.protocol.types import ABSENT
from openclaw.sessions.patch import InvalidPatch
from openclaw.store.errors import StoreUnavailable

#: Error texts that come from exceptions are cut here.
MAX_MESSAGE = 240

#: How soon it makes sense to ask again when the gateway is stopping, in milliseconds.
STOPPING_RETRY_MS = 1_500

#: How soon it makes sense to ask again when a part has not come up yet, in milliseconds.
STARTING_RETRY_MS = 1_000

#: How soon it makes sense to ask again when too much of the kind waits already, in milliseconds.
FULL_RETRY_MS = 1_000

_log = Logger()


@frozen(kw_only=True)
class Refused:
    """
    A failed answer.

    :ivar payload: ``ABSENT`` for all but the few failures that carry one.
    """

    error: ErrorShape
    payload: Any = ABSENT


def invalid(message: str) -> Failed:
    """
    The failure of a request that cannot be done as it was asked.
    """
    return Failed(code=ErrorCode.INVALID_REQUEST, message=message)


def unavailable(message: str) -> Failed:
    """
    The failure of a request whose work failed.
    """
    return Failed(code=ErrorCode.UNAVAILABLE, message=message)


def log_form(error: BaseException) -> str:
    """
    An exception as clients are shown it where ``methods.md`` 1.4 says "log form".
    """
    return cut(redact_shapes(f"{type(error).__name__}: {error}", BUILT_IN))


def cut(text: str) -> str:
    """
    A text of an exception as long as clients are shown it.
    """
    return text if len(text) <= MAX_MESSAGE else f"{text[:MAX_MESSAGE]}..."


def _failed(error: Failed) -> Refused:
    shape = ErrorShape(code=str(error.code), message=error.message, details=error.details)
    return Refused(error=shape, payload=ABSENT if error.payload is None else error.payload)


def _plain(error: Exception) -> Refused:
    return Refused(error=ErrorShape(code=ErrorCode.INVALID_REQUEST.value, message=str(error)))


def _invalid_config(error: ConfigInvalid) -> Refused:
    details = {"issues": [issue.payload() for issue in error.issues]}
    return Refused(error=ErrorShape(code=ErrorCode.INVALID_REQUEST.value, message="invalid config", details=details))


def _busy(error: ConfigBusy) -> Refused:
    return Refused(error=ErrorShape(code=ErrorCode.UNAVAILABLE.value, message=str(error), retryable=True))


def _stopping(error: Exception) -> Refused:
    shape = ErrorShape(
        code=ErrorCode.UNAVAILABLE.value,
        message="The gateway is stopping.",
        retryable=True,
        retry_after_ms=STOPPING_RETRY_MS,
    )
    return Refused(error=shape)


def _full(error: Exception) -> Refused:
    shape = ErrorShape(
        code=ErrorCode.UNAVAILABLE.value, message=str(error), retryable=True, retry_after_ms=FULL_RETRY_MS
    )
    return Refused(error=shape)


def _unstored(error: StoreUnavailable) -> Refused:
    shape = ErrorShape(
        code=ErrorCode.UNAVAILABLE.value,
        message=str(error),
        retryable=error.retryable or None,
        retry_after_ms=FULL_RETRY_MS if error.retryable else None,
    )
    return Refused(error=shape)


def _starting(error: NotReady) -> Refused:
    shape = ErrorShape(
        code=ErrorCode.UNAVAILABLE.value,
        message=str(error),
        retryable=True,
        retry_after_ms=STARTING_RETRY_MS,
    )
    return Refused(error=shape)


def _cron(error: CronRefused) -> Refused:
    return _failed(unavailable(cut(redact_shapes(error.message, BUILT_IN))))


#: Known exceptions; the first that fits counts.
KNOWN: tuple[tuple[type[Exception], Callable[[Any], Refused]], ...] = (
    (Failed, _failed),
    (CronRefused, _cron),
    (StoreUnavailable, _unstored),
    (InvalidPatch, _plain),
    (UnknownRequest, _plain),
    (UnknownDeviceRole, _plain),
    (UnknownRun, _plain),
    (AlreadyPending, _plain),
    (ApprovalsChanged, _plain),
    (ApprovalsHashMissing, _plain),
    (InvalidDecision, _plain),
    (UnknownApproval, _plain),
    (ConfigInvalid, _invalid_config),
    (ConfigBusy, _busy),
    (ConfigError, _plain),
    (NodeBusy, _full),
    (TooManyRequests, _full),
    (NotReady, _starting),
    (RuntimeStopped, _stopping),
    (CancelledError, _stopping),
)


def refused(error: Exception, method: str, make_id: Callable[[], str]) -> Refused:
    """
    What a client is told of an exception.

    One that is not known says nothing of the inside: it is logged with its traceback under an id that the client gets.
    """
    for kind, tell in KNOWN:
        if isinstance(error, kind):
            return tell(error)
    correlation_id = make_id()
    _log.failure("{method} failed; correlation id {correlation_id}.", method=method, correlation_id=correlation_id)
    shape = ErrorShape(
        code=ErrorCode.UNAVAILABLE.value, message="internal error", details={"correlationId": correlation_id}
    )
    return Refused(error=shape)
