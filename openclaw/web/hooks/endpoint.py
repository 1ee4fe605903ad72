"""
The routes below ``hooks.path`` (``http.md`` 10): secret, method, what is meant, body.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit

from attrs import define, evolve
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.web.server import Request

from openclaw.agent.errors import NotReady, RuntimeStopped
from openclaw.store.errors import StoreUnavailable
from openclaw.web.answers import answer_json, answer_status, named_headers
from openclaw.web.bodies import MalformedBody, read_json
from openclaw.web.hooks.asking import (
    PREFIX,
    AgentTurn,
    HookActions,
    HookRefused,
    TooManyHooks,
    Wake,
    read_turn,
    read_wake,
)
from openclaw.web.hooks.mappings import Transform, find_mapping, mapped
from openclaw.web.hooks.templates import Call
from openclaw.web.hooks.transforms import TransformFailed
from openclaw.web.paths import hooks_path

TOKEN = "token"  # noqa: S105 - the name of a parameter

#: Seconds after which who was turned away for a while may come again.
RETRY = {"retry-after": "2"}

_ANSWERS: Mapping[type[Exception], tuple[HTTPStatus, Mapping[str, str] | None]] = {
    HookRefused: (HTTPStatus.BAD_REQUEST, None),
    MalformedBody: (HTTPStatus.BAD_REQUEST, None),
    TooManyHooks: (HTTPStatus.SERVICE_UNAVAILABLE, RETRY),
    RuntimeStopped: (HTTPStatus.SERVICE_UNAVAILABLE, RETRY),
    NotReady: (HTTPStatus.SERVICE_UNAVAILABLE, RETRY),
    StoreUnavailable: (HTTPStatus.SERVICE_UNAVAILABLE, RETRY),
}


class HookDoor(Protocol):
    """
    Who brings the secret of the hooks.
    """

    async def admits(self, peer: str, headers: Mapping[str, str], given: str) -> bool:
        """
        :param given: the secret that a request brings; empty for none.
        """
        ...

    def locked_for(self, peer: str, headers: Mapping[str, str]) -> int:
        """
        For how many seconds an address is told nothing, as it has tried too many wrong secrets; 0 if it has not.
        """
        ...


@define(kw_only=True, eq=False)
class Hooks:
    """
    Everything below ``hooks.path``.

    :ivar transform: runs the transforms of mappings.
    """

    _log = Logger()
    actions: HookActions
    door: HookDoor
    transform: Transform
    clock: IReactorTime
    make_id: Callable[[], str]

    def render(self, request: Request) -> Deferred[bytes]:
        """
        Answer a request.
        """
        return Deferred.fromCoroutine(self._answered(request))

    async def _answered(self, request: Request) -> bytes:
        headers = named_headers(request)
        peer = getattr(request.getClientAddress(), "host", "127.0.0.1")
        url = urlsplit(request.uri.decode("latin-1"))
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        if not await self.door.admits(peer, headers, self._given(headers, query)):
            seconds = self.door.locked_for(peer, headers)
            if seconds:
                return answer_status(request, HTTPStatus.TOO_MANY_REQUESTS, {"retry-after": str(seconds)})
            return answer_status(request, HTTPStatus.UNAUTHORIZED)
        if request.method != b"POST":
            return answer_status(request, HTTPStatus.METHOD_NOT_ALLOWED, {"allow": "POST"})
        path = request.path.decode("latin-1")
        base = hooks_path(self.actions.hooks())
        query.pop(TOKEN, None)
        call = Call(
            payload={},
            headers={name: value for name, value in headers.items() if name not in _SECRET_HEADERS},
            query=query,
            url=f"{path}?{urlencode(query)}" if query else path,
            path=path[len(base) :].lstrip("/"),
            now=datetime.fromtimestamp(self.clock.seconds(), UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
        )
        if not call.path:
            return answer_status(request, HTTPStatus.NOT_FOUND)
        try:
            return await self._done(request, call, headers.get("idempotency-key", "").strip()[:256] or None)
        except CancelledError:
            raise
        except tuple(_ANSWERS) as error:
            status, more = _ANSWERS[type(error)]
            return answer_json(request, status, {"ok": False, "error": str(error)}, more)

    def _given(self, headers: Mapping[str, str], query: Mapping[str, str]) -> str:
        """
        The secret that counts: a bearer's also when it is wrong.
        """
        scheme, _, secret = headers.get("authorization", "").strip().partition(" ")
        if scheme.lower() == "bearer" and secret.strip():
            return secret.strip()
        if headers.get("x-openclaw-token", "").strip():
            return headers["x-openclaw-token"].strip()
        if query.get(TOKEN, "").strip():
            self._log.warn("A hook was called with its token in the address, where logs show it. Send it in a header.")
            return query[TOKEN].strip()
        return ""

    async def _done(self, request: Request, call: Call, idempotency_key: str | None) -> bytes:
        value = read_json(request)
        call = evolve(call, payload=value if isinstance(value, dict | list) else {})
        asked = await self._asked(request, call)
        if isinstance(asked, bytes):
            return asked
        if isinstance(asked, Wake):
            self.actions.wake(asked)
            return answer_json(request, HTTPStatus.OK, {"ok": True, "mode": asked.mode})
        run_id = await self.actions.run(evolve(asked, idempotency_key=idempotency_key))
        return answer_json(request, HTTPStatus.ACCEPTED, {"ok": True, "runId": run_id})

    async def _asked(self, request: Request, call: Call) -> Wake | AgentTurn | bytes:
        """
        :return: what is to be done, or the answer where that is nothing.
        """
        payload = call.payload if isinstance(call.payload, dict) else {}
        channels, own_key = self.actions.channels(), f"{PREFIX}{self.make_id()}"
        if call.path == "wake":
            return read_wake(payload)
        if call.path == "agent":
            return read_turn(payload, channels, own_key)
        mapping = find_mapping(self.actions.hooks(), call)
        if mapping is None:
            return answer_status(request, HTTPStatus.NOT_FOUND)
        try:
            asked = await mapped(mapping, call, self.transform, channels, own_key)
        except TransformFailed as error:
            self._log.error("The hook mapping {id} failed: {error}", id=mapping.id or call.path, error=error)
            failed = {"ok": False, "error": "hook mapping failed"}
            return answer_json(request, HTTPStatus.INTERNAL_SERVER_ERROR, failed)
        if asked is not None:
            return asked
        request.setResponseCode(HTTPStatus.NO_CONTENT)
        return b""


#: Neither templates nor transforms see them.
_SECRET_HEADERS = frozenset({"authorization", "x-openclaw-token", "cookie"})
