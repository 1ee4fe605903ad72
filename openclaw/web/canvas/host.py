"""
Canvas and A2UI on any port that serves them (``http.md`` 12 and 13).

Clients of this machine ask for nothing special; all others bring in the path the capability that their connection was
given. So nobody who was not let in sees anything, and a page of another site cannot look through a browser.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from attrs import define, field
from twisted.web.server import Request

from openclaw.config.model import Config
from openclaw.files import NoSuchFile, NotBelowRoot
from openclaw.web.a2ui.serving import serve_a2ui
from openclaw.web.answers import answer, answer_refused, answer_status, answer_text, named_headers
from openclaw.web.canvas.answering import HEADERS, answer_absent, send, unchanged
from openclaw.web.canvas.capabilities import Capabilities
from openclaw.web.canvas.injecting import inject
from openclaw.web.canvas.opening import INDEX, BadPath, find
from openclaw.web.canvas.places import Place, place_of
from openclaw.web.canvas.sockets import ReloadSockets
from openclaw.web.canvas.types import HTML
from openclaw.web.hosts import host_allowed, machine_names, origin_allowed
from openclaw.web.local import is_local
from openclaw.web.upgrade import check_upgrade

ALLOW_READ = {"allow": "GET, HEAD"}

MISSING_PAGE = (
    '<!doctype html><meta charset="utf-8" /><title>OpenClaw Canvas</title>'
    f"<pre>Missing file.\nCreate {INDEX} in the canvas directory</pre>"
)


@define(kw_only=True, eq=False, repr=False)
class CanvasHost:
    """
    :ivar root: the directory of the canvas.
    :ivar sockets: over which pages are told of changes; ``None`` when they are not.
    :ivar names: the names of this machine, by which clients may call it.
    :ivar capabilities: those of the clients that are connected.
    """

    root: Path
    config: Callable[[], Config]
    sockets: ReloadSockets | None = None
    names: frozenset[str] = field(factory=machine_names)
    capabilities: Capabilities = field(factory=Capabilities)

    def render(self, request: Request) -> Any:
        """
        Answer a plain request.

        :return: what a Klein handler returns, or ``None`` when the path is not ours.
        """
        place = place_of(request.path.decode("latin-1"))
        if place is None:
            return None
        if not self.admits(place, peer_of(request), named_headers(request)):
            return answer_status(request, HTTPStatus.FORBIDDEN, HEADERS)
        if place.part is None:
            return answer_status(request, HTTPStatus.NOT_FOUND, HEADERS)
        if place.part == "socket":
            return self._plain_socket(request)
        if request.method not in (b"GET", b"HEAD"):
            return answer_status(request, HTTPStatus.METHOD_NOT_ALLOWED, ALLOW_READ)
        for header, value in HEADERS.items():
            request.setHeader(header, value)
        if place.part == "a2ui":
            return serve_a2ui(request, place.name)
        return self._canvas(request, place.name)

    def upgrade(self, request: Request, headers: Mapping[str, str]) -> Any:
        """
        Answer an upgrade to the socket of live reload.

        :return: what a resource renders, or ``None`` when it is another's.
        """
        place = place_of(request.path.decode("latin-1"))
        if place is None or place.part != "socket" or self.sockets is None:
            return None
        peer = peer_of(request)
        foreign = place.capability is None and not origin_allowed(headers, peer, self.config(), self.names)
        if foreign or not self.admits(place, peer, headers):
            return answer_status(request, HTTPStatus.FORBIDDEN, {"connection": "close"})
        refused = check_upgrade(request.method.decode("latin-1"), headers)
        if refused is not None:
            return answer_refused(request, refused)
        return self.sockets.take(request, place.capability)

    def admits(self, place: Place, peer: str, headers: Mapping[str, str]) -> bool:
        """
        Whether a client may see a place.

        :param peer: address of the TCP peer.
        :param headers: by lower-case name.
        """
        if place.capability is not None:
            # Who knows it was let in, by whatever name it calls us.
            return self.capabilities.holds(place.capability)
        config = self.config()
        return host_allowed(headers, peer, config, self.names) and is_local(
            peer, headers, config.gateway.trusted_proxies
        )

    def _plain_socket(self, request: Request) -> bytes:
        if self.sockets is None:
            return answer_text(request, HTTPStatus.NOT_FOUND, "not found", HEADERS)
        return answer_text(request, HTTPStatus.UPGRADE_REQUIRED, "upgrade required", HEADERS)

    def _canvas(self, request: Request, name: str) -> Any:
        try:
            found = find(self.root, name)
        except (BadPath, NoSuchFile, NotBelowRoot) as error:
            if isinstance(error, NoSuchFile) and name.endswith("/"):
                return answer(request, HTTPStatus.NOT_FOUND, MISSING_PAGE.encode(), HTML)
            return answer_absent(request, error)
        return send(request, found, unchanged if self.sockets is None else inject)


def peer_of(request: Request) -> str:
    """
    The address of the TCP peer; a UNIX socket has none, and is as local as loopback.
    """
    return getattr(request.getClientAddress(), "host", "127.0.0.1")
