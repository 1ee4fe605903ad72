"""
Whether what a gateway says is what its documents say: the check that clients in tests make of every frame.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import orjson

from openclaw.methods.families import METHODS
from openclaw.protocol.calls import Call
from openclaw.protocol.events import EVENT_TABLE
from openclaw.protocol.frames import ErrorShape, EventFrame, ResponseFrame, encode
from openclaw.protocol.types import ABSENT
from openclaw.protocol.validate import violations


def wrong_answer(
    name: str, *, ok: bool, payload: Any = ABSENT, error: Any = None, table: Mapping[str, Call] = METHODS
) -> str | None:
    """
    What is wrong with the answer to a method.

    :param payload: as a handler gives it, or as it came; ``ABSENT`` for none.
    :param error: of a failure, as a definition or as it came.
    :return: ``None`` if nothing is, or if there is no such method.
    """
    row = table.get(name)
    if ok:
        if row is None:
            return None
        wrong = "has no payload" if payload is ABSENT else violations(row.answers(), orjson.loads(encode(payload)))
        return None if wrong is None else f"the answer to {name} is not as described: {wrong}"
    wrong = violations(ErrorShape, orjson.loads(encode(error)))
    if wrong is None and row is not None and payload is not ABSENT:
        wrong = "carries a payload" if row.failure is None else violations(row.failure, orjson.loads(encode(payload)))
    return None if wrong is None else f"the failure of {name} is not as described: {wrong}"


def wrong_event(name: str, payload: Any) -> str | None:
    """
    What is wrong with the payload of an event.
    """
    event = EVENT_TABLE.get(name)
    wrong = "nobody described it" if event is None else violations(event.payload, orjson.loads(encode(payload)))
    return None if wrong is None else f"the event {name} is not as described: {wrong}"


def wrong_frame(frame: Any, asked: Mapping[Any, Collection[str]], scopes: Collection[str] | None = None) -> str | None:
    """
    What is wrong with a frame that a client got.

    :param asked: the methods that were asked for, by request id.
    :param scopes: what an operator holds; ``None`` for a node, and for a client that has not said hello.
    """
    kind = frame.get("type") if isinstance(frame, dict) else None
    if kind == "event":
        return violations(EventFrame, frame) or _wrong_event_frame(frame, scopes)
    if kind != "res":
        return f"is neither an answer nor an event: {frame!r}"
    names = asked.get(key(frame.get("id")), ())
    told = {name: frame.get(name, ABSENT) for name in ("payload", "error")}
    found = [wrong_answer(name, ok=frame["ok"], **told) for name in names]
    if found and None not in found:
        return found[0]
    # The id of an invalid request frame comes back as it was, whatever it is.
    return violations(ResponseFrame, {**frame, "id": "x"})


def key(id: Any) -> Any:
    """
    A request id as a key. Odd clients have odd ones, of any depth; those go by their kind.
    """
    return id if isinstance(id, str | int) else type(id)


def _wrong_event_frame(frame: Mapping[str, Any], scopes: Collection[str] | None) -> str | None:
    name = frame["event"]
    wrong = wrong_event(name, frame.get("payload"))
    if wrong is not None:
        return wrong
    event = EVENT_TABLE[name]
    if ("stateVersion" in frame) != event.versions:
        return f"the event {name} {'lacks' if event.versions else 'carries'} stateVersion"
    if "seq" in frame and not event.numbered:
        return f"the event {name} is numbered"
    if event.to == "operators" and not {event.scope, "operator.admin"} & set(scopes or ()):
        return f"the event {name} is not for this client"
    return None
