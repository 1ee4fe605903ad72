"""
Recorded requests get the recorded answers.

What is compared is what a recording can fix: refusals word by word, and the parts of answers that do not depend on when
and where they were recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openclaw.methods.families import METHODS
from tests.methods.support import MethodCase, caller, recording

#: Members that differ from run to run.
PASSING = frozenset({"ts", "updatedAt", "sessionId", "path", "acceptedAt"})


def lasting(value: Any) -> Any:
    """
    A payload without what differs from run to run.
    """
    if isinstance(value, Mapping):
        return {name: lasting(member) for name, member in value.items() if name not in PASSING}
    if isinstance(value, list):
        return [lasting(item) for item in value]
    return value


class RecordingTests(MethodCase):
    """
    Replays, one request after another on one store.
    """

    def replay(self, name: str, *, skip: Mapping[str, str] | None = None, only_refusals: bool = False) -> None:
        for _, request, answer in recording(name):
            if request["id"] in (skip or {}) or request["method"] not in METHODS:
                continue
            replies = self.asked(request["method"], request.get("params"))
            if answer["ok"] and only_refusals:
                continue
            expected = {member: answer[member] for member in ("ok", "payload", "error") if member in answer}
            self.assertEqual(lasting(replies[0].members()), lasting(expected), request)

    def test_chat_invalid(self) -> None:
        """
        Refused messages and an empty history (``rpc-chat-invalid``).
        """
        self.replay("rpc-chat-invalid.jsonl")

    def test_models(self) -> None:
        """
        The configured model, and a parameter too many (``rpc-models``). Our list has no models without a key.
        """
        (model,) = self.ask("models.list", {})["models"]
        (_, _, answer), *_ = recording("rpc-models.jsonl")
        self.assertEqual(model, answer["payload"]["models"][0])
        self.replay("rpc-models.jsonl", only_refusals=True)

    def test_logs(self) -> None:
        """
        Limits of ``logs.tail`` (``rpc-logs``).
        """
        self.replay("rpc-logs.jsonl", only_refusals=True)

    def test_sessions(self) -> None:
        """
        All of ``sessions.*`` (``rpc-sessions``) on sessions as they were when it was recorded.
        """
        self.session("agent:main:main")
        self.session("agent:main:tool")
        refusals_and_settings = {
            "r1": "other sessions",
            "r2": "other sessions",
            "r4": "other sessions",
            **{f"r{number}": "the entry has more members there" for number in (10, 12, 14, *range(15, 23), 24, 32)},
            "r35": "no such session here",
            "r37": "no such session here",
            "r38": "a run",
            "r39": "a run",
        }
        self.replay("rpc-sessions.jsonl", skip=refusals_and_settings)

    def test_session_settings(self) -> None:
        """
        The settings that each recorded patch stores, one on the other (``rpc-sessions``).
        """
        settings = ["label", "thinkingLevel", "responseUsage", "elevatedLevel", "execHost", "providerOverride"]
        settings += ["modelOverride", "sendPolicy", "groupActivation"]
        for _, request, answer in recording("rpc-sessions.jsonl"):
            if request["method"] == "sessions.patch" and request["params"]["key"] == "agent:main:tool":
                (reply,) = self.asked("sessions.patch", request["params"])
                self.assertEqual(reply.ok, answer["ok"])
                if answer["ok"]:
                    entry, expected = reply.payload["entry"], answer["payload"]["entry"]
                    chosen = {name: expected[name] for name in settings if name in expected}
                    self.assertEqual({name: entry[name] for name in settings if name in entry}, chosen, request)

    def test_inject(self) -> None:
        """
        Messages put in by hand (``rpc-chat-inject``).
        """
        self.session("agent:main:main", {"role": "user", "content": [], "timestamp": 1})
        answers = {request["id"]: answer for _, request, answer in recording("rpc-chat-inject.jsonl")}
        for _, request, _ in recording("rpc-chat-inject.jsonl"):
            (reply,) = self.asked(request["method"], request["params"])
            answer = answers[request["id"]]
            self.assertEqual(reply.ok, answer["ok"])
            if not reply.ok:
                self.assertEqual(reply.message, answer["error"]["message"])
        texts = [payload["message"]["content"][0]["text"] for name, payload, _ in self.events if name == "chat"]
        self.assertEqual(texts, ["[Note]\n\ninjected text", "no label"])

    def test_scopes(self) -> None:
        """
        Who is refused what (``rpc-scopes``).
        """
        scopes = {
            "read": caller("operator.read"),
            "write": caller("operator.write"),
            "pairing": caller("operator.pairing"),
            "approvals": caller("operator.approvals"),
            "none": caller(),
            "node": caller(role="node"),
        }
        checked = 0
        for connection, request, answer in recording("rpc-scopes.jsonl"):
            words = ("missing scope", "unauthorized role")
            if not answer["ok"] and answer["error"]["message"].startswith(words) and connection in scopes:
                message = self.refused(request["method"], request.get("params"), by=scopes[connection])
                self.assertEqual(message, answer["error"]["message"], (connection, request))
                checked += 1
        self.assertGreater(checked, 25)

    def test_devices(self) -> None:
        """
        Refusals of the device methods (``rpc-device``).
        """
        self.replay("rpc-device.jsonl", only_refusals=True)
