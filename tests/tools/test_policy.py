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
from openclaw.tools.policy import GROUPS, KNOWN, NOT_FOR_SUBAGENTS, PROFILES, Layer, allowed, layers

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
        self.assertEqual(names(config(), "agent:main:SubAgent:x"), names(config(), key))
        told = config({"subagents": {"tools": {"allow": ["web_fetch", "cron"], "deny": ["exec"]}}})
        self.assertEqual(names(told, key), {"web_fetch"})
        self.assertEqual(names(told), set(NAMES))

    def test_useless_list(self) -> None:
        """
        A list of tools that nobody has shuts out nothing, and is told of.
        """
        told = config({"allow": ["my_plugin"]}, [{"id": "main", "tools": {"allow": ["other", "cron"]}}])
        self.assertEqual(names(told), {"cron"})
        ignored = {layer.key: layer.ignored for layer in layers(told, MAIN, "", "") if layer.ignored}
        self.assertEqual(ignored, {"tools": ("my_plugin",)})

    def test_useless_but_refusing(self) -> None:
        """
        What such a list refuses is refused; the same holds wherever a list stands.
        """
        useless = {"allow": ["my_plugin"], "alsoAllow": ["cron"], "deny": ["nodes"]}
        for told, key in (
            (config(useless), MAIN),
            (config({"byProvider": {"mock": useless}}), MAIN),
            (config(agents=[{"id": "main", "tools": useless}]), MAIN),
            (group_config(useless), GROUP),
        ):
            self.assertEqual(set(NAMES) - names(told, key), {"nodes"})
        told = config({"subagents": {"tools": useless}})
        self.assertEqual(set(NAMES) - names(told, "agent:main:subagent:x"), {*NOT_FOR_SUBAGENTS, "nodes"})


GROUP = "agent:main:telegram:group:-100"


def group_config(tools: Mapping[str, Any], group: str = "-100", accounts: Mapping[str, Any] | None = None) -> Config:
    return build({"channels": {"telegram": {"groups": {group: {"tools": tools}}, "accounts": accounts or {}}}})


class GroupTests(SynchronousTestCase):
    """
    What a chat channel says of its groups.
    """

    def test_one(self) -> None:
        """
        It holds for that group with its topics, and for nothing else.
        """
        told = group_config({"deny": ["cron"]})
        for key in (GROUP, f"{GROUP}:topic:7", f"{GROUP}:thread:7"):
            self.assertEqual(set(NAMES) - names(told, key), {"cron"}, key)
        for key in (
            MAIN,
            "agent:main:telegram:group:-1",
            "agent:main:telegram:dm:-100",
            "agent:main:whatsapp:group:-100",
        ):
            self.assertEqual(names(told, key), set(NAMES), key)

    def test_all(self) -> None:
        """
        ``*`` stands for the groups that have no entry of their own that says something of tools.
        """
        groups = {"*": {"tools": {"allow": ["message"]}}, "-1": {"tools": {"allow": ["cron"]}}, "-2": {}, "C1": {}}
        told = build({"channels": {"telegram": {"groups": groups}}})
        found = {group: names(told, f"agent:main:telegram:group:{group}") for group in ("-1", "-2", "-3")}
        self.assertEqual(found, {"-1": {"cron"}, "-2": {"message"}, "-3": {"message"}})
        named = group_config({"deny": ["cron"]}, "C0AB")
        self.assertNotIn("cron", names(named, "agent:main:telegram:channel:c0ab"))

    def test_account(self) -> None:
        """
        An account's own groups stand in the place of the channel's.
        """
        own = {"work": {"groups": {"-100": {"tools": {"deny": ["nodes"]}}}}, "other": {}}
        told = group_config({"deny": ["cron"]}, accounts=own)
        for account, missing in (("", "cron"), ("other", "cron"), ("work", "nodes")):
            through = layers(told, GROUP, "", "", account_id=account)
            self.assertEqual(set(NAMES) - set(allowed(NAMES, through)), {missing}, account)

    def test_told_channel(self) -> None:
        """
        Whoever asks may say which channel it is where the key does not, and not where it does.
        """
        told = group_config({"deny": ["cron"]})
        for key in (GROUP, "agent:main:group:-100"):
            for channel in ("telegram", " Telegram"):
                self.assertNotIn("cron", allowed(NAMES, layers(told, key, "", "", channel=channel)))
        self.assertNotIn("cron", allowed(NAMES, layers(told, GROUP, "", "", channel="whatsapp")))

    @settings(max_examples=100, deadline=None)
    @given(general=ENTRIES, group=ENTRIES, refused=ENTRIES)
    def test_never_more(self, general: list[str], group: list[str], refused: list[str]) -> None:
        """
        A group has no tool that the same agent lacks elsewhere.
        """
        lists = {"allow": group, "deny": refused}
        section = {"telegram": {"groups": {"*": {"tools": lists}}}}
        told = build({"tools": {"deny": general}, "channels": section})
        self.assertLessEqual(names(told, GROUP), names(told))
