"""
``openclaw nodes``.
"""

from __future__ import annotations

from typing import Any

from tests.cli.harness import NOW, GatewayCase

NOW_MS = int(NOW * 1000)
PHONE = {
    "nodeId": "613315a0a0b1",
    "displayName": "My iPhone",
    "platform": "ios 18.2",
    "deviceFamily": "iPhone",
    "modelIdentifier": "iPhone16,1",
    "version": "1.0.0",
    "remoteIp": "192.0.2.7",
    "caps": ["camera", "canvas"],
    "commands": ["camera.snap"],
    "permissions": {"camera": True, "sms": False},
    "connectedAtMs": NOW_MS - 120_000,
    "paired": True,
    "connected": True,
}
BOX = {
    "nodeId": "613315b0b0b1",
    "displayName": "Box\x1b",
    "caps": [],
    "commands": [],
    "paired": False,
    "connected": False,
}
HOUR = 3_600_000


class NodesCase(GatewayCase):
    """
    Two nodes, of which one is connected.
    """

    def setUp(self) -> None:
        super().setUp()
        self.gateway.methods["node.list"] = {"ts": NOW_MS, "nodes": [PHONE, BOX]}
        pending = {"requestId": "r1", "nodeId": "n", "displayName": "New", "isRepair": True, "ts": NOW_MS - 90_000}
        seen = {"nodeId": BOX["nodeId"], "displayName": "Box", "token": "t", "lastConnectedAtMs": NOW_MS - 2 * HOUR}
        self.paired = [seen, {"nodeId": "x", "token": "t"}]
        self.gateway.methods["node.pair.list"] = {"pending": [pending], "paired": self.paired}

    def asked(self, method: str) -> list[Any]:
        return [request["params"] for request in self.gateway.requests if request["method"] == method]


class ListTests(NodesCase):
    """
    What there is.
    """

    def test_status(self) -> None:
        """
        A table for people, the answer for programs; what names contain does not reach the terminal.
        """
        self.assertEqual(self.openclaw("nodes", "status", "--json").json, {"ts": NOW_MS, "nodes": [PHONE, BOX]})
        outcome = self.openclaw("nodes")
        self.assertTrue(outcome.out.startswith("Known: 2 · Paired: 1 · Connected: 1\n┌"), outcome.out)
        row = next(line for line in outcome.out.splitlines() if "My iPhone" in line)
        self.assertIn("192.0.2.7", row)
        self.assertIn("paired · connected for 2m", " ".join(outcome.out.split()))
        self.assertNotIn("\x1b", outcome.out)

    def test_none(self) -> None:
        """
        Where there are none, only the numbers are told.
        """
        self.gateway.methods["node.list"] = {"ts": NOW_MS, "nodes": []}
        self.assertEqual(self.openclaw("nodes", "status").out, "Known: 0 · Paired: 0 · Connected: 0\n")

    def test_filters(self) -> None:
        """
        Those that are connected, and those that were not long ago.
        """
        for words, wanted in (
            (["--connected"], [PHONE]),
            (["--last-connected", "3h"], [PHONE, BOX]),
            (["--last-connected", "90m"], [PHONE]),
        ):
            self.assertEqual(self.openclaw("nodes", "status", "--json", *words).json["nodes"], wanted, words)
        for words, paired in (
            (["--connected"], []),
            (["--last-connected", "3h"], self.paired[:1]),
            (["--last-connected", "1.5h"], []),
            ([], self.paired),
        ):
            self.assertEqual(self.openclaw("nodes", "list", "--json", *words).json["paired"], paired, words)
        bad = self.openclaw("nodes", "list", "--last-connected", "soon")
        self.assertEqual((bad.code, bad.err), (2, "error: --last-connected must be a duration, such as 24h or 7d\n"))

    def test_list(self) -> None:
        """
        What waits and what was let in.
        """
        out = self.openclaw("nodes", "list").out
        self.assertTrue(out.startswith("Pending: 1 · Paired: 2\nPending\n┌"), out)
        self.assertIn("│ r1      │ New  │    │ 1m ago    │ yes    │", out)
        self.assertIn("│ 2h ago ", out)
        self.assertIn("│ unknown ", out)
        self.assertNotIn("│ t ", out)

    def test_pending(self) -> None:
        """
        What waits, alone.
        """
        self.assertEqual([one["requestId"] for one in self.openclaw("nodes", "pending", "--json").json], ["r1"])
        self.assertIn("│ r1 ", self.openclaw("nodes", "pending").out)
        self.gateway.methods["node.pair.list"] = {"pending": [], "paired": []}
        self.assertEqual(self.openclaw("nodes", "pending").out, "No pending pairing requests.\n")


class OneNodeTests(NodesCase):
    """
    What concerns one.
    """

    def test_describe(self) -> None:
        """
        What is known, and what it may be asked for.
        """
        self.gateway.methods["node.describe"] = {"ts": NOW_MS, **PHONE}
        out = self.openclaw("nodes", "describe", "--node", "my iphone").out
        self.assertIn("│ Permissions │ camera=yes, sms=no ", out)
        self.assertTrue(out.endswith("Commands\n- camera.snap\n"), out)
        self.assertEqual(self.asked("node.describe"), [{"nodeId": PHONE["nodeId"]}])

    def test_decisions(self) -> None:
        """
        A decision is told as the gateway tells it.
        """
        for word in ("approve", "reject"):
            self.gateway.methods[f"node.pair.{word}"] = {"requestId": "r1"}
            self.assertEqual(self.openclaw("nodes", word, "r1").json, {"requestId": "r1"})
            self.assertEqual(self.asked(f"node.pair.{word}"), [{"requestId": "r1"}])

    def test_rename(self) -> None:
        """
        The node gets its name.
        """
        self.gateway.methods["node.rename"] = {"nodeId": PHONE["nodeId"], "displayName": "Mine"}
        words = ("nodes", "rename", "--node", "192.0.2.7", "--name", " Mine ")
        self.assertEqual(self.openclaw(*words).out, "node rename ok: 613315a0a0b1 -> Mine\n")
        self.assertEqual(self.openclaw(*words, "--json").json["displayName"], "Mine")
        self.assertEqual(self.asked("node.rename")[0], {"nodeId": PHONE["nodeId"], "displayName": "Mine"})

    def test_invoke(self) -> None:
        """
        The question and the answer go as they are.
        """
        answer = {"ok": True, "nodeId": PHONE["nodeId"], "command": "x", "payload": {"a": "ü"}, "payloadJSON": None}
        self.gateway.methods["node.invoke"] = answer
        told = ("nodes", "invoke", "--node", "613315a", "--command", " x ")
        self.assertEqual(self.openclaw(*told).json, answer)
        more = ("--params", '{"b": [1]}', "--invoke-timeout", "500", "--idempotency-key", "k")
        self.assertEqual(self.openclaw(*told, *more).json, answer)
        first, second = self.asked("node.invoke")
        self.assertEqual((first["params"], first["timeoutMs"], len(first["idempotencyKey"])), ({}, 15_000, 36))
        wanted = {
            "nodeId": PHONE["nodeId"],
            "command": "x",
            "params": {"b": [1]},
            "timeoutMs": 500,
            "idempotencyKey": "k",
        }
        self.assertEqual(second, wanted)

    def test_refused(self) -> None:
        """
        What the gateway or the node says is the message.
        """
        words = "node command not allowed"
        self.gateway.methods["node.invoke"] = lambda peer, request: peer.refuse(request, "INVALID_REQUEST", words)
        outcome = self.openclaw("nodes", "invoke", "--node", "613315a0a0b1", "--command", "x")
        self.assertEqual((outcome.code, outcome.err), (1, f"nodes invoke failed: Error: {words}\n"))

    def test_which(self) -> None:
        """
        A node that is not known, or known for several, is not asked.
        """
        for name, told in (
            ("nope", "unknown node: nope (known: My iPhone, Box )"),
            ("61331", "unknown node: 61331 (known: My iPhone, Box )"),
            ("613315", "ambiguous node: 613315 (matches: My iPhone, Box )"),
        ):
            outcome = self.openclaw("nodes", "describe", "--node", name)
            self.assertEqual((outcome.code, outcome.err), (1, f"nodes describe failed: Error: {told}\n"))
        self.assertEqual(self.asked("node.describe"), [])

    def test_usage(self) -> None:
        """
        What is missing or makes no sense is named, and nobody is asked.
        """
        for words, told in (
            (["describe"], "error: required option '--node <node>' not specified"),
            (["rename", "--node", "x"], "error: required option '--name <name>' not specified"),
            (["invoke", "--node", "x"], "error: required option '--command <command>' not specified"),
            (["status", "--node", "x"], "error: unknown option '--node' of 'nodes status'"),
            (["approve"], "error: missing required argument 'requestId'"),
            (["pending", "x"], "error: too many arguments for 'nodes pending'. Expected 0 arguments but got 1."),
            (["aprove", "x"], "error: unknown command 'nodes aprove'\n(Did you mean nodes approve?)"),
        ):
            outcome = self.openclaw("nodes", *words)
            self.assertEqual((outcome.code, outcome.err), (2, f"{told}\n"))
        outcome = self.openclaw("nodes", "invoke", "--node", "x", "--command", "x", "--params", "{")
        self.assertEqual((outcome.code, outcome.err[:25]), (2, "error: --params is no JSON:"[:25]))
        self.assertEqual(self.gateway.connects, [])
