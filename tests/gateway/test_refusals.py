"""
Who may call what, asked of a whole gateway for every method in its table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Final, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from openclaw.methods.authorise import NODE_ONLY
from openclaw.methods.families import METHODS
from openclaw.protocol.features import METHOD_ORDER, UNLISTED_METHODS
from openclaw.protocol.scopes import holds
from openclaw.store.interfaces import Store, Unit
from openclaw.store.memory import MemoryStore
from openclaw.testing.client import GatewayClient, TestDevice
from openclaw.testing.gateway import MemoryGateway

#: What each method needs, as clients know it; the rest are for administrators. A method of ours that is not in this
#: list and not for administrators is a mistake in one of the two.
NEEDED: Final = {
    "operator.read": """
        health logs.tail channels.status status usage.status usage.cost tts.status tts.providers models.list agents.list
        agent.identity.get skills.status voicewake.get sessions.list sessions.preview cron.list cron.status cron.runs
        system-presence last-heartbeat node.list node.describe chat.history
    """,
    "operator.write": """
        send agent agent.wait wake talk.mode tts.enable tts.disable tts.convert tts.setProvider voicewake.set
        node.invoke chat.send chat.abort browser.request
    """,
    "operator.approvals": "exec.approval.request exec.approval.resolve",
    "operator.pairing": """
        node.pair.request node.pair.list node.pair.approve node.pair.reject node.pair.verify device.pair.list
        device.pair.approve device.pair.reject device.token.rotate device.token.revoke node.rename
    """,
}
SCOPE_OF: Final = {name: scope for scope, names in NEEDED.items() for name in names.split()}
T = TypeVar("T")

ADMIN: Final = "operator.admin"

#: Every name that a client may call, with those that do not work yet, and one that never will.
NAMES: Final = sorted({*METHODS, *METHOD_ORDER, *UNLISTED_METHODS, "nope.method"})


@define(eq=False)
class CountingStore:
    """
    Counts what is written.
    """

    store: Store = field(factory=MemoryStore)
    writes: int = 0

    @property
    def is_ready(self) -> bool:
        return self.store.is_ready

    def write(self, work: Callable[[Unit], T]) -> Deferred[T]:
        self.writes += 1
        return self.store.write(work)

    def read(self, work: Callable[[Unit], T]) -> Deferred[T]:
        return self.store.read(work)


def missing(name: str) -> str:
    """
    What an operator is told who must not call a method.
    """
    return f"missing scope: {SCOPE_OF.get(name, ADMIN)}"


class RefusalTests(SynchronousTestCase):
    """
    A refused request has one answer, in the known words, and does nothing.
    """

    def setUp(self) -> None:
        self.store = CountingStore()
        self.gateway = MemoryGateway(directory=Path(self.mktemp()), store=self.store).start()
        self.addCleanup(self.gateway.stop)
        self.gateway.advance(1)

    def refused(self, client: GatewayClient, names: Sequence[str], text: Callable[[str], str]) -> None:
        """
        Check that a client is refused all of some methods, and that nothing came of it.
        """
        self.gateway.advance(1)
        writes, told = self.store.writes, len(client.frames)
        for name in names:
            for params in ({}, None, {"idempotencyKey": "k", "sessionKey": "main", "message": "hi", "id": "x"}):
                answer = client.call(name, params)
                error = {"code": "INVALID_REQUEST", "message": text(name)}
                self.assertEqual((answer["ok"], answer.get("error"), "payload" in answer), (False, error, False), name)
        self.gateway.advance(1)
        self.assertEqual(self.store.writes, writes)
        events = [frame for frame in client.frames[told:] if frame["type"] == "event"]
        self.assertEqual({event["event"] for event in events} - {"health", "tick", "presence"}, set())
        self.assertEqual(client.closed, None)

    def test_needed(self) -> None:
        """
        Every method needs what clients know that it needs, and all that they know are here.
        """
        for name, row in METHODS.items():
            self.assertEqual(row.role, "node" if name in NODE_ONLY else "operator", name)
            if name not in NODE_ONLY:
                self.assertEqual(row.scope, SCOPE_OF.get(name, ADMIN), name)
        self.assertEqual(set(SCOPE_OF) - set(METHODS), set())

    def test_too_little(self) -> None:
        """
        Every method is refused to operators with any set of scopes that does not grant it, and names the scope.
        """
        for size in range(1, len(NEEDED) + 1):
            for scopes in combinations(sorted(NEEDED), size):
                client = self.gateway.connected(scopes=scopes)
                operators = [name for name in NAMES if name not in NODE_ONLY]
                names = [name for name in operators if not holds(scopes, SCOPE_OF.get(name, ADMIN))]
                self.refused(client, names, missing)
                client.close()

    def test_nodes(self) -> None:
        """
        Nodes are refused the methods of operators, whatever scopes they ask for.
        """
        device = TestDevice(seed=9)
        client = self.gateway.connected(device=device, role="node", scopes=[ADMIN])
        self.refused(client, [name for name in NAMES if name not in NODE_ONLY], lambda name: "unauthorized role: node")

    def test_operators(self) -> None:
        """
        Operators are refused the methods of nodes, administrators too.
        """
        for scopes in ([ADMIN], ["operator.write"]):
            client = self.gateway.connected(scopes=scopes)
            self.refused(client, sorted(NODE_ONLY), lambda name: "unauthorized role: operator")

    def test_without_hello(self) -> None:
        """
        Before ``hello-ok`` no method is reached; a wrong secret closes the connection.
        """
        writes = self.store.writes
        for name in NAMES:
            if name == "connect":
                continue
            client = self.gateway.client()
            answer = client.call(name, {})
            text = "invalid handshake: first request must be connect"
            self.assertEqual(answer["error"], {"code": "INVALID_REQUEST", "message": text}, name)
            self.assertEqual(client.closed, (1008, text), name)
        self.assertEqual(self.store.writes, writes)
        client = self.gateway.client()
        self.assertFalse(client.connect(token="wrong")["ok"])
        self.assertEqual(client.closed is not None and client.closed[0], 1008)
