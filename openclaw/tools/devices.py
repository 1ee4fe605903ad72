"""
Asking nodes: which one is meant, and what comes back from it.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from openclaw.config.files import make_private_directory, replace_file
from openclaw.tools.base import Arguments, ToolFailed, ToolWorld

#: Of one file that a node sends, in bytes.
MOST_BYTES: Final = 64 * 1024 * 1024
TYPES: Final = {"jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "mp4": "video/mp4"}

#: The longest time for which a node is waited for, in milliseconds.
MOST_WAIT: Final = 600_000


async def find_node(world: ToolWorld, named: str | None, command: str | None = None) -> str:
    """
    The id of a node.

    :param named: an id, the beginning of one, a name or an address; without it the only connected one is meant that
        has the command.
    :raise ToolFailed: there is none, or it is not clear which.
    """
    rows = (await world.methods("node.list"))["nodes"]
    if named is None:
        able = [row for row in rows if row.get("connected") and (command is None or command in row.get("commands", ()))]
        if len(able) == 1:
            return str(able[0]["nodeId"])
        raise ToolFailed("node required")
    wanted = named.lower()
    exact = [row for row in rows if wanted in _names(row)]
    found = exact or [row for row in rows if len(wanted) >= 6 and row["nodeId"].lower().startswith(wanted)]
    if len(found) > 1:
        found = [row for row in found if row.get("connected")]
    if len(found) == 1:
        return str(found[0]["nodeId"])
    known = ", ".join(str(row.get("displayName") or row["nodeId"]) for row in rows) or "none"
    raise ToolFailed(f"{'ambiguous' if found else 'unknown'} node: {named} (known: {known})")


def _names(row: Mapping[str, Any]) -> set[str]:
    return {str(row[name]).lower() for name in ("nodeId", "displayName", "remoteIp") if row.get(name)}


async def invoke(
    world: ToolWorld, node_id: str, command: str, params: Mapping[str, Any], *, timeout_ms: int | None = None
) -> Any:
    """
    What a node answers to a command.

    :raise ToolFailed: it may not be asked for it, or could not do it.
    """
    asked: dict[str, Any] = {
        "nodeId": node_id,
        "command": command,
        "params": dict(params),
        "idempotencyKey": world.make_id(),
    }
    if timeout_ms is not None:
        asked["timeoutMs"] = min(timeout_ms, MOST_WAIT)
    return (await world.methods("node.invoke", asked)).get("payload")


async def ask(world: ToolWorld, arguments: Arguments, command: str, params: Mapping[str, Any]) -> Any:
    """
    The same, of the node that the arguments mean.
    """
    node_id = await find_node(world, arguments.text("node"), command)
    wait = arguments.number("timeoutMs")
    return await invoke(world, node_id, command, params, timeout_ms=None if wait is None else max(1, int(wait)))


def sent_file(payload: Any, default: str) -> tuple[str, str]:
    """
    A file that a node sent.

    :return: its base64 and what its name ends with.
    :raise ToolFailed: there is none, or it is too large.
    """
    data = payload.get("base64") if isinstance(payload, Mapping) else None
    if not isinstance(data, str) or not data:
        raise ToolFailed("the node sent no file")
    if len(data) > MOST_BYTES * 4 // 3:
        raise ToolFailed(f"the node sent more than {MOST_BYTES} bytes")
    told = str(payload.get("format") or default).lower()
    return data, told if told in TYPES else default


async def keep(world: ToolWorld, data: str, suffix: str) -> Path:
    """
    Write a file that a node sent, for the owner only.

    :raise ToolFailed: it is no base64.
    """
    try:
        decoded = b64decode(data, validate=True)
    except binascii.Error as error:
        raise ToolFailed("the node sent a file that cannot be read") from error
    path = world.state_dir / "media" / "nodes" / f"{world.make_id()}.{suffix}"

    def write() -> None:
        make_private_directory(path.parent)
        replace_file(path, decoded)

    await world.in_thread(write)
    return path


def image_block(data: str, suffix: str) -> dict[str, str]:
    return {"type": "image", "data": data, "mimeType": TYPES[suffix]}
