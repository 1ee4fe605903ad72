"""
``node.pair.*`` and ``node.rename`` (``methods.md`` 10.7, 10.8).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from openclaw.clock import millis
from openclaw.methods.context import MethodContext
from openclaw.methods.mapping import invalid, unavailable
from openclaw.methods.table import MethodTable
from openclaw.nodes import listing, pairing
from openclaw.pairing import waiting
from openclaw.protocol.convert import unstructure
from openclaw.protocol.nodes import (
    NodePairApproveParams,
    NodePairApproveResult,
    NodePairListParams,
    NodePairListResult,
    NodePairRejectParams,
    NodePairRejectResult,
    NodePairRequestParams,
    NodePairRequestResult,
    NodePairVerifyParams,
    NodePairVerifyResult,
    NodeRenameParams,
    NodeRenameResult,
)
from openclaw.protocol.scopes import PAIRING
from openclaw.store.interfaces import Unit

methods = MethodTable()


@methods.method("node.pair.request", NodePairRequestParams, result=NodePairRequestResult, scope=PAIRING, durable=True)
async def request(context: MethodContext, params: NodePairRequestParams) -> dict[str, Any]:
    """
    Ask for a node to be let in. One request for each node waits, for five minutes.

    :raise Failed: there is no id.
    :raise TooManyRequests: there is no room for another.
    """
    node_id = params.node_id.strip()
    if not node_id:
        raise unavailable("Error: nodeId required")
    told = {name: value for name, value in unstructure(params).items() if name != "nodeId"}
    now = millis(context.clock)
    asked = await context.store.write(
        lambda unit: pairing.request(unit, node_id, told, now_ms=now, make_id=context.make_id)
    )
    record = pairing.shown_request(asked.record)
    if asked.created:
        context.broadcast("node.pair.requested", record, drop_if_slow=True, scope=PAIRING)
    return {"status": "pending", "request": record, "created": asked.created}


@methods.method("node.pair.list", NodePairListParams, result=NodePairListResult, scope=PAIRING)
async def list_pairing(context: MethodContext, params: NodePairListParams) -> dict[str, Any]:
    """
    What waits for a decision and what is paired, newest first, with the nodes' tokens.
    """
    now = millis(context.clock)

    def read(unit: Unit) -> tuple[Sequence[Mapping[str, Any]], list[dict[str, Any]]]:
        paired = [pairing.shown(node_id, record) for node_id, record in unit.nodes.all()]
        return waiting(unit.node_requests, now), paired

    # Listing forgets what has expired, so that it writes.
    pending, paired = await context.store.write(read)
    return {
        "pending": [pairing.shown_request(record) for record in pending],
        "paired": sorted(paired, key=lambda node: -node.get("approvedAtMs", 0)),
    }


@methods.method("node.pair.approve", NodePairApproveParams, result=NodePairApproveResult, scope=PAIRING, durable=True)
async def approve(context: MethodContext, params: NodePairApproveParams) -> dict[str, Any]:
    """
    Let a node in, with a new token.

    :raise UnknownRequest: nothing with this id waits.
    """
    now = millis(context.clock)
    record = await context.store.write(
        lambda unit: pairing.approve(unit, params.request_id, now_ms=now, make_token=context.make_token)
    )
    node = pairing.shown(record["nodeId"], record)
    _tell(context, params.request_id, node["nodeId"], "approved", now)
    return {"requestId": params.request_id, "node": node}


@methods.method("node.pair.reject", NodePairRejectParams, result=NodePairRejectResult, scope=PAIRING, durable=True)
async def reject(context: MethodContext, params: NodePairRejectParams) -> dict[str, Any]:
    """
    Keep a node out.

    :raise UnknownRequest: nothing with this id waits.
    """
    now = millis(context.clock)
    asked = await context.store.write(lambda unit: pairing.reject(unit, params.request_id, now_ms=now))
    _tell(context, params.request_id, asked["nodeId"], "rejected", now)
    return {"requestId": params.request_id, "nodeId": asked["nodeId"]}


def _tell(context: MethodContext, request_id: str, node_id: str, decision: str, now: int) -> None:
    event = {"requestId": request_id, "nodeId": node_id, "decision": decision, "ts": now}
    context.broadcast("node.pair.resolved", event, drop_if_slow=True, scope=PAIRING)


@methods.method("node.pair.verify", NodePairVerifyParams, result=NodePairVerifyResult, scope=PAIRING)
async def verify(context: MethodContext, params: NodePairVerifyParams) -> dict[str, Any]:
    """
    Whether a token is the one that a node was let in with.
    """
    node_id = params.node_id.strip()
    record = await context.store.read(lambda unit: pairing.verified(unit, node_id, params.token))
    return {"ok": False} if record is None else {"ok": True, "node": pairing.shown(node_id, record)}


@methods.method("node.rename", NodeRenameParams, result=NodeRenameResult, scope=PAIRING, durable=True)
async def rename(context: MethodContext, params: NodeRenameParams) -> dict[str, Any]:
    """
    Give a paired node a name. It wins over the one that the node has for itself.

    :raise Failed: the name is blank, or the node is not paired.
    """
    node_id, name = params.node_id.strip(), params.display_name.strip()
    if not name:
        raise invalid("displayName required")
    if not await context.store.write(lambda unit: listing.rename(unit, node_id, name)):
        raise invalid("unknown nodeId")
    return {"nodeId": node_id, "displayName": name}
