"""
Tests of ``openclaw.config.live``.
"""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.keys import shape_at
from openclaw.config.live import AT_START, LIVE, follow, is_live
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
        self.assertEqual([path for path in (*LIVE, *AT_START) if shape_at(path) is None], [])

    def test_document(self) -> None:
        """
        The document names what counts at once.
        """
        told = re.search(r"A change counts at once(.*?)All else", text("docs/configuration.md"), re.DOTALL)
        assert told is not None
        names = set(re.findall(r"`([^`]+)`", told[1]))
        exceptions = {path[-1] for path in AT_START}
        self.assertEqual(names, {".".join(path) for path in LIVE} | exceptions)
