"""
What nodes are asked to do, until they have answered (``methods.md`` 10.3, 10.4).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from openclaw.errors import OpenClawError
from openclaw.nodes.registry import ConnectedNode
from openclaw.protocol.frames import NotJson, encode, parse_json
from openclaw.protocol.types import ABSENT

#: How long a node is waited for when nobody says how long.
DEFAULT_LIMIT = timedelta(seconds=30)

#: Nobody waits longer, whatever they say.
MOST_LIMIT = timedelta(days=7)

#: So many commands of one node, and of all nodes, may wait for an answer.
MOST_OF_A_NODE = 64
MOST_IN_ALL = 1_024


@frozen(kw_only=True)
class NodeLeft(OpenClawError):
    """
    The node went away before it answered.
    """

    command: str

    def __str__(self) -> str:
        return f"Error: node disconnected ({self.command})"


@frozen(kw_only=True)
class NodeTimedOut(OpenClawError):
    """
    The node did not answer in time.
    """

    def __str__(self) -> str:
        return "node invoke timed out"


@frozen(kw_only=True)
class NodeUnreachable(OpenClawError):
    """
    The node could not be told: its connection is ending, or it takes nothing.
    """

    def __str__(self) -> str:
        return "failed to send invoke to node"


@frozen(kw_only=True)
class NodeBusy(OpenClawError):
    """
    Too many commands wait for an answer already.
    """

    def __str__(self) -> str:
        return "node has too many commands to answer; try again in a moment"


@frozen(kw_only=True)
class NodeRefused(OpenClawError):
    """
    The node answered that it could not do it.

    :ivar error: ``code`` and ``message`` as it gave them; ``None`` if it gave none.
    """

    error: Mapping[str, Any] | None

    def __str__(self) -> str:
        return str((self.error or {}).get("message") or "node invoke failed")


@frozen(kw_only=True)
class NodeAnswer:
    """
    What a node answered.

    :ivar payload: ``ABSENT`` if there was none.
    :ivar payload_json: its text, for nodes that have it that way.
    """

    payload: Any = ABSENT
    payload_json: str | None = None

    def value(self) -> Any:
        """
        The payload as a value; a text that is no JSON is told as such.
        """
        if not self.payload_json:
            return self.payload
        try:
            return parse_json(self.payload_json)
        except NotJson:
            return {"payloadJSON": self.payload_json}


@frozen(kw_only=True)
class _Pending:
    node: ConnectedNode
    command: str
    answered: Deferred[NodeAnswer]
    limit: IDelayedCall


@define(kw_only=True, eq=False)
class Invocations:
    """
    The commands that wait for the answer of a node.
    """

    clock: IReactorTime
    make_id: Callable[[], str]
    _pending: dict[str, _Pending] = field(factory=dict, init=False)

    def __len__(self) -> int:
        return len(self._pending)

    def invoke(
        self,
        node: ConnectedNode,
        command: str,
        params: Any = ABSENT,
        *,
        timeout_ms: int | None = None,
        idempotency_key: str | None = None,
    ) -> Deferred[NodeAnswer]:
        """
        Ask a node to run one command. Whether it may be asked is for the caller to know.

        :param params: any JSON value; ``ABSENT`` for none.
        :return: fires with the node's answer. Cancelling it forgets the answer; the node may still run the command.
        :raise NodeRefused: the node could not do it.
        :raise NodeLeft: its connection ended before it answered.
        :raise NodeTimedOut: the limit passed without an answer.
        :raise NodeUnreachable: it could not be told.
        :raise NodeBusy: too many commands wait already.
        """
        mine = sum(pending.node.node_id == node.node_id for pending in self._pending.values())
        if mine >= MOST_OF_A_NODE or len(self._pending) >= MOST_IN_ALL:
            raise NodeBusy
        name = self.make_id()
        told: dict[str, Any] = {
            "id": name,
            "nodeId": node.node_id,
            "command": command,
            "paramsJSON": None if params is ABSENT else encode(params).decode(),
        }
        if timeout_ms is not None:
            told["timeoutMs"] = timeout_ms
        if idempotency_key is not None:
            told["idempotencyKey"] = idempotency_key
        if not node.link.send("node.invoke.request", told):
            raise NodeUnreachable
        answered: Deferred[NodeAnswer] = Deferred(lambda _: self._forget(name))
        self._pending[name] = _Pending(
            node=node,
            command=command,
            answered=answered,
            limit=self.clock.callLater(_seconds(timeout_ms), self._too_late, name),
        )
        return answered

    def answered(self, id: str, by: ConnectedNode, answer: NodeAnswer | NodeRefused) -> bool:
        """
        A node told how a command went.

        :return: whether somebody waited for that, and of this node.
        """
        pending = self._pending.get(id)
        if pending is None or not _same(pending.node, by):
            return False
        self._take(id)
        if isinstance(answer, NodeRefused):
            pending.answered.errback(answer)
        else:
            pending.answered.callback(answer)
        return True

    def left(self, connection_id: str) -> None:
        """
        A connection ended: what was sent to it will not be answered.
        """
        sent = [name for name, pending in self._pending.items() if pending.node.connection_id == connection_id]
        for name in sent:
            if name not in self._pending:
                # Whoever heard of another has given this one up.
                continue
            pending = self._take(name)
            pending.answered.errback(NodeLeft(command=pending.command))

    def _too_late(self, id: str) -> None:
        self._pending.pop(id).answered.errback(NodeTimedOut())

    def _forget(self, name: str) -> None:
        self._take(name)

    def _take(self, id: str) -> _Pending:
        pending = self._pending.pop(id)
        if pending.limit.active():
            pending.limit.cancel()
        return pending


def _seconds(timeout_ms: int | None) -> float:
    most = MOST_LIMIT.total_seconds()
    return DEFAULT_LIMIT.total_seconds() if timeout_ms is None else min(timeout_ms, int(most * 1000)) / 1000


def _same(one: ConnectedNode, other: ConnectedNode) -> bool:
    """
    Whether an answer on one connection may be that to a request on another: a device that came again is the same, while
    ids of programs are shared by all who run them.
    """
    return one.connection_id == other.connection_id or (one.node_id == other.node_id and one.proved and other.proved)
