"""
``openclaw doctor --fix`` and ``--undo``: the plan, the yes, what is kept; and the service file, with a systemd that
only notes what it is asked for.
"""

from __future__ import annotations

import getpass
import io
import json
import stat
import sys
from datetime import UTC, datetime
from pathlib import Path

from openclaw.cli import checkup, checkup_service, terminal
from openclaw.doctor import undo
from tests.cli.harness import NOW, Outcome
from tests.cli.test_service import UNIT, ServiceCase

TOKEN = "0123456789abcdef0123456789abcdef"
OLD = f'{{gateway: {{mode: "local", token: "{TOKEN}"}} /* mine */, env: {{SOME_KEY: "of-a-provider"}}}}'
GOOD = {"gateway": {"mode": "local", "auth": {"token": TOKEN}}, "env": {"vars": {"SOME_KEY": "of-a-provider"}}}
#: As the program before this one wrote it.
BEFORE = f"""\
[Unit]
Description=OpenClaw Gateway (v2026.1.30)
After=network-online.target
Wants=network-online.target

[Service]
ExecStart="/usr/bin/node" "/usr/lib/openclaw/index.js" gateway --port 18790
Restart=always
RestartSec=5
KillMode=process
Environment="PATH=/usr/bin:/bin"
Environment=SOME_KEY=of-a-provider
Environment=OPENCLAW_GATEWAY_TOKEN={TOKEN}x

[Install]
WantedBy=default.target
"""


class Terminal(io.StringIO):
    """
    Somebody who answers.
    """

    def isatty(self) -> bool:
        return True


class RepairCase(ServiceCase):
    def setUp(self) -> None:
        super().setUp()
        self.patch(checkup, "CHECKS", ())
        self.path = self.configure(OLD)
        self.state = self.path.parent
        self.state.chmod(0o700)
        self.path.chmod(0o600)
        self.stubs.set("linger")

    def install_before(self, text: str = BEFORE, name: str = UNIT) -> Path:
        self.units.mkdir(parents=True, exist_ok=True)
        (self.units / name).write_text(text)
        self.stubs.set("enabled", "active")
        return self.units / name

    def answer(self, text: str) -> Outcome:
        """
        Run ``doctor --fix`` on a terminal, and answer.
        """
        self.patch(sys, "stdin", Terminal(text))
        self.patch(terminal, "has_terminal", lambda context: True)
        return self.openclaw("doctor", "--fix")


class PlanTests(RepairCase):
    """
    What is shown before, and who says yes.
    """

    def test_shown(self) -> None:
        """
        What, why, and the diff; no secret in it.
        """
        self.install_before()
        told = self.openclaw("doctor", "--fix", "--dry-run").out
        for line in (
            "1. Carry old configuration keys to where they belong now",
            "   Why: the gateway does not start with them",
            "   - Moved gateway.token → gateway.auth.token.",
            "+++ ~/.openclaw/openclaw.json (repaired)",
            f"--- ~/.config/systemd/user/{UNIT}",
            "-Environment=OPENCLAW_GATEWAY_TOKEN=***",
            f"   - Would run: systemctl --user restart {UNIT}",
        ):
            self.assertIn(line, told.splitlines())
        self.assertNotIn(TOKEN, told)
        self.assertNotIn("of-a-provider", told)
        self.assertEqual((self.path.read_text(), self.unit()), (OLD, BEFORE))
        self.assertFalse((self.state / undo.DIRECTORY).exists())

    def test_no(self) -> None:
        """
        Who says no, or nothing at all, changes nothing.
        """
        for text in ("n\n", ""):
            outcome = self.answer(text)
            self.assertIn("Apply these repairs now? [Y/n] Nothing was changed.\n", outcome.out)
            self.assertEqual(self.path.read_text(), OLD)

    def test_yes(self) -> None:
        """
        A terminal's yes is one for the service, too.
        """
        self.configure(GOOD)
        self.install_before()
        outcome = self.answer("\n")
        self.assertEqual((outcome.code, outcome.err), (0, ""))
        self.assertIn(f"Installed systemd service: {self.units / UNIT}\n", outcome.out)
        self.assertNotIn(TOKEN, self.unit())

    def test_nobody(self) -> None:
        """
        Without a terminal only the configuration is repaired, and files are closed; what is left is told. That is so
        with ``--non-interactive`` whatever else is said.
        """
        for options in (("--fix",), ("--fix", "--yes", "--non-interactive"), ("--fix", "--json")):
            self.configure(OLD).chmod(0o644)
            unit = self.install_before()
            outcome = self.openclaw("doctor", *options)
            self.assertEqual((outcome.code, outcome.err), (0, ""))
            self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)
            self.assertIn('"auth"', self.path.read_text().replace("auth:", '"auth"'))
            self.assertEqual(unit.read_text(), BEFORE)
            if "--json" not in options:
                self.assertIn("Not done: Update gateway service config", outcome.out)
        told = outcome.json
        self.assertEqual(told["applied"], ["config", "permissions"])
        self.assertEqual([one["id"] for one in told["skipped"]], ["service"])
        self.assertEqual([one["needsYes"] for one in told["plan"]], [False, False, True])

    def test_kept(self) -> None:
        """
        What was there is kept for its owner alone, and the oldest of it forgotten.
        """
        self.path.chmod(0o644)
        backup = Path(self.openclaw("doctor", "--fix", "--json").json["backup"])
        self.assertEqual(stat.S_IMODE(backup.parent.stat().st_mode), 0o700)
        self.assertEqual({stat.S_IMODE(path.stat().st_mode) for path in backup.iterdir()}, {0o600})
        self.assertEqual((backup / "0-openclaw.json").read_text(), OLD)
        for second in range(undo.KEPT + 2):
            undo.begin(self.state, [self.path], ["x"], datetime.fromtimestamp(NOW + 1 + second, UTC))
        self.assertEqual((len(list(backup.parent.iterdir())), backup.exists()), (undo.KEPT, False))

    def test_cannot_keep(self) -> None:
        """
        What cannot be kept is not touched.
        """
        (self.state / undo.DIRECTORY).touch()
        outcome = self.openclaw("doctor", "--fix")
        self.assertEqual((outcome.code, self.path.read_text()), (1, OLD))
        self.assertIn("Nothing was changed, since it cannot be kept for --undo", outcome.err)

    def test_weak(self) -> None:
        """
        A secret that can be guessed is not carried along, and that is told.
        """
        text = '{gateway: {mode: "local", token: "changeme"}}'
        self.configure(text)
        outcome = self.openclaw("doctor", "--fix")
        self.assertEqual((outcome.code, self.path.read_text()), (78, text))
        self.assertIn("gateway.auth.token: Weak secret", outcome.err)


class UndoTests(RepairCase):
    """
    ``--undo``.
    """

    def test_back(self) -> None:
        """
        The bytes and the modes are as they were, and the next undo is that of the repair before.
        """
        self.path.chmod(0o640)
        self.state.chmod(0o750)
        self.openclaw("doctor", "--fix")
        done = self.openclaw("doctor", "--undo")
        self.assertEqual((done.code, done.err), (0, ""))
        self.assertIn("Taken back: Carry old configuration keys to where they belong now\n", done.out)
        self.assertEqual((self.path.read_text(), stat.S_IMODE(self.path.stat().st_mode)), (OLD, 0o640))
        self.assertEqual(stat.S_IMODE(self.state.stat().st_mode), 0o750)
        again = self.openclaw("doctor", "--undo")
        self.assertEqual((again.code, again.err), (1, "Error: There is no repair to take back.\n"))

    def test_changed(self) -> None:
        """
        What somebody has changed since is not thrown away.
        """
        self.openclaw("doctor", "--fix")
        self.openclaw("config", "set", "gateway.port", "18800")
        text = self.path.read_text()
        done = self.openclaw("doctor", "--undo")
        self.assertEqual((done.code, self.path.read_text()), (1, text))
        self.assertIn(f"Changed since the last repair: {self.path}", done.err)

    def test_cut_off(self) -> None:
        """
        Of a repair that did not come to its end it is not known what it did.
        """
        self.openclaw("doctor", "--fix")
        (manifest,) = self.state.glob(f"{undo.DIRECTORY}/*/manifest.json")
        told = json.loads(manifest.read_text())
        del told["files"][0]["after"]
        manifest.write_text(json.dumps(told))
        done = self.openclaw("doctor", "--undo")
        self.assertIn(f"The last repair was cut off. What it found is in {manifest.parent}", done.err)

    def test_service(self) -> None:
        """
        The unit of before is back, and running.
        """
        self.configure(GOOD)
        self.install_before()
        self.openclaw("doctor", "--yes")
        self.assertNotEqual(self.unit(), BEFORE)
        done = self.openclaw("doctor", "--undo", "--json")
        self.assertEqual((done.code, done.json["restored"], self.unit()), (0, [str(self.units / UNIT)], BEFORE))
        self.assertEqual(
            self.stubs.calls()[-3:],
            [f"systemctl --user {step}" for step in ("daemon-reload", f"stop {UNIT}", f"restart {UNIT}")],
        )


class ServiceRepairTests(RepairCase):
    """
    The unit, and units of before.
    """

    def setUp(self) -> None:
        super().setUp()
        self.configure(GOOD)

    def test_only_secret(self) -> None:
        """
        A token that stands nowhere but in the unit goes to the file that the gateway reads.
        """
        self.configure({**GOOD, "gateway": {"mode": "local"}})
        self.install_before()
        outcome = self.openclaw("doctor", "--yes")
        self.assertNotIn(TOKEN, outcome.out + self.unit())
        file = self.state / "service.env"
        self.assertEqual((stat.S_IMODE(file.stat().st_mode), f'"{TOKEN}x"' in file.read_text()), (0o600, True))

    def test_custom(self) -> None:
        """
        What somebody has added is left alone, and named; ``--force`` replaces it.
        """
        added = "--port 18790 --verbose\nMemoryMax=1G\nEnvironment=MINE=1"
        self.install_before(BEFORE.replace("--port 18790", added))
        outcome = self.openclaw("doctor", "--yes")
        told = "Custom or unexpected service edits detected. Rerun with --force to overwrite.\n"
        self.assertIn(f"{told}It has: MemoryMax, --verbose, MINE. In a drop-in they would stay", outcome.out)
        self.assertIn("MemoryMax", self.unit())
        self.openclaw("doctor", "--yes", "--force")
        self.assertNotIn("MemoryMax", self.unit())

    def test_aggressive(self) -> None:
        """
        A unit that starts something else is not ours to replace without being told so.
        """
        self.install_before(BEFORE.replace(" gateway ", " serve "))
        self.assertIn("Rerun with --force", self.openclaw("doctor", "--yes").out)
        self.openclaw("doctor", "--yes", "--force")
        self.assertIn(" gateway --port 18789", self.unit())

    def test_link(self) -> None:
        """
        A link to a unit elsewhere is somebody else's.
        """
        self.install_before(name="mine.service").rename(self.home / "mine.service")
        (self.units / UNIT).symlink_to(self.home / "mine.service")
        self.assertIn(f"{self.units / UNIT} is a link", self.openclaw("doctor", "--yes").out)

    def test_left_alone(self) -> None:
        """
        In Nix mode, and where the gateway is another machine's.
        """
        self.install_before()
        self.environ["OPENCLAW_NIX_MODE"] = "1"
        self.assertIn("Nix mode detected; skip service updates.\n", self.openclaw("doctor", "--yes").out)
        del self.environ["OPENCLAW_NIX_MODE"]
        self.configure({"gateway": {"mode": "remote", "remote": {"url": "ws://127.0.0.1:1"}}})
        told = "Gateway mode is remote; skipped local service audit.\n"
        self.assertIn(told, self.openclaw("doctor", "--yes").out)
        self.assertEqual(self.unit(), BEFORE)

    def test_legacy(self) -> None:
        """
        Units of before are disabled and go to the trash; back from there they are not started.
        """
        name = "clawdbot-gateway.service"
        self.install_before(name=name)
        outcome = self.openclaw("doctor", "--yes")
        trash = self.home / ".local/share/Trash/files" / name
        self.assertIn(f"Legacy gateway removed: {name} is in ~/.local/share/Trash/files/{name}\n", outcome.out)
        self.assertEqual((trash.read_text(), (self.units / name).exists()), (BEFORE, False))
        self.assertEqual(
            self.stubs.calls(), [f"systemctl --user disable --now {name}", "systemctl --user daemon-reload"]
        )
        done = self.openclaw("doctor", "--undo")
        self.assertIn(f"To start it: systemctl --user enable --now {name}\n", done.out)
        self.assertEqual((self.units / name).read_text(), BEFORE)

    def test_failure(self) -> None:
        """
        A repair that fails is told, and the others are done.
        """
        self.configure(OLD)
        self.install_before()
        self.stubs.answer("systemctl daemon-reload", 1, "no bus")
        outcome = self.openclaw("doctor", "--yes")
        self.assertEqual(outcome.code, 1)
        self.assertIn("systemctl daemon-reload failed: no bus", outcome.err)
        self.assertIn("Updated ~/.openclaw/openclaw.json\n", outcome.out)

    def test_lingering(self) -> None:
        """
        A service that would end with the login is told of, and helped.
        """
        self.openclaw("gateway", "install")
        (self.stubs.directory / "linger").unlink()
        self.patch(checkup, "CHECKS", [checkup.Check(name="lingering", look=checkup_service.lingering)])
        user = getpass.getuser()
        told = self.openclaw("doctor").out
        self.assertIn(f"Systemd\n! Systemd lingering is disabled for {user}", told)
        self.assertIn(f"Enabled systemd lingering for {user}.\n", self.openclaw("doctor", "--yes").out)
        self.assertNotIn("lingering", self.openclaw("doctor").out)
        self.assertIn("no repair to take back", self.openclaw("doctor", "--undo").err)

    def test_findings(self) -> None:
        """
        Each issue of the audit is a finding of its own.
        """
        self.install_before()
        self.patch(checkup, "CHECKS", [checkup.Check(name="file", look=checkup_service.service_file)])
        found = {one["checkId"] for one in self.openclaw("doctor", "--json").json["findings"]}
        codes = {"entrypoint-mismatch", "port-mismatch", "token-embedded", "token-mismatch", "metadata-missing"}
        self.assertLessEqual({f"service.gateway-{code}" for code in codes}, found)
        self.openclaw("doctor", "--yes")
        self.assertEqual(self.openclaw("doctor", "--json").json["findings"], [])
