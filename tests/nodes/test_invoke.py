"""
Tests of ``openclaw.nodes.invoke`` and of how connections and questions of one node hang together.
"""

from __future__ import annotations

import json
from itertools import count
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from openclaw.nodes.hub import make_nodes
from openclaw.nodes.invoke import (
    DEFAULT_LIMIT,
    MOST_IN_ALL,
    MOST_OF_A_NODE,
    NodeAnswer,
    NodeBusy,
    NodeLeft,
    NodeRefused,
    NodeTimedOut,
    NodeUnreachable,
)
from openclaw.protocol.types import ABSENT
from tests.nodes.support import Link, node

NOTHING = NodeAnswer()


class InvokeCase(SynchronousTestCase):
    """
    Nodes on a clock. Nothing of a question is left when a test ends.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        numbers = count(1)
        self.nodes = make_nodes(self.clock, lambda: f"i{next(numbers)}")
        self.link = Link()
        self.node = node(self.link)
        self.nodes.joined(self.node)
        self.invocations = self.nodes.invocations

    def tearDown(self) -> None:
        self.assertEqual((len(self.invocations), self.clock.getDelayedCalls()), (0, []))

    def ask(self, *arguments: Any, **named: Any) -> Deferred[NodeAnswer]:
        return self.invocations.invoke(self.node, *arguments, **named)


class InvokeTests(InvokeCase):
    """
    One question and its answer.
    """

    def test_answer(self) -> None:
        """
        The node is told everything, and its answer is that of the question.
        """
        asking = self.ask("system.run", {"command": ["ls"]}, timeout_ms=5_000, idempotency_key="k")
        told = {"id": "i1", "nodeId": "n", "command": "system.run", "timeoutMs": 5000, "idempotencyKey": "k"}
        self.assertEqual(self.link.sent, [("node.invoke.request", {**told, "paramsJSON": '{"command":["ls"]}'})])
        self.assertNoResult(asking)
        answer = NodeAnswer(payload_json="{}")
        self.assertTrue(self.invocations.answered("i1", self.node, answer))
        self.assertEqual(self.successResultOf(asking), answer)

    def test_parameters(self) -> None:
        """
        No parameters are ``null``; parameters that are ``null`` are a text.
        """
        for params, text in ((ABSENT, None), (None, "null"), ([], "[]"), ("ü", '"ü"')):
            asking = self.ask("x", params)
            told = self.link.last()
            self.assertEqual(told["paramsJSON"], text)
            self.assertEqual(set(told), {"id", "nodeId", "command", "paramsJSON"})
            self.invocations.answered(told["id"], self.node, NOTHING)
            self.successResultOf(asking)

    def test_values(self) -> None:
        """
        A payload is its text's value; text that is no JSON is told as text; none is the node's own payload.
        """
        for answer, value in (
            (NodeAnswer(payload_json='{"a":1}', payload=2), {"a": 1}),
            (NodeAnswer(payload_json="null"), None),
            (NodeAnswer(payload_json="{oops"), {"payloadJSON": "{oops"}),
            (NodeAnswer(payload_json="", payload=2), 2),
            (NodeAnswer(payload=None), None),
            (NOTHING, ABSENT),
        ):
            self.assertEqual(json.dumps(answer.value(), default=str), json.dumps(value, default=str))

    def test_refused(self) -> None:
        """
        What the node could not do fails with its words, or with ours when it has none.
        """
        unnamed = "node invoke failed"
        for error, words in (({"code": "X", "message": "no"}, "no"), ({"code": "X"}, unnamed), (None, unnamed)):
            asking = self.ask("x")
            self.invocations.answered(self.link.last()["id"], self.node, NodeRefused(error=error))
            self.assertEqual(str(self.failureResultOf(asking, NodeRefused).value), words)

    def test_limits(self) -> None:
        """
        A node is waited for as long as it was said, 30 seconds otherwise, and never for ever.
        """
        for limit_ms, seconds in ((None, DEFAULT_LIMIT.total_seconds()), (500, 0.5), (0, 0.0), (10**400, 604_800.0)):
            asking = self.ask("x", timeout_ms=limit_ms)
            if seconds:
                self.clock.advance(seconds - 0.01)
                self.assertNoResult(asking)
            self.clock.advance(0.01)
            self.failureResultOf(asking, NodeTimedOut)
            self.assertFalse(self.invocations.answered(self.link.last()["id"], self.node, NOTHING))

    def test_given_up(self) -> None:
        """
        Who gives up the question forgets it; the answer counts for nothing then.
        """
        asking = self.ask("x")
        asking.cancel()
        self.assertFalse(self.invocations.answered("i1", self.node, NOTHING))
        self.failureResultOf(asking)

    def test_unreachable(self) -> None:
        """
        A node that takes nothing is not waited for.
        """
        self.link.open = False
        with self.assertRaises(NodeUnreachable):
            self.ask("x")

    def test_once(self) -> None:
        """
        An answer counts once.
        """
        asking = self.ask("x")
        self.assertTrue(self.invocations.answered("i1", self.node, NOTHING))
        self.assertFalse(self.invocations.answered("i1", self.node, NOTHING))
        self.successResultOf(asking)

    def test_most_of_a_node(self) -> None:
        """
        A node that answers nothing does not keep others from theirs.
        """
        other = node(node_id="m", connection_id="d")
        self.nodes.joined(other)
        asked = [self.ask("x") for _ in range(MOST_OF_A_NODE)]
        with self.assertRaises(NodeBusy):
            self.ask("x")
        self.assertEqual(len(self.link.sent), MOST_OF_A_NODE)
        asked.append(self.invocations.invoke(other, "x"))
        self.clock.advance(DEFAULT_LIMIT.total_seconds())
        for asking in asked:
            self.failureResultOf(asking, NodeTimedOut)

    def test_most_in_all(self) -> None:
        """
        There is an end to all of them.
        """
        nodes = [
            node(node_id=f"n{number}", connection_id=f"c{number}") for number in range(MOST_IN_ALL // MOST_OF_A_NODE)
        ]
        asked = [self.invocations.invoke(one, "x") for one in nodes for _ in range(MOST_OF_A_NODE)]
        with self.assertRaises(NodeBusy):
            self.ask("x")
        self.clock.advance(DEFAULT_LIMIT.total_seconds())
        for asking in asked:
            self.failureResultOf(asking, NodeTimedOut)


class LeavingTests(InvokeCase):
    """
    Connections that end, and several of one node.
    """

    def test_left(self) -> None:
        """
        Whoever waits for a node that leaves learns it at once; others go on waiting.
        """
        other = node(node_id="m", connection_id="d")
        self.nodes.joined(other)
        asking, of_other = self.ask("camera.snap"), self.invocations.invoke(other, "x")
        self.nodes.left("c")
        error = self.failureResultOf(asking, NodeLeft).value
        self.assertEqual(str(error), "Error: node disconnected (camera.snap)")
        self.assertNoResult(of_other)
        self.assertFalse(self.invocations.answered("i1", self.node, NOTHING))
        self.nodes.left("d")
        self.failureResultOf(of_other, NodeLeft)

    def test_giving_up_others(self) -> None:
        """
        Whoever hears that the node left may give up another question to it.
        """
        first, second = self.ask("x"), self.ask("y")
        first.addErrback(lambda failure: second.cancel())
        self.nodes.left("c")
        self.successResultOf(first)
        self.failureResultOf(second)

    def test_newest_wins(self) -> None:
        """
        Of two connections of a node the newest is asked, and only that. When it ends, the one before is asked again;
        when an older one ends, nothing changes.
        """
        newer = node(Link(), connection_id="d")
        self.nodes.joined(newer)
        self.assertIs(self.nodes.connected.get("n"), newer)
        self.assertEqual(self.nodes.connected.all(), [newer])
        self.nodes.left("d")
        self.assertIs(self.nodes.connected.get("n"), self.node)
        self.nodes.joined(newer)
        self.nodes.left("c")
        self.assertIs(self.nodes.connected.get("n"), newer)
        self.nodes.left("d")
        self.assertIsNone(self.nodes.connected.get("n"))
        self.assertEqual(self.nodes.connected.all(), [])

    def test_older_ends(self) -> None:
        """
        What was sent to a connection ends with it, also when the node has come again meanwhile.
        """
        asking = self.ask("x")
        self.nodes.joined(node(connection_id="d"))
        self.nodes.left("c")
        self.failureResultOf(asking, NodeLeft)

    def test_answer_on_another_connection(self) -> None:
        """
        A device that came again may answer what it was asked before; programs that share an id are not one node.
        """
        for proved in (True, False):
            link = Link()
            asked, again = (node(link, proved=proved, connection_id=connection) for connection in "ab")
            asking = self.invocations.invoke(asked, "x")
            name = link.last()["id"]
            self.assertEqual(self.invocations.answered(name, again, NOTHING), proved)
            if not proved:
                self.assertNoResult(asking)
                self.assertTrue(self.invocations.answered(name, asked, NOTHING))
            self.successResultOf(asking)

    def test_another_node(self) -> None:
        """
        No node answers for another.
        """
        asking = self.ask("x")
        self.assertFalse(self.invocations.answered("i1", node(node_id="m", connection_id="d"), NOTHING))
        self.assertNoResult(asking)
        self.nodes.left("c")
        self.failureResultOf(asking, NodeLeft)

    def test_nobody(self) -> None:
        """
        The end of a connection that was no node's is nothing.
        """
        self.nodes.left("other")
        self.assertIs(self.nodes.connected.get("n"), self.node)
