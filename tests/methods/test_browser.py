"""
The browser of a node.
"""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.model_gateway import NodesBrowserConfig
from openclaw.nodes.browsers import NoBrowserNode, browser_node
from tests.methods.support import MethodCase, caller
from tests.nodes.support import Link, node

WRITER = caller("operator.write")
CONFIG = {"gateway": {"nodes": {"allowCommands": ["browser.proxy"]}}}


class ChoiceTests(SynchronousTestCase):
    """
    Whose browser is meant.
    """

    def setUp(self) -> None:
        self.one = node(Link(), node_id="one-1234567", commands=("browser.proxy",))
        self.two = node(Link(), node_id="two-1234567", caps=("browser",), connection_id="d")
        self.other = node(Link(), node_id="other", connection_id="e")

    def chosen(self, *nodes: Any, **config: Any) -> Any:
        return browser_node(nodes, NodesBrowserConfig(**config))

    def test_auto(self) -> None:
        """
        The only one that has a browser; of several none.
        """
        self.assertIs(self.chosen(self.other, self.one), self.one)
        self.assertIsNone(self.chosen(self.one, self.two))
        self.assertIsNone(self.chosen(self.other))

    def test_named(self) -> None:
        """
        By id, by the beginning of it, or by name; with the mode manual only so.
        """
        for wanted in ("two-1234567", "two-12", " two-1234567 "):
            self.assertIs(self.chosen(self.one, self.two, node=wanted, mode="manual"), self.two)
        self.assertIsNone(self.chosen(self.one, mode="manual"))
        self.assertIsNone(self.chosen(self.one, mode="off", node="one-1234567"))

    def test_not_there(self) -> None:
        """
        A node that is named and not there is an error, and so is a name of several.
        """
        with self.assertRaises(NoBrowserNode) as raised:
            self.chosen(self.one, node="tw")
        self.assertEqual(str(raised.exception), "Error: Configured browser node not connected: tw")
        with self.assertRaises(NoBrowserNode) as raised:
            self.chosen(self.other, node="one-12")
        self.assertEqual(str(raised.exception), "Error: No connected browser-capable nodes.")
        twin = node(Link(), node_id="one-1234568", commands=("browser.proxy",), connection_id="f")
        with self.assertRaises(NoBrowserNode) as raised:
            self.chosen(self.one, twin, node="one-123")
        self.assertIn("ambiguous node: one-123", str(raised.exception))


class RequestTests(MethodCase):
    def setUp(self) -> None:
        super().setUp()
        self.configure(CONFIG)
        self.link = Link()
        self.context.nodes.joined(node(self.link, commands=("browser.proxy",)))
        self.me = caller(role="node", connection_id="c", device_id="n")

    def answered(self, payload: Any, **params: Any) -> Any:
        """
        The answer to a request, when the node answers with a payload.
        """
        replies = self.asked("browser.request", {"method": "get", "path": "/tabs", **params}, by=WRITER)
        self.assertEqual(replies, [])
        told = {"id": self.link.last()["id"], "nodeId": "n", "ok": True, "payloadJSON": json.dumps(payload)}
        self.ask("node.invoke.result", told, by=self.me)
        (reply,) = replies
        return reply

    def test_asked(self) -> None:
        """
        The node gets what was asked, and its result is the answer.
        """
        reply = self.answered({"result": {"tabs": []}}, query={"profile": "work"}, body={"x": 1}, timeoutMs=5000)
        self.assertEqual(reply.payload, {"tabs": []})
        asked = {"method": "GET", "path": "/tabs", "query": {"profile": "work"}, "body": {"x": 1}}
        told = json.loads(self.link.last()["paramsJSON"])
        self.assertEqual(told, {**asked, "timeoutMs": 5000, "profile": "work"})

    def test_files(self) -> None:
        """
        Files that come along are written here, under names of ours, and the result names them.
        """
        there = "C:\\\\..\\\\shot.png"
        files = [
            {"path": there, "base64": b64encode(b"image").decode()},
            {"path": "/x/../../y", "base64": b64encode(b"other").decode()},
            {"path": "bad", "base64": "*"},
        ]
        reply = self.answered({"result": {"path": there, "download": {"path": "/x/../../y"}, "n": 1}, "files": files})
        path, download = Path(reply.payload["path"]), Path(reply.payload["download"]["path"])
        self.assertEqual((path.read_bytes(), path.suffix, path.stat().st_mode & 0o777), (b"image", ".png", 0o600))
        self.assertEqual(download.read_bytes(), b"other")
        folder = self.context.state_dir / "media" / "browser"
        self.assertEqual({path.parent, download.parent}, {folder})
        self.assertEqual(len(list(folder.iterdir())), 2)

    def test_refused(self) -> None:
        """
        What is no request, or no answer, is told.
        """
        self.assertEqual(self.refused("browser.request", {"method": "GET"}), "method and path are required")
        put = {"method": "PUT", "path": "/"}
        self.assertEqual(self.refused("browser.request", put), "method must be GET, POST, or DELETE")
        reply = self.answered({"no": "result"})
        self.assertEqual((reply.error.code, reply.message), ("UNAVAILABLE", "browser proxy failed"))

    def test_none(self) -> None:
        """
        Without a node there is no browser; a named node that is not there is told.
        """
        self.context.nodes.left("c")
        get = {"method": "GET", "path": "/"}
        self.assertEqual(self.refused("browser.request", get, code="UNAVAILABLE"), "browser control is disabled")
        self.configure({"gateway": {"nodes": {"browser": {"node": "desk"}}}})
        message = self.refused("browser.request", get, code="UNAVAILABLE")
        self.assertEqual(message, "Error: No connected browser-capable nodes.")

    def test_ghsa_vmhq_cqm9_6p7q(self) -> None:
        """
        Changing profiles of the browser needs admin, and the policy of nodes holds here too.
        """
        create = {"method": "POST", "path": "/profiles/create"}
        self.assertEqual(self.refused("browser.request", create, by=WRITER), "missing scope: operator.admin")
        self.configure({"gateway": {"nodes": {"denyCommands": ["browser.proxy"]}}})
        self.context.nodes.joined(node(self.link, commands=("browser.proxy",)))
        get = {"method": "GET", "path": "/"}
        self.assertEqual(self.refused("browser.request", get, by=WRITER), "node command not allowed")
