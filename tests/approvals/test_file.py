"""
Tests of ``openclaw.approvals.file``.
"""

from __future__ import annotations

import json
import stat
import threading
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.approvals.errors import ApprovalsChanged, ApprovalsHashMissing
from openclaw.approvals.file import (
    approvals_path,
    change_approvals,
    ensure_approvals,
    read_approvals,
    set_approvals,
)

CAPTURES = Path(__file__).parent.parent / "fixtures" / "captures"


class FileCase(SynchronousTestCase):
    """
    A home with a file of rules.
    """

    def setUp(self) -> None:
        self.path = approvals_path(Path(self.mktemp()))

    def put(self, content: Any) -> str:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(content if isinstance(content, str) else json.dumps(content))
        return read_approvals(self.path).hash

    def content(self) -> Any:
        return json.loads(self.path.read_text())


class ReadTests(FileCase):
    """
    What is found.
    """

    def test_none(self) -> None:
        """
        Reading makes nothing.
        """
        found = read_approvals(self.path).shown()
        empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        self.assertEqual((found["exists"], found["hash"], self.path.exists()), (False, empty, False))
        self.assertEqual(found["file"], {"version": 1, "socket": {}, "defaults": {}, "agents": {}})

    def test_made(self) -> None:
        """
        A new file is its owner's alone and has a token, which is not shown; asking again changes nothing.
        """
        made = ensure_approvals(self.path)
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)
        token = self.content()["socket"]["token"]
        self.assertGreaterEqual(len(token), 32)
        self.assertNotIn(token, json.dumps(made.shown()))
        self.assertEqual(ensure_approvals(self.path), made)

    def test_recorded(self) -> None:
        """
        A file of the reference is shown whole, apart from its token.
        """
        recorded = json.loads((CAPTURES / "session-exec-approvals-file.json").read_text())
        self.put(recorded)
        shown = read_approvals(self.path).shown()["file"]
        self.assertEqual(shown, {**recorded, "socket": {"path": "<STATE_DIR>/exec-approvals.sock"}})

    def test_not_understood(self) -> None:
        """
        What cannot be understood is shown as empty, and said to be there.
        """
        for text in ("{", "[]", '{"version": 2, "agents": {"main": {"security": "full"}}}', "[" * 100_000):
            self.put(text)
            found = read_approvals(self.path)
            self.assertEqual((found.exists, found.whole, found.shown()["file"]["agents"]), (True, False, {}))

    def test_odd_members(self) -> None:
        """
        Members of other kinds than they should be are not shown.
        """
        self.put({"version": 1, "defaults": {"security": 5}, "agents": {"main": {"allowlist": ["x", {"pattern": 1}]}}})
        shown = read_approvals(self.path).shown()["file"]
        self.assertEqual((shown["defaults"], shown["agents"]), ({}, {"main": {"allowlist": []}}))


class SetTests(FileCase):
    """
    Other rules.
    """

    def test_compare_and_swap(self) -> None:
        """
        Nothing is written over what the writer has not read.
        """
        found = ensure_approvals(self.path)
        before = self.path.read_bytes()
        for base_hash, error in ((None, ApprovalsHashMissing), (" ", ApprovalsHashMissing), ("bad", ApprovalsChanged)):
            self.assertRaises(error, set_approvals, self.path, {"version": 1}, base_hash)
        self.assertEqual(self.path.read_bytes(), before)
        after = set_approvals(self.path, {"version": 1}, f" {found.hash} ")
        self.assertEqual(read_approvals(self.path), after)

    def test_lossless(self) -> None:
        """
        What clients are not shown stays: the token, and members of others at every depth.
        """
        entry = {"id": "e1", "pattern": "/bin/ls", "note": "mine"}
        old = {
            "version": 1,
            "socket": {"path": "/s", "token": "secret", "mode": "x"},
            "defaults": {"security": "deny", "colour": "red"},
            "agents": {"main": {"allowlist": [entry], "since": 3}, "gone": {"x": 1}},
            "more": [1],
        }
        file = {"version": 1, "agents": {"main": {"ask": "off", "allowlist": [{"id": "e1", "pattern": "/bin/ls"}]}}}
        set_approvals(self.path, file, self.put(old))
        self.assertEqual(
            self.content(),
            {
                "version": 1,
                "socket": {"path": "/s", "token": "secret", "mode": "x"},
                "defaults": {"colour": "red"},
                "agents": {"main": {"since": 3, "ask": "off", "allowlist": [entry]}},
                "more": [1],
            },
        )

    def test_other_pattern(self) -> None:
        """
        What others wrote beside a pattern is about that pattern, such as the hash of a script.
        """
        agents = {"main": {"allowlist": [{"id": "e1", "pattern": "/a", "sha256": "h"}]}}
        base = self.put({"version": 1, "agents": agents})
        set_approvals(self.path, {"agents": {"main": {"allowlist": [{"id": "e1", "pattern": "/b"}]}}}, base)
        self.assertEqual(self.content()["agents"]["main"]["allowlist"], [{"id": "e1", "pattern": "/b"}])

    def test_normalised(self) -> None:
        """
        The old name of the main agent is joined to it, and entries get ids.
        """
        agents = {
            "main": {"ask": "off", "allowlist": [{"pattern": "/a"}]},
            "default": {"ask": "always", "security": "full", "allowlist": [{"pattern": "/a"}, {"pattern": "/b"}]},
        }
        set_approvals(self.path, {"agents": agents}, ensure_approvals(self.path).hash)
        (main,) = self.content()["agents"].values()
        self.assertEqual((main["ask"], main["security"]), ("off", "full"))
        self.assertEqual([entry["pattern"] for entry in main["allowlist"]], ["/a", "/b"])
        self.assertTrue(all(len(entry["id"]) == 36 for entry in main["allowlist"]))

    def test_unreadable_is_kept(self) -> None:
        """
        A file that cannot be understood is set aside before another takes its place.
        """
        set_approvals(self.path, {"version": 1}, self.put("{ my own notes"))
        aside = self.path.with_name("exec-approvals.json.unreadable")
        self.assertEqual(aside.read_text(), "{ my own notes")
        self.assertRaises(ApprovalsChanged, self.change_broken)

    def change_broken(self) -> None:
        self.put("{")
        change_approvals(self.path, lambda content: content)

    def test_a_link_stays(self) -> None:
        """
        A file that is kept elsewhere stays there.
        """
        ensure_approvals(self.path)
        elsewhere = self.path.with_name("dotfiles.json")
        self.path.rename(elsewhere)
        self.path.symlink_to(elsewhere.name)
        set_approvals(self.path, {"defaults": {"ask": "off"}}, read_approvals(self.path).hash)
        self.assertTrue(self.path.is_symlink())
        self.assertEqual(json.loads(elsewhere.read_text())["defaults"], {"ask": "off"})

    def test_writers_at_once(self) -> None:
        """
        Of changes by many at once none is lost.
        """

        def write(number: int) -> None:
            def change(content: dict[str, Any]) -> dict[str, Any]:
                return {**content, f"by{number}": number}

            change_approvals(self.path, change)

        threads = [threading.Thread(target=write, args=[number]) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual({name for name in self.content() if name.startswith("by")}, {f"by{n}" for n in range(12)})
