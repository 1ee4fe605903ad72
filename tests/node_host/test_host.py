"""
The node host, joined to a gateway in memory.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from openclaw.client.identity import Identity
from openclaw.client.introduction import Credentials, Persona
from openclaw.client.service import GatewayService
from openclaw.node_host.child import Ended
from openclaw.node_host.commands import CAPS, COMMANDS, NodeCommands
from openclaw.node_host.host import MOST_RUNNING, make_host
from openclaw.testing.gateway import TOKEN, MemoryGateway

IDENTITY = Identity(bytes([9] * 32))
DONE = Ended(exit_code=0, timed_out=False, output="done", errors="")


class HostTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.gateway = MemoryGateway(directory=Path(self.mktemp()).absolute()).start()
        self.addCleanup(self.gateway.stop)
        self.home = Path(self.mktemp()).absolute()
        path = self.home / ".openclaw" / "exec-approvals.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({"version": 1, "defaults": {"security": "full", "ask": "off"}}))
        self.running: list[Deferred[Ended]] = []
        self.ended: list[Deferred[Ended]] = []
        persona = Persona(client_id="node-host", mode="node", role="node", scopes=(), caps=CAPS, commands=COMMANDS)
        self.host = make_host(
            partial(
                NodeCommands,
                clock=self.gateway.reactor,
                home=self.home,
                environ={"PATH": "/usr/bin:/bin"},
                approvals=path,
                run_program=self.run_program,
                in_thread=maybeDeferred,
                make_id=lambda: "run-1",
            ),
            partial(
                GatewayService,
                clock=self.gateway.reactor,
                url="ws://127.0.0.1:18789/",
                make_endpoint=lambda: self.gateway,
                credentials=Credentials(token=TOKEN, identity=IDENTITY),
                persona=persona,
                jitter=lambda: 0.0,
            ),
        )
        self.host.startService()
        self.gateway.flush()
        self.operator = self.gateway.connected()

    def run_program(self, program: str, argv: Any, **options: Any) -> Deferred[Ended]:
        self.running.append(Deferred(self.ended.append))
        return self.running[-1]

    def invoke(self, command: str, params: Mapping[str, Any], key: str = "k") -> str:
        told = {"nodeId": IDENTITY.device_id, "command": command, "params": params, "idempotencyKey": key}
        return self.operator.ask("node.invoke", told)

    def answer(self, request: str) -> dict[str, Any]:
        self.gateway.flush()
        (answer,) = self.operator.answers(request)
        return answer

    def leave(self) -> None:
        left = self.host.stopService()
        self.gateway.flush()
        self.successResultOf(left)

    def test_listed(self) -> None:
        """
        The gateway knows what it can do; when it leaves it is away.
        """
        (row,) = self.operator.call("node.list")["payload"]["nodes"]
        self.assertEqual((row["nodeId"], row["caps"], row["connected"]), (IDENTITY.device_id, ["system"], True))
        self.assertIn("system.run", row["commands"])
        self.leave()
        (row,) = self.operator.call("node.list")["payload"]["nodes"]
        self.assertFalse(row["connected"])

    def test_run(self) -> None:
        """
        A command runs, its answer comes back, and the gateway notes what ran.
        """
        request = self.invoke("system.run", {"command": ["true"], "sessionKey": "main"})
        self.running[0].callback(DONE)
        payload = self.answer(request)["payload"]["payload"]
        self.assertEqual((payload["exitCode"], payload["stdout"], payload["success"]), (0, "done", True))
        self.leave()

    def test_errors(self) -> None:
        """
        What cannot be done is told with its reason.
        """
        request = self.invoke("system.which", {"bins": 1})
        self.assertEqual(self.answer(request)["error"]["message"], "bins required")
        self.leave()

    def test_too_many(self) -> None:
        """
        Only so many programs run at the same time.
        """
        for number in range(MOST_RUNNING):
            self.invoke("system.run", {"command": ["true"]}, f"k{number}")
        request = self.invoke("system.run", {"command": ["true"]}, "more")
        self.assertIn("busy", self.answer(request)["error"]["message"])
        self.assertEqual(len(self.running), MOST_RUNNING)
        self.leave()

    def test_stopped(self) -> None:
        """
        A node that leaves ends what it runs.
        """
        self.invoke("system.run", {"command": ["true"]})
        self.leave()
        self.assertEqual(self.ended, self.running)
        self.assertEqual(self.flushLoggedErrors(), [])
