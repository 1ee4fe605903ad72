"""
Questions over the wire: those of clients, and those of runs.
"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.providers.base import Stop, TextDelta, ToolCall
from openclaw.testing.client import GatewayClient
from openclaw.testing.gateway import MemoryGateway
from openclaw.testing.model import Step
from tests.agent.test_approvals import Launcher

CAPTURE = Path(__file__).parent.parent / "fixtures" / "captures" / "session-exec-approval-events.jsonl"
APPROVALS = ["operator.approvals"]
CALL: list[Step] = [TextDelta("Let me."), ToolCall("c1", "launch", {"what": "kite\u202e"}), Stop("toolUse")]
DONE: list[Step] = [TextDelta("Done."), Stop("stop")]
DAY = 86_400


class ApprovalCase(SynchronousTestCase):
    """
    A gateway whose agent asks before it launches something.
    """

    def setUp(self) -> None:
        self.tool = Launcher()
        self.gateway = MemoryGateway(directory=Path(self.mktemp()), answers=[CALL, DONE], tools=[self.tool])
        self.gateway.start()
        self.addCleanup(self.gateway.stop)

    def events(self, client: GatewayClient, name: str) -> list[Any]:
        return [frame["payload"] for frame in client.events(f"exec.approval.{name}")]

    def send(self, client: GatewayClient) -> None:
        params = {"sessionKey": "main", "message": "go", "idempotencyKey": "run-1"}
        self.assertTrue(client.call("chat.send", params)["ok"])
        self.gateway.advance_until(lambda: self.gateway.service.clients.context.approvals.pending())

    def states(self, client: GatewayClient) -> list[str]:
        told = [frame["payload"]["state"] for frame in client.events("chat")]
        return [state for state in told if state != "delta"]


class RunTests(ApprovalCase):
    """
    A run that waits for a person.
    """

    def test_goes_on(self) -> None:
        """
        Who may approve is told of what the run asks, and the run goes on when one of them allows it.
        """
        client, approver = self.gateway.connected(), self.gateway.connected(scopes=APPROVALS)
        reader = self.gateway.connected(scopes=["operator.read"])
        self.send(client)
        (asked,) = self.events(approver, "requested")
        self.assertEqual(asked["request"]["command"], "Launch kite\\u{202e}?")
        self.assertEqual((asked["request"]["agentId"], asked["request"]["sessionKey"]), ("main", "agent:main:main"))
        self.assertEqual(self.events(reader, "requested"), [])
        self.gateway.advance(DAY)
        self.assertEqual((self.tool.launched, self.states(client)), ([], []))
        decided = approver.call("exec.approval.resolve", {"id": asked["id"], "decision": "allow-once"})
        self.assertTrue(decided["ok"])
        self.gateway.advance_until(lambda: self.states(client))
        self.assertEqual((self.tool.launched, self.states(client)), (["kite\u202e"], ["final"]))
        (resolved,) = self.events(client, "resolved")
        self.assertEqual((resolved["id"], resolved["decision"]), (asked["id"], "allow-once"))

    def test_denied(self) -> None:
        """
        A run that may not goes on without.
        """
        client = self.gateway.connected()
        self.send(client)
        (asked,) = self.events(client, "requested")
        client.call("exec.approval.resolve", {"id": asked["id"], "decision": "deny"})
        self.gateway.advance_until(lambda: self.states(client))
        self.assertEqual((self.tool.launched, self.states(client)), ([], ["final"]))

    def test_who_comes_later(self) -> None:
        """
        A question that stands is told to those who may decide and connect only now.
        """
        client = self.gateway.connected()
        self.send(client)
        later, reader = self.gateway.connected(scopes=APPROVALS), self.gateway.connected(scopes=["operator.read"])
        self.assertEqual(self.events(later, "requested"), self.events(client, "requested"))
        self.assertNotIn("seq", later.events("exec.approval.requested")[0])
        self.assertEqual(self.events(reader, "requested"), [])

    def test_aborted(self) -> None:
        """
        When the run is ended nobody is asked any more.
        """
        client = self.gateway.connected()
        self.send(client)
        client.call("chat.abort", {"sessionKey": "main"})
        self.gateway.advance(1)
        self.assertEqual([event["decision"] for event in self.events(client, "resolved")], ["deny"])
        self.assertEqual(self.gateway.service.clients.context.approvals.pending(), [])

    def test_never_decided(self) -> None:
        """
        After a week the answer is no.
        """
        client = self.gateway.connected()
        self.send(client)
        approvals = self.gateway.service.clients.context.approvals
        # Not through all the ticks of a week.
        (pending,) = approvals._pending.values()
        self.assertEqual(pending.asked.expires_at_ms - pending.asked.created_at_ms, 7 * DAY * 1000)
        pending.timer.reset(1)
        self.gateway.advance_until(lambda: self.states(client))
        self.assertEqual((self.tool.launched, self.states(client)), ([], ["final"]))

    def test_outlives_a_restart(self) -> None:
        """
        The next process asks the same question under the same id.
        """
        client = self.gateway.connected()
        self.send(client)
        (asked,) = self.events(client, "requested")
        self.gateway.stop()
        self.assertEqual(self.events(client, "resolved"), [])
        self.gateway = MemoryGateway(
            directory=self.gateway.directory, store=self.gateway.store, answers=[DONE], tools=[self.tool]
        )
        self.gateway.start()
        self.addCleanup(self.gateway.stop)
        self.gateway.advance(1)
        client = self.gateway.connected()
        (again,) = self.events(client, "requested")
        self.assertEqual((again["id"], again["request"]), (asked["id"], asked["request"]))
        self.assertTrue(client.call("exec.approval.resolve", {"id": asked["id"], "decision": "allow-once"})["ok"])
        self.gateway.advance_until(lambda: self.states(client))
        self.assertEqual(self.tool.launched, ["kite\u202e"])


class ClientTests(ApprovalCase):
    """
    A client that asks.
    """

    def test_recorded(self) -> None:
        """
        The recorded question of a tool is told, decided and refused as it was.
        """
        lines = [json.loads(line) for line in CAPTURE.read_text(encoding="utf-8").splitlines()]
        wanted = lines[0]["payload"]
        client = self.gateway.connected()
        limit = wanted["expiresAtMs"] - wanted["createdAtMs"]
        client.ask("exec.approval.request", {**wanted["request"], "id": wanted["id"], "timeoutMs": limit})
        (told,) = self.events(client, "requested")
        self.assertEqual(told["request"], wanted["request"])
        for request, answer in ((lines[1], lines[2]), (lines[4], lines[5]), (lines[6], lines[7])):
            now = client.call(request["method"], request["params"])
            self.assertEqual({**now, "id": answer["id"]}, answer)
        (resolved,) = self.events(client, "resolved")
        self.assertEqual({**resolved, "ts": 0}, {**lines[3]["payload"], "ts": 0})

    def test_who_asked_leaves(self) -> None:
        """
        A question stands though who asked has gone.
        """
        client, approver = self.gateway.connected(), self.gateway.connected(scopes=APPROVALS)
        client.ask("exec.approval.request", {"command": "ls", "id": "a"})
        client.close()
        self.assertTrue(approver.call("exec.approval.resolve", {"id": "a", "decision": "deny"})["ok"])

    def test_stop(self) -> None:
        """
        A gateway that stops does not wait for a person.
        """
        client = self.gateway.connected()
        client.ask("exec.approval.request", {"command": "ls"})
        self.gateway.stop()
        self.assertEqual(client.closed, (1012, "service restart"))
        self.assertTrue(self.gateway.service.clients.drained(timedelta(0)).called)
