"""
The agent's folder and the prompt that is made of it.
"""

from __future__ import annotations

import shutil
from datetime import UTC
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from openclaw.agent.prompt import build_system_prompt
from openclaw.agent.providers.base import ToolSpec
from openclaw.agent.workspace import BOOTSTRAP_FILES, FIRST_RUN_FILE, context_files, ensure_workspace, shortened
from openclaw.config.model import build


class WorkspaceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = Path(self.mktemp()) / "deep" / "workspace"

    def test_made(self) -> None:
        """
        A new folder gets all its files.
        """
        made = ensure_workspace(self.path, git=False)
        self.assertEqual(made, [*BOOTSTRAP_FILES, FIRST_RUN_FILE])
        for name in made:
            self.assertTrue((self.path / name).read_text(encoding="utf-8").strip(), name)

    def test_never_overwritten(self) -> None:
        """
        What people have written stays; a file that they removed comes back, the script of the first run does not.
        """
        ensure_workspace(self.path, git=False)
        (self.path / "SOUL.md").write_text("mine", encoding="utf-8")
        (self.path / "TOOLS.md").unlink()
        (self.path / FIRST_RUN_FILE).unlink()
        self.assertEqual(ensure_workspace(self.path, git=False), ["TOOLS.md"])
        self.assertEqual((self.path / "SOUL.md").read_text(encoding="utf-8"), "mine")

    def test_link(self) -> None:
        """
        A link that leads nowhere is not written through.
        """
        self.path.mkdir(parents=True)
        outside = self.path.parent / "outside"
        (self.path / "SOUL.md").symlink_to(outside)
        ensure_workspace(self.path, git=False)
        self.assertFalse(outside.exists())

    def test_git(self) -> None:
        """
        A new folder gets a history, where git is installed.
        """
        if shutil.which("git") is None:
            raise SkipTest("git is not installed")
        ensure_workspace(self.path)
        self.assertTrue((self.path / ".git").exists())

    def test_context(self) -> None:
        """
        Files come in their order, missing ones are named, memory only where it is; one file has one turn.
        """
        ensure_workspace(self.path, git=False)
        (self.path / "USER.md").unlink()
        (self.path / "MEMORY.md").write_text("remember", encoding="utf-8")
        (self.path / "memory.md").hardlink_to(self.path / "MEMORY.md")
        found = list(context_files(self.path, 20_000))
        self.assertEqual([name for name, _ in found], [*BOOTSTRAP_FILES, FIRST_RUN_FILE, "MEMORY.md"])
        self.assertEqual(dict(found)["USER.md"], f"[MISSING] Expected at: {self.path / 'USER.md'}")

    def test_odd_bytes(self) -> None:
        """
        A file that is not UTF-8, or no file at all, does not keep the agent from running.
        """
        self.path.mkdir(parents=True)
        (self.path / "SOUL.md").write_bytes(b"caf\xe9")
        (self.path / "USER.md").mkdir()
        found = dict(context_files(self.path, 20_000))
        self.assertEqual(found["SOUL.md"], "caf\ufffd")
        self.assertTrue(found["USER.md"].startswith("[MISSING]"))

    def test_shortened(self) -> None:
        """
        A long file keeps its beginning and its end.
        """
        text = "a" * 500 + "b" * 500
        cut = shortened("X.md", text, 100)
        self.assertTrue(cut.startswith("a" * 70 + "\n[..."))
        self.assertTrue(cut.endswith("\n" + "b" * 20))
        self.assertIn("X.md", cut)
        self.assertEqual(shortened("X.md", text, 1_000), text)


class PromptTests(SynchronousTestCase):
    def prompt(self, *, now: float = 1_795_413_000.0, **changes: Any) -> str:
        members: dict[str, Any] = {
            "workspace": Path(self.path),
            "config": build({}),
            "agent_id": "main",
            "model": "mock/mock-1",
            "thinking": "low",
            "tools": [],
            "extra": None,
            "now": now,
            "zone": UTC,
        }
        return build_system_prompt(**{**members, **changes})

    def setUp(self) -> None:
        self.path = self.mktemp()
        ensure_workspace(Path(self.path), git=False)

    def test_sections(self) -> None:
        """
        It says who the agent is, its day, its files and what runs it; tools and extra words only where there are any.
        """
        (Path(self.path) / "SOUL.md").write_text("Speak like a pirate.", encoding="utf-8")
        text = self.prompt()
        for part in ("Speak like a pirate.", "2026-11-23", "model=mock/mock-1", "thinking=low", "NO_REPLY"):
            self.assertIn(part, text)
        self.assertNotIn("## Tools", text)
        tool = ToolSpec(name="exec", description="Run a command.\nMore of it.", parameters={})
        text = self.prompt(tools=[tool, ToolSpec(name="bare", description="", parameters={})], extra="Be brief.")
        self.assertIn("- exec: Run a command.\n- bare: \n", text)
        self.assertIn("Be brief.", text)

    def test_same_all_day(self) -> None:
        """
        The prompt does not change within a day, so that providers can cache it.
        """
        self.assertEqual(self.prompt(), self.prompt(now=1_795_413_000.0 + 3_600))

    def test_skip(self) -> None:
        """
        The folder is made on first use, unless the owner wants none.
        """
        self.path = self.mktemp()
        self.prompt(config=build({"agents": {"defaults": {"skipBootstrap": True}}}))
        self.assertFalse(Path(self.path).exists())
        self.prompt()
        self.assertTrue((Path(self.path) / "SOUL.md").exists())
