"""
``canvas``: what a node shows (``http.md`` 12, 13).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from openclaw.agent.tools import ToolContext, ToolResult
from openclaw.errors import OpenClawError
from openclaw.files import open_below
from openclaw.tools.base import Action, Arguments, ToolFailed, ToolWorld
from openclaw.tools.devices import ask, image_block, keep, sent_file

#: Of a file of A2UI messages, in bytes.
MOST_JSONL: Final = 1024 * 1024


async def present(world: ToolWorld, arguments: Arguments, context: ToolContext) -> Any:
    told: dict[str, Any] = {}
    url = arguments.text("target") or arguments.text("url")
    if url is not None:
        told["url"] = url
    placement = {name: value for name in ("x", "y", "width", "height") if (value := arguments.number(name)) is not None}
    if placement:
        told["placement"] = placement
    await ask(world, arguments, "canvas.present", told)
    return {"ok": True}


async def hide(world: ToolWorld, arguments: Arguments, context: ToolContext) -> Any:
    await ask(world, arguments, "canvas.hide", {})
    return {"ok": True}


async def navigate(world: ToolWorld, arguments: Arguments, context: ToolContext) -> Any:
    await ask(world, arguments, "canvas.navigate", {"url": arguments.needed("url", "target")})
    return {"ok": True}


async def evaluate(world: ToolWorld, arguments: Arguments, context: ToolContext) -> Any:
    payload = await ask(world, arguments, "canvas.eval", {"javaScript": arguments.needed("javaScript")})
    text = payload.get("result") if isinstance(payload, dict) else None
    if isinstance(text, str) and text:
        # Whatever page is shown there says it.
        return ToolResult(content=[{"type": "text", "text": text}], details={"result": text}, foreign=True)
    return {"ok": True}


async def snapshot(world: ToolWorld, arguments: Arguments, context: ToolContext) -> ToolResult:
    wanted = (arguments.text("outputFormat") or "png").lower()
    told = {"format": "jpeg" if wanted in ("jpg", "jpeg") else "png"}
    told |= arguments.known("maxWidth", "quality", "delayMs")
    data, suffix = sent_file(await ask(world, arguments, "canvas.snapshot", told), "png")
    path = await keep(world, data, suffix)
    content = [{"type": "text", "text": f"MEDIA:{path}"}, image_block(data, suffix)]
    return ToolResult(content=content, details={"path": str(path), "format": suffix})


async def a2ui_push(world: ToolWorld, arguments: Arguments, context: ToolContext) -> Any:
    jsonl = arguments.text("jsonl")
    if jsonl is None:
        name = arguments.text("jsonlPath")
        if name is None:
            raise ToolFailed("jsonl or jsonlPath required")
        jsonl = await world.in_thread(_read, context.workspace, name)
    await ask(world, arguments, "canvas.a2ui.pushJSONL", {"jsonl": jsonl})
    return {"ok": True}


def _read(workspace: Path, name: str) -> str:
    """
    A file of the workspace.

    :raise ToolFailed: it is not there, or too large.
    """
    inside = Path(name)
    if inside.is_absolute() and inside.is_relative_to(workspace):
        inside = inside.relative_to(workspace)
    try:
        opened = open_below(workspace, inside.as_posix())
    except OpenClawError as error:
        raise ToolFailed(f"jsonlPath cannot be read: {error}") from error
    with opened.file as file:
        data = file.read(MOST_JSONL + 1)
    if len(data) > MOST_JSONL:
        raise ToolFailed(f"jsonlPath has more than {MOST_JSONL} bytes")
    return data.decode("utf-8", "replace")


async def a2ui_reset(world: ToolWorld, arguments: Arguments, context: ToolContext) -> Any:
    await ask(world, arguments, "canvas.a2ui.reset", {})
    return {"ok": True}


ACTIONS: Final[dict[str, Action]] = {
    "present": present,
    "hide": hide,
    "navigate": navigate,
    "eval": evaluate,
    "snapshot": snapshot,
    "a2ui_push": a2ui_push,
    "a2ui_reset": a2ui_reset,
}
LOOKING: Final = ("snapshot",)
