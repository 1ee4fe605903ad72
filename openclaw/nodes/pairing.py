"""
``node.pair.*``: nodes that other programs have let in, each with a token that they can have verified
(``methods.md`` 10.7). It does not gate connections: pairing of devices does that.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from typing import Any, Final

from attrs import frozen

from openclaw.errors import OpenClawError
from openclaw.pairing import Requested, take, waiting
from openclaw.store.interfaces import Unit

#: So many requests may wait for a decision.
MOST_REQUESTS = 256

#: Members of a request and of a paired node that are kept as given.
TOLD: Final = (
    "displayName",
    "platform",
    "version",
    "coreVersion",
    "uiVersion",
    "deviceFamily",
    "modelIdentifier",
    "caps",
    "commands",
    "remoteIp",
)
_TIMES: Final = ("createdAtMs", "approvedAtMs", "lastConnectedAtMs")


@frozen(kw_only=True)
class TooManyRequests(OpenClawError):
    """
    More requests wait for a decision than anybody will read.
    """

    def __str__(self) -> str:
        return "too many pairing requests wait for a decision"


def request(unit: Unit, node_id: str, told: Mapping[str, Any], *, now_ms: int, make_id: Callable[[], str]) -> Requested:
    """
    Find or make the pairing request of a node. One that waits is reused unchanged.

    :param told: what the request says beside the id, by wire name.
    :raise TooManyRequests: there is no room for another.
    """
    requests = waiting(unit.node_requests, now_ms)
    for record in requests:
        if record.get("nodeId") == node_id:
            return Requested(record=record, created=False)
    if len(requests) >= MOST_REQUESTS:
        raise TooManyRequests
    record = {
        "requestId": make_id(),
        "nodeId": node_id,
        **told,
        "isRepair": unit.nodes.get(node_id) is not None,
        "ts": now_ms,
    }
    unit.node_requests.put(record["requestId"], record)
    return Requested(record=record, created=True)


def approve(unit: Unit, request_id: str, *, now_ms: int, make_token: Callable[[], str]) -> Mapping[str, Any]:
    """
    Let a node in, with a new token.

    :return: the paired node.
    :raise UnknownRequest: nothing with this id waits.
    """
    asked = take(unit.node_requests, request_id, now_ms)
    node_id = str(asked.get("nodeId", ""))
    old = unit.nodes.get(node_id) or {}
    record = {
        **old,
        "nodeId": node_id,
        "token": make_token(),
        **{name: asked[name] for name in TOLD if name in asked},
        "createdAtMs": old.get("createdAtMs", now_ms),
        "approvedAtMs": now_ms,
    }
    unit.nodes.put(node_id, record)
    return record


def reject(unit: Unit, request_id: str, *, now_ms: int) -> Mapping[str, Any]:
    """
    Keep a node out.

    :return: the request.
    :raise UnknownRequest: nothing with this id waits.
    """
    return take(unit.node_requests, request_id, now_ms)


def verified(unit: Unit, node_id: str, token: str) -> Mapping[str, Any] | None:
    """
    The paired node with this token; ``None`` if the token is another. Compared in constant time.
    """
    record = unit.nodes.get(node_id)
    known = record.get("token") if record is not None else None
    if not isinstance(known, str) or not known:
        return None
    return record if hmac.compare_digest(known.encode(), token.encode()) else None


def shown_request(record: Mapping[str, Any]) -> dict[str, Any]:
    """
    A request as clients see it, whatever else a file of another program has put into it.
    """
    names = ("requestId", "nodeId", *TOLD, "silent", "isRepair", "ts")
    return {name: record[name] for name in names if name in record}


def shown(node_id: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """
    A paired node as clients see it, its token too: whoever may let nodes in hands it to them.
    """
    names = ("token", *TOLD, "permissions", *_TIMES)
    return {"nodeId": node_id, **{name: record[name] for name in names if name in record}}
