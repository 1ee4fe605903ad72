"""
``message``: to people, through channels. There is none yet, and each action says so.
"""

from __future__ import annotations

from typing import Any, Final

from openclaw.agent.tools import ToolContext
from openclaw.tools.base import Action, Arguments, ToolFailed, ToolWorld

NO_CHANNEL: Final = "Channel is required (no configured channels detected)."
NO_SWITCH: Final = "dryRun must be true or false"


def acts(arguments: Arguments) -> bool:
    """
    Whether a call tells somebody something; a dry run does not.
    """
    return not arguments.flag("dryRun")


async def send(world: ToolWorld, arguments: Arguments, context: ToolContext) -> Any:
    """
    Send a message; with ``dryRun``, say what would be sent.
    """
    # Whoever writes 1 or "yes" does not want it to be sent.
    if not isinstance(arguments.given.get("dryRun"), bool | None):
        raise ToolFailed(NO_SWITCH)
    channel = arguments.text("channel")
    if channel is None:
        raise ToolFailed(NO_CHANNEL)
    asked = {
        "to": arguments.needed("target", "to", "channelId"),
        "message": arguments.needed("message", "caption"),
        "channel": channel,
        **arguments.known("accountId"),
    }
    media = arguments.text("media") or arguments.text("path") or arguments.text("filePath")
    if media is not None:
        asked["mediaUrl"] = media
    if arguments.flag("dryRun"):
        return {**asked, "via": "gateway", "mediaUrl": media, "dryRun": True}
    return await world.methods("send", {**asked, "idempotencyKey": world.make_id()})


async def other(world: ToolWorld, arguments: Arguments, context: ToolContext) -> Any:
    """
    What only a channel can do.
    """
    channel = arguments.text("channel")
    raise ToolFailed(NO_CHANNEL if channel is None else f"Unknown channel: {channel}")


ACTIONS: Final[dict[str, Action]] = {
    "send": send,
    "broadcast": other,
    "react": other,
    "delete": other,
    "edit": other,
}
