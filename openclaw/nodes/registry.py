"""
The nodes that are connected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from attrs import define, field, frozen


class Link(Protocol):
    """
    Where events for one node go.
    """

    def send(self, event: str, payload: Mapping[str, Any]) -> bool:
        """
        :return: whether it was sent: not to one that is gone, or that does not take what was sent before.
        """
        ...


@frozen(kw_only=True)
class ConnectedNode:
    """
    One connection of a node, and what it said of itself.

    :ivar node_id: of its device, else of its program.
    :ivar proved: whether the id is that of a device which proved it: then all connections with it are the same node.
    :ivar client: the member of ``connect`` by wire name: ``displayName``, ``platform``, ``version``, ...
    :ivar caps: trimmed, without repeats, sorted; ``commands`` as well, of these only what the policy allows.
    :ivar remote_ip: where it is, for one that is not local.
    """

    node_id: str
    connection_id: str
    link: Link
    proved: bool
    client: Mapping[str, Any]
    connected_at_ms: int
    caps: Sequence[str] = ()
    commands: Sequence[str] = ()
    permissions: Mapping[str, bool] | None = None
    path_env: str | None = None
    remote_ip: str | None = None

    @property
    def platform(self) -> str:
        return str(self.client["platform"])

    def members(self) -> dict[str, Any]:
        """
        What clients are told of it, by wire name.
        """
        told = ("displayName", "platform", "version", "deviceFamily", "modelIdentifier")
        members = {
            **{name: self.client.get(name) for name in told},
            "remoteIp": self.remote_ip,
            "caps": list(self.caps),
            "commands": list(self.commands),
            "pathEnv": self.path_env,
            "permissions": self.permissions,
            "connectedAtMs": self.connected_at_ms,
        }
        return {name: value for name, value in members.items() if value is not None}


@define(eq=False)
class Registry:
    """
    Who is connected. Of several connections of one node the newest counts; when that one goes, the one before does.
    """

    _nodes: dict[str, list[ConnectedNode]] = field(factory=dict, init=False)
    _by_connection: dict[str, ConnectedNode] = field(factory=dict, init=False)

    def add(self, node: ConnectedNode) -> None:
        self._nodes.setdefault(node.node_id, []).append(node)
        self._by_connection[node.connection_id] = node

    def remove(self, connection_id: str) -> ConnectedNode | None:
        """
        :return: what went; ``None`` if there was no such connection of a node.
        """
        node = self._by_connection.pop(connection_id, None)
        if node is not None:
            left = [other for other in self._nodes[node.node_id] if other is not node]
            if left:
                self._nodes[node.node_id] = left
            else:
                del self._nodes[node.node_id]
        return node

    def get(self, node_id: str) -> ConnectedNode | None:
        nodes = self._nodes.get(node_id)
        return nodes[-1] if nodes else None

    def of_connection(self, connection_id: str) -> ConnectedNode | None:
        return self._by_connection.get(connection_id)

    def all(self) -> list[ConnectedNode]:
        """
        One connection of each node.
        """
        return [nodes[-1] for nodes in self._nodes.values()]
