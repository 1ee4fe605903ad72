"""
A node made with the websockets library, and the command line that asks it, against the real gateway.
"""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.process.case import ProcessCase
from tests.process.gateway import TOKEN
from tests.process.peer import Peer

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NODE = hashlib.sha256(KEY.public_key().public_bytes_raw()).hexdigest()
OFFER = {"caps": ["system"], "commands": ["system.run", "system.which", "camera.snap"], "pathEnv": "/usr/bin"}


def asked(node: Peer) -> dict[str, Any]:
    """
    What the node is asked next.
    """
    event = node.wait_event(lambda event: event["event"] == "node.invoke.request")
    node.events.remove(event)
    payload: dict[str, Any] = event["payload"]
    return payload


class NodeTests(ProcessCase):
    """
    From the first connection to the end of the gateway.
    """

    def test_node(self) -> None:
        """
        A node is listed with what it offers, answers what it is asked, follows a session, leaves in the middle of a
        question, and is still known when the gateway has been started again.
        """
        gateway = self.start_gateway(self.start_model())
        operator = self.join(gateway)
        node = self.join(gateway, key=KEY, mode="node", node=OFFER)
        (row,) = operator.ask("node.list")["nodes"]
        offered = ["system.run", "system.which"]
        self.assertEqual((row["nodeId"], row["commands"], row["connected"]), (NODE, offered, True))

        params = {"command": ["ls"], "approved": True}
        question = {"nodeId": NODE, "command": "system.run", "params": params, "idempotencyKey": "k"}
        request = operator.send("node.invoke", question)
        told = asked(node)
        self.assertEqual((json.loads(told["paramsJSON"]), told["idempotencyKey"]), ({"command": ["ls"]}, "k"))
        result = {"id": told["id"], "nodeId": NODE, "ok": True, "payloadJSON": '{"exitCode": 0}'}
        self.assertEqual(node.ask("node.invoke.result", result), {"ok": True})
        self.assertEqual(operator.answer(request)["payload"]["payload"], {"exitCode": 0})

        done = gateway.openclaw("nodes", "status", "--json")
        self.assertEqual([one["nodeId"] for one in json.loads(done.stdout)["nodes"]], [NODE])
        done = gateway.openclaw("nodes", "invoke", "--node", NODE[:8], "--command", "camera.snap")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr, "nodes invoke failed: Error: node command not allowed\n")

        node.ask("node.event", {"event": "chat.subscribe", "payload": {"sessionKey": "main"}})
        self.assert_ended(operator.chat("hello", "one"), "final")
        node.wait_event(
            lambda event: event["event"] == "chat" and "seq" not in event and event["payload"]["state"] == "final"
        )

        request = operator.send("node.invoke", {**question, "timeoutMs": 60_000})
        asked(node)
        node.close()
        self.assertEqual(operator.answer(request)["error"]["message"], "Error: node disconnected (system.run)")

        self.assertEqual(gateway.stop(), 0)
        gateway.start()
        (row,) = self.join(gateway).ask("node.list")["nodes"]
        self.assertEqual((row["nodeId"], row["commands"], row["connected"]), (NODE, offered, False))

    def test_node_host(self) -> None:
        """
        ``openclaw node run`` on this machine: it is asked where a program is, may not run one until its rules allow it,
        and ends by a signal.
        """
        gateway = self.start_gateway(self.start_model())
        host = subprocess.Popen(
            [sys.executable, "-m", "openclaw.cli.main", "node", "run", "--port", str(gateway.port), "--token", TOKEN],
            cwd=gateway.home,
            env=gateway.environ(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.addCleanup(host.kill)
        assert host.stdout is not None
        self.assertIn("node host: connected", host.stdout.readline())
        operator = self.join(gateway)
        (row,) = operator.ask("node.list")["nodes"]

        done = gateway.openclaw(
            *("nodes", "invoke", "--node", row["nodeId"], "--command", "system.which", "--params", '{"bins": ["sh"]}')
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("/sh", json.loads(done.stdout)["payload"]["bins"]["sh"])

        params = {"command": ["sh", "-c", "echo from the node"]}
        question = {"nodeId": row["nodeId"], "command": "system.run", "params": params, "idempotencyKey": "a"}
        refused = operator.answer(operator.send("node.invoke", question))
        self.assertEqual(refused["error"]["message"], "SYSTEM_RUN_DENIED: security=deny")
        rules = gateway.home / ".openclaw" / "exec-approvals.json"
        rules.write_text(json.dumps({"version": 1, "defaults": {"security": "full", "ask": "off"}}))
        answered = operator.answer(operator.send("node.invoke", {**question, "idempotencyKey": "b"}))
        self.assertEqual(answered["payload"]["payload"]["stdout"], "from the node\n")

        host.send_signal(signal.SIGTERM)
        self.assertEqual(host.wait(30), 0)
        self.assertEqual(operator.ask("node.list")["nodes"][0]["connected"], False)
