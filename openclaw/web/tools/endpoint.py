"""
``POST /tools/invoke`` (``http.md`` 9).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from attrs import astuple, define, field
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.interfaces import IReactorTime
from twisted.web.server import Request

from openclaw.store.errors import StoreUnavailable
from openclaw.web.answers import answer_json, answer_status, named_headers
from openclaw.web.bodies import MalformedBody, read_object
from openclaw.web.errors import UnknownAgent
from openclaw.web.gate import UNAUTHORIZED, Secrets
from openclaw.web.tools.calls import Answered, KeyReused, Once, ToolCalls, ToolRefused, Whose

NO_TOOL = "tools.invoke requires body.tool"
NO_SWITCH = "body.dryRun must be true or false"
LONG_KEY = "Idempotency-Key must have at most 256 characters"

#: Of an idempotency key, in characters.
MOST_KEY = 256

#: Calls at once, and how long one may take in seconds: longer than the ten minutes that some tools wait if asked to.
AT_ONCE = 32
LIMIT = 630.0

RETRY = {"retry-after": "2"}


@define(kw_only=True, eq=False)
class Tools:
    """
    The endpoint.
    """

    calls: ToolCalls
    secrets: Secrets
    clock: IReactorTime
    _once: Once = field(init=False)
    _busy: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self._once = Once(self.clock.seconds)

    def render(self, request: Request) -> Any:
        """
        Answer a request.
        """
        if request.method != b"POST":
            return answer_status(request, HTTPStatus.METHOD_NOT_ALLOWED, {"allow": "POST"})
        return Deferred.fromCoroutine(self._answered(request))

    async def _answered(self, request: Request) -> bytes:
        headers = named_headers(request)
        peer = getattr(request.getClientAddress(), "host", "127.0.0.1")
        if not await self.secrets.admits(peer, headers):
            return answer_json(request, HTTPStatus.UNAUTHORIZED, UNAUTHORIZED)
        try:
            body = read_object(request)
        except MalformedBody as error:
            return answer_json(request, HTTPStatus.BAD_REQUEST, _invalid(str(error)))
        key = headers.get("idempotency-key", "").strip()
        wrong = _wrong(body, key)
        if wrong is not None:
            return answer_json(request, HTTPStatus.BAD_REQUEST, _invalid(wrong))
        try:
            whose = self._whose(headers, body)
        except UnknownAgent as error:
            return answer_json(request, HTTPStatus.NOT_FOUND, _failed("not_found", str(error)))
        return await self._called(request, body["tool"].strip(), body, whose, key or None)

    def _whose(self, headers: Mapping[str, str], body: Mapping[str, Any]) -> Whose:
        given = body.get("sessionKey")
        return Whose(
            session_key=self.calls.session_key(given.strip() if isinstance(given, str) else None),
            channel=headers.get("x-openclaw-message-channel", "").strip().lower(),
            account_id=headers.get("x-openclaw-account-id", "").strip(),
        )

    async def _called(
        self, request: Request, name: str, body: Mapping[str, Any], whose: Whose, key: str | None
    ) -> bytes:
        if not self.calls.has(name, whose):
            told = _failed("not_found", f"Tool not available: {name}")
            return answer_json(request, HTTPStatus.NOT_FOUND, told)
        arguments = self._arguments(name, body)
        if body.get("dryRun") is True:
            answer = self._dry(name, arguments, whose)
            return answer_json(request, answer.status, answer.value)
        if self._busy >= AT_ONCE:
            told = _failed("unavailable", "too many tools are being called")
            return answer_json(request, HTTPStatus.SERVICE_UNAVAILABLE, told, RETRY)
        fingerprint = hashlib.sha256(orjson.dumps([name, arguments, *astuple(whose)])).digest()
        self._busy += 1
        try:
            answer = await self._once(key, fingerprint, lambda: self._done(name, arguments, whose))
        except KeyReused as error:
            return answer_json(request, HTTPStatus.CONFLICT, _failed("invalid_request_error", str(error)))
        except StoreUnavailable as error:
            return answer_json(request, HTTPStatus.SERVICE_UNAVAILABLE, _failed("unavailable", str(error)), RETRY)
        finally:
            self._busy -= 1
        return answer_json(request, answer.status, answer.value)

    def _arguments(self, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        given = body.get("args")
        arguments = dict(given) if isinstance(given, Mapping) else {}
        action = body.get("action")
        if isinstance(action, str) and "action" not in arguments and self.calls.takes_action(name):
            arguments["action"] = action
        return arguments

    def _dry(self, name: str, arguments: Mapping[str, Any], whose: Whose) -> Answered:
        """
        What would be done; nothing is.
        """
        try:
            read = self.calls.checked(name, arguments)
        except ToolRefused as error:
            return Answered(HTTPStatus.BAD_REQUEST, _failed("tool_error", str(error)))
        would = {"tool": name, "args": read, "sessionKey": whose.session_key}
        return Answered(HTTPStatus.OK, {"ok": True, "dryRun": True, "wouldInvoke": would})

    async def _done(self, name: str, arguments: Mapping[str, Any], whose: Whose) -> Answered:
        calling = Deferred.fromCoroutine(self.calls.call(name, arguments, whose))
        try:
            result = await calling.addTimeout(LIMIT, self.clock)
        except CancelledError:
            raise
        except ToolRefused as error:
            return Answered(HTTPStatus.BAD_REQUEST, _failed("tool_error", str(error)))
        except DeferredTimeout:
            told = _failed("tool_error", f"{name} took more than {LIMIT:g} seconds")
            return Answered(HTTPStatus.GATEWAY_TIMEOUT, told)
        return Answered(HTTPStatus.OK, {"ok": True, "result": result})


def _wrong(body: Mapping[str, Any], key: str) -> str | None:
    """
    What is wrong with a request, whatever tool it is for.
    """
    name = body.get("tool")
    if not isinstance(name, str) or not name.strip():
        return NO_TOOL
    # Whoever writes "true" does not want it to be done.
    if not isinstance(body.get("dryRun"), bool | None):
        return NO_SWITCH
    # Cut off, it could be the key of another request, which then would not be done.
    return LONG_KEY if len(key) > MOST_KEY else None


def _invalid(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error"}}


def _failed(kind: str, message: str) -> dict[str, Any]:
    return {"ok": False, "error": {"type": kind, "message": message}}
