"""
Connections of nodes: what they say of themselves when they come, what only they are told, and their end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from openclaw.clock import millis
from openclaw.config.model import Config
from openclaw.gateway.connection import Connection, State
from openclaw.gateway.events import MAX_BUFFERED_BYTES, Subscriber
from openclaw.gateway.handshake import Admission
from openclaw.nodes import listing, policy
from openclaw.nodes.hub import Nodes
from openclaw.nodes.registry import ConnectedNode
from openclaw.protocol.frames import encode_event_body
from openclaw.sessions.keys import canonical_key
from openclaw.store.interfaces import Store
from openclaw.voice.wake import read_wake_words

#: What a node is told again of the sessions that it follows, and what whoever follows any is told again.
OF_SESSIONS = frozenset({"agent", "chat"})
OF_ALL = frozenset({"tick", "health"})


@frozen(eq=False)
class ConnectionLink:
    """
    Where a node's own events go: its connection.
    """

    connection: Connection

    def send(self, event: str, payload: Mapping[str, Any]) -> bool:
        connection = self.connection
        if connection.state is not State.CONNECTED or connection.waiting_bytes() > MAX_BUFFERED_BYTES:
            return False
        connection.send_event(event, encode_event_body(event, payload))
        return True


@define(kw_only=True, eq=False, repr=False)
class NodeConnections:
    """
    The nodes among the connected clients.
    """

    _log = Logger()
    nodes: Nodes
    clock: IReactorTime
    config: Callable[[], Config]
    store: Store
    state_dir: Path
    in_thread: Callable[..., Deferred[Any]]
    _connections: dict[str, Connection] = field(factory=dict, init=False)

    def joined(
        self, connection: Connection, params: Mapping[str, Any], admission: Admission, remote_ip: str | None
    ) -> None:
        """
        A node said hello: from now on it can be asked for what it offers, as far as the policy allows.
        """
        client = params["client"]
        config = self.config().gateway.nodes
        platform = policy.platform_of(client["platform"], client.get("deviceFamily"))
        allowed = policy.allowed_commands(platform, config.allow_commands, config.deny_commands)
        node = ConnectedNode(
            node_id=admission.device_id or client["id"],
            connection_id=connection.id,
            link=ConnectionLink(connection),
            proved=admission.device_id is not None,
            client=client,
            connected_at_ms=millis(self.clock),
            caps=listing.tidy(params.get("caps") or ()),
            commands=policy.declared_commands(params.get("commands") or (), allowed),
            permissions=params.get("permissions"),
            path_env=params.get("pathEnv"),
            remote_ip=remote_ip,
        )
        self._connections[connection.id] = connection
        self.nodes.joined(node)
        keeping = self.store.write(partial(listing.remember, node=node))
        keeping.addErrback(lambda failure: self._log.failure("What a node said of itself was not kept.", failure))

    def welcomed(self, connection: Connection) -> None:
        """
        The node has its ``hello-ok``: it is told the wake words.
        """
        telling = Deferred.fromCoroutine(self._tell_wake_words(connection))
        telling.addErrback(lambda failure: self._log.failure("A node was not told the wake words.", failure))

    async def _tell_wake_words(self, connection: Connection) -> None:
        triggers = await self.in_thread(read_wake_words, self.state_dir)
        ConnectionLink(connection).send("voicewake.changed", {"triggers": triggers})

    def left(self, connection: Connection) -> None:
        if self._connections.pop(connection.id, None) is not None:
            self.nodes.left(connection.id)

    def platforms(self) -> list[str]:
        """
        Of the nodes that are connected.
        """
        return [node.platform for node in self.nodes.connected.all()]

    def followers(self, event: str, payload: Mapping[str, Any]) -> Iterator[Subscriber]:
        """
        The nodes that get a copy of an event, as they have asked for.
        """
        subscriptions = self.nodes.subscriptions
        found = subscriptions.connections() if event in OF_SESSIONS or event in OF_ALL else ()
        if found and event in OF_SESSIONS:
            key = payload.get("sessionKey")
            found = subscriptions.followers(canonical_key(key, self.config())) if isinstance(key, str) else ()
        return (self._connections[follower] for follower in found)
