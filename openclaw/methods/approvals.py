"""
``exec.approvals.*`` (the files of rules) and ``exec.approval.*`` (single questions; ``methods.md`` 12).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson

from openclaw.approvals.errors import NobodyToAsk, TooManyQuestions
from openclaw.approvals.file import approvals_path, ensure_approvals, set_approvals
from openclaw.approvals.questions import DEFAULT_LIMIT
from openclaw.methods.context import Caller, MethodContext
from openclaw.methods.mapping import invalid, unavailable
from openclaw.methods.nodes import ask_node
from openclaw.methods.table import Failed, MethodTable
from openclaw.nodes.invoke import NodeAnswer
from openclaw.protocol.approvals import (
    ExecApprovalRequestParams,
    ExecApprovalRequestResult,
    ExecApprovalResolveParams,
    ExecApprovalsGetParams,
    ExecApprovalsNodeGetParams,
    ExecApprovalsNodeSetParams,
    ExecApprovalsSetParams,
    ExecApprovalsSnapshot,
)
from openclaw.protocol.calls import Done
from openclaw.protocol.codes import ErrorCode
from openclaw.protocol.convert import unstructure
from openclaw.protocol.scopes import APPROVALS
from openclaw.protocol.types import ABSENT

#: A question that nobody has answered for a month is none any more.
MOST_LIMIT_MS = 30 * 86_400_000

methods = MethodTable()


@methods.method("exec.approvals.get", ExecApprovalsGetParams, result=ExecApprovalsSnapshot)
async def get(context: MethodContext, params: ExecApprovalsGetParams) -> dict[str, Any]:
    """
    The file of rules of this host; where there is none it is made.
    """
    snapshot = await context.in_thread(ensure_approvals, approvals_path(context.home))
    shown: dict[str, Any] = snapshot.shown()
    return shown


@methods.method("exec.approvals.set", ExecApprovalsSetParams, result=ExecApprovalsSnapshot, durable=True)
async def set_rules(context: MethodContext, params: ExecApprovalsSetParams) -> dict[str, Any]:
    """
    Other rules, made from those of ``base_hash``.

    :raise ApprovalsHashMissing: it does not say what they were made from.
    :raise ApprovalsChanged: the file is another one by now.
    """
    path = approvals_path(context.home)
    file = unstructure(params.file)
    await context.in_thread(ensure_approvals, path)
    snapshot = await context.in_thread(set_approvals, path, file, params.base_hash)
    shown: dict[str, Any] = snapshot.shown()
    return shown


@methods.method("exec.approvals.node.get", ExecApprovalsNodeGetParams, result=Any)
async def get_of_node(context: MethodContext, params: ExecApprovalsNodeGetParams) -> Any:
    """
    The file of rules of a node's host, as the node tells it.
    """
    answer = await _ask_node(context, params.node_id, "system.execApprovals.get", {})
    if answer.payload_json is not None:
        return parsed(answer.payload_json)
    return None if answer.payload is ABSENT else answer.payload


@methods.method("exec.approvals.node.set", ExecApprovalsNodeSetParams, result=Any)
async def set_of_node(context: MethodContext, params: ExecApprovalsNodeSetParams) -> Any:
    """
    Other rules for a node's host.
    """
    given: dict[str, Any] = {"file": unstructure(params.file)}
    if params.base_hash is not None:
        given["baseHash"] = params.base_hash
    answer = await _ask_node(context, params.node_id, "system.execApprovals.set", given)
    return parsed(answer.payload_json)


async def _ask_node(context: MethodContext, node_id: str, command: str, params: dict[str, Any]) -> NodeAnswer:
    """
    :raise Failed: the node is not there, did not answer, or said no; ``details`` has what is known of it.
    """
    node_id = node_id.strip()
    if not node_id:
        raise invalid("nodeId required")
    node = context.nodes.connected.get(node_id)
    if node is None:
        # Unlike node.invoke, these two tell it as what the node said.
        told = {"code": "NOT_CONNECTED", "message": "node not connected"}
        raise Failed(code=ErrorCode.UNAVAILABLE, message="node not connected", details={"nodeError": told})
    return await ask_node(context, node, command, params)


def parsed(text: str | None) -> Any:
    """
    What a node sent as a text; nothing where it is no JSON.
    """
    try:
        return None if text is None else orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


@methods.method("exec.approval.request", ExecApprovalRequestParams, result=ExecApprovalRequestResult, scope=APPROVALS)
async def request(context: MethodContext, params: ExecApprovalRequestParams) -> dict[str, Any]:
    """
    Ask those who may approve; the answer comes when one of them has decided, or with ``null`` when none has in time.

    :raise AlreadyPending: there is a question of this id.
    :raise Failed: there is nobody to ask, or too much is asked already.
    """
    asked = {name: value for name, value in unstructure(params).items() if value is not ABSENT}
    limit = (
        DEFAULT_LIMIT if params.timeout_ms is None else timedelta(milliseconds=min(params.timeout_ms, MOST_LIMIT_MS))
    )
    try:
        waiting = context.approvals.wait(asked, id=params.id, limit=limit)
    except (NobodyToAsk, TooManyQuestions) as error:
        raise unavailable(str(error)) from error
    decision = await waiting.decided
    question = waiting.asked
    if decision in ("allow-once", "allow-always"):
        context.granted.add(question.id, question.request, decision, context.caller.identity)
    return {
        "id": question.id,
        "decision": decision,
        "createdAtMs": question.created_at_ms,
        "expiresAtMs": question.expires_at_ms,
    }


@methods.method("exec.approval.resolve", ExecApprovalResolveParams, result=Done, scope=APPROVALS)
async def resolve(context: MethodContext, params: ExecApprovalResolveParams) -> dict[str, Any]:
    """
    Decide on a question. The first decision counts, and is durable where what waits for it is.

    :raise InvalidDecision: it is none of the three.
    :raise UnknownApproval: nobody waits for it.
    """
    await context.approvals.resolve(params.id, params.decision, named(context.caller))
    return {"ok": True}


def named(caller: Caller) -> str:
    """
    Who decided, as others are told.
    """
    return caller.display_name or caller.client_id
