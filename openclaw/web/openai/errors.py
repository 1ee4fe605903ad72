"""
How a request fails, and the one place where that becomes a status.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from attrs import frozen
from twisted.logger import Logger
from twisted.web.server import Request

from openclaw.agent.errors import NotReady, RuntimeStopped
from openclaw.errors import OpenClawError
from openclaw.store.errors import StoreUnavailable
from openclaw.web.answers import answer_json
from openclaw.web.bodies import MalformedBody
from openclaw.web.errors import UnknownAgent

AGENT_TIMEOUT = "AGENT_TIMEOUT"

#: The model was asked again where that may help; the clients' own second try would ask it twice more.
ONCE = {"x-should-retry": "false"}

#: Seconds after which a gateway that starts or stops may answer.
RETRY = {"retry-after": "2"}

_log = Logger()


@frozen
class InvalidRequest(OpenClawError):
    """
    The request cannot be understood.
    """

    text: str

    def __str__(self) -> str:
        return self.text


@frozen
class RunFailed(OpenClawError):
    """
    The run ended without an answer.

    :ivar code: the wire code of the failure.
    """

    text: str
    code: str | None

    def __str__(self) -> str:
        return self.text


def error_value(error: BaseException) -> dict[str, Any]:
    """
    What a client is told of it.
    """
    kind = "invalid_request_error" if status_of(error) < HTTPStatus.INTERNAL_SERVER_ERROR else "api_error"
    return {"message": error_text(error), "type": kind}


def error_text(error: BaseException) -> str:
    """
    The text of an error that is one of ours; nothing of any other.
    """
    if isinstance(error, OpenClawError):
        return str(error)
    _log.failure("A request to the API failed.")
    return "Error: internal error"


def answer_error(request: Request, error: Exception) -> bytes:
    """
    Answer that it failed.
    """
    status = status_of(error)
    headers = ONCE if isinstance(error, RunFailed) else RETRY if status == HTTPStatus.SERVICE_UNAVAILABLE else None
    return answer_json(request, status, {"error": error_value(error)}, headers)


def status_of(error: BaseException) -> HTTPStatus:
    """
    The status that it becomes.
    """
    if isinstance(error, InvalidRequest | MalformedBody):
        return HTTPStatus.BAD_REQUEST
    if isinstance(error, UnknownAgent):
        return HTTPStatus.NOT_FOUND
    if isinstance(error, RunFailed):
        return HTTPStatus.GATEWAY_TIMEOUT if error.code == AGENT_TIMEOUT else HTTPStatus.BAD_GATEWAY
    if isinstance(error, RuntimeStopped | NotReady | StoreUnavailable):
        return HTTPStatus.SERVICE_UNAVAILABLE
    return HTTPStatus.INTERNAL_SERVER_ERROR
