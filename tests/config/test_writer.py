"""
Tests for :mod:`openclaw.config.writer`.
"""

from __future__ import annotations

import fcntl
from pathlib import Path
from unittest import mock

from twisted.trial.unittest import SynchronousTestCase

from openclaw.config import writer
from openclaw.config.editor import EditRefused, PathNotFound
from openclaw.config.issues import ConfigInvalid
from openclaw.config.loader import EMPTY_HASH, Snapshot, load, text_hash
from openclaw.config.writer import ConfigBusy, HashMismatch, commit, keep_last_good, last_good_path, set_key, unset_key

TOKEN = "0123456789abcdef0123456789abcdef"


class FileTestCase(SynchronousTestCase):
    """
    A configuration in a directory of its own.
    """

    def setUp(self) -> None:
        self.home = Path(self.mktemp()).absolute()
        self.path = self.home / "state" / "openclaw.json"

    def put(self, text: str) -> None:
        """
        Write the file as a person would.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(text)

    def load(self) -> Snapshot:
        """
        Read the file.
        """
        return load({}, self.home, path=self.path)

    def commit(self, text: str, expected: str) -> str:
        """
        Write the file as a program would.
        """
        return commit(self.path, new_text=text, expected_hash=expected, environ={}, home=self.home)


class CommitTests(FileTestCase):
    """
    Writing to the disk.
    """

    def test_new_file(self) -> None:
        """
        A missing file is made, with its directory, for the owner alone.
        """
        self.assertEqual(self.commit("{}\n", EMPTY_HASH), text_hash("{}\n"))
        self.assertEqual(self.path.read_text(), "{}\n")
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)
        self.assertEqual(self.path.parent.stat().st_mode & 0o777, 0o700)

    def test_compare_and_swap(self) -> None:
        """
        Who has read another text does not write.
        """
        self.put("{}")
        error = self.assertRaises(HashMismatch, self.commit, "{ }", EMPTY_HASH)
        self.assertEqual(error.found, text_hash("{}"))
        self.assertEqual(self.path.read_text(), "{}")

    def test_invalid(self) -> None:
        """
        What could not be loaded is not written, and nothing is left behind.
        """
        self.put("{}")
        error = self.assertRaises(ConfigInvalid, self.commit, '{gateway: {port: "x"}}', text_hash("{}"))
        self.assertEqual([issue.path for issue in error.issues], ["gateway.port"])
        names = sorted(path.name for path in self.path.parent.iterdir())
        self.assertEqual(names, ["openclaw.json", "openclaw.json.lock"])

    def test_unknown_key_is_refused(self) -> None:
        """
        A write that brings an unknown key is refused in the known words.
        """
        error = self.assertRaises(ConfigInvalid, self.commit, "{ bogusKey: 1 }", EMPTY_HASH)
        [issue] = error.issues
        self.assertEqual(issue.payload(), {"path": "", "message": 'Unrecognized key: "bogusKey"'})

    def test_unknown_key_that_was_there(self) -> None:
        """
        An unknown key that someone else wrote does not block other changes, nor is it lost.
        """
        text = '{agents: {list: [{id: "a"}, {id: "b", odd: 1}]}, odd: 2}'
        self.put(text)
        set_key(self.load(), "gateway.port", 5, environ={}, home=self.home)
        unset_key(self.load(), "agents.list[0]", environ={}, home=self.home)
        self.assertEqual(
            self.load().parsed, {"agents": {"list": [{"id": "b", "odd": 1}]}, "odd": 2, "gateway": {"port": 5}}
        )

    def test_weak_secret_is_refused(self) -> None:
        """
        A new secret must be hard to guess; an old one may stay, and a reference says nothing.
        """
        weak = '{gateway: {auth: {token: "short"}}}'
        error = self.assertRaises(ConfigInvalid, self.commit, weak, EMPTY_HASH)
        self.assertEqual(error.issues[0].path, "gateway.auth.token")
        self.put(weak)
        set_key(self.path, "gateway.port", 5, environ={}, home=self.home)
        environ = {"T": "short"}
        set_key(self.path, "gateway.auth.token", "${T}", environ=environ, home=self.home)

    def test_backups(self) -> None:
        """
        Five generations are kept, readable for the owner alone.
        """
        for number in range(8):
            set_key(self.path, "gateway.port", 1000 + number, environ={}, home=self.home)
        kept = [f"{self.path}.bak", *(f"{self.path}.bak.{number}" for number in range(1, 5))]
        self.assertEqual(
            [load({}, self.home, path=Path(name)).parsed["gateway"]["port"] for name in kept],
            [1006, 1005, 1004, 1003, 1002],
        )
        self.assertFalse(Path(f"{self.path}.bak.5").exists())
        self.assertEqual({Path(name).stat().st_mode & 0o777 for name in kept}, {0o600})

    def test_same_text(self) -> None:
        """
        A text that is there already makes no backup.
        """
        self.put("{}")
        self.commit("{}", text_hash("{}"))
        self.assertFalse(Path(f"{self.path}.bak").exists())

    def test_last_good(self) -> None:
        """
        The last text that could be used is kept, whoever wrote it; an invalid one is not.
        """
        self.commit("{}\n", EMPTY_HASH)
        kept = last_good_path(self.path)
        self.assertEqual(kept.read_text(), "{}\n")
        self.put("{ui: {}}")
        keep_last_good(self.load())
        self.assertEqual(kept.read_text(), "{ui: {}}")
        self.put("{")
        keep_last_good(self.load())
        self.assertEqual(kept.read_text(), "{ui: {}}")
        self.assertEqual(kept.stat().st_mode & 0o777, 0o600)

    def test_link(self) -> None:
        """
        A configuration that is a link stays one.
        """
        self.put("{}")
        link = self.home / "link.json"
        link.symlink_to(self.path)
        set_key(link, "gateway.port", 5, environ={}, home=self.home)
        self.assertTrue(link.is_symlink())
        self.assertEqual(self.load().parsed, {"gateway": {"port": 5}})

    def test_busy(self) -> None:
        """
        While another process writes, a writer waits for a while, then gives up.
        """
        self.put("{}")
        pauses: list[float] = []
        with self.path.with_name("openclaw.json.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.assertRaises(
                ConfigBusy,
                commit,
                self.path,
                new_text="{ }",
                expected_hash=text_hash("{}"),
                environ={},
                home=self.home,
                pause=pauses.append,
            )
        self.assertEqual(len(pauses), writer.LOCK_ATTEMPTS)
        self.commit("{ }", text_hash("{}"))

    def test_failing_disk(self) -> None:
        """
        When the new text cannot be put in place the old one stays, and no part of the new one is left.
        """
        self.put("{}")
        with mock.patch.object(Path, "replace", side_effect=OSError("no")):
            self.assertRaises(OSError, self.commit, "{ }", text_hash("{}"))
        self.assertEqual(self.path.read_text(), "{}")
        self.assertEqual(list(self.path.parent.glob("openclaw.json.*.tmp")), [])


class KeyTests(FileTestCase):
    """
    Changing one key.
    """

    def test_set_keeps_the_rest(self) -> None:
        """
        References, comments and quotes survive, and no default is written down.
        """
        self.put("{\n  // mine\n  'gateway': { auth: { token: '${TOKEN}' } },\n}\n")
        set_key(self.path, "gateway.port", 7, environ={"TOKEN": TOKEN}, home=self.home)
        self.assertEqual(
            self.path.read_text(), "{\n  // mine\n  'gateway': { auth: { token: '${TOKEN}' }, port: 7 },\n}\n"
        )

    def test_set_in_missing_file(self) -> None:
        """
        The first key makes the file.
        """
        digest = set_key(self.path, "gateway.mode", "local", environ={}, home=self.home)
        self.assertEqual(self.path.read_text(), '{\n  "gateway": {\n    "mode": "local"\n  }\n}\n')
        self.assertEqual(digest, self.load().hash)

    def test_numbers_in_paths(self) -> None:
        """
        A number in a path is an index only where an array belongs.
        """
        self.put("{}")
        set_key(self.path, "channels.telegram.groups.12345.requireMention", True, environ={}, home=self.home)
        set_key(self.path, "agents.list[0].id", "a", environ={}, home=self.home)
        set_key(self.path, "agents.defaults.models[a/b\\.c].alias", "x", environ={}, home=self.home)
        self.assertEqual(self.load().parsed["agents"]["list"], [{"id": "a"}])
        self.assertEqual(self.load().parsed["channels"]["telegram"]["groups"], {"12345": {"requireMention": True}})

    def test_unset(self) -> None:
        """
        A key goes; one that is not there is told.
        """
        self.put("{gateway: {port: 7}}")
        unset_key(self.path, "gateway.port", environ={}, home=self.home)
        self.assertEqual(self.path.read_text(), "{gateway: {}}")
        error = self.assertRaises(PathNotFound, unset_key, self.path, "gateway.nope", environ={}, home=self.home)
        self.assertEqual(str(error), "Config path not found: gateway.nope")

    def test_bad_path(self) -> None:
        """
        Paths that are none are refused with the known texts.
        """
        for path, message in ((" ", "Path is empty."), ("a[b", 'Invalid path (missing "]"): a[b')):
            error = self.assertRaises(EditRefused, set_key, self.path, path, 1, environ={}, home=self.home)
            self.assertEqual(str(error), message)

    def test_invalid_file(self) -> None:
        """
        A file that is invalid already is not edited.
        """
        self.put("{gateway: {port: true}}")
        self.assertRaises(ConfigInvalid, set_key, self.path, "gateway.mode", "local", environ={}, home=self.home)
        self.assertEqual(self.path.read_text(), "{gateway: {port: true}}")
