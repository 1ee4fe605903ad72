"""
Leave for nodes: for exactly what was shown, and once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from openclaw.approvals.granted import LIFETIME, MOST_GRANTED, Granted, texts
from openclaw.approvals.questions import shown_request

ASKED = {"command": "ls -l 'a b'", "cwd": "/srv", "host": "node", "agentId": "main", "sessionKey": "s"}
PARAMS: Mapping[str, Any] = {"command": ["ls", "-l", "a b"], "cwd": "/srv", "agentId": "main", "sessionKey": "s"}


class GrantedTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.granted = Granted(self.clock)
        self.granted.add("q", shown_request(ASKED), "allow-once", "me")

    def take(self, params: Mapping[str, Any] = PARAMS, *, id: str = "q", by: str = "me", **other: Any) -> str | None:
        return self.granted.take(id, {**params, **other}, by)

    def test_once(self) -> None:
        """
        Leave is used up by the run that it was for.
        """
        self.assertEqual(self.take(), "allow-once")
        self.assertIsNone(self.take())

    def test_only_that(self) -> None:
        """
        Another command, place, agent, session or client has no leave, and does not use it up.
        """
        others: tuple[dict[str, Any], ...] = (
            {"command": ["ls", "-l", "a", "b"]},
            {"command": ["ls", "-l", "a b", "c"]},
            {"command": "ls -l 'a b'"},
            {"command": []},
            {"cwd": "/"},
            {"cwd": None},
            {"agentId": "other"},
            {"sessionKey": None},
        )
        for other in others:
            self.assertIsNone(self.take(**other), other)
        self.assertIsNone(self.take(by="somebody"))
        self.assertIsNone(self.take(id="other"))
        self.assertEqual(self.take(), "allow-once")

    def test_other_host(self) -> None:
        """
        Leave for the gateway's own machine is none for a node.
        """
        self.granted.add("g", shown_request({**ASKED, "host": "gateway"}), "allow-always", "me")
        self.assertIsNone(self.take(id="g"))

    def test_time(self) -> None:
        """
        Leave that is not used is gone after a while.
        """
        self.clock.advance(LIFETIME.total_seconds() + 1)
        self.assertIsNone(self.take())

    def test_number(self) -> None:
        """
        The oldest make room.
        """
        for number in range(MOST_GRANTED):
            self.granted.add(f"n{number}", shown_request(ASKED), "allow-once", "me")
        self.assertIsNone(self.take())
        self.assertEqual(self.take(id="n0"), "allow-once")

    def test_texts(self) -> None:
        """
        What clients may have shown for some arguments; a shell's line stands for itself.
        """
        self.assertEqual(texts(["ls", "a b"]), ["ls 'a b'", 'ls "a b"'])
        self.assertEqual(texts(["/bin/sh", "-lc", "ls | wc"])[-1], "ls | wc")
        self.assertNotIn("ls", texts(["/bin/sh", "-c", "ls", "x"]))
        self.assertNotIn("ls", texts(["/tmp/sh", "-c", "ls"]))
