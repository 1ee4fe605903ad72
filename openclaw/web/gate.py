"""
What is decided of a request while it arrives: how large its body may be, and whether it is worth reading (``http.md`` 3
and 4).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from http import HTTPStatus
from typing import Any, Protocol

import orjson
from attrs import frozen
from twisted.internet.defer import Deferred

from openclaw.config.model import Config
from openclaw.web.paths import CHAT_COMPLETIONS, RESPONSES, TOOLS_INVOKE, hooks_path, is_below

MiB = 1024 * 1024

#: The largest body where no route says otherwise.
MOST_BODY_BYTES = MiB

MOST_TOOL_BYTES = 2 * MiB

UNAUTHORIZED = {"error": {"message": "Unauthorized", "type": "unauthorized"}}
NOT_FOUND = {"error": {"message": "Not Found", "type": "invalid_request_error"}}
TOO_LARGE = {"error": {"message": "payload too large", "type": "invalid_request_error"}}
HOOK_TOO_LARGE = {"ok": False, "error": "payload too large"}

#: What is answered to those who bring the gateway's secret, and to nobody else.
SECRET_PATHS = frozenset({CHAT_COMPLETIONS, RESPONSES, TOOLS_INVOKE})


@frozen
class Refusal:
    """
    What to answer to a request whose body is not read.
    """

    status: HTTPStatus
    value: Any

    @property
    def body(self) -> bytes:
        return orjson.dumps(self.value)


class Secrets(Protocol):
    """
    Who brings the gateway's secret. Peers are addresses, headers are by lower-case name.
    """

    def lacks(self, peer: str, headers: Mapping[str, str]) -> bool:
        """
        Whether it is sure, without asking anybody, that the secret is not there.
        """
        ...

    async def admits(self, peer: str, headers: Mapping[str, str]) -> bool:
        """
        Whether it is there. Who tries wrong ones waits for the answer.
        """
        ...


class Nobody:
    """
    Nobody has the secret.
    """

    def lacks(self, peer: str, headers: Mapping[str, str]) -> bool:
        return True

    async def admits(self, peer: str, headers: Mapping[str, str]) -> bool:
        return False


@frozen(kw_only=True)
class Gate:
    """
    Asked once for each request with a body, when its head is there.

    :ivar secret_paths: whose answers are for those who bring the secret.
    :ivar plugin_path: whether a path is a plugin's, which has secrets of its own.
    """

    config: Callable[[], Config] = Config
    secrets: Secrets = Nobody()  # noqa: RUF009  # without state
    secret_paths: Collection[str] = SECRET_PATHS
    plugin_path: Callable[[str], bool] = lambda path: False

    def most(self, path: str) -> int:
        """
        The largest body in bytes.
        """
        config = self.config()
        if _is_hook(config, path):
            return config.hooks.max_body_bytes
        if path == RESPONSES:
            return config.gateway.http.endpoints.responses.most_body_bytes
        return MOST_TOOL_BYTES if path == TOOLS_INVOKE else MOST_BODY_BYTES

    def too_large(self, path: str) -> Refusal:
        """
        The answer to a body beyond that.
        """
        value = HOOK_TOO_LARGE if _is_hook(self.config(), path) else TOO_LARGE
        return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, value)

    def closed_to(self, method: str, path: str, peer: str, headers: Mapping[str, str]) -> bool:
        """
        Whether the body will not be looked at, as its sender lacks the secret.
        """
        asks = method == "POST" and path in self.secret_paths and not self.plugin_path(path)
        return asks and self.secrets.lacks(peer, headers)

    def refusal(self, peer: str, headers: Mapping[str, str]) -> Deferred[Refusal]:
        """
        The answer to who lacks the secret, when it is time for it.
        """
        asked = Deferred.fromCoroutine(self.secrets.admits(peer, headers))
        return asked.addCallback(lambda _: Refusal(HTTPStatus.UNAUTHORIZED, UNAUTHORIZED))


def _is_hook(config: Config, path: str) -> bool:
    return config.hooks.enabled and is_below(path, hooks_path(config.hooks))
