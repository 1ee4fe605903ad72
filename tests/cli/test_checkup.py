"""
Tests of ``openclaw.cli.checkup``: each check with something wrong, and without.
"""

from __future__ import annotations

import io
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from openclaw.cli import checkup, checkup_service, checkup_start
from openclaw.cli.audit import Finding
from openclaw.cli.checkup import Check, Patient, examine
from openclaw.cli.context import Context
from openclaw.cli.ports import Listener, PortUse
from openclaw.config.loader import load
from openclaw.daemon import manage
from openclaw.daemon.base import Supervised
from tests.cli.harness import NOW, CommandCase

GOOD = {"gateway": {"mode": "local", "auth": {"token": "0123456789abcdef0123456789abcdef"}}}


class CheckupCase(CommandCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.configure(GOOD)
        self.state = self.path.parent
        self.state.chmod(0o700)
        self.path.chmod(0o600)

    def patient(self) -> Patient:
        out = io.StringIO()
        context = Context(environ=self.environ, home=self.home, directory=self.home, out=out, err=out, now=lambda: NOW)
        return Patient(context=context, snapshot=load(self.environ, self.home))

    def found(self, look: Any) -> list[str]:
        return [finding.check_id for finding in look(self.patient())]


class CheckTests(CheckupCase):
    def test_variables(self) -> None:
        self.environ |= {"CLAWDBOT_GATEWAY_TOKEN": "x", "MOLTBOT_A": "y", "OPENCLAW_A": "z", "OPENCLAW_B": "z"}
        self.assertEqual(self.found(checkup.variables), ["environment.old_name"])

    def test_state(self) -> None:
        self.assertEqual(self.found(checkup.state), [])
        (self.state / "disable-launchagent").touch()
        self.assertEqual(self.found(checkup.state), ["service.disabled_marker"])
        (self.state / "disable-launchagent").unlink()
        self.environ["OPENCLAW_STATE_DIR"] = str(self.home / "none")
        self.assertEqual(self.found(checkup.state), ["state.missing"])
        self.patch(os, "access", lambda path, mode: False)
        self.environ["OPENCLAW_STATE_DIR"] = str(self.home)
        self.assertEqual(self.found(checkup.state), ["state.unwritable"])

    def test_state_names(self) -> None:
        """
        A directory of an earlier name is told, also beside the one that is used; a link that was left behind is not.
        """
        (self.home / ".clawdbot").symlink_to(self.state)
        self.assertEqual(self.found(checkup.state), [])
        (self.home / ".moltbot").mkdir()
        self.assertEqual(self.found(checkup.state), ["state.several"])
        (self.home / ".clawdbot").unlink()
        self.state.rename(self.home / "elsewhere")
        self.assertEqual(self.found(checkup.state), ["state.old_name"])

    def test_workspace(self) -> None:
        """
        One that is not there yet, one that is no directory.
        """
        self.assertEqual(self.found(checkup.workspace), ["workspace.missing"])
        path = self.state / "workspace"
        path.mkdir()
        self.assertEqual(self.found(checkup.workspace), [])
        path.rmdir()
        path.touch()
        self.assertEqual(self.found(checkup.workspace), ["workspace.unusable"])

    def test_start(self) -> None:
        self.assertEqual(self.found(checkup_start.start), [])
        self.configure({"gateway": {"mode": "local"}})
        self.assertEqual(self.found(checkup_start.start), ["gateway.no_secret"])
        self.environ["OPENCLAW_GATEWAY_TOKEN"] = "0123456789abcdef"
        self.assertEqual(self.found(checkup_start.start), [])
        self.configure({})
        self.assertEqual(self.found(checkup_start.start), ["gateway.mode_unset"])

    def test_moved_secret(self) -> None:
        """
        One that the installation of the service has moved is one.
        """
        self.configure({"gateway": {"mode": "local"}})
        self.assertEqual(self.found(checkup_start.start), ["gateway.no_secret"])
        (self.state / "service.env").write_text('OPENCLAW_GATEWAY_TOKEN="a-token-of-this-test"\n')
        self.assertEqual(self.found(checkup_start.start), [])

    def test_unreadable(self) -> None:
        """
        Nothing follows from what a file that cannot be read does not say.
        """
        self.configure('{gateway: {mode: "local", auth: {token: "${NOT_SET}"}}}')
        self.assertEqual(self.found(checkup_start.start), [])

    def test_security(self) -> None:
        self.assertEqual(self.found(checkup.security), [])
        self.path.chmod(0o644)
        self.assertEqual(self.found(checkup.security), ["fs.config.perms_world_readable"])
        (self.state / "service.env").touch(mode=0o640)
        self.assertEqual(self.found(checkup.security)[1:], ["fs.secrets.perms_readable"])

    def test_database(self) -> None:
        """
        One that is damaged or none at all is told; one in use is not.
        """
        database = self.state / "openclaw.sqlite3"
        self.assertEqual(self.found(checkup.database), [])
        writer = sqlite3.connect(database, isolation_level=None)
        self.addCleanup(writer.close)
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("CREATE TABLE a (b TEXT)")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO a VALUES (1)")
        self.assertEqual(self.found(checkup.database), [])
        writer.execute("ROLLBACK")
        writer.close()
        database.write_bytes(b"this is no database at all" * 100)
        self.assertEqual(self.found(checkup.database), ["database.damaged"])

    def test_port(self) -> None:
        """
        A gateway on its port is as it should be, anything else is not; an old one beside it is told of.
        """
        uses: dict[int, PortUse] = {}
        self.patch(checkup, "inspect", lambda port: uses.get(port, PortUse(port=port, status="free")))
        ours = Listener(pid=7, command_line="openclaw-gateway")
        uses[18789] = PortUse(port=18789, status="busy", listeners=(ours,))
        self.assertEqual(self.found(checkup.port), [])
        uses[18790] = PortUse(port=18790, status="busy", listeners=(ours,))
        self.assertEqual(self.found(checkup.port), ["port.retired"])
        other = Listener(pid=8, command_line="nginx")
        uses.update({port: PortUse(port=port, status="busy", listeners=(other,)) for port in (18789, 18790)})
        self.assertEqual(self.found(checkup.port), ["port.taken"])

    def test_service(self) -> None:
        """
        A service that is to run and does not, and units of other programs of the kind.
        """
        runtime = {"status": "stopped"}
        supervised = Supervised(label="systemd", loaded=True, runtime=runtime)
        self.patch(manage, "inspect_service", lambda environ, home: supervised)
        self.assertEqual(self.found(checkup_service.service), ["service.stopped"])
        runtime["status"] = "running"
        self.assertEqual(self.found(checkup_service.service), [])
        units = self.home / ".config" / "systemd" / "user"
        units.mkdir(parents=True)
        (units / "clawdbot-gateway.service").write_text("[Service]\nExecStart=clawdbot\n")
        self.assertEqual(self.found(checkup_service.service), ["service.other"])

    def test_gateway(self) -> None:
        """
        One that does not run, and one that has the lock and does not answer.
        """
        self.assertEqual(self.found(checkup.gateway), ["gateway.down"])
        lock = f'{{"pid": {os.getpid()}, "configPath": "{self.path}"}}'
        (self.state / "gateway.lock").write_text(lock)
        self.environ["OPENCLAW_GATEWAY_PORT"] = "1"
        self.assertEqual(self.found(checkup.gateway), ["gateway.unreachable"])


class ExamineTests(CheckupCase):
    def test_limits(self) -> None:
        """
        A check that hangs, and one that fails, are told; the others are not held up.
        """
        never = threading.Event()
        self.addCleanup(never.set)

        def hangs(patient: Patient) -> Iterator[Finding]:
            never.wait()
            yield from ()

        def fails(patient: Patient) -> Iterator[Finding]:
            raise ValueError("broken")
            yield

        def works(patient: Patient) -> Iterator[Finding]:
            yield Finding(check_id="x", severity="info", title="t", detail="d")

        checks = [
            Check(name="first", look=hangs, limit=0.05),
            Check(name="second", look=fails),
            Check(name="third", look=works),
        ]
        found = examine(self.patient(), checks)
        self.assertEqual([one.check_id for one in found], ["doctor.first", "doctor.second", "x"])
        self.assertIn("longer than 0.05 s", found[0].detail)
        self.assertIn("broken", found[1].detail)

    def test_names(self) -> None:
        """
        Each check has a name of its own and a time that ends.
        """
        self.assertEqual(len({check.name for check in checkup.CHECKS}), len(checkup.CHECKS))
        self.assertLessEqual(max(check.limit for check in checkup.CHECKS), 15)


class CommandTests(CheckupCase):
    """
    ``openclaw doctor`` with checks.
    """

    def setUp(self) -> None:
        super().setUp()
        checks = [check for check in checkup.CHECKS if check.name in ("start", "security")]
        self.patch(checkup, "CHECKS", checks)

    def test_told(self) -> None:
        """
        What is wrong, and what to type; for scripts the same as JSON. What is open is closed with ``--fix``.
        """
        self.configure({})
        self.path.chmod(0o644)
        outcome = self.openclaw("doctor")
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assertIn("! Nothing says that this machine is a gateway: gateway.mode is unset", outcome.out)
        self.assertIn("  Fix: openclaw config set gateway.mode local\n", outcome.out)
        self.assertTrue(outcome.out.endswith("Doctor complete.\n"))
        told = self.openclaw("doctor", "--json").json
        self.assertEqual(told["findings"][0]["checkId"], "gateway.mode_unset")
        self.assertEqual((told["fixed"], told["tokenMade"]), ([], False))
        told = self.openclaw("doctor", "--fix", "--json").json
        self.assertEqual(told["fixed"], [f"chmod 600 {self.path}"])
        self.assertEqual(Path(self.path).stat().st_mode & 0o777, 0o600)

    def test_token(self) -> None:
        """
        A token is made where there is no secret, and only there; it is not shown.
        """
        self.configure({"gateway": {"mode": "local"}})
        outcome = self.openclaw("doctor", "--generate-gateway-token")
        self.assertIn("Made gateway.auth.token.\n", outcome.out)
        token = self.openclaw("config", "get", "gateway.auth.token").out.strip()
        self.assertRegex(token, r"^[0-9a-f]{48}$")
        self.assertNotIn(token, outcome.out)
        self.assertFalse(self.openclaw("doctor", "--generate-gateway-token", "--json").json["tokenMade"])
        self.assertEqual(self.openclaw("config", "get", "gateway.auth.token").out.strip(), token)
