"""
Tests of ``openclaw.methods.approvals``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, fail, succeed

from openclaw.approvals.file import approvals_path
from openclaw.methods.table import Failed
from openclaw.protocol.codes import ErrorCode
from tests.methods.support import MethodCase, caller

APPROVER = caller("operator.approvals", display_name="Anna")


@define
class Answer:
    """
    What a node answered.
    """

    payload: Any = None
    payload_json: str | None = None


@define
class FakeNodes:
    """
    Makes a note of what it is asked.
    """

    answer: Answer | Exception
    asked: list[Any] = field(factory=list)

    def invoke(self, node_id: str, command: str, params: Mapping[str, Any], timeout_ms: int) -> Deferred[Any]:
        self.asked.append((node_id, command, params, timeout_ms))
        return fail(self.answer) if isinstance(self.answer, Exception) else succeed(self.answer)


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

    def nodes_answer(self, answer: Answer | Exception) -> FakeNodes:
        nodes = FakeNodes(answer)
        self.configure({}, nodes=nodes)
        return nodes

    def test_get(self) -> None:
        """
        The node is asked for its file, and its answer is ours.
        """
        nodes = self.nodes_answer(Answer(payload_json='{"hash": "h"}'))
        self.assertEqual(self.ask("exec.approvals.node.get", {"nodeId": " n "}), {"hash": "h"})
        self.assertEqual(nodes.asked, [("n", "system.execApprovals.get", {}, 30_000)])
        self.nodes_answer(Answer(payload={"hash": "i"}))
        self.assertEqual(self.ask("exec.approvals.node.get", {"nodeId": "n"}), {"hash": "i"})

    def test_set(self) -> None:
        """
        New rules are handed on as they came; nothing of the caller's gets beside them.
        """
        nodes = self.nodes_answer(Answer(payload_json="nonsense"))
        params = {"nodeId": "n", "file": {"version": 1, "agents": {}}, "baseHash": "h"}
        self.assertIsNone(self.ask("exec.approvals.node.set", params))
        del params["nodeId"]
        self.assertEqual(nodes.asked, [("n", "system.execApprovals.set", params, 30_000)])

    def test_refused(self) -> None:
        """
        What the node refuses is told as such; one that is not there is told in the same place.
        """
        self.assertEqual(self.refused("exec.approvals.node.get", {"nodeId": " "}), "nodeId required")
        details = {"nodeError": {"code": "X", "message": "no"}}
        self.nodes_answer(Failed(code=ErrorCode.UNAVAILABLE, message="no", details=details))
        (reply,) = self.asked("exec.approvals.node.get", {"nodeId": "n"})
        assert reply.error is not None
        self.assertEqual((reply.error.message, reply.error.details), ("no", details))


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
