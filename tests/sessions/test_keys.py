"""
Tests of ``openclaw.sessions.keys``.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.model import Config, build
from openclaw.sessions.keys import (
    agent_of,
    canonical_key,
    default_agent,
    is_subagent,
    kind,
    main_session_key,
    normalize_agent_id,
)

PLAIN = Config()
WORK = build({"agents": {"list": [{"id": "home"}, {"id": "Work", "default": True}]}})
GLOBAL = build({"session": {"scope": "global"}})

#: Texts made of the pieces that keys are made of, and of anything else.
KEYS = st.one_of(
    st.text(max_size=30),
    st.lists(
        st.sampled_from(["agent", "AGENT", "main", "Main", "global", ":", "x", " ", "-", "é", "\n"]), max_size=9
    ).map("".join),
)
CONFIGS = st.sampled_from([PLAIN, WORK, GLOBAL])


class CanonicalTests(SynchronousTestCase):
    """
    Whatever a client writes, one key comes out.
    """

    def test_table(self) -> None:
        """
        The table of ``methods.md`` 3.
        """
        expected = {
            "global": "global",
            "unknown": "unknown",
            "main": "agent:main:main",
            " MAIN ": "agent:main:main",
            "agent:main:main": "agent:main:main",
            "agent:Ops Team:main": "agent:ops-team:main",
            "agent:main:telegram:group:-100": "agent:main:telegram:group:-100",
            "telegram:dm:5": "agent:main:telegram:dm:5",
            "agent:": "agent:main:agent:",
        }
        self.assertEqual({key: canonical_key(key, PLAIN) for key in expected}, expected)

    def test_default_agent(self) -> None:
        """
        Keys that name no agent belong to the default one.
        """
        self.assertEqual(default_agent(WORK), "work")
        self.assertEqual(canonical_key("main", WORK), "agent:work:main")
        self.assertEqual(canonical_key("x", WORK), "agent:work:x")
        self.assertEqual(main_session_key(WORK, "home"), "agent:home:main")

    def test_global_scope(self) -> None:
        """
        With one session for all, every main session is ``global``, and other sessions stay.
        """
        self.assertEqual(canonical_key("agent:other:main", GLOBAL), "global")
        self.assertEqual(canonical_key("main", GLOBAL), "global")
        self.assertEqual(canonical_key("agent:main:x", GLOBAL), "agent:main:x")

    @settings(max_examples=50, derandomize=True, deadline=None)
    @given(KEYS, CONFIGS)
    def test_idempotent(self, key: str, config: Config) -> None:
        """
        A canonical key is its own canonical key.
        """
        once = canonical_key(key, config)
        self.assertEqual(canonical_key(once, config), once)

    @settings(max_examples=50, derandomize=True, deadline=None)
    @given(st.text(max_size=100))
    def test_agent_ids(self, text: str) -> None:
        """
        Every agent id is of the grammar, and stays as it is when it is made again.
        """
        once = normalize_agent_id(text)
        self.assertRegex(once, r"\A[a-z0-9][a-z0-9_-]{0,63}\Z")
        self.assertEqual(normalize_agent_id(once), once)


class KindTests(SynchronousTestCase):
    """
    What a key tells of its session.
    """

    def test_kinds(self) -> None:
        """
        Groups are known by their key or by what the session says of itself.
        """
        self.assertEqual(kind("global"), "global")
        self.assertEqual(kind("unknown"), "unknown")
        self.assertEqual(kind("agent:main:main"), "direct")
        self.assertEqual(kind("agent:main:telegram:group:-1"), "group")
        self.assertEqual(kind("agent:main:x", {"chatType": "channel"}), "group")

    def test_owner(self) -> None:
        """
        A key names its agent; the special ones belong to whom the caller says.
        """
        self.assertEqual(agent_of("agent:ops:main"), "ops")
        self.assertEqual(agent_of("global", "work"), "work")
        self.assertTrue(is_subagent("agent:main:subagent:1"))
        self.assertFalse(is_subagent("agent:subagent:main"))
