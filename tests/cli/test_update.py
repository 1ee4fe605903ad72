"""
Tests of ``openclaw.cli.update``, with real checkouts.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SkipTest

import openclaw
from openclaw.cli import update
from openclaw.cli.update import checkout
from openclaw.daemon.runner import SystemRunner
from tests.cli.harness import CommandCase


class UpdateTests(CommandCase):
    def setUp(self) -> None:
        super().setUp()
        if shutil.which("git") is None:
            raise SkipTest("git is not installed")
        self.environ["PATH"] = os.environ["PATH"]
        self.origin, self.clone = self.home / "origin", self.home / "clone"
        self.git(self.home, "init", "--quiet", "--initial-branch=main", str(self.origin))
        self.commit("one")
        self.git(self.home, "clone", "--quiet", str(self.origin), str(self.clone))

    def git(self, where: Path, *words: str) -> None:
        name = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        name |= {
            f"GIT_{who}_{what}": "test@test.invalid" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
        }
        subprocess.run(["git", *words], cwd=where, env={**self.environ, **name}, check=True)

    def commit(self, text: str) -> None:
        (self.origin / "file").write_text(text)
        self.git(self.origin, "add", "file")
        self.git(self.origin, "commit", "--quiet", "-m", text)

    def look(self) -> dict[str, Any]:
        return checkout(str(self.clone), SystemRunner(environ=self.environ, limit=30))

    def test_checkout(self) -> None:
        """
        What came to the origin meanwhile is counted, and what was changed here is told.
        """
        found = self.look()
        self.assertEqual((found["branch"], found["upstream"]), ("main", "origin/main"))
        self.assertEqual((found["ahead"], found["behind"], found["dirty"], found["fetchOk"]), (0, 0, False, True))
        self.commit("two")
        self.commit("three")
        (self.clone / "file").write_text("mine")
        found = self.look()
        self.assertEqual((found["behind"], found["dirty"]), (2, True))

    def test_not_reached(self) -> None:
        """
        An origin that is gone leaves what was known; a branch that follows none is told as such.
        """
        shutil.rmtree(self.origin)
        found = self.look()
        self.assertEqual((found["behind"], found["fetchOk"]), (0, False))
        self.git(self.clone, "checkout", "--quiet", "-b", "own")
        found = self.look()
        self.assertEqual((found["upstream"], found["behind"]), (None, None))

    def test_called_from_elsewhere(self) -> None:
        """
        As from a hook of git, which tells of another repository; and where there is no git.
        """
        self.patch(update, "installation", lambda: {"root": str(self.clone), "installKind": "git"})
        self.commit("two")
        self.environ |= {"GIT_DIR": str(self.origin / ".git"), "GIT_WORK_TREE": str(self.origin)}
        found = self.openclaw("update", "status", "--json").json["update"]["git"]
        self.assertEqual((found["upstream"], found["behind"]), ("origin/main", 1))
        self.environ["PATH"] = str(self.home)
        out = self.openclaw("update", "status").out
        self.assertIn("git cannot be asked", out)
        self.assertNotIn("None", out)

    def test_command(self) -> None:
        """
        For people and for scripts; nothing else is there to be done.
        """
        self.commit("two")
        told = {"root": str(self.clone), "installKind": "git", "packageManager": "pip"}
        self.patch(update, "installation", lambda: dict(told))
        self.configure({"update": {"channel": "beta"}})
        report = self.openclaw("update", "status", "--json").json
        self.assertEqual(report["channel"]["label"], "beta (config)")
        self.assertEqual((report["availability"]["available"], report["availability"]["gitBehind"]), (True, 1))
        out = self.openclaw("update", "status").out
        self.assertIn("1 commits behind", out)
        self.assertIn("Update: git -C ~/clone pull --ff-only, then: openclaw gateway restart\n", out)
        self.patch(update, "installation", lambda: {**told, "installKind": "package"})
        self.assertIn(f"{openclaw.__version__} (package)", self.openclaw("update", "status").out)
        self.assertEqual(self.openclaw("update").code, 2)
        self.assertEqual(self.openclaw("update", "status", "--timeout", "9" * 5000).code, 0)
        self.assertEqual(self.openclaw("update", "status", "--timeout", "0").code, 2)
