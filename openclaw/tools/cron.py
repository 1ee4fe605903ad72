"""
``cron``: jobs that run by themselves, through the methods of the same names (``methods.md`` 16).
"""

from __future__ import annotations

from typing import Any, Final

from openclaw.agent.tools import ToolContext
from openclaw.tools.base import Action, Arguments, ToolFailed, ToolWorld

#: Of the conversation, for a reminder.
MOST_MESSAGES: Final = 10
MOST_EACH: Final = 220
MOST_CONTEXT: Final = 700


async def status(world: ToolWorld, arguments: Arguments, context: ToolContext) -> Any:
    return await world.methods("cron.status")


async def listing(world: ToolWorld, arguments: Arguments, context: ToolContext) -> Any:
    return await world.methods("cron.list", {"includeDisabled": arguments.flag("includeDisabled")})


async def add(world: ToolWorld, arguments: Arguments, context: ToolContext) -> Any:
    """
    A new job, of the agent that makes it unless it says otherwise.
    """
    job = arguments.members("job")
    if not job:
        raise ToolFailed("job required")
    job = {"agentId": context.agent_id, **job}
    wanted = arguments.whole("contextMessages", 0, least=0, most=MOST_MESSAGES)
    payload = job.get("payload")
    if wanted and isinstance(payload, dict) and payload.get("kind") == "systemEvent":
        said = await _said(world, context.session_key, wanted)
        if said:
            job["payload"] = {**payload, "text": f"{payload.get('text', '')}\n\nRecent context:\n{said}"}
    return await world.methods("cron.add", job)


async def _said(world: ToolWorld, key: str, limit: int) -> str:
    history = await world.methods("chat.history", {"sessionKey": key, "limit": limit})
    lines, left = [], MOST_CONTEXT
    for message in reversed(history["messages"]):
        content = message.get("content")
        if message.get("role") not in ("user", "assistant"):
            continue
        texts = [content] if isinstance(content, str) else [block.get("text", "") for block in content or ()]
        text = " ".join(" ".join(texts).split())[:MOST_EACH]
        if text and len(text) <= left:
            left -= len(text)
            lines.append(f"- {'User' if message['role'] == 'user' else 'Assistant'}: {text}")
    return "\n".join(reversed(lines))


async def update(world: ToolWorld, arguments: Arguments, context: ToolContext) -> Any:
    patch = arguments.members("patch")
    if patch is None:
        raise ToolFailed("patch required")
    return await world.methods("cron.update", {"id": arguments.needed("jobId", "id"), "patch": patch})


async def remove(world: ToolWorld, arguments: Arguments, context: ToolContext) -> Any:
    return await world.methods("cron.remove", {"id": arguments.needed("jobId", "id")})


async def run(world: ToolWorld, arguments: Arguments, context: ToolContext) -> Any:
    return await world.methods("cron.run", {"id": arguments.needed("jobId", "id"), "mode": "force"})


async def runs(world: ToolWorld, arguments: Arguments, context: ToolContext) -> Any:
    return await world.methods("cron.runs", {"id": arguments.needed("jobId", "id")})


async def wake(world: ToolWorld, arguments: Arguments, context: ToolContext) -> Any:
    mode = "now" if arguments.text("mode") == "now" else "next-heartbeat"
    return await world.methods("wake", {"text": arguments.needed("text"), "mode": mode})


ACTIONS: Final[dict[str, Action]] = {
    "status": status,
    "list": listing,
    "add": add,
    "update": update,
    "remove": remove,
    "run": run,
    "runs": runs,
    "wake": wake,
}
LOOKING: Final = ("status", "list", "runs")
