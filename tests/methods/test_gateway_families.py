"""
Tests of the families that tell of the gateway itself: health, status, system, agents, models, config, logs.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from twisted.internet.defer import maybeDeferred

from openclaw.config.redact import REDACTED
from openclaw.methods.agents import avatar_url
from tests.methods.support import MOCK_CONFIG, NOW_MS, MethodCase, caller

LINKED = {"id": "whatsapp", "label": "WhatsApp", "linked": True, "authAgeMs": None}


class HealthTests(MethodCase):
    def test_probe(self) -> None:
        """
        Only ``true`` asks the channels.
        """
        for given, probed in ((True, True), (1, False), ("true", False), (None, False)):
            self.assertEqual(self.ask("health", {"probe": given, "other": 1})["ok"], True)
            self.assertEqual(self.health.probed.pop(), probed)

    def test_failure(self) -> None:
        """
        A snapshot that cannot be made is told in the log's form, short and without secrets.
        """
        self.health.error = OSError("--token=0123456789abcdef")
        self.assertNotIn("0123456789abcdef", self.refused("health", code="UNAVAILABLE"))
        self.health.error = OSError("disk " + "x" * 300)
        message = self.refused("health", code="UNAVAILABLE")
        self.assertTrue(message.startswith("OSError: disk x"))
        self.assertEqual(len(message), 243)
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 2)


class StatusTests(MethodCase):
    """
    ``status``.
    """

    def test_summary(self) -> None:
        """
        Sessions of all agents and of each, the notes that wait, the linked channel.
        """
        self.configure(MOCK_CONFIG, link_channel=lambda: LINKED)
        self.session(
            "agent:main:a", at_ms=NOW_MS - 7, inputTokens=120, outputTokens=12, totalTokens=120, thinkingLevel="low"
        )
        self.session("agent:ops:b", at_ms=NOW_MS - 9)
        self.agents.note("agent:main:main", "hello")
        answer = self.ask("status")
        sessions = answer.pop("sessions")
        half = {"agentId": "main", "enabled": True, "every": "30m", "everyMs": 1_800_000}
        disabled = {"enabled": False, "every": "disabled", "everyMs": None}
        self.assertEqual(
            answer,
            {
                "linkChannel": LINKED,
                "heartbeat": {
                    "defaultAgentId": "main",
                    "agents": [half, {"agentId": "ops", **disabled}],
                },
                "channelSummary": [],
                "queuedSystemEvents": ["hello"],
            },
        )
        self.assertEqual((sessions["count"], sessions["paths"]), (2, [str(self.context.store_path)]))
        self.assertEqual(sessions["defaults"], {"model": "mock-1", "contextTokens": 128000})
        self.assertEqual([row["key"] for row in sessions["recent"]], ["agent:main:a", "agent:ops:b"])
        self.assertEqual([entry["count"] for entry in sessions["byAgent"]], [1, 1])
        self.assertEqual(
            sessions["recent"][0],
            {
                "agentId": "main",
                "key": "agent:main:a",
                "kind": "direct",
                "sessionId": "id-agent-main-a",
                "updatedAt": NOW_MS - 7,
                "age": 7,
                "thinkingLevel": "low",
                "inputTokens": 120,
                "outputTokens": 12,
                "totalTokens": 120,
                "remainingTokens": 127880,
                "percentUsed": 0,
                "model": "mock-1",
                "contextTokens": 128000,
                "flags": ["think:low", "id:id-agent-main-a"],
            },
        )

    def test_unlinked(self) -> None:
        """
        Without a channel that can be linked, nothing is said of one.
        """
        self.assertNotIn("linkChannel", self.ask("status"))


class SystemTests(MethodCase):
    """
    Presence, notes and the switch of heartbeats.
    """

    def test_presence(self) -> None:
        """
        The list is the whole payload.
        """
        self.assertEqual(self.ask("system-presence"), self.presence.listing())

    def test_events(self) -> None:
        """
        An event is published, and its note waits in the main session.
        """
        self.assertEqual(self.ask("system-event", {"text": "news", "host": "A"}), {"ok": True})
        self.ask("system-event", {"text": "Node: box"})
        self.assertEqual([params["text"] for params in self.presence.told], ["news", "Node: box"])
        self.assertEqual(self.agents.noted, {"agent:main:main": ["news"]})

    def test_no_text(self) -> None:
        """
        An event needs a text that says something.
        """
        for params in ({}, {"text": 5}, {"text": "  "}):
            self.assertEqual(self.refused("system-event", params), "text required")

    def test_heartbeats(self) -> None:
        """
        The switch takes a boolean only.
        """
        self.assertEqual(self.ask("set-heartbeats", {"enabled": False}), {"ok": True, "enabled": False})
        self.assertFalse(self.heartbeats.enabled)
        self.assertEqual(
            self.refused("set-heartbeats", {"enabled": 1}),
            "invalid set-heartbeats params: enabled (boolean) required",
        )


class AgentsTests(MethodCase):
    """
    ``agents.list``.
    """

    def test_configured(self) -> None:
        """
        The default agent comes first, the rest sorted, with what the configuration says of their looks.
        """
        agents = [
            {"id": "zoe", "name": "Zoe"},
            {"id": "bob", "identity": {"emoji": "🦊", "avatar": "https://h/a.png"}},
            {"id": "Boss", "default": True},
        ]
        self.configure({**MOCK_CONFIG, "agents": {"list": agents}})
        self.assertEqual(
            self.ask("agents.list"),
            {
                "defaultId": "boss",
                "mainKey": "main",
                "scope": "per-sender",
                "agents": [
                    {"id": "boss"},
                    {
                        "id": "bob",
                        "identity": {"emoji": "🦊", "avatar": "https://h/a.png", "avatarUrl": "https://h/a.png"},
                    },
                    {"id": "zoe", "name": "Zoe"},
                ],
            },
        )

    def test_by_sessions(self) -> None:
        """
        Without a list, there is the default agent and whoever has sessions.
        """
        self.session("agent:ghost:main")
        self.assertEqual(self.ask("agents.list")["agents"], [{"id": "main"}, {"id": "ghost"}])

    def test_pictures(self) -> None:
        """
        A picture in the workspace becomes an address that holds it; nothing outside the workspace does.
        """
        workspace = Path(self.mktemp())
        workspace.mkdir()
        (workspace / "me.png").write_bytes(b"picture")
        (workspace.parent / "out.png").write_bytes(b"secret")
        os.symlink(workspace.parent.resolve() / "out.png", workspace / "link.png")
        self.assertEqual(avatar_url("me.png", workspace), "data:image/png;base64,cGljdHVyZQ==")
        for avatar in ("../out.png", "link.png", "none.png", "me.txt", None):
            self.assertIsNone(avatar_url(avatar, workspace))
        self.assertIsNone(avatar_url("me.png", None))


class ModelsTests(MethodCase):
    def test_unconfigured(self) -> None:
        """
        Where no model is configured, the embedded one is there.
        """
        self.configure({})
        (model,) = self.ask("models.list", {})["models"]
        self.assertEqual((model["provider"], model["id"]), ("builtin", "echo"))

    def test_sorted(self) -> None:
        """
        Models come by provider, then by name.
        """
        models = [{"id": "2", "name": "B"}, {"id": "1", "name": "A"}]
        providers = {name: {"baseUrl": "http://h/v1", "models": models} for name in ("y", "x")}
        self.configure({"models": {"mode": "replace", "providers": providers}})
        found = [f"{model['provider']}/{model['id']}" for model in self.ask("models.list", {})["models"]]
        self.assertEqual(found, ["x/1", "x/2", "y/1", "y/2"])


class ConfigTests(MethodCase):
    """
    ``config.get``.
    """

    def setUp(self) -> None:
        super().setUp()
        self.configure({**MOCK_CONFIG, "talk": {"apiKey": "speech-key"}, "gateway": {"auth": {"token": "t" * 32}}})

    def test_redacted(self) -> None:
        """
        No secret is in the answer, neither in the values nor in the text.
        """
        answer = self.ask("config.get", {})
        self.assertTrue(answer["valid"], answer["issues"])
        self.assertNotIn("t" * 32, repr(answer))
        self.assertNotIn("sk-mock", repr(answer))
        self.assertEqual(answer["config"]["talk"]["apiKey"], REDACTED)

    def test_phones(self) -> None:
        """
        A paired phone reads the key for speech, if it is an admin; nobody reads more.
        """

        def key(**members: Any) -> str:
            return str(self.ask("config.get", {}, by=caller("operator.admin", **members))["config"]["talk"]["apiKey"])

        self.assertEqual(key(client_id="openclaw-ios", device_id="d"), "speech-key")
        self.assertEqual(key(client_id="openclaw-ios"), REDACTED)
        self.assertEqual(key(client_id="openclaw-control-ui", device_id="d"), REDACTED)
        answer = self.ask("config.get", {}, by=caller("operator.admin", client_id="openclaw-ios", device_id="d"))
        self.assertNotIn("t" * 32, repr(answer))

    def test_in_thread(self) -> None:
        """
        The file is read off the reactor's thread.
        """
        calls: list[Any] = []

        def in_thread(work: Any, *args: Any, **named: Any) -> Any:
            calls.append(work)
            return maybeDeferred(work, *args, **named)

        self.configure({}, in_thread=in_thread)
        self.ask("config.get", {})
        self.assertEqual(len(calls), 1)


class LogsTests(MethodCase):
    """
    ``logs.tail``.
    """

    def test_follow(self) -> None:
        """
        The end of the file first, then what was added.
        """
        path = self.context.log_path()
        path.parent.mkdir()
        path.write_text("one\ntwo\nthree\n", encoding="utf-8")
        answer = self.ask("logs.tail", {"limit": 2})
        self.assertEqual(answer["lines"], ["two", "three"])
        with path.open("a", encoding="utf-8") as log:
            log.write("four\n")
        self.assertEqual(
            self.ask("logs.tail", {"cursor": answer["cursor"]}),
            {"file": str(path), "cursor": 19, "size": 19, "lines": ["four"], "truncated": False, "reset": False},
        )

    def test_missing(self) -> None:
        """
        No file is no error.
        """
        self.assertEqual(self.ask("logs.tail", {})["lines"], [])

    def test_unreadable(self) -> None:
        """
        A file that cannot be read is.
        """
        self.context.log_path().mkdir(parents=True)
        self.assertTrue(self.refused("logs.tail", {}, code="UNAVAILABLE").startswith("log read failed: "))
