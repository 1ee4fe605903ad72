"""
``openclaw doctor --export``.
"""

from __future__ import annotations

import shlex
import sqlite3
import subprocess
import sys
from pathlib import Path

from openclaw.cli import checkup
from openclaw.store.bodies import Bodies
from openclaw.store.interfaces import Session
from openclaw.store.schema import close_cleanly, open_writer
from openclaw.store.sql_unit import SqlUnit
from tests.cli.harness import CommandCase


class ExportTests(CommandCase):
    def setUp(self) -> None:
        super().setUp()
        self.database = self.home / ".openclaw" / "openclaw.sqlite3"

    def fill(self) -> None:
        connection = open_writer(self.database)
        unit = SqlUnit(connection, Bodies(self.database.parent / "blobs"))
        unit.sessions.put(Session(key="agent:main:main", agent_id="main", session_id="s", updated_at_ms=1, members={}))
        unit.devices.put("d", {"deviceId": "d"})
        close_cleanly(connection)

    def test_export(self) -> None:
        """
        The files are written, what they hold is told, and the database stays.
        """
        self.fill()
        outcome = self.openclaw("doctor", "--export", "out")
        self.assertEqual((outcome.code, outcome.err), (0, ""))
        self.assertEqual(outcome.out, "Exported 1 sessions, 1 devices to ~/out\n")
        names = sorted(path.relative_to(self.home).as_posix() for path in (self.home / "out").rglob("*.json"))
        self.assertEqual(names, ["out/agents/main/sessions/sessions.json", "out/devices/paired.json"])
        outcome = self.openclaw("doctor", "--export", "~/json", "--json")
        self.assertEqual(
            outcome.json, {"ok": True, "path": str(self.home / "json"), "counts": {"sessions": 1, "devices": 1}}
        )

    def test_while_a_gateway_writes(self) -> None:
        """
        A transaction that is open elsewhere is in nobody's way.
        """
        self.fill()
        writer = open_writer(self.database)
        self.addCleanup(writer.close)
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM sessions")
        self.assertEqual(self.openclaw("doctor", "--export", "out").code, 0)
        self.assertTrue((self.home / "out/agents/main/sessions/sessions.json").is_file())

    def test_nothing_is_overwritten(self) -> None:
        """
        A directory with something in it, and a file, are refused.
        """
        self.fill()
        (self.home / "full").mkdir()
        (self.home / "full" / "x").touch()
        for target, why in (("full", "it is not empty"), ("full/x", "it is not a directory")):
            outcome = self.openclaw("doctor", "--export", target)
            self.assertEqual(
                (outcome.code, outcome.err), (1, f"Error: Cannot export to {self.home / target}: {why}.\n")
            )

    def test_nothing_there(self) -> None:
        """
        Without a database there is nothing to export, and none is made.
        """
        outcome = self.openclaw("doctor", "--export", "out")
        self.assertEqual(
            (outcome.code, outcome.err),
            (1, f"Error: {self.database}: there is no such database; start the gateway once\n"),
        )
        self.assertFalse(self.database.exists())
        self.assertFalse((self.home / "out").exists())

    def test_other_versions(self) -> None:
        """
        A database that is too old, too new or none is told as that.
        """
        self.fill()
        told = {1: "of an earlier version", 9999: "newer than this program"}
        for version, text in told.items():
            with sqlite3.connect(self.database) as connection:
                connection.execute(f"PRAGMA user_version={version}")
            connection.close()
            outcome = self.openclaw("doctor", "--export", "out")
            self.assertEqual(outcome.code, 1)
            self.assertIn(text, outcome.err)
        self.database.write_bytes(b"a letter, not a database" * 100)
        outcome = self.openclaw("doctor", "--export", "out")
        self.assertEqual(outcome.err, f"Error: The database {self.database} is damaged: file is not a database\n")

    def test_usage(self) -> None:
        """
        One thing at a time.
        """
        outcome = self.openclaw("doctor", "--export", "x", "--fix")
        self.assertEqual((outcome.code, outcome.err), (2, "error: --export and --fix are done one after the other\n"))

    def test_without_twisted(self) -> None:
        """
        The command loads no Twisted.
        """
        code = (
            "import sys; from openclaw.doctor import export; import openclaw.cli.doctor;"
            "print([name for name in sys.modules if name.startswith('twisted')])"
        )
        project = Path(__file__).resolve().parent.parent.parent
        done = subprocess.run(
            [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True, cwd=project
        )
        self.assertEqual(done.stdout, "[]\n")


class FixTests(CommandCase):
    """
    Old keys of the configuration file.
    """

    OLD = """{
  // who may come in
  gateway: { mode: "local", token: "${TOKEN}" }, // old place
  telegram: { enabled: false },
}
"""

    def setUp(self) -> None:
        super().setUp()
        self.patch(checkup, "CHECKS", ())
        self.environ["TOKEN"] = "0123456789abcdef0123456789abcdef"
        self.path = self.configure(self.OLD)
        self.path.parent.chmod(0o700)
        self.path.chmod(0o600)

    def test_look(self) -> None:
        """
        Without ``--fix`` nothing is written, and what would be done is told.
        """
        outcome = self.openclaw("doctor")
        self.assertEqual((outcome.code, self.path.read_text()), (78, self.OLD))
        self.assertEqual(
            outcome.out.splitlines(),
            [
                "- Moved telegram → channels.telegram.",
                "- Moved gateway.token → gateway.auth.token.",
                'Run "openclaw doctor --fix" to apply changes.',
                "Doctor complete.",
            ],
        )
        self.assertIn("Legacy config keys detected:", outcome.err)

    def test_fix(self) -> None:
        """
        Keys move, comments and references stay, the old file is kept; afterwards there is nothing to do.
        """
        outcome = self.openclaw("doctor", "--fix")
        self.assertEqual((outcome.code, outcome.err), (0, ""))
        self.assertEqual(
            outcome.out.splitlines()[-6:],
            [
                "Updated ~/.openclaw/openclaw.json",
                "Backup: ~/.openclaw/openclaw.json.bak",
                "Kept what was there: ~/.openclaw/doctor-backups/20261123T062917Z",
                "Take it back: openclaw doctor --undo",
                "Config OK: ~/.openclaw/openclaw.json",
                "Doctor complete.",
            ],
        )
        text = self.path.read_text()
        for kept in ("// who may come in", "// old place", '"${TOKEN}"'):
            self.assertIn(kept, text)
        self.assertEqual(self.path.with_name("openclaw.json.bak").read_text(), self.OLD)
        self.assertEqual(self.openclaw("config", "get", "gateway.auth.token").out.strip(), self.environ["TOKEN"])
        again = self.openclaw("doctor", "--fix", "--json")
        self.assertEqual((again.code, again.json["changes"], self.path.read_text()), (0, [], text))

    def test_other_problems(self) -> None:
        """
        A file that would still be invalid is not touched.
        """
        for text in ('{gateway: {token: "${TOKEN}", port: "x"}}', "{gateway: ", ""):
            path = self.configure(text)
            outcome = self.openclaw("doctor", "--fix")
            self.assertEqual((outcome.code, path.read_text()), (78, text))
            self.assertTrue(outcome.err)

    def test_last_good(self) -> None:
        """
        Where there is one that could be used, the way back to it is told, and is one.
        """
        path = self.configure("{gateway: ")
        outcome = self.openclaw("doctor")
        self.assertNotIn("cp ", outcome.err)
        path.with_name("openclaw.json.last-good").write_text("{}")
        outcome = self.openclaw("doctor")
        command = outcome.err.splitlines()[-1].partition("could be used: ")[2]
        self.assertEqual(subprocess.run(shlex.split(command), check=False).returncode, 0)
        self.assertEqual(self.openclaw("doctor").code, 0)

    def test_nothing_there(self) -> None:
        """
        No file is fine.
        """
        self.path.unlink()
        outcome = self.openclaw("doctor", "--fix")
        told = "Config OK: ~/.openclaw/openclaw.json (missing)\nDoctor complete.\n"
        self.assertEqual((outcome.code, outcome.out), (0, told))
        self.assertFalse(self.path.exists())
