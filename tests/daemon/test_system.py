"""
Services of the machine, which run as somebody else than who installs them.
"""

from __future__ import annotations

import os
import plistlib
import pwd
import shutil
import stat
import subprocess
from pathlib import Path

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from openclaw.daemon.actions import ServiceFailed, carry_out
from openclaw.daemon.base import Surroundings
from openclaw.daemon.manage import make_spec, service_for, surroundings
from openclaw.daemon.unit import parse
from tests.daemon.stubs import Stubs


class SystemTests(SynchronousTestCase):
    """
    With a root directory of the test's own.
    """

    def setUp(self) -> None:
        self.root = Path(self.mktemp()).absolute()
        self.root.mkdir()
        self.stubs = Stubs(self.root / "stubs")
        self.me = pwd.getpwuid(os.getuid())
        self.home = self.root / "home" / "caller"

    def around(self, platform: str, **environ: str) -> Surroundings:
        given = {**self.stubs.environ, "HOME": str(self.home), **environ}
        found = surroundings(given, self.home, system=True, user=self.me.pw_name, platform=platform)
        # The machine's directories are the test's own.
        return evolve(found, root=self.root)

    def test_systemd(self) -> None:
        """
        The unit runs as the user, in its home, with its state; systemd itself reads the secret.
        """
        state = str(self.home / ".openclaw-rescue")
        around = self.around("linux", OPENCLAW_PROFILE="rescue", OPENCLAW_STATE_DIR=state)
        service = service_for(around)
        carry_out(service.install(make_spec(around, {}, 18800, "a-token-0123456789")), around.run)
        self.assertEqual(service.path, self.root / "etc/systemd/system/openclaw-gateway-rescue.service")
        unit = parse(service.path.read_text())
        wanted = {"User": self.me.pw_name, "WorkingDirectory": self.me.pw_dir, "WantedBy": "multi-user.target"}
        self.assertEqual({name: unit.last(name) for name in wanted}, wanted)
        self.assertEqual(unit.environment["OPENCLAW_STATE_DIR"], f"{self.me.pw_dir}/.openclaw-rescue")
        secrets = self.root / "etc/openclaw/openclaw-gateway-rescue.env"
        self.assertEqual(unit.last("EnvironmentFile"), f"-{secrets}")
        self.assertEqual(stat.S_IMODE(secrets.stat().st_mode), 0o600)
        self.assertEqual(
            self.stubs.calls(),
            [
                "systemctl daemon-reload",
                "systemctl enable openclaw-gateway-rescue.service",
                "systemctl restart openclaw-gateway-rescue.service",
            ],
        )
        self.assertEqual(service.prepare(), ([], []), "lingering is not for it")
        self.assertEqual(service.start_hint, "systemctl start openclaw-gateway-rescue.service")
        self.verify(service.path)

    def verify(self, unit: Path) -> None:
        analyze = shutil.which("systemd-analyze")
        if analyze is None:
            return
        environ = {"PATH": os.environ["PATH"], "HOME": str(self.root), "XDG_RUNTIME_DIR": str(self.root)}
        command = [analyze, "--system", "--man=no", "verify", str(unit)]
        ended = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)
        said = [line for line in ended.stderr.splitlines() if unit.name in line]
        self.assertEqual((ended.returncode, said), (0, []))

    def test_launchd(self) -> None:
        """
        A daemon of the machine, that runs as the user.
        """
        around = self.around("darwin", OPENCLAW_STATE_DIR=str(self.root / "state"))
        service = service_for(around)
        carry_out(service.install(make_spec(around, {}, 18800, "a-token-0123456789")), around.run)
        self.assertEqual(service.path, self.root / "Library/LaunchDaemons/bot.molt.gateway.plist")
        self.assertEqual(plistlib.loads(service.path.read_bytes())["UserName"], self.me.pw_name)
        self.assertEqual((self.root / "state" / ".env").stat().st_uid, os.getuid())
        self.assertIn(f"launchctl bootstrap system {service.path}", self.stubs.calls())
        service.verify(running=True)

    def test_windows(self) -> None:
        """
        There is no such thing on Windows.
        """
        around = self.around("win32")
        spec = make_spec(around, {}, 18800)
        with self.assertRaisesRegex(ServiceFailed, "--system is not available on Windows"):
            service_for(around).install(spec)

    def test_environment_file_keeps_bytes(self) -> None:
        """
        What is no text in the file of variables stays as it is.
        """
        around = evolve(self.around("darwin", OPENCLAW_STATE_DIR=str(self.root / "state")), system=False)
        around = evolve(around, home=self.home)
        (self.root / "state").mkdir()
        (self.root / "state" / ".env").write_bytes(b"A=\xff\n")
        carry_out(service_for(around).install(make_spec(around, {}, 1, "a-token-0123456789")), around.run)
        self.assertTrue((self.root / "state" / ".env").read_bytes().startswith(b"A=\xff\nOPENCLAW_GATEWAY_TOKEN="))
