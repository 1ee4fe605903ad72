"""
``tts``: a text, spoken into a file.
"""

from __future__ import annotations

from openclaw.agent.tools import ToolContext, ToolResult
from openclaw.tools.base import Arguments, ToolWorld

VOICE = "[[audio_as_voice]]\n"


async def tts(world: ToolWorld, arguments: Arguments, context: ToolContext) -> ToolResult:
    made = await world.methods("tts.convert", {"text": arguments.needed("text"), **arguments.known("channel")})
    text = f"{VOICE if made['voiceCompatible'] else ''}MEDIA:{made['audioPath']}"
    details = {"audioPath": made["audioPath"], "provider": made["provider"]}
    return ToolResult(content=[{"type": "text", "text": text}], details=details)
