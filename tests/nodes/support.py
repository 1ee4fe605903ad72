"""
Nodes for tests, without connections.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import define, field

from openclaw.nodes.registry import ConnectedNode

CLIENT: Mapping[str, Any] = {
    "id": "node-host",
    "displayName": "Box",
    "version": "1.0.0",
    "platform": "linux",
    "mode": "node",
}


@define(eq=False)
class Link:
    """
    Keeps what a node was sent.

    :ivar open: whether it takes anything.
    """

    open: bool = True
    sent: list[tuple[str, Mapping[str, Any]]] = field(factory=list)

    def send(self, event: str, payload: Mapping[str, Any]) -> bool:
        if self.open:
            self.sent.append((event, payload))
        return self.open

    def last(self) -> Mapping[str, Any]:
        """
        What the node was asked last.
        """
        name, payload = self.sent[-1]
        assert name == "node.invoke.request", name
        return payload


def node(
    link: Link | None = None,
    *,
    node_id: str = "n",
    connection_id: str = "c",
    proved: bool = True,
    commands: Sequence[str] = ("system.run",),
    connected_at_ms: int = 1_000,
    client: Mapping[str, Any] = CLIENT,
    **members: Any,
) -> ConnectedNode:
    """
    A connected node.
    """
    return ConnectedNode(
        node_id=node_id,
        connection_id=connection_id,
        link=Link() if link is None else link,
        proved=proved,
        client=client,
        commands=commands,
        connected_at_ms=connected_at_ms,
        **members,
    )
