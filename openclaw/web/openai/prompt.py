"""
Making one prompt of a list of messages (``http.md`` 5.2, 6.2).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from attrs import field, frozen

BEFORE = "[Chat messages since your last reply - for context]"
CURRENT = "[Current message - respond to this]"

SYSTEM_ROLES = ("system", "developer")
_LABELS = {"user": "User", "assistant": "Assistant", "tool": "Tool", "function": "Tool"}


@frozen(kw_only=True)
class Said:
    """
    One message that counts.

    :ivar label: who said it, as the prompt has it.
    :ivar role: ``user``, ``assistant`` or ``tool``.
    :ivar call_id: of a tool's result, the call that it answers.
    """

    role: str
    label: str
    text: str
    call_id: str | None = None


@frozen(kw_only=True)
class Prompt:
    """
    What a request says.

    :ivar message: what the agent is asked; empty when only results are brought.
    :ivar system: what it is told besides, for this run.
    :ivar results: of calls that the session waits for: ``{"callId": ..., "text": ...}``.
    """

    message: str
    system: Sequence[str] = ()
    results: Sequence[Mapping[str, str]] = field(factory=list)


def said(role: str, text: str, name: Any = None, call_id: str | None = None) -> Said | None:
    """
    A message that counts; ``None`` for those that do not. A result may be empty: it may be one that is waited for.
    """
    label, text = _LABELS.get(role), text.strip()
    if label is None or not (text or call_id):
        return None
    if label == "Tool" and isinstance(name, str) and name.strip():
        label = f"Tool:{name.strip()}"
    return Said(role="tool" if role == "function" else role, label=label, text=text, call_id=call_id)


def text_of(content: Any) -> str:
    """
    The text of a message's content: a string, or the texts of its parts.
    """
    if isinstance(content, str):
        return content.strip()
    if not isinstance(content, list):
        return ""
    texts = [text for part in content if isinstance(part, dict) and (text := _part_text(part))]
    return "\n".join(texts).strip()


def _part_text(part: Mapping[str, Any]) -> str:
    kind, text = part.get("type"), part.get("text")
    if kind in ("text", "input_text", "output_text") and isinstance(text, str):
        return text
    other = part.get("input_text")
    return other if isinstance(other, str) else ""


def chat_messages(messages: Any) -> tuple[list[Said], list[str]]:
    """
    The messages of a chat completion that count, and its system texts.
    """
    entries: list[Said] = []
    system: list[str] = []
    for message in messages if isinstance(messages, list) else ():
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            continue
        role, text = message["role"].strip(), text_of(message.get("content"))
        if role in SYSTEM_ROLES:
            system += [text] if text else []
            continue
        call_id = message.get("tool_call_id")
        entry = said(role, text, message.get("name"), call_id if isinstance(call_id, str) else None)
        if entry is not None:
            entries.append(entry)
    return entries, system


def make_prompt(entries: Sequence[Said], system: Sequence[str], waiting: Collection[str]) -> Prompt | None:
    """
    :param waiting: calls that the session waits for. What stands before the last of their results is in the session.
    :return: ``None`` when there is no message to answer.
    """
    entries = [entry for entry in entries if entry.text or entry.call_id in waiting]
    answered = [index for index, entry in enumerate(entries) if entry.call_id is not None and entry.call_id in waiting]
    results = [{"callId": entries[index].call_id or "", "text": entries[index].text} for index in answered]
    rest = entries[answered[-1] + 1 :] if answered else entries
    current = next((i for i in range(len(rest) - 1, -1, -1) if rest[i].role in ("user", "tool")), None)
    if current is None and not answered:
        current = len(rest) - 1
    if current is None:
        return Prompt(message="", system=system, results=results)
    if current < 0:
        return None
    return Prompt(message=_flat(rest[: current + 1]), system=system, results=results)


def _flat(entries: Sequence[Said]) -> str:
    *earlier, current = entries
    if not earlier:
        return current.text
    before = "\n".join(f"{entry.label}: {entry.text}" for entry in earlier)
    return f"{BEFORE}\n{before}\n\n{CURRENT}\n{current.label}: {current.text}"
