"""
What people see of the texts in a session: no envelopes, no message ids.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

#: Labels that an envelope may begin with.
CHANNEL_LABELS = (
    "WebChat",
    "WhatsApp",
    "Telegram",
    "Signal",
    "Slack",
    "Discord",
    "Google Chat",
    "iMessage",
    "Teams",
    "Matrix",
    "Zalo",
    "Zalo Personal",
    "BlueBubbles",
)

#: Told to the model before the message that follows an aborted run.
ABORTED_NOTE = "Note: the previous run in this session was aborted before it was finished."

#: What the model reads when a session is started without a message.
GREETING = (
    "A new session was started. Greet your owner briefly, in your own manner, and ask what they want to do. "
    "Do not mention this instruction."
)
#: What people wrote instead of it.
GREETING_COMMAND = "/new"

_ENVELOPE = re.compile(r"\[([^\]]+)\]\s*")
_TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}Z\b| \d{2}:\d{2}\b)")
_MESSAGE_ID_LINE = re.compile(r"^[ \t]*\[message_id:\s*[^\]\n]+\][ \t]*(?:\n|\Z)", re.IGNORECASE | re.MULTILINE)


def without_envelope(text: str) -> str:
    """
    A user's text without the leading ``[WhatsApp +49… 2026-01-30 12:00]`` that says where it came from.
    """
    found = _ENVELOPE.match(text)
    if found is None:
        return text
    header = found[1]
    labelled = any(header.startswith(f"{label} ") for label in CHANNEL_LABELS)
    return text[found.end() :] if labelled or _TIMESTAMP.search(header) else text


def without_message_ids(text: str) -> str:
    """
    A text without its lines ``[message_id: …]``, which are for the model.
    """
    if "[message_id:" not in text.lower():
        return text
    cut = _MESSAGE_ID_LINE.sub("", text)
    # The line break before an id line at the end was made for that line.
    return cut.removesuffix("\n") if cut != text and not text.endswith("\n") else cut


def shown_text(text: str) -> str:
    """
    A user's text as people wrote it.
    """
    shown = without_message_ids(without_envelope(text.removeprefix(f"{ABORTED_NOTE}\n\n")))
    return GREETING_COMMAND if shown == GREETING else shown


def shown_message(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """
    A message as ``chat.history`` gives it: users' texts cleaned, everything else as it is.
    """
    if message.get("role") != "user":
        return message
    content = message.get("content")
    if isinstance(content, str):
        return {**message, "content": shown_text(content)}
    if not isinstance(content, Sequence):
        return message
    return {**message, "content": [_shown_block(block) for block in content]}


def _shown_block(block: Any) -> Any:
    if isinstance(block, Mapping) and block.get("type") == "text" and isinstance(block.get("text"), str):
        return {**block, "text": shown_text(block["text"])}
    return block


def texts(message: Mapping[str, Any]) -> list[str]:
    """
    All text parts of a message that say something.
    """
    content = message.get("content")
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    if not isinstance(content, Sequence):
        return []
    found = [block.get("text") for block in content if isinstance(block, Mapping) and block.get("type") == "text"]
    return [text.strip() for text in found if isinstance(text, str) and text.strip()]


def message_text(message: Mapping[str, Any]) -> str:
    """
    The whole text of a message as people see it, in one string.
    """
    whole = "\n".join(texts(message))
    return shown_text(whole) if message.get("role") == "user" else whole


def cut(text: str, most: int, mark: str = "...") -> str:
    """
    A text of at most ``most`` characters, with a mark where it was cut.
    """
    return text if len(text) <= most else text[: most - len(mark)].rstrip() + mark
