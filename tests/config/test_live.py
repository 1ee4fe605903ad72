"""
Tests of ``openclaw.config.live``.
"""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any, ClassVar

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.keys import shape_at
from openclaw.config.live import RULES, follow, is_live, plan, rule_of
from openclaw.config.rewrite import changed_paths
from tests.tables import text

VALUES = st.one_of(st.integers(0, 2), st.booleans(), st.lists(st.integers(0, 1), max_size=2))
MEMBERS: st.SearchStrategy[Any] = st.recursive(
    VALUES,
    lambda inner: st.dictionaries(st.sampled_from(["port", "controlUi", "store", "file", "x"]), inner, max_size=3),
    max_leaves=6,
)
CONFIGS = st.dictionaries(st.sampled_from(["gateway", "session", "logging", "ui", "plugins"]), MEMBERS, max_size=4)


class FollowTests(SynchronousTestCase):
    @settings(max_examples=200, derandomize=True, deadline=None)
    @given(CONFIGS, CONFIGS)
    def test_follow(self, running: Any, written: Any) -> None:
        """
        What is run with afterwards differs from the file only in what waits for a restart, and from before only in what
        does not; following the same file again changes nothing, and going back leaves nothing behind.
        """
        before = deepcopy((running, written))
        now, waiting = follow(running, written)
        self.assertEqual((running, written), before)
        self.assertEqual(waiting, [path for path in changed_paths(running, written) if not is_live(path)])
        self.assertTrue(all(is_live(path) for path in changed_paths(running, now)), now)
        again, still = follow(now, written)
        self.assertEqual(changed_paths(now, again), [])
        self.assertEqual(changed_paths(now, written), [path for path in still if path in changed_paths(now, written)])
        _, left = follow(again, running)
        self.assertTrue(set(left) <= set(still) | set(waiting), left)

    def test_examples(self) -> None:
        """
        Of a section that comes, some parts count and some wait.
        """
        now, waiting = follow({}, {"session": {"store": "/x", "scope": "global"}, "plugins": {"enabled": False}})
        self.assertEqual(now, {"session": {"scope": "global"}})
        self.assertEqual(waiting, [("session", "store"), ("plugins", "enabled")])
        now, waiting = follow({"gateway": {"port": 1, "controlUi": {"enabled": False}}}, {})
        self.assertEqual((now, waiting), ({"gateway": {"port": 1}}, [("gateway", "port")]))


class KeyTests(SynchronousTestCase):
    def test_are_keys(self) -> None:
        """
        There are such keys.
        """
        self.assertEqual([rule.path for rule in RULES if shape_at(rule.path) is None], [])

    def test_document(self) -> None:
        """
        The document names what counts at once.
        """
        told = re.search(r"A change counts at once(.*?)All else", text("docs/configuration.md"), re.DOTALL)
        assert told is not None
        names = set(re.findall(r"`([^`]+)`", told[1]))
        exceptions = {rule.path[-1] for rule in RULES if rule.effect == "restart"}
        # What is made anew is told elsewhere, where it is a part of what counts anyhow.
        sections = {".".join(rule.path) for rule in RULES if rule.effect != "restart"} - {"agents.defaults.heartbeat"}
        self.assertEqual(names, sections | exceptions)


class PlanTests(SynchronousTestCase):
    OLD: ClassVar = {"gateway": {"port": 1}, "ui": {}, "cron": {"enabled": True}, "hooks": {"path": "/a"}}

    def outcome(self, new: dict[str, Any], mode: str) -> str:
        return plan(self.OLD, {**self.OLD, **new}, mode).outcome

    def test_rules(self) -> None:
        """
        The first rule that fits counts, and what none fits needs a restart.
        """
        effects = {
            ("session", "store"): "restart",
            ("session", "scope"): "dynamic",
            ("agents", "defaults", "heartbeat", "every"): "hot",
            ("agents", "defaults", "model"): "dynamic",
            ("cronx",): "restart",
            ("gateway",): "restart",
            ("env", "A"): "restart",
        }
        self.assertEqual({path: rule_of(path).effect for path in effects}, effects)
        for number, rule in enumerate(RULES):
            hides = [other.path for other in RULES[:number] if rule.path[: len(other.path)] == other.path]
            self.assertEqual(hides, [], f"{rule.path} never counts")

    def test_outcomes(self) -> None:
        """
        What each mode makes of nothing, of harmless changes, and of one that needs a restart.
        """
        harmless = {"ui": {"assistant": {"name": "x"}}, "cron": {"enabled": False}}
        fatal = {**harmless, "gateway": {"port": 2}}
        told = {
            mode: (self.outcome({}, mode), self.outcome(harmless, mode), self.outcome(fatal, mode))
            for mode in ("off", "hot", "hybrid", "restart")
        }
        self.assertEqual(
            told,
            {
                "off": ("ignored", "ignored", "ignored"),
                "hot": ("ignored", "applied", "ignored"),
                "hybrid": ("ignored", "applied", "restart"),
                "restart": ("ignored", "restart", "restart"),
            },
        )

    def test_names(self) -> None:
        """
        A section that comes or goes has one name, and asks for what the most demanding of its parts does.
        """
        told = plan({}, {"session": {"scope": "global", "store": "/x"}, "ui": {"seamColor": "#000000"}}, "hybrid")
        self.assertEqual(
            {name: rule.effect for name, rule in told.changes.items()}, {"session": "restart", "ui": "dynamic"}
        )
        self.assertEqual(told.names("restart"), "session")
