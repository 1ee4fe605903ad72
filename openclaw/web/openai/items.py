"""
The input items of a response (``http.md`` 6.1, 6.2, 7.2). Members that we do not know are passed over: clients send
back what they were sent, with more than that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define, field

from openclaw.web.openai.errors import InvalidRequest
from openclaw.web.openai.prompt import SYSTEM_ROLES, Said, said, text_of
from openclaw.web.openai.sources import INVALID, Source, read_source

ROLES = ("system", "developer", "user", "assistant")
TEXT_PARTS = ("input_text", "output_text", "text")
SOURCE_PARTS = ("input_image", "input_file")

#: What says nothing to the agent.
PASSED_OVER = ("function_call", "reasoning", "item_reference")


@define
class Items:
    """
    What was read.

    :ivar entries: messages and results, oldest first.
    :ivar system: texts that count for this run only.
    :ivar sources: pictures and files, in order.
    """

    entries: list[Said] = field(factory=list)
    system: list[str] = field(factory=list)
    sources: list[Source] = field(factory=list)


def read_items(given: Any) -> Items:
    """
    :param given: ``input``: a text or items.
    :raise InvalidRequest: it is neither, or an item is wrong.
    """
    items = Items()
    if isinstance(given, str):
        if given.strip():
            # Not trimmed, unlike messages.
            items.entries.append(Said(role="user", label="User", text=given))
        return items
    if not isinstance(given, list):
        raise InvalidRequest(INVALID)
    for index, item in enumerate(given):
        _read_item(items, item, f"input.{index}")
    return items


def _read_item(items: Items, item: Any, where: str) -> None:
    if not isinstance(item, dict):
        raise InvalidRequest(INVALID)
    kind = item.get("type") or ("message" if "role" in item else None)
    if kind == "message":
        _read_message(items, item, where)
    elif kind == "function_call_output":
        _read_output(items, item)
    elif kind not in PASSED_OVER:
        raise InvalidRequest(INVALID)


def _read_message(items: Items, item: Mapping[str, Any], where: str) -> None:
    role, content = item.get("role"), item.get("content")
    if role not in ROLES or not isinstance(content, str | list):
        raise InvalidRequest(INVALID)
    for index, part in enumerate(content if isinstance(content, list) else ()):
        _read_part(items, part, f"{where}.content.{index}")
    text = text_of(content)
    if role in SYSTEM_ROLES:
        items.system += [text] if text else []
        return
    entry = said(role, text)
    if entry is not None:
        items.entries.append(entry)


def _read_part(items: Items, part: Any, where: str) -> None:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind in SOURCE_PARTS:
        items.sources.append(read_source(part, where))
    elif kind in TEXT_PARTS:
        if not isinstance(part.get("text"), str):
            raise InvalidRequest(INVALID)
    elif kind != "refusal":
        raise InvalidRequest(INVALID)


def _read_output(items: Items, item: Mapping[str, Any]) -> None:
    call_id, output = item.get("call_id"), item.get("output")
    if not isinstance(call_id, str) or not isinstance(output, str | list):
        raise InvalidRequest(INVALID)
    entry = said("tool", text_of(output), call_id, call_id)
    if entry is not None:
        items.entries.append(entry)
