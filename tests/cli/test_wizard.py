"""
Tests of ``openclaw.cli.wizard``: the steps behind the questions; the whole way is in ``tests.process.test_onboard``.
"""

from __future__ import annotations

import io
from typing import Any

from openclaw.cli.context import Context
from openclaw.cli.exits import CommandFailed
from openclaw.cli.first_steps import SESSION, first_answer
from openclaw.cli.wizard import pair
from tests.cli.harness import NOW, GatewayCase
from tests.cli.person import Answers
from tests.client.gateway import Peer

PHONE = {
    "requestId": "r1",
    "deviceId": "d1",
    "displayName": "Phone\x1b[2J",
    "role": "operator",
    "remoteIp": "192.0.2.9",
}


class WizardCase(GatewayCase):
    def setUp(self) -> None:
        super().setUp()
        self.out, self.err = io.StringIO(), io.StringIO()
        self.context = Context(
            environ=self.environ,
            home=self.home,
            directory=self.home,
            out=self.out,
            err=self.err,
            now=lambda: NOW,
        )


class PairTests(WizardCase):
    def setUp(self) -> None:
        super().setUp()
        self.pending: list[dict[str, Any]] = []
        self.gateway.methods["device.pair.list"] = self.listed
        self.gateway.methods["device.pair.approve"] = self.approved

    def listed(self, peer: Peer, request: dict[str, Any]) -> None:
        peer.answer(request, {"pending": self.pending, "paired": []})
        # Somebody comes after the first look.
        self.pending = self.pending or [PHONE]

    def approved(self, peer: Peer, request: dict[str, Any]) -> None:
        if request["params"]["requestId"] == "gone":
            peer.refuse(request, "INVALID_REQUEST", "unknown requestId")
        else:
            self.pending = []
            peer.answer(request, {"requestId": "r1", "device": {"deviceId": "d1"}})

    def test_approved(self) -> None:
        """
        Who comes while it is waited for is let in; what it calls itself cannot move the cursor.
        """
        self.pending = []
        person = Answers([True, "r1", "on"])
        pair(self.context, person)
        self.assertEqual(person.asked[1], ("Which one may come in?", ["Phone?[2J", "Look again", "Go on"]))
        self.assertIn("Paired.\n", self.out.getvalue())
        self.assertIn("listens on this machine only", self.out.getvalue())
        asked = [request["params"] for request in self.gateway.requests if request["method"] == "device.pair.approve"]
        self.assertEqual(asked, [{"requestId": "r1"}])

    def test_gone(self) -> None:
        """
        One that has gone meanwhile ends nothing.
        """
        self.pending = [{**PHONE, "requestId": "gone"}]
        pair(self.context, Answers([True, "again", "gone", "on"]))
        self.assertIn("unknown requestId", self.err.getvalue())

    def test_later(self) -> None:
        """
        Nobody has to.
        """
        pair(self.context, Answers([False]))
        self.assertIn("Later: openclaw devices list\n", self.out.getvalue())


class AnswerTests(WizardCase):
    """
    The first message.
    """

    def run_ends(self, status: str, **members: Any) -> None:
        def agent(peer: Peer, request: dict[str, Any]) -> None:
            peer.answer(request, {"runId": "r", "status": "accepted"})
            peer.answer(request, {"runId": "r", "status": status, **members})

        self.gateway.methods["agent"] = agent

    def test_answered(self) -> None:
        """
        In a conversation of its own.
        """
        self.run_ends("ok", result={"payloads": [{"text": "I am here."}]})
        self.assertEqual(first_answer(self.context), ["I am here."])
        (asked,) = [request["params"] for request in self.gateway.requests if request["method"] == "agent"]
        self.assertEqual(asked["sessionKey"], SESSION.format(agent="main"))

    def test_not_answered(self) -> None:
        """
        A run that fails is no answer, nor is a refusal.
        """
        self.run_ends("error", summary="401 no such key")
        failed = self.assertRaises(CommandFailed, first_answer, self.context)
        self.assertEqual(str(failed), "The agent did not answer: 401 no such key")
        self.gateway.methods["agent"] = lambda peer, request: peer.refuse(request, "UNAVAILABLE", "Error: busy")
        failed = self.assertRaises(CommandFailed, first_answer, self.context)
        self.assertEqual(str(failed), "The agent did not answer: busy")
