"""
``browser``: the browser of a node, through ``browser.request`` (``http.md`` 15).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from attrs import frozen

from openclaw.agent.tools import ToolContext, ToolResult
from openclaw.tools.base import Arguments, ToolFailed, ToolWorld, result


@frozen
class Request:
    """
    What one action asks.

    :ivar query: names of arguments that stand in the address, ``body`` of those in the body.
    """

    method: str
    path: str | Callable[[Arguments], str]
    query: tuple[str, ...] = ()
    body: tuple[str, ...] = ()


ACTIONS: Final[Mapping[str, Request]] = {
    "status": Request("GET", "/"),
    "start": Request("POST", "/start"),
    "stop": Request("POST", "/stop"),
    "profiles": Request("GET", "/profiles"),
    "tabs": Request("GET", "/tabs"),
    "open": Request("POST", "/tabs/open", body=("url",)),
    "focus": Request("POST", "/tabs/focus", body=("targetId",)),
    "close": Request("DELETE", lambda arguments: f"/tabs/{arguments.needed('targetId')}"),
    "navigate": Request("POST", "/navigate", body=("url", "targetId")),
    "snapshot": Request(
        "GET",
        "/snapshot",
        query=(
            *("format", "targetId", "limit", "maxChars", "refs", "interactive", "compact", "depth", "selector"),
            *("frame", "labels", "mode"),
        ),
    ),
    "screenshot": Request("POST", "/screenshot", body=("targetId", "fullPage", "ref", "element", "type")),
    "console": Request("GET", "/console", query=("level", "targetId")),
    "pdf": Request("POST", "/pdf", body=("targetId",)),
    "upload": Request(
        "POST", "/hooks/file-chooser", body=("paths", "ref", "inputRef", "element", "targetId", "timeoutMs")
    ),
    "dialog": Request("POST", "/hooks/dialog", body=("accept", "promptText", "targetId", "timeoutMs")),
}
#: These tell nothing of what pages say.
OWN: Final = ("status", "start", "stop", "profiles")
LOOKING: Final = ("status", "profiles", "tabs", "snapshot", "screenshot", "console", "pdf")


async def browser(world: ToolWorld, arguments: Arguments, context: ToolContext) -> ToolResult:
    """
    :raise ToolFailed: no node has a browser, or it could not do it.
    """
    action = arguments.needed("action")
    if action == "act":
        request = arguments.members("request")
        if not request:
            raise ToolFailed("request required")
        return result(await _asked(world, arguments, "POST", "/act", {}, request), foreign=True)
    wanted = ACTIONS.get(action)
    if wanted is None:
        raise ToolFailed(f"Unknown action: {action}")
    given = {**arguments.given}
    if "targetUrl" in given:
        given["url"] = given["targetUrl"]
    if "snapshotFormat" in given:
        given["format"] = given["snapshotFormat"]
    if "url" in wanted.body and not given.get("url"):
        raise ToolFailed("targetUrl required")
    query = {name: str(given[name]) for name in wanted.query if given.get(name) is not None}
    body = {name: given[name] for name in wanted.body if given.get(name) is not None}
    path = wanted.path if isinstance(wanted.path, str) else wanted.path(arguments)
    return result(await _asked(world, arguments, wanted.method, path, query, body), foreign=action not in OWN)


async def _asked(
    world: ToolWorld,
    arguments: Arguments,
    method: str,
    path: str,
    query: Mapping[str, str],
    body: Mapping[str, Any],
) -> Any:
    profile = arguments.text("profile")
    asked: dict[str, Any] = {"method": method, "path": path}
    if query or profile:
        asked["query"] = {**query, **({"profile": profile} if profile else {})}
    if method == "POST":
        asked["body"] = dict(body)
    wait = arguments.number("timeoutMs")
    if wait:
        asked["timeoutMs"] = wait
    return await world.methods("browser.request", asked)
