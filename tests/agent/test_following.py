"""
Following a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.following import Following


class FollowingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.published: list[str] = []
        self.heard: list[tuple[str, Mapping[str, Any]]] = []
        self.following = Following(lambda event, payload, **_: self.published.append(event))

    def tell(self, event: str, run_id: str, stream: str = "assistant") -> None:
        self.following(event, {"runId": run_id, "stream": stream, "data": {"text": run_id}})

    def test_one_run(self) -> None:
        """
        A follower hears of its run, until it ends that; everybody else hears everything.
        """
        stop = self.following.follow("a", lambda stream, data: self.heard.append((stream, data)))
        self.tell("agent", "a")
        self.tell("agent", "b")
        self.tell("chat", "a")
        stop()
        self.tell("agent", "a")
        self.assertEqual(self.heard, [("assistant", {"text": "a"})])
        self.assertEqual(self.published, ["agent", "agent", "chat", "agent"])

    def test_broken(self) -> None:
        """
        One that fails harms nobody else.
        """
        self.following.follow("a", lambda stream, data: self.heard.remove(("", {})))
        self.tell("agent", "a")
        self.assertEqual(self.published, ["agent"])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
