"""
Queue mode ``collect``: messages that came while a run was active become one turn (``agent.md`` 9).

Only messages of one route to a channel are put together. Those of chat clients run one by one, each under its own id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from openclaw.agent.types import Inbound
from openclaw.config.model import Config

TITLE = "[Queued messages while agent was busy]"

#: Characters of a dropped message that its summary keeps.
SUMMARY_CHARACTERS = 160

ALIASES = {"queue": "steer", "queued": "steer", "steer+backlog": "steer-backlog"}


@frozen(kw_only=True)
class QueueSettings:
    """
    How a session queues.
    """

    mode: str
    debounce_ms: int
    cap: int
    drop: str


def queue_settings(config: Config, members: Mapping[str, Any], channel: str | None) -> QueueSettings:
    """
    The session's own settings, else the channel's, else the general ones.
    """
    queue = config.messages.queue
    mode = members.get("queueMode") or (queue.by_channel.get(channel) if channel else None) or queue.mode
    debounce = members.get("queueDebounceMs")
    if debounce is None:
        debounce = queue.debounce_ms_by_channel.get(channel or "", queue.debounce_ms)
    return QueueSettings(
        mode=ALIASES.get(mode, mode),
        debounce_ms=debounce,
        cap=members.get("queueCap") or queue.cap,
        drop=members.get("queueDrop") or queue.drop,
    )


def channel_of(inbound: Inbound) -> str | None:
    """
    The channel that a message came by.
    """
    channel = inbound.members.get("lastChannel")
    return channel if isinstance(channel, str) else None


def route(inbound: Inbound) -> tuple[Any, ...] | None:
    """
    Where the answer goes; messages of one route may become one turn. ``None`` for what is not put together.
    """
    channel = channel_of(inbound)
    if inbound.origin != "channel" or channel is None:
        return None
    names = ("lastTo", "lastAccountId", "lastThreadId")
    return (channel, *(inbound.members.get(name) for name in names))


def collected(prompts: Sequence[str], settings: QueueSettings) -> str:
    """
    Several messages as one, oldest first.
    """
    kept, dropped = list(prompts), []
    over = len(prompts) - settings.cap
    if over > 0 and settings.drop == "new":
        kept, dropped = kept[: settings.cap], kept[settings.cap :]
    elif over > 0:
        kept, dropped = kept[over:], kept[:over]
    parts = [TITLE]
    if dropped and settings.drop == "summarize":
        lines = "\n".join(f"- {_summary(text)}" for text in dropped)
        parts.append(f"[Queue overflow] Dropped {len(dropped)} message(s) due to cap.\nSummary:\n{lines}")
    parts.extend(f"---\nQueued #{number}\n{text}" for number, text in enumerate(kept, start=1))
    return "\n\n".join(parts)


def _summary(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SUMMARY_CHARACTERS else f"{line[:SUMMARY_CHARACTERS]}…"
