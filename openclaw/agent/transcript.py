"""
Writing a run into its session.

Work on a unit only: everything here may run on the store's own thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from openclaw.agent.providers.base import Cost, ResolvedModel, ToolCall, Usage
from openclaw.store.interfaces import DuplicateEntry, Entry, Unit

Message = Mapping[str, Any]


#: Ids tried for one entry: a long session has many, and eight digits come twice now and then.
TRIES = 8


def entry_id(id: str) -> str:
    """
    8 hexadecimal digits of an id, the last: where ids begin with the time, these differ most.
    """
    digits = "".join(character for character in id.lower() if character in "0123456789abcdef")
    return digits[-8:].rjust(8, "0")


def append(
    unit: Unit,
    make_id: Callable[[], str],
    *,
    session_id: str,
    run_id: str | None,
    now_ms: int,
    type: str,
    body: Mapping[str, Any],
    parent_id: str | None = None,
    at_leaf: bool = True,
) -> Entry:
    """
    Write one entry after the newest one, or after ``parent_id`` where ``at_leaf`` is false.

    :param make_id: gives an id for an entry, see ``entry_id``; asked again when the session has such an entry already.
    :raise DuplicateEntry: it gives none that is new.
    """
    if at_leaf:
        leaf = unit.entries.leaf(session_id)
        parent_id = None if leaf is None else leaf.id
    for left in reversed(range(TRIES)):
        entry = Entry(
            id=make_id(),
            session_id=session_id,
            parent_id=parent_id,
            type=type,
            timestamp_ms=now_ms,
            body=body,
            run_id=run_id,
        )
        try:
            unit.entries.append(entry)
        except DuplicateEntry:
            if not left:
                raise
        else:
            return entry
    raise AssertionError("the last try returns or raises")


def append_message(
    unit: Unit,
    make_id: Callable[[], str],
    *,
    session_id: str,
    run_id: str | None,
    now_ms: int,
    message: Message,
    marks: Mapping[str, Any] | None = None,
) -> Entry:
    """
    Write one message.

    :param marks: where it came from, kept beside it.
    """
    return append(
        unit,
        make_id,
        session_id=session_id,
        run_id=run_id,
        now_ms=now_ms,
        type="message",
        body={"message": message, **(marks or {})},
    )


def append_user(
    unit: Unit,
    make_id: Callable[[], str],
    *,
    session_id: str,
    run_id: str,
    now_ms: int,
    message: Message,
    marks: Mapping[str, Any],
) -> Entry:
    """
    Write a user's message. One that was never answered stays in the tree, but not in the context: the new one takes
    its place under the same parent (``agent.md`` 4.1).
    """
    leaf = unit.entries.leaf(session_id)
    unanswered = leaf is not None and leaf.type == "message" and leaf.body["message"].get("role") == "user"
    parent = None if leaf is None else (leaf.parent_id if unanswered else leaf.id)
    return append(
        unit,
        make_id,
        session_id=session_id,
        run_id=run_id,
        now_ms=now_ms,
        type="message",
        body={"message": message, **marks},
        parent_id=parent,
        at_leaf=False,
    )


def append_settings(
    unit: Unit,
    make_id: Callable[[], str],
    path: Sequence[Entry],
    *,
    session_id: str,
    run_id: str,
    now_ms: int,
    model: ResolvedModel,
    thinking: str,
) -> list[Entry]:
    """
    Write down the model and the thinking level where they differ from what the session says.

    :return: the path with what was written.
    """
    told_model: tuple[Any, Any] | None = None
    told_thinking: Any = None
    snapshot: tuple[Any, Any, Any] | None = None
    for entry in path:
        body = entry.body
        if entry.type == "model_change":
            told_model = (body.get("provider"), body.get("modelId"))
        elif entry.type == "thinking_level_change":
            told_thinking = body.get("thinkingLevel")
        elif entry.type == "custom" and body.get("customType") == "model-snapshot":
            data = body.get("data", {})
            snapshot = (data.get("provider"), data.get("modelApi"), data.get("modelId"))
    news: list[tuple[str, dict[str, Any]]] = []
    if told_model != (model.provider, model.model_id):
        news.append(("model_change", {"provider": model.provider, "modelId": model.model_id}))
    if told_thinking != thinking:
        news.append(("thinking_level_change", {"thinkingLevel": thinking}))
    if snapshot != (model.provider, model.api, model.model_id):
        data = {
            "timestamp": now_ms,
            "provider": model.provider,
            "modelApi": model.api,
            "modelId": model.model_id,
        }
        news.append(("custom", {"customType": "model-snapshot", "data": data}))
    written = list(path)
    for kind, body in news:
        written.append(append(unit, make_id, session_id=session_id, run_id=run_id, now_ms=now_ms, type=kind, body=body))
    return written


def path_to(path: Sequence[Entry], entry: Entry) -> list[Entry]:
    """
    The path to an entry that was just written after one of a path.
    """
    while path and path[-1].id != entry.parent_id:
        path = path[:-1]
    return [*path, entry]


# -- messages ---------------------------------------------------------------------------------------------------------


def user_message(text: str, images: Sequence[Mapping[str, Any]], now_ms: int) -> dict[str, Any]:
    """
    What a person (or a timer, a hook) said.
    """
    content: list[dict[str, Any]] = [{"type": "text", "text": text}]
    content.extend(dict(image) for image in images)
    return {"role": "user", "content": content, "timestamp": now_ms}


def assistant_message(
    model: ResolvedModel,
    content: Sequence[Mapping[str, Any]],
    usage: Usage,
    stop_reason: str,
    now_ms: int,
    error: str | None = None,
) -> dict[str, Any]:
    """
    What a model said, or that it failed.
    """
    message: dict[str, Any] = {
        "role": "assistant",
        "content": list(content),
        "api": model.api,
        "provider": model.provider,
        "model": model.model_id,
        "usage": usage_members(usage, model.cost),
        "stopReason": stop_reason,
        "timestamp": now_ms,
    }
    if error is not None:
        message["errorMessage"] = error
    return message


def failure_message(model: ResolvedModel | None, error: str, now_ms: int) -> dict[str, Any]:
    """
    That a run failed, for the session. It has no content, so no model is shown it.
    """
    if model is not None:
        return assistant_message(model, [], Usage(), "error", now_ms, error)
    return {
        "role": "assistant",
        "content": [],
        "usage": {"input": 0, "output": 0, "totalTokens": 0},
        "stopReason": "error",
        "errorMessage": error,
        "timestamp": now_ms,
    }


def injected_message(text: str, now_ms: int) -> dict[str, Any]:
    """
    What the gateway itself says in a session: answers of commands, ``chat.inject``.
    """
    return {
        "role": "assistant",
        "content": [{"type": "text", "text": text}],
        "timestamp": now_ms,
        "stopReason": "injected",
        "usage": {"input": 0, "output": 0, "totalTokens": 0},
    }


def tool_message(
    call: ToolCall, content: Sequence[Mapping[str, Any]], details: Any, *, is_error: bool, now_ms: int
) -> dict[str, Any]:
    """
    What a tool answered.
    """
    message: dict[str, Any] = {
        "role": "toolResult",
        "toolCallId": call.id,
        "toolName": call.name,
        "content": [dict(block) for block in content],
        "isError": is_error,
        "timestamp": now_ms,
    }
    if details is not None:
        message["details"] = details
    return message


def usage_members(usage: Usage, cost: Cost) -> dict[str, Any]:
    """
    Tokens and what they cost, as transcripts keep them.
    """
    parts = {
        "input": usage.input * cost.input / 1_000_000,
        "output": usage.output * cost.output / 1_000_000,
        "cacheRead": usage.cache_read * cost.cache_read / 1_000_000,
        "cacheWrite": usage.cache_write * cost.cache_write / 1_000_000,
    }
    return {
        "input": usage.input,
        "output": usage.output,
        "cacheRead": usage.cache_read,
        "cacheWrite": usage.cache_write,
        "totalTokens": usage.total,
        "cost": {**parts, "total": sum(parts.values())},
    }
