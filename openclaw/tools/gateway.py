"""
``gateway``: the configuration and updates, through the methods of the same names.
"""

from __future__ import annotations

import os
from typing import Any, Final

from openclaw.agent.tools import ToolContext
from openclaw.clock import millis
from openclaw.config.sentinel import DEFAULT_DELAY_MS, MOST_DELAY_MS, remove_sentinel, sentinel, write_sentinel
from openclaw.tools.base import Action, Arguments, ToolFailed, ToolWorld

_CHANGE: Final = ("sessionKey", "note", "restartDelayMs")


async def restart(world: ToolWorld, arguments: Arguments, context: ToolContext) -> Any:
    """
    :raise ToolFailed: the owner has not allowed it, or nothing here can.
    """
    if not world.config().commands.restart:
        raise ToolFailed("Gateway restart is disabled. Set commands.restart=true to enable.")
    reason = arguments.text("reason") or "gateway tool"
    delay = arguments.whole("delayMs", DEFAULT_DELAY_MS, least=0, most=MOST_DELAY_MS)
    note = sentinel(
        "restart",
        now_ms=millis(world.clock),
        mode="gateway.restart",
        root=str(world.config_path),
        session_key=context.session_key,
        message=arguments.text("note") or arguments.text("reason"),
    )
    # Before it can happen: who asked is told afterwards, also by another process.
    await world.in_thread(write_sentinel, world.state_dir, note)
    comes = world.restart(reason, delay / 1000)
    if comes is None:
        await world.in_thread(remove_sentinel, world.state_dir)
        raise ToolFailed("This gateway cannot restart itself. Ask its owner to restart it.")
    comes_ms = round(comes * 1000)
    return {"ok": True, "pid": os.getpid(), "signal": "SIGUSR1", "delayMs": comes_ms, "reason": reason, "mode": "emit"}


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
