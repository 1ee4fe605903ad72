"""
Whether what comes now is what was recorded. Ids, times and counters vary from run to run and are compared by shape.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from math import isclose
from typing import Any

from attrs import define

from openclaw.protocol.features import EVENTS
from openclaw.testing.gateway import MemoryGateway

UUID = re.compile(r"^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$")
PLACEHOLDER = re.compile(r"<[A-Z_0-9]+>|\{\{[A-Z_]+\}\}")

COUNTERS = {"seq", "presence", "health", "uptimeMs", "durationMs", "age"}

#: Events of which more may come than were recorded: presence is pushed on connect too (``protocol.md`` 20.4).
MORE_OFTEN = {"presence"}


def same(recorded: Any, now: Any, name: str = "") -> bool:
    """
    Whether a value is the recorded one, up to what varies from run to run.
    """
    if isinstance(recorded, str) and PLACEHOLDER.search(recorded):
        return True
    if isinstance(recorded, str) and UUID.match(recorded):
        return isinstance(now, str) and UUID.match(now) is not None
    if isinstance(recorded, int | float) and not isinstance(recorded, bool):
        if name in COUNTERS or recorded > 1_000_000_000_000:
            return isinstance(now, int | float)
        # Sums of prices differ in their last digit.
        return recorded == now or (isinstance(recorded, float) and isinstance(now, float) and isclose(recorded, now))
    if isinstance(recorded, Mapping):
        if not isinstance(now, Mapping) or set(recorded) != set(now):
            return False
        return all(same(value, now[key], key) for key, value in recorded.items())
    if isinstance(recorded, list):
        if name in ("paired", "pending") and isinstance(now, list):
            # The reference was one gateway for all captures: what earlier ones paired is not here.
            here = {item.get("deviceId") for item in now}
            recorded = [item for item in recorded if item.get("deviceId") in here]
        return (
            isinstance(now, list)
            and len(recorded) == len(now)
            and all(same(one, other, name) for one, other in zip(recorded, now, strict=True))
        )
    return bool(recorded == now)


@define(kw_only=True)
class Difference:
    """
    Something that is not as it was recorded.
    """

    conn: str
    recorded: Any
    now: Any

    def __str__(self) -> str:
        return f"{self.conn}:\n  recorded {json.dumps(self.recorded)[:1500]}\n  now      {json.dumps(self.now)[:1500]}"


def compare_events(
    conn: str,
    recorded: Sequence[Mapping[str, Any]],
    told: Sequence[Mapping[str, Any]],
    instead: Mapping[str, Mapping[str, Any]],
    apart_from: Collection[str],
) -> Iterator[Difference]:
    """
    Compare the events that a connection got, one kind after the other. Kinds that the gateway does not have yet are
    left out.

    :param instead: by name, what ours tells instead: ``{"payload": ...}``.
    """
    names = [frame["event"] for frame in (*recorded, *told) if frame["type"] == "event"]
    for name in dict.fromkeys(names):
        if name == "connect.challenge" or name not in EVENTS:
            continue
        own = instead.get(name, {})
        wanted = [without({**frame, **own}, apart_from) for frame in recorded if frame.get("event") == name]
        now = [without(frame, apart_from) for frame in told if frame.get("event") == name]
        if name == "health":
            # Several causes make one refresh, and what it tells has tests of its own.
            wanted = [frame | {"payload": "<HEALTH>"} for frame in wanted[:1]]
            now = now[: len(wanted)]
        rest = iter(now)
        whole = all(any(same_event(frame, other) for other in rest) for frame in wanted)
        if not whole or (name not in MORE_OFTEN and len(wanted) != len(now)):
            yield Difference(conn=f"{conn} {name}", recorded=wanted, now=now)


def without(value: Any, names: Collection[str]) -> Any:
    """
    A value without the members of these names.
    """
    if isinstance(value, Mapping):
        return {name: without(item, names) for name, item in value.items() if name not in names}
    if isinstance(value, list):
        return [without(item, names) for item in value]
    return value


def here(gateway: MemoryGateway, answer: Mapping[str, Any], method: str | None) -> Mapping[str, Any]:
    """
    The answer to expect. Methods that are not there yet are unknown, to those who may know that.
    """
    refused = str(answer.get("error", {}).get("message", "")).startswith(("missing scope", "unauthorized role"))
    if method is None or refused or method in gateway.service.clients.dispatcher.table:
        return answer
    unknown = {"code": "INVALID_REQUEST", "message": f"unknown method: {method}"}
    return {"type": "res", "id": answer["id"], "ok": False, "error": unknown}


def same_event(recorded: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """
    Whether an event is the recorded one.
    """
    wanted = {name: value for name, value in recorded.items() if name != "why"}
    return same(wanted, now)


def same_answer(recorded: Mapping[str, Any], now: Mapping[str, Any] | None) -> bool:
    """
    Whether a response is the recorded one. ``hello-ok`` is compared by its members, the limits, who is here, and the
    token's scopes.
    """
    payload = recorded.get("payload")
    if now is None or not isinstance(payload, Mapping) or payload.get("type") != "hello-ok":
        return same(recorded, now)
    fresh, extra = now.get("payload", {}), {"canvasHostUrl"}
    if set(payload) - extra != set(fresh) - extra or set(payload["snapshot"]) != set(fresh["snapshot"]):
        return False
    if set(payload["server"]) != set(fresh["server"]):
        return False
    compared = ("policy", "auth", "protocol")
    return same([payload.get(name) for name in compared], [fresh.get(name) for name in compared])
