"""
Tests of ``openclaw.cli.reset``: ``openclaw reset`` and ``openclaw uninstall``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from openclaw.cli import reset, service
from openclaw.cli.exits import CommandFailed
from openclaw.store.lock import ProcessLock
from tests.cli.harness import CommandCase, Outcome
from tests.cli.person import Answers


class ResetCase(CommandCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.configure({"gateway": {"mode": "local"}})
        self.state = self.path.parent
        for name in (
            "openclaw.sqlite3",
            "credentials/whatsapp/creds.json",
            "identity/device.json",
            "workspace/SOUL.md",
        ):
            (self.state / name).parent.mkdir(parents=True, exist_ok=True)
            (self.state / name).write_text(name)
        self.trash = self.home / ".local" / "share" / "Trash" / "files"
        self.asked: list[str] = []

        def remember(name: str) -> Any:
            def done(context: Any) -> list[str]:
                self.asked.append(name)
                return [f"{name} done"]

            return done

        self.patch(service, "stop", remember("stop"))
        self.patch(service, "uninstall", remember("uninstall"))

    def left(self) -> list[str]:
        names = [path.relative_to(self.home).as_posix() for path in self.home.rglob("*") if path.is_file()]
        return sorted(name for name in names if not name.startswith(".local") and not name.endswith("gateway.lock"))


class ResetTests(ResetCase):
    def reset(self, *options: str) -> Outcome:
        return self.openclaw("reset", *options)

    def test_refused(self) -> None:
        """
        Nothing goes before it is said what, and that it may.
        """
        before = self.left()
        for options, told in {
            (): "Non-interactive mode requires --scope.",
            ("--scope", "x"): 'Invalid --scope. Expected "config", "config+creds+sessions", or "full".',
            ("--scope", "full"): "Non-interactive mode requires --yes.",
        }.items():
            outcome = self.reset(*options)
            self.assertEqual((outcome.code, outcome.err), (1, f"{told}\n"))
        self.assertEqual((self.left(), self.asked), (before, []))

    def test_scopes(self) -> None:
        """
        The configuration; with it what is secret and what was said; at last everything. All of it is in the trash.
        """
        outcome = self.reset("--scope", "config", "--yes")
        self.assertEqual(outcome.out, "Removed ~/.openclaw/openclaw.json\nNext: openclaw onboard --install-daemon\n")
        self.assertEqual(self.asked, [])
        self.reset("--scope", "config+creds+sessions", "--yes")
        self.assertEqual(self.left(), [".openclaw/identity/device.json", ".openclaw/workspace/SOUL.md"])
        self.assertEqual(self.asked, ["stop"])
        outcome = self.reset("--scope", "full", "--yes", "--non-interactive")
        self.assertEqual((outcome.code, self.left()), (0, []), outcome.err)
        self.assertTrue((self.trash / "openclaw.json").exists())
        self.assertTrue((self.trash / "workspace" / "SOUL.md").exists())

    def test_dry_run(self) -> None:
        """
        It only says what would be done.
        """
        before = self.left()
        outcome = self.reset("--scope", "full", "--dry-run")
        lines = outcome.out.splitlines()
        self.assertEqual(lines[:2], ["[dry-run] stop gateway service", "[dry-run] remove ~/.openclaw/openclaw.json"])
        self.assertEqual((self.left(), self.asked), (before, []))

    def test_running(self) -> None:
        """
        Not under a gateway that runs.
        """
        lock = ProcessLock(state_dir=self.state, config_path=self.path, now_ms=lambda: 0)
        lock.acquire()
        self.addCleanup(lock.release)
        before = self.left()
        self.assertEqual(self.reset("--scope", "full", "--yes").code, 75)
        self.assertEqual(self.left(), before)

    def test_unsafe(self) -> None:
        """
        Neither the home directory nor what it is in is ever removed.
        """
        before = self.left()
        for place in (self.home, self.home.parent, Path("/")):
            self.environ["OPENCLAW_STATE_DIR"] = str(place)
            outcome = self.reset("--scope", "full", "--yes")
            self.assertEqual((outcome.code, outcome.err), (1, f"Refusing to remove unsafe path: {place}\n"))
        del self.environ["OPENCLAW_STATE_DIR"]
        (self.home / "link").symlink_to(self.home)
        for workspace in (f"~/../{self.home.name}", "~/.openclaw/..", "~/link"):
            self.configure({"agents": {"defaults": {"workspace": workspace}}})
            self.assertEqual(self.reset("--scope", "full", "--yes").code, 1, workspace)
        self.assertEqual((self.left(), self.asked), (before, []))

    def test_workspaces(self) -> None:
        """
        Everything is also what other agents have, but not what other profiles have.
        """
        agents = [{"id": "main"}, {"id": "far", "workspace": "~/far"}, {"id": "near"}]
        self.configure({"agents": {"list": agents}})
        for place in (self.home / "far", self.state / "workspace-near", self.state / "workspace-rescue"):
            place.mkdir()
            (place / "SOUL.md").write_text(place.name)
        self.assertEqual(self.reset("--scope", "full", "--yes").code, 0)
        self.assertEqual(self.left(), [".openclaw/workspace-rescue/SOUL.md"])


class UninstallTests(ResetCase):
    def test_all(self) -> None:
        """
        Service, state and workspace.
        """
        outcome = self.openclaw("uninstall", "--all", "--yes")
        self.assertEqual((outcome.code, self.left(), self.asked), (0, [], ["uninstall"]), outcome.err)
        self.assertIn("CLI still installed.", outcome.out)

    def test_parts(self) -> None:
        """
        Only what is named; where there is no supervisor that is told, and the rest is done.
        """
        self.assertEqual(self.openclaw("uninstall").code, 1)
        before = self.left()

        def fails(context: Any) -> list[str]:
            raise CommandFailed("no systemd here\nhint")

        self.patch(service, "uninstall", fails)
        outcome = self.openclaw("uninstall", "--service", "--workspace", "--yes")
        self.assertEqual((outcome.code, outcome.err), (0, "Gateway service: no systemd here\n"))
        self.assertEqual(self.left(), [name for name in before if "workspace" not in name])

    def test_state_in_the_workspace(self) -> None:
        """
        Nor does the state go with the agent's files, where it is among them.
        """
        inner = self.home / "all" / "state"
        inner.mkdir(parents=True)
        (inner / "openclaw.sqlite3").write_text("database")
        (self.home / "all" / "SOUL.md").write_text("soul")
        self.environ["OPENCLAW_STATE_DIR"] = str(inner)
        (inner / "openclaw.json").write_text('{"agents": {"defaults": {"workspace": "~/all"}}}')
        before = self.left()
        self.assertEqual(self.openclaw("uninstall", "--workspace", "--yes").code, 0)
        self.assertEqual(self.left(), [name for name in before if not name.endswith("all/SOUL.md")])

    def test_links(self) -> None:
        """
        What a link leads to is what is meant.
        """
        real = self.state.rename(self.home / "real")
        self.state.symlink_to(real)
        self.assertEqual(self.openclaw("uninstall", "--state", "--yes").code, 0)
        self.assertEqual(self.left(), ["real/workspace/SOUL.md"])

    def test_state_alone(self) -> None:
        """
        The agent's files stay, although they are in the state directory.
        """
        self.assertEqual(self.openclaw("uninstall", "--state", "--yes").code, 0)
        self.assertEqual(self.left(), [".openclaw/workspace/SOUL.md"])


class QuestionTests(ResetCase):
    """
    On a terminal.
    """

    def ask(self, *answers: Any) -> None:
        self.patch(reset, "has_terminal", lambda context: True)
        person = Answers(list(answers))
        self.patch(reset, "prompter", lambda context: person)

    def test_reset(self) -> None:
        """
        What, and whether; a no leaves everything where it is.
        """
        before = self.left()
        self.ask("full", False)
        self.assertEqual(self.openclaw("reset").err, "Nothing was removed.\n")
        self.assertEqual((self.left(), self.asked), (before, []))
        self.ask("config", True)
        self.assertEqual(self.openclaw("reset").code, 0)
        self.assertFalse(self.path.exists())
        self.assertEqual(self.openclaw("reset", "--non-interactive").err, "Non-interactive mode requires --scope.\n")

    def test_uninstall(self) -> None:
        """
        Part by part.
        """
        before = self.left()
        self.patch(sys, "platform", "linux")
        self.ask(False, False, False)
        self.assertEqual(self.openclaw("uninstall").err, "Nothing was chosen, and nothing was removed.\n")
        self.ask(True, False, False, True)
        self.assertEqual(self.openclaw("uninstall").code, 0)
        self.assertEqual((self.left(), self.asked), (before, ["uninstall"]))
