"""
Tests of ``openclaw.methods.approvals``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from openclaw.approvals.file import approvals_path
from openclaw.nodes.invoke import NodeAnswer, NodeRefused
from tests.methods.support import MethodCase, Reply, caller
from tests.nodes.support import Link, node

APPROVER = caller("operator.approvals", display_name="Anna")


class FileTests(MethodCase):
    """
    ``exec.approvals.get`` and ``exec.approvals.set``.
    """

    def test_round(self) -> None:
        """
        What was read can be written back, and is then what is read.
        """
        found = self.ask("exec.approvals.get", {})
        file = {**found["file"], "defaults": {"security": "allowlist"}}
        after = self.ask("exec.approvals.set", {"file": file, "baseHash": found["hash"]})
        self.assertEqual(after["file"], file)
        self.assertNotEqual(after["hash"], found["hash"])
        self.assertEqual(self.ask("exec.approvals.get", {}), after)
        self.assertEqual(self.events, [])

    def test_refused(self) -> None:
        """
        New rules say from which they were made.
        """
        file = {"version": 1}
        again = "re-run exec.approvals.get and retry"
        self.assertEqual(
            self.refused("exec.approvals.set", {"file": file}), f"exec approvals base hash required; {again}"
        )
        self.assertEqual(
            self.refused("exec.approvals.set", {"file": file, "baseHash": "x"}),
            f"exec approvals changed since last load; {again}",
        )
        self.assertIn("invalid exec.approvals.set params", self.refused("exec.approvals.set", {"baseHash": "x"}))

    def test_where(self) -> None:
        """
        The file is in the home directory, wherever the state is, and the token in it is told to nobody.
        """
        path = approvals_path(self.context.home)
        told = json.dumps(self.ask("exec.approvals.get", {}))
        self.assertNotIn(json.loads(path.read_text())["socket"]["token"], told)


class NodeTests(MethodCase):
    """
    ``exec.approvals.node.*``.
    """

    def setUp(self) -> None:
        super().setUp()
        self.link = Link()
        # It offers nothing: the policy of node.invoke is not asked.
        self.node = node(self.link, commands=())
        self.context.nodes.joined(self.node)

    def answered(self, method: str, params: Mapping[str, Any], answer: NodeAnswer | NodeRefused) -> Reply:
        """
        Ask, and let the node answer.
        """
        replies = self.asked(method, params)
        self.context.nodes.invocations.answered(self.link.last()["id"], self.node, answer)
        (reply,) = replies
        return reply

    def test_get(self) -> None:
        """
        The node is asked for its file, and its answer is ours.
        """
        for answer, told in (
            (NodeAnswer(payload_json='{"hash": "h"}'), {"hash": "h"}),
            (NodeAnswer(payload={"hash": "i"}), {"hash": "i"}),
            (NodeAnswer(), None),
        ):
            self.assertEqual(self.answered("exec.approvals.node.get", {"nodeId": " n "}, answer).payload, told)
        asked = self.link.last()
        self.assertEqual(
            asked, {"id": asked["id"], "nodeId": "n", "command": "system.execApprovals.get", "paramsJSON": "{}"}
        )

    def test_set(self) -> None:
        """
        New rules are handed on as they came; nothing of the caller's gets beside them.
        """
        params = {"nodeId": "n", "file": {"version": 1, "agents": {}}, "baseHash": "h"}
        reply = self.answered("exec.approvals.node.set", params, NodeAnswer(payload_json="nonsense"))
        self.assertIsNone(reply.payload)
        del params["nodeId"]
        self.assertEqual(self.link.last()["command"], "system.execApprovals.set")
        self.assertEqual(json.loads(self.link.last()["paramsJSON"]), params)

    def test_refused(self) -> None:
        """
        What the node refuses is told as such; one that is not there is told in the same place.
        """
        self.assertEqual(self.refused("exec.approvals.node.get", {"nodeId": " "}), "nodeId required")
        no = {"code": "X", "message": "no"}
        reply = self.answered("exec.approvals.node.get", {"nodeId": "n"}, NodeRefused(error=no))
        assert reply.error is not None
        self.assertEqual((reply.error.message, reply.error.details), ("no", {"nodeError": no}))
        (reply,) = self.asked("exec.approvals.node.get", {"nodeId": "m"})
        assert reply.error is not None
        away = {"code": "NOT_CONNECTED", "message": "node not connected"}
        self.assertEqual((reply.error.message, reply.error.details), ("node not connected", {"nodeError": away}))


class QuestionTests(MethodCase):
    """
    ``exec.approval.request`` and ``exec.approval.resolve``.
    """

    def test_who_decided(self) -> None:
        """
        Others are told who decided; the file is left to who asked.
        """
        replies = self.asked("exec.approval.request", {"command": "ls", "id": "a"}, by=APPROVER)
        decided = {"id": "a", "decision": "allow-always"}
        self.assertEqual(self.ask("exec.approval.resolve", decided, by=APPROVER), {"ok": True})
        self.assertEqual(replies, [])
        self.clock.advance(0)
        self.assertEqual(replies[0].payload["decision"], "allow-always")
        self.assertEqual(self.events[1][1]["resolvedBy"], "Anna")
        self.assertFalse(approvals_path(self.context.home).exists())

    def test_null_members(self) -> None:
        """
        Members may be ``null``, and what is missing is.
        """
        self.asked("exec.approval.request", {"command": "ls", "cwd": None, "agentId": "main"}, by=APPROVER)
        (asked,) = self.questions.pending()
        self.assertEqual((asked.request["cwd"], asked.request["host"], asked.request["agentId"]), (None, None, "main"))
        self.questions.stopService()

    def test_f5_nobody_to_ask(self) -> None:
        """
        Without anybody who could decide the answer comes at once (lesson F5).
        """
        self.approvers = False
        message = self.refused("exec.approval.request", {"command": "ls"}, by=APPROVER, code="UNAVAILABLE")
        self.assertEqual(message, "no client is connected that may approve")

    def test_scope(self) -> None:
        """
        Nobody asks or decides who may not, nodes least of all.
        """
        for method, params in (
            ("exec.approval.request", {"command": "ls"}),
            ("exec.approval.resolve", {"id": "a", "decision": "deny"}),
        ):
            for scopes in (["operator.read"], ["operator.write"], ["operator.pairing"]):
                self.assertEqual(self.refused(method, params, by=caller(*scopes)), "missing scope: operator.approvals")
            self.assertEqual(self.refused(method, params, by=caller(role="node")), "unauthorized role: node")
