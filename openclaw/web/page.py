"""
``GET /``: our own page, or another bundle in its place (``gateway.controlUi``).
"""

from __future__ import annotations

from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Any

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.web.http import CACHED
from twisted.web.server import Request

from openclaw.config.paths import expand
from openclaw.web.answers import answer, answer_status
from openclaw.web.avatars import avatar_agent, serve_avatar
from openclaw.web.bundle import COMMON_HEADERS, serve_bundle
from openclaw.web.context import WebContext
from openclaw.web.media import media_type

UI = Path(__file__).parent / "ui"

#: The places inside the page that the Control UI has always had, so that bookmarks go on working.
PLACES = frozenset(
    "chat overview channels instances sessions cron skills nodes config debug logs".split()  # noqa: SIM905 - a list
)

#: Where the page stood once; nothing is there any more.
OLD_PLACE = "ui"

OWN_HEADERS = {
    **COMMON_HEADERS,
    # 'self' has the WebSocket of this host and port in it, also behind a proxy whose name we do not know. Safari before
    # 15.4 did not think so; it cannot run the page anyway, whose scripts take what came with that version (`at`), and
    # Ed25519 keys, which came later. Browsers that know trusted types also keep text from becoming markup.
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; frame-ancestors 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


@frozen(kw_only=True)
class OwnFile:
    """
    One file of our page, in memory.
    """

    body: bytes
    media_type: str
    etag: bytes


def read_own(directory: Path) -> dict[str, OwnFile]:
    """
    Our page: a handful of small files, by name.
    """
    found = {}
    for path in sorted(directory.iterdir()):
        if path.is_file():
            body = path.read_bytes()
            etag = f'"{sha256(body).hexdigest()[:32]}"'.encode()
            found[path.name] = OwnFile(body=body, media_type=media_type(path.name), etag=etag)
    return found


@define(kw_only=True, eq=False)
class Page:
    """
    Answers what no other route takes.
    """

    context: WebContext
    _own: dict[str, OwnFile] = field(init=False, factory=lambda: read_own(UI))

    def render(self, request: Request) -> Any:
        """
        One request, whatever its method and path.
        """
        control_ui = self.context.config().gateway.control_ui
        path = request.path.decode("latin-1")
        if not control_ui.enabled:
            return answer_status(request, HTTPStatus.NOT_FOUND)
        if request.method not in (b"GET", b"HEAD"):
            return answer_status(request, HTTPStatus.METHOD_NOT_ALLOWED, {"allow": "GET, HEAD"})
        prefix = control_ui.prefix
        if prefix and path == prefix:
            return self._to_slash(request, prefix)
        if not path.startswith(prefix + "/"):
            return answer_status(request, HTTPStatus.NOT_FOUND)
        name = path[len(prefix) + 1 :]
        if not prefix and (name == OLD_PLACE or name.startswith(f"{OLD_PLACE}/")):
            return answer_status(request, HTTPStatus.NOT_FOUND)
        if name.startswith("avatar/"):
            return self._avatar(request, name)
        if control_ui.root:
            root = expand(control_ui.root, self.context.home)
            return Deferred.fromCoroutine(self._bundle(request, root, name))
        return self._own_file(request, name)

    def _to_slash(self, request: Request, prefix: str) -> bytes:
        """
        The page's own files are named relative to it, so it stands under a slash.
        """
        _, mark, query = request.uri.partition(b"?")
        location = prefix + "/" + (mark + query).decode("latin-1")
        return answer(request, HTTPStatus.FOUND, b"", "text/plain; charset=utf-8", {"location": location})

    def _avatar(self, request: Request, name: str) -> Any:
        agent_id = avatar_agent(name)
        if agent_id is None or self.context.workspace is None:
            return answer_status(request, HTTPStatus.NOT_FOUND)
        return Deferred.fromCoroutine(self._known_avatar(request, agent_id, self.context.workspace(agent_id)))

    async def _known_avatar(self, request: Request, agent_id: str, workspace: Path) -> Any:
        told = await self.context.told(agent_id)
        sending = serve_avatar(request, self.context.config(), agent_id, told, workspace)
        return await sending if isinstance(sending, Deferred) else sending

    async def _bundle(self, request: Request, root: Path, name: str) -> Any:
        config = self.context.config()
        assistant = await self.context.presented(config.agents.default_id)
        values = {
            "__OPENCLAW_CONTROL_UI_BASE_PATH__": config.gateway.control_ui.prefix,
            "__OPENCLAW_ASSISTANT_NAME__": assistant["name"],
            "__OPENCLAW_ASSISTANT_AVATAR__": assistant["avatar"],
        }
        sending = serve_bundle(request, root, name, values)
        return await sending if isinstance(sending, Deferred) else sending

    def _own_file(self, request: Request, name: str) -> bytes:
        found = self._own.get("index.html" if name in PLACES or not name else name)
        if found is None:
            return answer_status(request, HTTPStatus.NOT_FOUND)
        for header, value in OWN_HEADERS.items():
            request.setHeader(header, value)
        if request.setETag(found.etag) is CACHED:
            return b""
        return answer(request, HTTPStatus.OK, found.body, found.media_type)
