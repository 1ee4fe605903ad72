"""
Nodes: pairing (``node.pair.*``), the list, and commands that they run.
"""

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
