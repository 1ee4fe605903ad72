"""
Which tools may be used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.model import Config, build
from openclaw.tools.policy import GROUPS, KNOWN, NOT_FOR_SUBAGENTS, PROFILES, Layer, allowed, layers, useless_lists

NAMES = sorted(KNOWN)
MAIN = "agent:main:main"

OTHERS = ["*", "session*", "*_list", "nothing", "Exec ", "bash"]
ENTRIES = st.lists(st.sampled_from([*NAMES, *GROUPS, *OTHERS]), max_size=4)
LAYERS = st.builds(Layer, allow=ENTRIES.map(tuple), deny=ENTRIES.map(tuple))


def config(tools: Mapping[str, Any] | None = None, agents: Any = ()) -> Config:
    return build({"tools": tools or {}, "agents": {"list": list(agents)}})


def names(told: Config, key: str = MAIN, provider: str = "mock", model: str = "m-1") -> set[str]:
    return set(allowed(NAMES, layers(told, key, provider, model)))


class LayerTests(SynchronousTestCase):
    def test_lists(self) -> None:
        """
        No list allows everything; refusing wins; groups, wildcards and other names of the same are known.
        """
        cases: list[tuple[Layer, set[str], set[str]]] = [
            (Layer(), {"cron", "exec"}, set()),
            (Layer(allow=("cron",)), {"cron"}, {"exec", "gateway"}),
            (Layer(allow=("group:automation",), deny=("gateway",)), {"cron"}, {"gateway"}),
            (Layer(allow=("sessions_*",)), {"sessions_list"}, {"session_status"}),
            (Layer(deny=("*",)), set(), {"cron", "exec"}),
            (Layer(allow=("BASH",)), {"exec", "apply_patch"}, {"process"}),
            (Layer(allow=("exec",), deny=("apply-patch",)), {"exec"}, {"apply_patch"}),
            (Layer(allow=("a.c",)), set(), {"abc"}),
        ]
        for layer, yes, no in cases:
            self.assertTrue(all(layer.allows(name) for name in yes), layer)
            self.assertFalse(any(layer.allows(name) for name in no), layer)

    @settings(max_examples=300, deadline=None)
    @given(through=st.lists(LAYERS, max_size=4), more=LAYERS)
    def test_more_layers(self, through: list[Layer], more: Layer) -> None:
        """
        A further layer never gives a tool; what one refuses is gone; order does not matter.
        """
        before, after = set(allowed(NAMES, through)), set(allowed(NAMES, [*through, more]))
        self.assertLessEqual(after, before)
        self.assertEqual(after, set(allowed(NAMES, [more, *reversed(through)])))
        self.assertEqual(set(), after & {entry for entry in more.deny if entry in KNOWN})


class ConfigTests(SynchronousTestCase):
    def test_profiles(self) -> None:
        self.assertEqual(names(config()), set(NAMES))
        self.assertEqual(names(config({"profile": "full"})), set(NAMES))
        self.assertEqual(names(config({"profile": "minimal"})), {"session_status"})
        self.assertEqual(names(config({"profile": "minimal", "alsoAllow": ["cron"]})), {"session_status", "cron"})
        self.assertIn("message", names(config({"profile": "messaging"})))
        self.assertEqual(names(config({"profile": "minimal", "allow": ["cron"]})), set())
        self.assertLessEqual({"exec", "read"}, names(config({"profile": "coding"})))
        self.assertEqual(set(PROFILES), {"minimal", "coding", "messaging", "full"})

    def test_providers(self) -> None:
        told = config({"byProvider": {"Mock": {"deny": ["cron"]}, "mock/m-2": {"profile": "minimal"}}})
        self.assertEqual(set(NAMES) - names(told), {"cron"})
        self.assertEqual(names(told, model="m-2"), {"session_status"})
        self.assertEqual(names(told, provider="other"), set(NAMES))

    def test_agents(self) -> None:
        told = config({"deny": ["cron"]}, [{"id": "main"}, {"id": "ops", "tools": {"allow": ["cron", "nodes"]}}])
        self.assertEqual(set(NAMES) - names(told), {"cron"})
        self.assertEqual(names(told, "agent:ops:main"), {"nodes"})

    def test_subagents(self) -> None:
        """
        Who was started by another session has fewer, whatever is allowed.
        """
        key = "agent:main:subagent:x"
        self.assertEqual(set(NAMES) - names(config(), key), set(NOT_FOR_SUBAGENTS))
        told = config({"subagents": {"tools": {"allow": ["web_fetch", "cron"], "deny": ["exec"]}}})
        self.assertEqual(names(told, key), {"web_fetch"})
        self.assertEqual(names(told), set(NAMES))

    def test_useless_list(self) -> None:
        """
        A list of tools that nobody has shuts out nothing, and is told of.
        """
        told = config({"allow": ["my_plugin"]}, [{"id": "main", "tools": {"allow": ["other", "cron"]}}])
        self.assertEqual(names(told), {"cron"})
        self.assertEqual(useless_lists(told), ["tools.allow"])
