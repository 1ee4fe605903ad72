"""
Nodes: pairing (``node.pair.*``), the list, and commands that they run.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from attrs import frozen

from openclaw.protocol.types import ABSENT, NonEmptyString, NonEmptyStrings, NonNegative


@frozen(kw_only=True)
class NodePairRequestParams:
    """
    A node asks to be paired.

    :ivar caps: what the node claims to be able to do.
    :ivar commands: what it offers for ``node.invoke``.
    :ivar silent: whether a person need not be bothered when the request can be decided without one.
    """

    node_id: NonEmptyString
    display_name: NonEmptyString | None = None
    platform: NonEmptyString | None = None
    version: NonEmptyString | None = None
    core_version: NonEmptyString | None = None
    ui_version: NonEmptyString | None = None
    device_family: NonEmptyString | None = None
    model_identifier: NonEmptyString | None = None
    caps: NonEmptyStrings | None = None
    commands: NonEmptyStrings | None = None
    remote_ip: NonEmptyString | None = None
    silent: bool | None = None


@frozen(kw_only=True)
class NodePairListParams:
    """
    Ask for pending and paired nodes. No parameters.
    """


@frozen(kw_only=True)
class NodePairApproveParams:
    """
    Let a node in.
    """

    request_id: NonEmptyString


@frozen(kw_only=True)
class NodePairRejectParams:
    """
    Keep a node out.
    """

    request_id: NonEmptyString


@frozen(kw_only=True)
class NodePairVerifyParams:
    """
    Ask whether a token is the one this node was paired with.
    """

    node_id: NonEmptyString
    token: NonEmptyString


@frozen(kw_only=True)
class NodeRenameParams:
    """
    Give a paired node another name for people.
    """

    node_id: NonEmptyString
    display_name: NonEmptyString


@frozen(kw_only=True)
class NodeListParams:
    """
    Ask for all nodes, paired or connected. No parameters.
    """


@frozen(kw_only=True)
class NodeDescribeParams:
    """
    Ask for everything known of one node.
    """

    node_id: NonEmptyString


@frozen(kw_only=True)
class NodeInvokeParams:
    """
    Have a node run one command.

    :ivar timeout_ms: how long to wait for the node; 30 seconds if missing.
    :ivar idempotency_key: forwarded to the node, which may use it.
    """

    node_id: NonEmptyString
    command: NonEmptyString
    params: Any = ABSENT
    timeout_ms: NonNegative | None = None
    idempotency_key: NonEmptyString


@frozen(kw_only=True)
class NodeInvokeError:
    """
    Why a node could not do what it was asked.
    """

    code: NonEmptyString | None = None
    message: NonEmptyString | None = None


@frozen(kw_only=True)
class NodeInvokeResultParams:
    """
    A node tells how a command went.

    :ivar id: of the request that the node was sent.
    :ivar payload_json: the payload as text, for nodes that have it that way; it wins over ``payload``.
    """

    id: NonEmptyString
    node_id: NonEmptyString
    ok: bool
    payload: Any = ABSENT
    payload_json: str | None = None
    error: NodeInvokeError | None = None


@frozen(kw_only=True)
class NodeEventParams:
    """
    A node tells that something happened on its side.

    :ivar payload_json: the payload as text; it wins over ``payload``.
    """

    event: NonEmptyString
    payload: Any = ABSENT
    payload_json: str | None = None


@frozen(kw_only=True)
class NodeInvokeRequestEvent:
    """
    What a node is asked to do.

    :ivar id: to be sent back with the result.
    :ivar params_json: the parameters as text.
    """

    id: NonEmptyString
    node_id: NonEmptyString
    command: NonEmptyString
    params_json: str | None = None
    timeout_ms: NonNegative | None = None
    idempotency_key: NonEmptyString | None = None


@frozen(kw_only=True)
class NodePairRequestedEvent(NodePairRequestParams):
    """
    A node asks to be paired.

    :ivar is_repair: whether it was paired before.
    :ivar ts: milliseconds since the epoch.
    """

    request_id: NonEmptyString
    is_repair: bool | None = None
    ts: NonNegative


@frozen(kw_only=True)
class NodePairResolvedEvent:
    """
    Somebody decided on a node.

    :ivar ts: milliseconds since the epoch.
    """

    request_id: NonEmptyString
    node_id: NonEmptyString
    decision: Literal["approved", "rejected"]
    ts: NonNegative


@frozen(kw_only=True)
class NodeInvokeRequest(NodeInvokeRequestEvent):
    """
    A command for this node.

    :ivar params_json: ``null`` for a command without parameters.
    """

    params_json: str | None


@frozen(kw_only=True)
class NodePairRequestResult:
    """
    The request as it waits for a decision.

    :ivar created: whether this call made it; one that waits is given again unchanged.
    """

    status: Literal["pending"]
    request: NodePairRequestedEvent
    created: bool


@frozen(kw_only=True)
class PairedNode:
    """
    A node that was let in by ``node.pair.approve``. Times are milliseconds since the epoch.

    :ivar token: what ``node.pair.verify`` asks for.
    """

    node_id: NonEmptyString
    token: NonEmptyString | None = None
    display_name: NonEmptyString | None = None
    platform: NonEmptyString | None = None
    version: NonEmptyString | None = None
    core_version: NonEmptyString | None = None
    ui_version: NonEmptyString | None = None
    device_family: NonEmptyString | None = None
    model_identifier: NonEmptyString | None = None
    caps: NonEmptyStrings | None = None
    commands: NonEmptyStrings | None = None
    remote_ip: NonEmptyString | None = None
    permissions: Mapping[str, bool] | None = None
    created_at_ms: NonNegative | None = None
    approved_at_ms: NonNegative | None = None
    last_connected_at_ms: NonNegative | None = None


@frozen(kw_only=True)
class NodePairListResult:
    """
    What waits for a decision and what is paired, newest first.
    """

    pending: Sequence[NodePairRequestedEvent]
    paired: Sequence[PairedNode]


@frozen(kw_only=True)
class NodePairApproveResult:
    """
    The node is in.
    """

    request_id: NonEmptyString
    node: PairedNode


@frozen(kw_only=True)
class NodePairRejectResult:
    """
    The node stays out.
    """

    request_id: NonEmptyString
    node_id: NonEmptyString


@frozen(kw_only=True)
class NodePairVerifyResult:
    """
    Whether the token is the node's.

    :ivar node: whose it is.
    """

    ok: bool
    node: PairedNode | None = None


@frozen(kw_only=True)
class NodeRenameResult:
    """
    The name as it is kept.
    """

    node_id: NonEmptyString
    display_name: NonEmptyString


@frozen(kw_only=True)
class NodeRow:
    """
    What is known of a node. While it is away, what it said when it was last connected.

    :ivar caps: what it claims to be able to do.
    :ivar commands: what it may be asked for.
    :ivar connected_at_ms: since when, in milliseconds since the epoch.
    """

    node_id: NonEmptyString
    display_name: NonEmptyString | None = None
    platform: NonEmptyString | None = None
    version: NonEmptyString | None = None
    core_version: NonEmptyString | None = None
    ui_version: NonEmptyString | None = None
    device_family: NonEmptyString | None = None
    model_identifier: NonEmptyString | None = None
    remote_ip: NonEmptyString | None = None
    caps: NonEmptyStrings
    commands: NonEmptyStrings
    path_env: str | None = None
    permissions: Mapping[str, bool] | None = None
    connected_at_ms: NonNegative | None = None
    paired: bool
    connected: bool


@frozen(kw_only=True)
class NodeListResult:
    """
    All nodes: first those that are connected, then by name.

    :ivar ts: now, in milliseconds since the epoch.
    """

    ts: NonNegative
    nodes: Sequence[NodeRow]


@frozen(kw_only=True)
class NodeDescribeResult(NodeRow):
    """
    One node.

    :ivar ts: now, in milliseconds since the epoch.
    """

    ts: NonNegative


@frozen(kw_only=True)
class NodeInvokeResult:
    """
    What a node answered.

    :ivar payload: missing if there was none; a text that is no JSON is ``{"payloadJSON": text}``.
    :ivar payload_json: the text of the payload, ``null`` from nodes that do not send it as text.
    """

    ok: bool
    node_id: NonEmptyString
    command: NonEmptyString
    payload: Any = ABSENT
    payload_json: str | None


@frozen(kw_only=True)
class NodeInvokeResultResult:
    """
    The result has arrived.

    :ivar ignored: nobody waited for it, or no longer.
    """

    ok: bool
    ignored: bool | None = None
