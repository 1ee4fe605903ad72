"""
Skills: which there are, what they lack, and how that is got.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed

from openclaw.processes import Finished, ProcessFailed
from tests.methods.support import MOCK_CONFIG, MethodCase, caller

WEATHER = """---
name: weather
description: Current weather: no key needed.
homepage: https://wttr.in/:help
metadata: {"openclaw": {"emoji": "🌤️", "requires": {"bins": ["sh"]}}}
---
# Weather
"""
VAULT = """---
name: vault
description: "Secrets"
metadata:
  {
    "clawdbot": {
      "skillKey": "vault-key", "primaryEnv": "VAULT_TOKEN",
      "requires": {
        "bins": ["no-such-program"], "anyBins": ["nope", "neither"], "env": ["VAULT_TOKEN", "OTHER"],
        "config": ["browser.enabled", "channels.none"],
      },
      "install": [
        {"id": "brew", "kind": "brew", "formula": "vault", "bins": ["vault"], "label": "Install Vault (brew)"},
        {"kind": "node", "package": "vault-cli"},
        {"id": "other", "kind": "uv", "package": "vault", "os": ["plan9"]},
        {"id": "bad", "kind": "go", "module": "-rf"},
        {"id": "load", "kind": "download", "url": "https://example.com/vault.tgz"},
      ],
    },
  }
---
"""


class SkillsCase(MethodCase):
    def setUp(self) -> None:
        super().setUp()
        self.workspace = Path(self.mktemp()).absolute()
        self.programs = Path(self.mktemp()).absolute()
        self.programs.mkdir(parents=True)
        self.have("sh")
        self.reconfigure()
        self.ran: list[tuple[list[str], timedelta]] = []
        self.outcome: Finished | Exception = Finished(exit_code=0, output=b"done", errors=b"")

    def reconfigure(self, **config: Any) -> None:
        directory = getattr(self, "context", None)
        self.configure(
            {**MOCK_CONFIG, **config},
            environ={"PATH": str(self.programs)},
            workspace_of=lambda agent_id: self.workspace,
            **({"state_dir": directory.state_dir} if directory is not None else {}),
        )

    def have(self, name: str) -> None:
        """
        Put a program on the path.
        """
        program = self.programs / name
        program.write_text("#!/bin/sh\n")
        os.chmod(program, 0o755)

    def skill(self, name: str, text: str, folder: Path | None = None) -> Path:
        path = (folder or self.workspace / "skills") / name / "SKILL.md"
        path.parent.mkdir(parents=True)
        path.write_text(text)
        return path

    def run_program(
        self, command: Sequence[str], *, limit: timedelta, most_bytes: int, stdin: bytes = b""
    ) -> Deferred[Finished]:
        self.ran.append((list(command), limit))
        return fail(self.outcome) if isinstance(self.outcome, Exception) else succeed(self.outcome)


class StatusTests(SkillsCase):
    def test_none(self) -> None:
        """
        No folder is no error.
        """
        told = self.ask("skills.status")
        managed = str(self.context.state_dir / "skills")
        self.assertEqual(told, {"workspaceDir": str(self.workspace), "managedSkillsDir": managed, "skills": []})

    def test_eligible(self) -> None:
        """
        A skill that finds what it needs, whose description is no YAML.
        """
        path = self.skill("weather", WEATHER)
        empty: dict[str, list[str]] = {"bins": [], "anyBins": [], "env": [], "config": [], "os": []}
        (row,) = self.ask("skills.status")["skills"]
        self.assertEqual(
            row,
            {
                "name": "weather",
                "description": "Current weather: no key needed.",
                "source": "openclaw-workspace",
                "filePath": str(path),
                "baseDir": str(path.parent),
                "skillKey": "weather",
                "emoji": "🌤️",
                "homepage": "https://wttr.in/:help",
                "always": False,
                "disabled": False,
                "blockedByAllowlist": False,
                "eligible": True,
                "requirements": {**empty, "bins": ["sh"]},
                "missing": empty,
                "configChecks": [],
                "install": [],
            },
        )

    def test_missing(self) -> None:
        """
        Programs, variables and settings that are not there; what the configuration gives counts.
        """
        self.skill("vault", VAULT)
        self.reconfigure(browser={"enabled": True})
        (row,) = self.ask("skills.status")["skills"]
        lacks = {"bins": ["no-such-program"], "anyBins": ["nope", "neither"], "env": ["VAULT_TOKEN", "OTHER"]}
        self.assertEqual(row["missing"], {**lacks, "config": ["channels.none"], "os": []})
        self.assertEqual([check["satisfied"] for check in row["configChecks"]], [True, False])
        self.assertEqual([one["id"] for one in row["install"]], ["brew", "node-1", "bad", "load"])
        self.assertEqual((row["eligible"], row["skillKey"], row["primaryEnv"]), (False, "vault-key", "VAULT_TOKEN"))
        self.have("no-such-program")
        self.have("neither")
        entry = {"apiKey": "k", "env": {"OTHER": "1"}}
        self.reconfigure(
            browser={"enabled": True}, channels={"none": {"x": 1}}, skills={"entries": {"vault-key": entry}}
        )
        (row,) = self.ask("skills.status")["skills"]
        self.assertEqual((row["missing"]["env"], row["eligible"]), ([], True))
        self.reconfigure(skills={"entries": {"vault-key": {**entry, "enabled": False}}})
        (row,) = self.ask("skills.status")["skills"]
        self.assertEqual((row["disabled"], row["eligible"]), (True, False))

    def test_later_wins(self) -> None:
        """
        A skill of the workspace takes the place of one of the same name elsewhere.
        """
        extra = Path(self.mktemp()).absolute()
        self.skill("weather", WEATHER, self.context.state_dir / "skills")
        self.skill("weather", WEATHER, extra)
        self.skill("other", WEATHER.replace("weather", "other"), extra)
        self.reconfigure(skills={"load": {"extraDirs": [str(extra)]}})
        rows = self.ask("skills.status")["skills"]
        self.assertEqual(
            [(row["name"], row["source"]) for row in rows], [("other", "openclaw-extra"), ("weather", "openclaw-extra")]
        )
        self.skill("weather", WEATHER)
        self.assertEqual(self.ask("skills.status")["skills"][1]["source"], "openclaw-workspace")

    def test_platform(self) -> None:
        """
        A skill for another system is not for this one, also when it is always there.
        """
        here = WEATHER.replace('"emoji"', f'"always": true, "os": ["{sys.platform}"], "emoji"').replace("sh", "nope")
        self.skill("weather", here)
        (row,) = self.ask("skills.status")["skills"]
        self.assertTrue(row["eligible"])
        self.skill("else", here.replace("name: weather", "name: else").replace(sys.platform, "plan9"))
        row = self.ask("skills.status")["skills"][0]
        self.assertEqual((row["name"], row["eligible"], row["missing"]["os"]), ("else", False, ["plan9"]))

    def test_unreadable(self) -> None:
        """
        What is no skill is left out, and keeps the others from nothing.
        """
        self.skill("weather", WEATHER)
        self.skill("a", "no front matter")
        self.skill("b", "---\n- list\n---\n")
        self.skill("c", "---\nname: c\nmetadata: '{no'\n---\n")
        self.skill("d", "---\n" + "x" * 300_000 + "\n---\n")
        (self.workspace / "skills" / "e").write_text("no folder")
        self.assertEqual([row["name"] for row in self.ask("skills.status")["skills"]], ["weather"])


class BinsTests(SkillsCase):
    def test_all_programs(self) -> None:
        """
        A node learns which programs skills name; nobody else does.
        """
        self.skill("weather", WEATHER)
        self.skill("vault", VAULT)
        node = caller(role="node")
        self.assertEqual(
            self.ask("skills.bins", by=node), {"bins": ["neither", "no-such-program", "nope", "sh", "vault"]}
        )
        self.assertEqual(self.refused("skills.bins"), "unauthorized role: operator")


class InstallTests(SkillsCase):
    def failed(self, name: str, install_id: str, **more: Any) -> str:
        (reply,) = self.asked("skills.install", {"name": name, "installId": install_id, **more})
        assert reply.error is not None
        self.assertEqual(reply.error.code, "UNAVAILABLE")
        self.assertEqual((reply.payload["ok"], reply.payload["message"]), (False, reply.message))
        return reply.message

    def test_installed(self) -> None:
        """
        The package manager runs with its whole path, without scripts of the package, and not for ever.
        """
        self.skill("vault", VAULT)
        self.have("npm")
        asked = {"name": "vault", "installId": "node-1", "timeoutMs": 3_600_000}
        told = self.ask("skills.install", asked)
        self.assertEqual(told, {"ok": True, "message": "Installed", "stdout": "done", "stderr": "", "code": 0})
        command = [str(self.programs / "npm"), "install", "-g", "--ignore-scripts", "vault-cli"]
        self.assertEqual(self.ran, [(command, timedelta(minutes=15))])

    def test_failures(self) -> None:
        """
        What is not there, not possible or did not succeed is told, with what was said.
        """
        self.skill("vault", VAULT)
        self.assertEqual(self.failed("nope", "x"), "Skill not found: nope")
        self.assertEqual(self.failed("vault", "nope"), "Installer not found: nope")
        self.assertEqual(self.failed("vault", "other"), "Installer not found: other")
        self.assertEqual(self.failed("vault", "brew"), "brew is not installed")
        self.assertIn("'-rf' is no name of a package", self.failed("vault", "bad"))
        self.assertIn("download are not supported", self.failed("vault", "load"))
        self.assertEqual(self.ran, [])
        self.have("brew")
        self.outcome = Finished(exit_code=3, output=b"", errors=b"no network")
        self.assertEqual(self.failed("vault", "brew"), "Install failed (exit 3)")
        self.outcome = ProcessFailed(program="brew", why="took too long")
        self.assertEqual(self.failed("vault", "brew"), "Install failed: brew: took too long")


class UpdateTests(SkillsCase):
    def test_settings(self) -> None:
        """
        Settings are trimmed, empty ones go, and what else is said of the skill stays.
        """
        self.reconfigure()
        path = self.context.state_dir / "openclaw.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('{skills: {entries: {vault: {apiKey: "old", config: {x: 1}, env: {B: "2"}}}}} // mine\n')
        asked = {"skillKey": "vault", "enabled": False, "apiKey": " k ", "env": {" A ": " 1 ", "B": "", " ": "x"}}
        now = {"enabled": False, "apiKey": "k", "env": {"A": "1"}}
        self.assertEqual(self.ask("skills.update", asked), {"ok": True, "skillKey": "vault", "config": now})
        self.assertIn("// mine", path.read_text())
        self.assertIn("config", path.read_text())
        self.refused("skills.update", {"skillKey": "vault", "env": {"A\nB": True}})
        again = self.ask("skills.update", {"skillKey": "vault", "apiKey": " "})
        self.assertEqual(again["config"], {"enabled": False, "env": {"A": "1"}})
