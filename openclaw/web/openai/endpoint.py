"""
The routes below ``/v1/``: method, secret, then the one that is meant (``http.md`` 2, 3, 8).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from attrs import define
from twisted.internet.defer import CancelledError, Deferred
from twisted.web.server import Request

from openclaw.clock import millis
from openclaw.web.answers import answer_json, answer_status, named_headers
from openclaw.web.gate import NOT_FOUND, UNAUTHORIZED, Secrets
from openclaw.web.openai.addressing import agent_ids
from openclaw.web.openai.chat import complete
from openclaw.web.openai.errors import answer_error
from openclaw.web.openai.responses import respond
from openclaw.web.openai.running import Backend
from openclaw.web.paths import CHAT_COMPLETIONS, MODELS, RESPONSES

Handler = Callable[[Backend, Request], Awaitable[bytes]]

OURS = "openclaw"


@define(kw_only=True, eq=False)
class OpenAI:
    """
    Everything below ``/v1/``.
    """

    backend: Backend
    secrets: Secrets

    def render(self, request: Request) -> Any:
        """
        Answer a request.
        """
        path = request.path.decode("latin-1")
        handler = self._handlers().get(path)
        if handler is not None:
            if request.method != b"POST":
                return answer_status(request, HTTPStatus.METHOD_NOT_ALLOWED, {"allow": "POST"})
            return Deferred.fromCoroutine(self._guarded(request, handler))
        if path == MODELS or path.startswith(MODELS + "/"):
            if request.method not in (b"GET", b"HEAD"):
                return answer_status(request, HTTPStatus.METHOD_NOT_ALLOWED, {"allow": "GET, HEAD"})
            return Deferred.fromCoroutine(self._guarded(request, self._models))
        return answer_json(request, HTTPStatus.NOT_FOUND, NOT_FOUND)

    def _handlers(self) -> dict[str, Handler]:
        endpoints = self.backend.config().gateway.http.endpoints
        return {
            **({CHAT_COMPLETIONS: complete} if endpoints.chat_completions.enabled else {}),
            **({RESPONSES: respond} if endpoints.responses.enabled else {}),
        }

    async def _guarded(self, request: Request, handler: Handler) -> bytes:
        peer = getattr(request.getClientAddress(), "host", "127.0.0.1")
        if not await self.secrets.admits(peer, named_headers(request)):
            return answer_json(request, HTTPStatus.UNAUTHORIZED, UNAUTHORIZED)
        try:
            return await handler(self.backend, request)
        except CancelledError:
            raise
        except Exception as error:
            return answer_error(request, error)

    async def _models(self, backend: Backend, request: Request) -> bytes:
        """
        The agents, as models that can be asked for.
        """
        created = millis(backend.clock) // 1000
        names = [OURS, *(f"{OURS}:{agent_id}" for agent_id in agent_ids(backend.config()))]
        models = [{"id": name, "object": "model", "created": created, "owned_by": OURS} for name in names]
        wanted = request.path.decode("latin-1")[len(MODELS) + 1 :]
        if not wanted:
            return answer_json(request, HTTPStatus.OK, {"object": "list", "data": models})
        for model in models:
            if model["id"] == wanted.replace("%3A", ":").replace("%3a", ":"):
                return answer_json(request, HTTPStatus.OK, model)
        message = f"The model '{wanted}' does not exist."
        return answer_json(
            request, HTTPStatus.NOT_FOUND, {"error": {"message": message, "type": "invalid_request_error"}}
        )
