"""
``gateway``: the configuration and updates, through the methods of the same names.
"""

from __future__ import annotations

from typing import Any, Final

from openclaw.agent.tools import ToolContext
from openclaw.tools.base import Action, Arguments, ToolFailed, ToolWorld

_CHANGE: Final = ("sessionKey", "note", "restartDelayMs")


async def restart(world: ToolWorld, arguments: Arguments, context: ToolContext) -> Any:
    """
    :raise ToolFailed: always; the program cannot start itself anew yet.
    """
    if not world.config().commands.restart:
        raise ToolFailed("Gateway restart is disabled. Set commands.restart=true to enable.")
    raise ToolFailed("This gateway cannot restart itself yet. Ask its owner to restart it.")


async def get(world: ToolWorld, arguments: Arguments, context: ToolContext) -> Any:
    return {"ok": True, "result": await world.methods("config.get")}


async def schema(world: ToolWorld, arguments: Arguments, context: ToolContext) -> Any:
    return {"ok": True, "result": await world.methods("config.schema")}


async def apply(world: ToolWorld, arguments: Arguments, context: ToolContext) -> Any:
    return await _change("config.apply", world, arguments, context)


async def patch(world: ToolWorld, arguments: Arguments, context: ToolContext) -> Any:
    return await _change("config.patch", world, arguments, context)


async def _change(method: str, world: ToolWorld, arguments: Arguments, context: ToolContext) -> Any:
    """
    Without a ``baseHash`` it is the file as it is now that is changed.
    """
    asked = {"raw": arguments.needed("raw"), "sessionKey": context.session_key, **arguments.known(*_CHANGE)}
    base = arguments.text("baseHash") or (await world.methods("config.get"))["hash"]
    return {"ok": True, "result": await world.methods(method, {**asked, "baseHash": base})}


async def update(world: ToolWorld, arguments: Arguments, context: ToolContext) -> Any:
    return {"ok": True, "result": await world.methods("update.run", arguments.known("sessionKey", "note"))}


ACTIONS: Final[dict[str, Action]] = {
    "restart": restart,
    "config.get": get,
    "config.schema": schema,
    "config.apply": apply,
    "config.patch": patch,
    "update.run": update,
}
LOOKING: Final = ("config.get", "config.schema")
