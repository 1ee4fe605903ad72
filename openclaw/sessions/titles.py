"""
What a session is called in a list, and what was said in it last (``methods.md`` 9.1, 9.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from openclaw.sessions.text import cut, message_text
from openclaw.store.interfaces import Session

TITLE_LENGTH = 60

#: A title is cut at a blank that stands behind this share of it.
WORD_SHARE = 0.6


def derived_title(session: Session, first_user: Mapping[str, Any] | None) -> str:
    """
    A title for a session that nobody named.

    :param first_user: the first message of a user.
    """
    for name in ("displayName", "subject"):
        given = session.members.get(name)
        if isinstance(given, str) and given.strip():
            return given.strip()
    said = " ".join(message_text(first_user).split()) if first_user is not None else ""
    if said:
        return shortened(said)
    day = datetime.fromtimestamp(session.updated_at_ms / 1000, UTC).date().isoformat()
    return f"{session.session_id[:8]} ({day})"


def shortened(text: str, most: int = TITLE_LENGTH) -> str:
    """
    A text cut at a word, with an ellipsis.
    """
    if len(text) <= most:
        return text
    head = text[: most - 1]
    blank = head.rfind(" ")
    return (head[:blank] if blank > most * WORD_SHARE else head) + "…"


def last_text(newest_first: Iterable[Mapping[str, Any]]) -> str | None:
    """
    The last thing that a user or the assistant said.
    """
    for message in newest_first:
        if message.get("role") in ("user", "assistant"):
            text = message_text(message)
            if text:
                return text
    return None


def preview_items(newest_first: Iterable[Mapping[str, Any]], limit: int, max_chars: int) -> list[dict[str, str]]:
    """
    The last few messages as ``sessions.preview`` shows them, oldest first.
    """
    items: list[dict[str, str]] = []
    for message in newest_first:
        text = preview_text(message)
        if text:
            items.append({"role": preview_role(message), "text": cut(text, max_chars)})
        if len(items) == limit:
            break
    return items[::-1]


def preview_role(message: Mapping[str, Any]) -> str:
    """
    Whose a message is, as previews tell it.
    """
    role = str(message.get("role", "")).lower()
    if role in ("toolresult", "tool_result", "tool", "function") or message.get("toolName") or _calls(message):
        return "tool"
    return role if role in ("user", "assistant", "system") else "other"


def preview_text(message: Mapping[str, Any]) -> str:
    """
    What a message says, or what stands for it when it has no text.
    """
    text = message_text(message)
    if text:
        return text
    calls = _calls(message)
    if calls:
        more = f" +{len(calls) - 2}" if len(calls) > 2 else ""
        return f"call {', '.join(calls[:2])}{more}"
    for block in _blocks(message):
        if isinstance(block.get("type"), str) and block["type"] != "text":
            return f"[{block['type']}]"
    return ""


def _blocks(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    content = message.get("content")
    if isinstance(content, str) or not isinstance(content, Sequence):
        return []
    return [block for block in content if isinstance(block, Mapping)]


def _calls(message: Mapping[str, Any]) -> list[str]:
    return [str(block.get("name", "tool")) for block in _blocks(message) if block.get("type") == "toolCall"]
