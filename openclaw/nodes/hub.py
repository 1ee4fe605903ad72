"""
The nodes as the rest of the gateway sees them.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import field, frozen
from twisted.internet.interfaces import IReactorTime

from openclaw.nodes.invoke import Invocations
from openclaw.nodes.registry import ConnectedNode, Registry
from openclaw.nodes.subscriptions import Subscriptions


@frozen(kw_only=True)
class Nodes:
    """
    Who is connected, what they are asked, and what they follow.
    """

    invocations: Invocations
    connected: Registry = field(factory=Registry)
    subscriptions: Subscriptions = field(factory=Subscriptions)

    def joined(self, node: ConnectedNode) -> None:
        self.connected.add(node)

    def left(self, connection_id: str) -> None:
        """
        A connection ended: who waits for an answer of it learns that at once.
        """
        if self.connected.remove(connection_id) is not None:
            self.subscriptions.end(connection_id)
            self.invocations.left(connection_id)


def make_nodes(clock: IReactorTime, make_id: Callable[[], str]) -> Nodes:
    """
    No nodes yet.
    """
    return Nodes(invocations=Invocations(clock=clock, make_id=make_id))
