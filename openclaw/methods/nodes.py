"""
``node.list``, ``node.describe``, ``node.invoke`` and ``node.invoke.result`` (``methods.md`` 10).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openclaw.clock import millis
from openclaw.methods.authorise import ADMIN, READ, WRITE, holds
from openclaw.methods.context import MethodContext
from openclaw.methods.mapping import invalid
from openclaw.methods.table import Failed, MethodTable
from openclaw.nodes import listing, policy
from openclaw.nodes.invoke import (
    NodeAnswer,
    NodeLeft,
    NodeRefused,
    NodeTimedOut,
    NodeUnreachable,
)
from openclaw.nodes.registry import ConnectedNode
from openclaw.protocol.codes import ErrorCode
from openclaw.protocol.convert import unstructure
from openclaw.protocol.nodes import (
    NodeDescribeParams,
    NodeDescribeResult,
    NodeInvokeParams,
    NodeInvokeResult,
    NodeInvokeResultParams,
    NodeInvokeResultResult,
    NodeListParams,
    NodeListResult,
)
from openclaw.protocol.types import ABSENT

methods = MethodTable()


@methods.method("node.list", NodeListParams, result=NodeListResult, scope=READ)
async def list_nodes(context: MethodContext, params: NodeListParams) -> dict[str, Any]:
    """
    All nodes that are paired or connected.
    """
    connected = context.nodes.connected.all()
    nodes = await context.store.read(lambda unit: listing.rows(unit, connected))
    return {"ts": millis(context.clock), "nodes": nodes}


@methods.method("node.describe", NodeDescribeParams, result=NodeDescribeResult, scope=READ)
async def describe(context: MethodContext, params: NodeDescribeParams) -> dict[str, Any]:
    """
    What is known of one node.

    :raise Failed: nobody knows it.
    """
    node_id = params.node_id.strip()
    if not node_id:
        raise invalid("nodeId required")
    node = context.nodes.connected.get(node_id)
    row = await context.store.read(lambda unit: listing.row(unit, node_id, node))
    if row is None:
        raise invalid("unknown nodeId")
    return {"ts": millis(context.clock), **row}


@methods.method("node.invoke", NodeInvokeParams, result=NodeInvokeResult, scope=WRITE)
async def invoke(context: MethodContext, params: NodeInvokeParams) -> dict[str, Any]:
    """
    Have a connected node run one command. What the parameters say of approvals is left out: that is for the gateway.

    :raise Failed: the node is not there, may not be asked for this, or could not do it.
    """
    node_id, command = params.node_id.strip(), params.command.strip()
    if not node_id or not command:
        raise invalid("nodeId and command required")
    node = context.nodes.connected.get(node_id)
    if node is None:
        raise Failed(code=ErrorCode.UNAVAILABLE, message="node not connected", details={"code": "NOT_CONNECTED"})
    if policy.needs_admin(command, params.params) and not holds(context.caller.scopes, ADMIN):
        raise invalid(f"missing scope: {ADMIN}")
    check_allowed(context, node, command)
    answer = await ask_node(
        context,
        node,
        command,
        with_leave(context, command, policy.data_of(params.params)),
        timeout_ms=params.timeout_ms,
        idempotency_key=params.idempotency_key,
    )
    payload = answer.value()
    return {
        "ok": True,
        "nodeId": node_id,
        "command": command,
        **({} if payload is ABSENT else {"payload": payload}),
        "payloadJSON": answer.payload_json,
    }


def with_leave(context: MethodContext, command: str, params: Any) -> Any:
    """
    The parameters with what a person has decided about exactly this command, where the caller has asked for that.
    """
    if command != "system.run" or not isinstance(params, Mapping) or not isinstance(params.get("runId"), str):
        return params
    decision = context.granted.take(params["runId"], params, context.caller.identity)
    return params if decision is None else {**params, "approved": True, "approvalDecision": decision}


def check_allowed(context: MethodContext, node: ConnectedNode, command: str) -> None:
    """
    :raise Failed: this node may not be asked for this command.
    """
    config = context.config().gateway.nodes
    platform = policy.platform_of(node.platform, node.client.get("deviceFamily"))
    allowed = policy.allowed_commands(platform, config.allow_commands, config.deny_commands)
    why = policy.refusal(command, node.commands, allowed)
    if why is not None:
        details = {"reason": why, "command": command}
        raise Failed(code=ErrorCode.INVALID_REQUEST, message="node command not allowed", details=details)


async def ask_node(
    context: MethodContext,
    node: ConnectedNode,
    command: str,
    params: Any = ABSENT,
    *,
    timeout_ms: int | None = None,
    idempotency_key: str | None = None,
) -> NodeAnswer:
    """
    Have a node run a command, whatever the policy says of it.

    :raise Failed: it could not do it, in the words that clients know.
    """
    try:
        return await context.nodes.invocations.invoke(
            node, command, params, timeout_ms=timeout_ms, idempotency_key=idempotency_key
        )
    except NodeRefused as error:
        raise _failed(error, error.error) from error
    except NodeTimedOut as error:
        raise _failed(error, {"code": "TIMEOUT", "message": str(error)}) from error
    except NodeUnreachable as error:
        raise _failed(error, {"code": "UNAVAILABLE", "message": str(error)}) from error
    except NodeLeft as error:
        raise Failed(code=ErrorCode.UNAVAILABLE, message=str(error)) from error


def _failed(error: Exception, told: Mapping[str, Any] | None) -> Failed:
    return Failed(code=ErrorCode.UNAVAILABLE, message=str(error), details={"nodeError": told})


def tolerated(params: Any) -> Any:
    """
    A result as older nodes send it: ``null`` for what is not there, a payload where its text should be.
    """
    if not isinstance(params, Mapping):
        return params
    kept = {name: value for name, value in params.items() if name not in ("payloadJSON", "error") or value is not None}
    text = kept.get("payloadJSON")
    if text is not None and not isinstance(text, str):
        del kept["payloadJSON"]
        kept.setdefault("payload", text)
    return kept


@methods.method(
    "node.invoke.result",
    NodeInvokeResultParams,
    result=NodeInvokeResultResult,
    role="node",
    prepare=tolerated,
)
async def invoke_result(context: MethodContext, params: NodeInvokeResultParams) -> dict[str, Any]:
    """
    A node tells how a command went. One that nobody waits for is ignored.

    :raise Failed: the result is said to be that of another node.
    """
    node = context.nodes.connected.of_connection(context.caller.connection_id)
    if node is None or params.node_id != node.node_id:
        raise invalid("nodeId mismatch")
    if params.ok:
        answer: NodeAnswer | NodeRefused = NodeAnswer(payload=params.payload, payload_json=params.payload_json)
    else:
        answer = NodeRefused(error=None if params.error is None else unstructure(params.error))
    taken = context.nodes.invocations.answered(params.id, node, answer)
    return {"ok": True} if taken else {"ok": True, "ignored": True}
