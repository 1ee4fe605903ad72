"""
``nodes``: the owner's devices (``methods.md`` 10).
"""

from __future__ import annotations

import re
from typing import Any, Final

from openclaw.agent.tools import ToolContext, ToolResult
from openclaw.tools.base import Action, Arguments, ToolFailed, ToolWorld
from openclaw.tools.devices import ask, find_node, image_block, invoke, keep, sent_file

#: Of a recording, in milliseconds.
MOST_RECORDING: Final = 60_000
#: How much longer than a command the gateway waits, in milliseconds.
GRACE: Final = 5_000

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m)?")
_UNITS: Final = {"ms": 1, "s": 1000, "m": 60_000, None: 1}


async def status(world: ToolWorld, arguments: Arguments, context: ToolContext) -> Any:
    return await world.methods("node.list")


async def describe(world: ToolWorld, arguments: Arguments, context: ToolContext) -> Any:
    return await world.methods("node.describe", {"nodeId": await find_node(world, arguments.text("node"))})


async def pending(world: ToolWorld, arguments: Arguments, context: ToolContext) -> Any:
    return await world.methods("node.pair.list")


async def approve(world: ToolWorld, arguments: Arguments, context: ToolContext) -> Any:
    return await world.methods("node.pair.approve", {"requestId": arguments.needed("requestId")})


async def reject(world: ToolWorld, arguments: Arguments, context: ToolContext) -> Any:
    return await world.methods("node.pair.reject", {"requestId": arguments.needed("requestId")})


async def notify(world: ToolWorld, arguments: Arguments, context: ToolContext) -> Any:
    """
    Show something on a device.
    """
    if arguments.text("title") is None and arguments.text("body") is None:
        raise ToolFailed("title or body required")
    told = arguments.known("title", "body", "sound", "priority", "delivery")
    await ask(world, arguments, "system.notify", told)
    return {"ok": True}


async def camera_list(world: ToolWorld, arguments: Arguments, context: ToolContext) -> Any:
    return await ask(world, arguments, "camera.list", {})


async def camera_snap(world: ToolWorld, arguments: Arguments, context: ToolContext) -> ToolResult:
    """
    A picture, or one of each side.
    """
    facing = (arguments.text("facing") or "front").lower()
    if facing not in ("front", "back", "both"):
        raise ToolFailed("facing must be front, back or both")
    node_id = await find_node(world, arguments.text("node"), "camera.snap")
    content: list[dict[str, str]] = []
    details = []
    for side in ("front", "back") if facing == "both" else (facing,):
        asked = {"facing": side, "format": "jpg", **arguments.known("maxWidth", "quality", "delayMs", "deviceId")}
        payload = await invoke(world, node_id, "camera.snap", asked)
        data, suffix = sent_file(payload, "jpg")
        path = await keep(world, data, suffix)
        content += [{"type": "text", "text": f"MEDIA:{path}"}, image_block(data, suffix)]
        shown = {name: payload[name] for name in ("width", "height") if name in payload}
        details.append({"facing": side, "path": str(path), **shown})
    return ToolResult(content=content, details={"snaps": details})


async def camera_clip(world: ToolWorld, arguments: Arguments, context: ToolContext) -> ToolResult:
    told = {"facing": arguments.text("facing") or "front", "includeAudio": arguments.given.get("includeAudio", True)}
    return await _recording(world, arguments, "camera.clip", told | arguments.known("deviceId"), 3_000)


async def screen_record(world: ToolWorld, arguments: Arguments, context: ToolContext) -> ToolResult:
    told = {"includeAudio": arguments.given.get("includeAudio", True), "fps": arguments.number("fps") or 10}
    return await _recording(world, arguments, "screen.record", told | arguments.known("screenIndex"), 10_000)


async def _recording(
    world: ToolWorld, arguments: Arguments, command: str, told: dict[str, Any], default_ms: int
) -> ToolResult:
    """
    Record for a while; the node is waited for as long.
    """
    duration = _duration(arguments, default_ms)
    node_id = await find_node(world, arguments.text("node"), command)
    asked = {**told, "durationMs": duration, "format": "mp4"}
    payload = await invoke(world, node_id, command, asked, timeout_ms=duration + 30_000)
    data, suffix = sent_file(payload, "mp4")
    path = await keep(world, data, suffix)
    details = {"path": str(path), "durationMs": payload.get("durationMs", duration)}
    return ToolResult(content=[{"type": "text", "text": f"FILE:{path}"}], details=details)


def _duration(arguments: Arguments, default_ms: int) -> int:
    """
    Milliseconds, from ``durationMs`` or a text as ``10s``.

    :raise ToolFailed: it is none.
    """
    told = arguments.text("duration")
    if told is None:
        return arguments.whole("durationMs", default_ms, most=MOST_RECORDING)
    found = _DURATION.fullmatch(told.lower())
    if found is None:
        raise ToolFailed(f"duration must be a time as 500ms, 10s or 1m, not {told!r}")
    return max(1, min(MOST_RECORDING, int(float(found[1]) * _UNITS[found[2]])))


async def location_get(world: ToolWorld, arguments: Arguments, context: ToolContext) -> Any:
    asked = arguments.known("maxAgeMs", "desiredAccuracy")
    wait = arguments.number("locationTimeoutMs")
    if wait is not None:
        asked["timeoutMs"] = int(wait)
    return await ask(world, arguments, "location.get", asked)


async def run(world: ToolWorld, arguments: Arguments, context: ToolContext) -> Any:
    """
    Run a program on a node, which asks its owner as its own rules say.
    """
    command = arguments.given.get("command")
    if not isinstance(command, list) or not command or not all(isinstance(part, str) for part in command):
        raise ToolFailed("command required (a list of the program and its arguments)")
    env = dict(entry.partition("=")[::2] for entry in arguments.names("env") if "=" in entry)
    limit = arguments.number("commandTimeoutMs")
    wait = arguments.number("invokeTimeoutMs")
    asked = {
        "command": command,
        "agentId": context.agent_id,
        "sessionKey": context.session_key,
        **arguments.known("cwd", "needsScreenRecording"),
        **({"env": env} if env else {}),
        **({"timeoutMs": int(limit)} if limit else {}),
    }
    node_id = await find_node(world, arguments.text("node"), "system.run")
    timeout = int(wait) if wait else int(limit) + GRACE if limit else None
    return await invoke(world, node_id, "system.run", asked, timeout_ms=timeout)


ACTIONS: Final[dict[str, Action]] = {
    "status": status,
    "describe": describe,
    "pending": pending,
    "approve": approve,
    "reject": reject,
    "notify": notify,
    "camera_snap": camera_snap,
    "camera_list": camera_list,
    "camera_clip": camera_clip,
    "screen_record": screen_record,
    "location_get": location_get,
    "run": run,
}
LOOKING: Final = ("status", "describe", "pending")
