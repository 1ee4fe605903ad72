"""
Nodes on real connections, against the whole gateway in memory.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from openclaw.gateway.events import MAX_BUFFERED_BYTES
from openclaw.nodes.subscriptions import MOST_SESSIONS
from openclaw.testing.client import GatewayClient, TestDevice
from openclaw.testing.gateway import MemoryGateway
from tests.gateway.test_gateway import GatewayTestCase

HOST: Mapping[str, Any] = {
    "id": "node-host",
    "displayName": "Box",
    "version": "1.0.0",
    "platform": "linux",
    "mode": "node",
}
DEVICE = TestDevice(seed=9)


def join(gateway: MemoryGateway, **told: Any) -> GatewayClient:
    """
    A node that offers to run commands.
    """
    arguments = {"role": "node", "scopes": [], "client": HOST, "device": DEVICE, "commands": ["system.run"]}
    return gateway.connected(**{**arguments, **told})


def ask(client: GatewayClient, node_id: str = DEVICE.id, command: str = "system.run", **more: Any) -> str:
    """
    Have a node do something.

    :return: the id of the request.
    """
    return client.ask("node.invoke", {"nodeId": node_id, "command": command, "idempotencyKey": "k", **more})


def asked(node: GatewayClient) -> list[Mapping[str, Any]]:
    """
    What a node was asked.
    """
    return [event["payload"] for event in node.events("node.invoke.request")]


class NodeTests(GatewayTestCase):
    """
    From the handshake to the end.
    """

    def test_newest_connection(self) -> None:
        """
        A node that came twice is asked once, on the connection that came last; that one's end is not the node's.
        """
        operator, older, newer = self.gateway.connected(), join(self.gateway), join(self.gateway)
        request = ask(operator)
        self.assertEqual((len(asked(older)), len(asked(newer))), (0, 1))
        newer.close()
        (answer,) = operator.answers(request)
        self.assertEqual(answer["error"]["message"], "Error: node disconnected (system.run)")
        (row,) = operator.call("node.list")["payload"]["nodes"]
        self.assertTrue(row["connected"])
        request = ask(operator)
        self.assertEqual(len(asked(older)), 1)
        answered = {"id": asked(older)[0]["id"], "nodeId": DEVICE.id, "ok": True}
        older.call("node.invoke.result", answered)
        self.assertTrue(operator.answers(request)[0]["ok"])

    def test_nobody_else_hears(self) -> None:
        """
        What a node is asked, only that node hears.
        """
        operator, node, other = (
            self.gateway.connected(),
            join(self.gateway),
            join(self.gateway, device=TestDevice(seed=8)),
        )
        ask(operator)
        self.assertEqual((len(asked(node)), asked(other), asked(operator)), (1, [], []))

    def test_without_device(self) -> None:
        """
        A node without a device is its program, and is not paired.
        """
        operator = self.gateway.connected()
        join(self.gateway, device=None)
        (row,) = operator.call("node.list")["payload"]["nodes"]
        self.assertEqual((row["nodeId"], row["paired"], row["connected"]), ("node-host", False, True))

    def test_remembered(self) -> None:
        """
        What a paired node said is known after a restart.
        """
        join(self.gateway, caps=["system"]).close()
        self.gateway.stop()
        again = MemoryGateway(directory=self.gateway.directory, store=self.gateway.store).start()
        self.addCleanup(again.stop)
        (row,) = again.connected().call("node.list")["payload"]["nodes"]
        known = (row["connected"], row["caps"], row["commands"], row["version"])
        self.assertEqual(known, (False, ["system"], ["system.run"], "1.0.0"))

    def test_asker_leaves(self) -> None:
        """
        Who asked may be gone when the answer comes.
        """
        operator, node = self.gateway.connected(), join(self.gateway)
        ask(operator)
        operator.close()
        told = node.call("node.invoke.result", {"id": asked(node)[0]["id"], "nodeId": DEVICE.id, "ok": True})
        self.assertEqual(told["payload"], {"ok": True})

    def test_slow_node(self) -> None:
        """
        A node that does not take what it was sent is not asked for more, and who asks is told so.
        """
        operator, node = self.gateway.connected(), join(self.gateway)
        (connection,) = (each for each in self.gateway.service.clients.events if each.role == "node")
        self.patch(type(connection), "waiting_bytes", lambda each: MAX_BUFFERED_BYTES + 1 if each is connection else 0)
        (answer,) = operator.answers(ask(operator))
        self.assertEqual(answer["error"]["message"], "failed to send invoke to node")
        self.assertEqual(asked(node), [])

    def test_followed_session(self) -> None:
        """
        A node hears of a session that it follows once more, without number, and of no other session so.
        """
        node = join(self.gateway)
        node.call("node.event", {"event": "chat.subscribe", "payload": {"sessionKey": "agent:main:main"}})
        self.gateway.say("hello")
        self.gateway.say("hello", session_key="other")
        copies = [frame["payload"]["sessionKey"] for frame in node.events("chat") if "seq" not in frame]
        self.assertEqual(set(copies), {"main"})
        numbered = {frame["payload"]["sessionKey"] for frame in node.events("chat") if "seq" in frame}
        self.assertEqual(numbered, {"main", "other"})
        before = len(node.events("tick"))
        self.gateway.advance(60)
        ticks = node.events("tick")[before:]
        self.assertEqual(["seq" in frame for frame in ticks], [True, False] * (len(ticks) // 2))
        self.assertGreater(len(ticks), 0)

    def test_following_ends(self) -> None:
        """
        Nothing is left of what a connection followed when it has ended.
        """
        node = join(self.gateway)
        for number in range(MOST_SESSIONS + 1):
            node.call("node.event", {"event": "chat.subscribe", "payload": {"sessionKey": f"s{number}"}})
        node.close()
        nodes = self.gateway.service.clients.nodes
        self.assertEqual(nodes.nodes.subscriptions.connections(), ())
        self.assertEqual(list(nodes.followers("tick", {})), [])

    def test_voice(self) -> None:
        """
        What somebody says to a node is answered in the session.
        """
        node, operator = join(self.gateway), self.gateway.connected()
        node.call("node.event", {"event": "voice.transcript", "payloadJSON": json.dumps({"text": "hello"})})
        self.gateway.advance_until(lambda: [e for e in operator.events("chat") if e["payload"]["state"] == "final"])
        history = operator.call("chat.history", {"sessionKey": "main"})["payload"]["messages"]
        self.assertEqual([message["role"] for message in history], ["user", "assistant"])

    def test_stop(self) -> None:
        """
        A gateway that stops leaves no question open.
        """
        operator = self.gateway.connected()
        join(self.gateway)
        ask(operator, timeoutMs=10**9)
        self.gateway.stop()
        self.assertEqual(operator.closed, (1012, "service restart"))
        self.assertEqual(len(self.gateway.service.clients.nodes.nodes.invocations), 0)
