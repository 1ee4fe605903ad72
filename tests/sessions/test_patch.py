"""
Tests of ``openclaw.sessions.patch``, ``levels`` and ``policy``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.model import build
from openclaw.sessions.patch import InvalidPatch, PickedModel, Surroundings, after_reset, patched
from openclaw.sessions.policy import sending_denied


def pick(word: str) -> PickedModel:
    if word in ("", "mock/mock-1"):
        return PickedModel(provider="mock", model="mock-1", default=True)
    provider, _, model = word.partition("/")
    return PickedModel(provider=provider, model=model, default=False, allowed=provider != "forbidden")


def around(key: str = "agent:main:x", taken: str = "") -> Surroundings:
    return Surroundings(key=key, label_taken=lambda label: label == taken, pick_model=pick)


class PatchTests(SynchronousTestCase):
    """
    Every setting, its words and its refusals.
    """

    def change(self, members: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
        return patched(members, changes, around())

    def refuse(self, message: str, *, where: Surroundings | None = None, old: Any = (), **changes: Any) -> None:
        error = self.assertRaises(InvalidPatch, patched, dict(old), changes, where or around())
        self.assertEqual(str(error), message)

    def test_words(self) -> None:
        """
        Other words for a level are stored as the level.
        """
        table: list[tuple[str, str, Any]] = [
            ("thinkingLevel", " Ultra ", "high"),
            ("thinkingLevel", "on", "low"),
            ("thinkingLevel", "off", None),
            ("verboseLevel", "TRUE", "on"),
            ("verboseLevel", "off", "off"),
            ("verboseLevel", "everything", "full"),
            ("reasoningLevel", "draft", "stream"),
            ("reasoningLevel", "hide", None),
            ("responseUsage", "on", "tokens"),
            ("responseUsage", "off", None),
            ("elevatedLevel", "off", "off"),
            ("elevatedLevel", "approval", "ask"),
            ("execHost", "NODE", "node"),
            ("execSecurity", "Allowlist", "allowlist"),
            ("execAsk", "on-miss", "on-miss"),
            ("execNode", " box ", "box"),
            ("sendPolicy", "deny", "deny"),
            ("groupActivation", "always", "always"),
            ("label", " My label ", "My label"),
        ]
        for name, word, stored in table:
            self.assertEqual(self.change({name: "old"}, **{name: word}).get(name), stored, (name, word))
            self.assertNotIn(name, self.change({name: "old"}, **{name: None}), name)

    def test_refusals(self) -> None:
        """
        The texts that clients know.
        """
        self.refuse("invalid thinkingLevel (use off|minimal|low|medium|high)", thinkingLevel="weird")
        self.refuse('invalid verboseLevel (use "on"|"off")', verboseLevel="weird")
        self.refuse('invalid reasoningLevel (use "on"|"off"|"stream")', reasoningLevel="weird")
        self.refuse('invalid elevatedLevel (use "on"|"off"|"ask"|"full")', elevatedLevel="weird")
        self.refuse('invalid execHost (use "sandbox"|"gateway"|"node")', execHost="weird")
        self.refuse('invalid execSecurity (use "deny"|"allowlist"|"full")', execSecurity="weird")
        self.refuse('invalid execAsk (use "off"|"on-miss"|"always")', execAsk="weird")
        self.refuse("invalid execNode: empty", execNode="  ")
        self.refuse("invalid label: empty", label="  ")
        self.refuse("label already in use: L", where=around(taken="L"), label="L")
        self.refuse("invalid model: empty", model=" ")
        self.refuse("model not allowed: forbidden/m", model="forbidden/m")

    def test_model(self) -> None:
        """
        Another model is stored, the default one is the absence of a choice and drops the key chosen for the old one.
        """
        chosen = self.change({"authProfileOverride": "a"}, model="other/thing")
        self.assertEqual(chosen, {"providerOverride": "other", "modelOverride": "thing"})
        self.assertEqual(self.change(chosen, model="mock/mock-1"), {})
        self.assertEqual(self.change(chosen, model=None), {})

    def test_xhigh(self) -> None:
        """
        The highest level needs a model that has it; with another model it becomes the next lower one.
        """
        self.refuse(
            'thinkingLevel "xhigh" is only supported for openai/gpt-5.2, openai-codex/gpt-5.2-codex, '
            "or openai-codex/gpt-5.1-codex",
            thinkingLevel="xhigh",
        )
        best = self.change({}, thinkingLevel="xhigh", model="openai/gpt-5.2")
        self.assertEqual(best["thinkingLevel"], "xhigh")
        self.assertEqual(self.change(best, model=None), {"thinkingLevel": "high"})

    def test_spawned_by(self) -> None:
        """
        Who started a sub-agent is told once, and only of sub-agents.
        """
        child = around("agent:main:subagent:1")
        self.assertEqual(patched({}, {"spawnedBy": " p "}, child), {"spawnedBy": "p"})
        self.refuse("spawnedBy is only supported for subagent:* sessions", spawnedBy="p")
        self.refuse("invalid spawnedBy: empty", where=child, spawnedBy=" ")
        self.refuse("spawnedBy cannot be changed once set", where=child, old={"spawnedBy": "p"}, spawnedBy="q")
        self.refuse("spawnedBy cannot be cleared once set", where=child, old={"spawnedBy": "p"}, spawnedBy=None)

    def test_untouched(self) -> None:
        """
        Members that the patch does not name stay, and the old ones are not changed.
        """
        old = {"unknownMember": 1, "label": "a"}
        self.assertEqual(self.change(old, label="b"), {"unknownMember": 1, "label": "b"})
        self.assertEqual(old, {"unknownMember": 1, "label": "a"})


class ResetTests(SynchronousTestCase):
    def test_kept_and_dropped(self) -> None:
        """
        A reset keeps settings and drops what was counted or chosen for the conversation.
        """
        old = {"label": "l", "model": "m", "modelOverride": "x", "inputTokens": 5, "systemSent": True}
        self.assertEqual(
            after_reset(old),
            {
                "systemSent": False,
                "abortedLastRun": False,
                "model": "m",
                "label": "l",
                "inputTokens": 0,
                "outputTokens": 0,
                "totalTokens": 0,
            },
        )


class PolicyTests(SynchronousTestCase):
    """
    Who may send.
    """

    def test_own_setting_wins(self) -> None:
        """
        The session's own setting stands above all rules.
        """
        policy = build({"session": {"sendPolicy": {"default": "deny"}}}).session.send_policy
        self.assertTrue(sending_denied(policy, "agent:main:x", {}))
        self.assertFalse(sending_denied(policy, "agent:main:x", {"sendPolicy": "allow"}))
        self.assertTrue(sending_denied(build({}).session.send_policy, "agent:main:x", {"sendPolicy": "deny"}))

    def test_rules(self) -> None:
        """
        A rule that denies wins over one that allows; one that allows wins over the default.
        """
        rules = [
            {"action": "allow", "match": {"channel": "telegram"}},
            {"action": "deny", "match": {"chatType": "group"}},
            {"action": "allow", "match": {"keyPrefix": "cron:"}},
        ]
        policy = build({"session": {"sendPolicy": {"default": "deny", "rules": rules}}}).session.send_policy
        self.assertFalse(sending_denied(policy, "agent:main:x", {"lastChannel": "telegram"}))
        self.assertTrue(sending_denied(policy, "agent:main:t:group:1", {"lastChannel": "telegram"}))
        self.assertFalse(sending_denied(policy, "agent:main:cron:1", {}))
        self.assertTrue(sending_denied(policy, "agent:main:x", {}))
