"""
Tests of ``openclaw.methods.agent`` and ``openclaw.methods.identity``.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from openclaw.methods.identity import parse_identity, presented, read_identity
from tests.methods.support import MOCK_CONFIG, NOW_MS, MethodCase, Reply, caller

TEAM = {"list": [{"id": "main"}, {"id": "ops", "identity": {"name": "Ops", "emoji": "🛠️"}}]}

#: How a run went.
META = {"durationMs": 5, "agentMeta": {"sessionId": "s"}, "aborted": False}


class AgentTests(MethodCase):
    """
    ``agent``: two answers on one request.
    """

    def run_agent(self, message: str = "hi", **more: Any) -> list[Reply]:
        return self.asked("agent", {"message": message, "idempotencyKey": "k", **more})

    def test_two_answers(self) -> None:
        """
        One answer when the message is stored, one when the run has ended.
        """
        replies = self.run_agent(sessionKey="main")
        self.assertEqual(
            [reply.payload for reply in replies], [{"runId": "k", "status": "accepted", "acceptedAt": NOW_MS}]
        )
        self.agents.finish("k", result={"payloads": [], "meta": META})
        self.assertEqual(
            replies[1].payload,
            {"runId": "k", "status": "ok", "summary": "completed", "result": {"payloads": [], "meta": META}},
        )
        self.assertEqual(len(replies), 2)

    def test_failed_run(self) -> None:
        """
        A run that failed answers with payload and error; the partial result is in the payload.
        """
        replies = self.run_agent(sessionKey="main")
        result = {"payloads": [{"text": "so far", "mediaUrl": None}], "meta": {**META, "aborted": True}}
        self.agents.finish("k", status="error", summary="timed out", code="AGENT_TIMEOUT", result=result)
        self.assertEqual(
            replies[1].members(),
            {
                "ok": False,
                "payload": {"runId": "k", "status": "error", "summary": "timed out", "result": result},
                "error": {"code": "AGENT_TIMEOUT", "message": "timed out"},
            },
        )

    def test_ended_run(self) -> None:
        """
        A run that somebody ended is no failure.
        """
        replies = self.run_agent(sessionKey="main")
        self.ask("chat.abort", {"sessionKey": "main"})
        self.assertEqual((replies[1].ok, replies[1].payload["status"]), (True, "ok"))

    def test_repeated(self) -> None:
        """
        The same key during the run gets the first answer again, and no second; after it, only the second.
        """
        first = self.run_agent(sessionKey="main")
        self.clock.advance(2)
        second = self.run_agent("other", sessionKey="main")
        self.assertEqual(second, first)
        self.agents.finish("k")
        self.assertEqual((len(first), len(second)), (2, 1))
        self.assertEqual(self.run_agent(sessionKey="main"), first[1:])
        self.assertEqual(len(self.agents.submitted), 1)

    def test_repeated_otherwise(self) -> None:
        """
        A key that is known is answered from what is known, whatever else the request says.
        """
        first = self.run_agent(sessionKey="main")
        self.agents.finish("k")
        for more in ({}, {"channel": "bogus"}, {"agentId": "nope"}, {"attachments": [{"content": "!"}]}):
            self.assertEqual(self.run_agent(**more), first[1:])

    def test_delivery(self) -> None:
        """
        An answer that was to be delivered and could not be is a failure, also for who asks again; the owner's own
        session has it anyway.
        """
        why = "Error: Unknown channel: telegram"
        replies = self.run_agent(sessionKey="agent:main:a", deliver=True, channel="Telegram")
        self.agents.finish("k")
        self.assertEqual(
            replies[1].members(),
            {
                "ok": False,
                "payload": {"runId": "k", "status": "error", "summary": why},
                "error": {"code": "UNAVAILABLE", "message": why},
            },
        )
        self.assertEqual(self.run_agent(sessionKey="agent:main:a"), replies[1:])

    def test_delivery_elsewhere(self) -> None:
        """
        The channel is that of the reply, else the session's last one; a chat client needs no delivery.
        """
        self.session("agent:main:a", lastChannel="signal")
        self.session("agent:main:b", lastChannel="webchat")
        cases: list[tuple[dict[str, Any], str | None]] = [
            ({"sessionKey": "agent:main:a"}, "Error: Unknown channel: signal"),
            ({"sessionKey": "agent:main:b"}, "Error: Unknown channel: whatsapp"),
            (
                {"sessionKey": "agent:main:a", "channel": "signal", "replyChannel": "slack"},
                "Error: Unknown channel: slack",
            ),
            ({"sessionKey": "agent:main:a", "channel": "webchat"}, None),
            ({"sessionKey": "main", "channel": "signal"}, None),
        ]
        for number, (more, why) in enumerate(cases):
            params = {"message": "hi", "idempotencyKey": f"d{number}", "deliver": True, **more}
            replies = self.asked("agent", params)
            self.agents.finish(f"d{number}")
            self.assertEqual(None if replies[1].ok else replies[1].message, why, more)

    def test_inbound(self) -> None:
        """
        What the request says of its run and its session.
        """
        self.run_agent(
            sessionKey="Main",
            timeout=7,
            lane=" cron ",
            extraSystemPrompt="be brief",
            thinking="Max",
            channel="last",
            groupId="g",
            groupSpace=" s ",
            label="L",
        )
        (inbound,) = self.agents.submitted
        self.assertEqual((inbound.session_key, inbound.shown_key), ("agent:main:main", "Main"))
        self.assertEqual((inbound.timeout, inbound.lane), (timedelta(seconds=7), "cron"))
        self.assertEqual((inbound.thinking, inbound.extra_system_prompt), ("Max", "be brief"))
        self.assertEqual(dict(inbound.members), {"groupId": "g", "space": "s", "label": "L", "thinkingLevel": "high"})
        self.assertFalse(inbound.commands)

    def test_targets(self) -> None:
        """
        The session is that of the key, else of the agent, else of the transcript, else of the peer.
        """
        self.configure({**MOCK_CONFIG, "agents": TEAM})
        known = self.session("agent:ops:x")
        cases: list[tuple[dict[str, Any], tuple[str, str | None, str | None]]] = [
            ({"sessionKey": "agent:ops:y", "agentId": "OPS"}, ("agent:ops:y", "agent:ops:y", None)),
            ({"agentId": "ops"}, ("agent:ops:main", "agent:ops:main", None)),
            ({"sessionId": known.session_id}, ("agent:ops:x", "agent:ops:x", known.session_id)),
            ({"sessionId": "new"}, ("agent:main:transcript:new", None, "new")),
            ({"to": "+15550001111"}, ("agent:main:main", "agent:main:main", None)),
        ]
        for number, (params, expected) in enumerate(cases):
            self.run_agent(idempotencyKey=str(number), **params)
            inbound = self.agents.submitted[-1]
            self.assertEqual((inbound.session_key, inbound.shown_key, inbound.session_id), expected)

    def test_refused(self) -> None:
        """
        What is refused before anything is stored.
        """
        self.configure({**MOCK_CONFIG, "agents": TEAM})
        self.session("agent:main:deny", sendPolicy="deny")
        cases: list[tuple[dict[str, Any], str | None]] = [
            ({"agentId": "nope"}, 'invalid agent params: unknown agent id "nope"'),
            (
                {"agentId": "main", "sessionKey": "agent:foo:main"},
                'invalid agent params: agent "main" does not match session key agent "foo"',
            ),
            ({"sessionKey": "agent:nobody:main"}, 'invalid agent params: unknown agent id "nobody"'),
            ({"sessionKey": "main", "channel": "bogus"}, "invalid agent params: unknown channel: bogus"),
            ({"sessionKey": "main", "replyChannel": "Bogus"}, "invalid agent params: unknown channel: bogus"),
            ({"sessionKey": "deny"}, "send blocked by session policy"),
            ({"sessionKey": "deny", "message": "/status"}, "send blocked by session policy"),
            ({"sessionKey": "main", "attachments": [{"content": "!"}]}, None),
            ({"sessionKey": "main", "bogus": 1}, "invalid agent params: at root: unexpected property 'bogus'"),
        ]
        for params, message in cases:
            found = self.refused("agent", {"message": "x", "idempotencyKey": "k", **params})
            self.assertEqual(found, message or "Error: attachment attachment-1: invalid base64 content")
        self.assertEqual(self.agents.submitted, [])

    def test_failing_after_the_first_answer(self) -> None:
        """
        Some requests are acknowledged and then fail, as clients know them.
        """
        cases: tuple[tuple[dict[str, Any], str], ...] = (
            ({}, "Error: Pass --to <E.164>, --session-id, or --agent to choose a session"),
            ({"sessionKey": "main", "timeout": 0}, "Error: --timeout must be a positive integer (seconds)"),
        )
        for key, (params, message) in zip(("k1", "k2"), cases, strict=True):
            first, second = self.run_agent(idempotencyKey=key, **params)
            self.assertEqual(first.payload["status"], "accepted")
            self.assertEqual(
                second.members(),
                {
                    "ok": False,
                    "payload": {"runId": key, "status": "error", "summary": message},
                    "error": {"code": "UNAVAILABLE", "message": message},
                },
            )

    def test_failing_again(self) -> None:
        """
        The same key again gets the failure alone, for five minutes; then it is a new request.
        """
        failed = self.run_agent()[1]
        self.clock.advance(299)
        self.assertEqual(self.run_agent(sessionKey="main"), [failed])
        self.assertEqual(self.agents.submitted, [])
        self.clock.advance(2)
        self.assertEqual(self.run_agent(sessionKey="main")[0].payload["status"], "accepted")


class WaitTests(MethodCase):
    """
    ``agent.wait``.
    """

    def start(self) -> None:
        self.asked("agent", {"message": "x", "sessionKey": "main", "idempotencyKey": "k"})

    def test_ends(self) -> None:
        """
        The answer comes when the run ends, whoever started it.
        """
        self.start()
        replies = self.asked("agent.wait", {"runId": "k"})
        self.assertEqual(replies, [])
        self.agents.finish("k")
        expected = {"runId": "k", "status": "ok", "startedAt": NOW_MS, "endedAt": NOW_MS + 5}
        self.assertEqual([reply.payload for reply in replies], [expected])
        self.assertEqual(self.ask("agent.wait", {"runId": "k", "timeoutMs": 0}), expected)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_fails(self) -> None:
        """
        A failed run is told with its error, as a good answer.
        """
        self.start()
        self.agents.finish("k", status="error", summary="no", started_at_ms=None)
        self.assertEqual(
            self.ask("agent.wait", {"runId": "k"}),
            {"runId": "k", "status": "error", "endedAt": NOW_MS + 5, "error": "no"},
        )

    def test_times_out(self) -> None:
        """
        The limit passes without an end, by default after half a minute; the run goes on.
        """
        self.start()
        replies = self.asked("agent.wait", {"runId": "k"})
        self.clock.advance(29)
        self.assertEqual(replies, [])
        self.clock.advance(1)
        self.assertEqual([reply.payload for reply in replies], [{"runId": "k", "status": "timeout"}])
        self.assertEqual(list(self.agents.active("agent:main:main")), ["k"])

    def test_not_waiting(self) -> None:
        """
        With no limit at all the answer is what is so now.
        """
        timeout = {"runId": "k", "status": "timeout"}
        self.assertEqual(self.ask("agent.wait", {"runId": "k", "timeoutMs": 0}), timeout)
        self.start()
        self.assertEqual(self.ask("agent.wait", {"runId": "k", "timeoutMs": 0}), timeout)

    def test_before_the_run(self) -> None:
        """
        One may wait for a run that nobody has asked for yet.
        """
        replies = self.asked("agent.wait", {"runId": "k", "timeoutMs": 5000})
        self.clock.advance(1)
        self.start()
        self.agents.finish("k")
        self.clock.advance(1)
        self.assertEqual([reply.payload["status"] for reply in replies], ["ok"])
        unknown = self.asked("agent.wait", {"runId": "other", "timeoutMs": 1000})
        self.clock.pump([0.5, 0.5, 0.5])
        self.assertEqual([reply.payload["status"] for reply in unknown], ["timeout"])
        self.assertEqual(self.clock.getDelayedCalls(), [])


class IdentityTests(MethodCase):
    """
    ``agent.identity.get``.
    """

    def test_defaults(self) -> None:
        """
        Nobody said anything: an assistant. Unknown agents are no error.
        """
        self.assertEqual(self.ask("agent.identity.get", {}), {"agentId": "main", "name": "Assistant", "avatar": "A"})
        self.assertEqual(self.ask("agent.identity.get", {"agentId": "Ghost"})["agentId"], "ghost")

    def test_session(self) -> None:
        """
        A session's agent is meant, and must be the one that is named, if one is.
        """
        self.configure({**MOCK_CONFIG, "agents": TEAM})
        self.assertEqual(
            self.ask("agent.identity.get", {"sessionKey": "agent:ops:main"}),
            {"agentId": "ops", "name": "Ops", "avatar": "🛠️"},
        )
        self.assertEqual(
            self.refused("agent.identity.get", {"agentId": "main", "sessionKey": "agent:ghost:main"}),
            'invalid agent.identity.get params: agent "main" does not match session key agent "ghost"',
        )

    def test_workspace(self) -> None:
        """
        What the workspace says stands behind the configuration and before the defaults.
        """
        workspace = Path(self.mktemp())
        workspace.mkdir()
        (workspace / "IDENTITY.md").write_text(
            "# Who\n\n- **Name:** Robin\n- **Emoji:** *(pick one)*\n- Avatar: pictures/me.png\n", encoding="utf-8"
        )
        self.configure(MOCK_CONFIG, workspace_of=lambda agent_id: workspace)
        self.assertEqual(self.ask("agent.identity.get"), {"agentId": "main", "name": "Robin", "avatar": "/avatar/main"})
        self.assertEqual(read_identity(workspace / "none"), {})

    def test_parse(self) -> None:
        """
        Lines of a template that nobody filled in say nothing.
        """
        self.assertEqual(parse_identity("- **Name:**\n- **Emoji:** 🦊\nname of the game\n"), {"emoji": "🦊"})
        self.assertEqual(parse_identity("- Name:\n- Emoji: \n- **Avatar**:\n- name: *(yours)*\n"), {})

    def test_parse_marks_in_a_value(self) -> None:
        """
        An underscore inside a word is of the word, and a remark stands apart.
        """
        text = "* **Name**: Robin (she)\n- Emoji: 🦊 _sly_\n- Avatar: pictures/my_own.png\n"
        self.assertEqual(parse_identity(text), {"name": "Robin", "emoji": "🦊", "avatar": "pictures/my_own.png"})

    def test_avatars(self) -> None:
        """
        Addresses stay, pictures become an address of ours, other texts must be short.
        """
        config = self.context.config()
        cases = {
            "https://x/y.png": "https://x/y.png",
            "me.PNG": "/avatar/main",
            "ABCD": "ABCD",
            "too long": "A",
            "a b": "A",
        }
        for told, shown in cases.items():
            self.assertEqual(presented(config, "main", {"avatar": told})["avatar"], shown)

    def test_scope(self) -> None:
        """
        Reading is enough.
        """
        self.ask("agent.identity.get", {}, by=caller("operator.read"))
