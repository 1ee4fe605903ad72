"""
``openclaw gateway install`` and its kin, with a systemd that only notes what it is asked for.
"""

from __future__ import annotations

import getpass
import os
import shutil
import stat
import subprocess
import sys

from openclaw.cli.service import install
from openclaw.daemon.unit import parse
from tests.cli.harness import CommandCase
from tests.daemon.stubs import Stubs

UNIT = "openclaw-gateway.service"


class ServiceCase(CommandCase):
    """
    A home, and programs that play the system's.
    """

    def setUp(self) -> None:
        super().setUp()
        self.stubs = Stubs(self.home / "stubs")
        self.environ |= self.stubs.environ
        self.units = self.home / ".config" / "systemd" / "user"
        self.patch(sys, "platform", "linux")
        self.patch(sys, "argv", [str(self.stubs.programs / "openclaw")])

    def unit(self, name: str = UNIT) -> str:
        return (self.units / name).read_text()


class InstallTests(ServiceCase):
    """
    ``gateway install``.
    """

    def test_installed(self) -> None:
        """
        The unit is written, lingering enabled before it is, and it is started.
        """
        done = self.openclaw("gateway", "install", "--port", "18800")
        told = "The configuration says port 18789, where commands look for it."
        fix = "openclaw config set gateway.port 18800"
        self.assertEqual((done.code, done.err), (0, f"{told} Fix: {fix}\n"))
        user = getpass.getuser()
        told = f"\nInstalled systemd service: {self.units / UNIT}\nEnabled systemd lingering for {user}.\n"
        self.assertEqual(done.out, told)
        self.assertEqual(
            self.stubs.calls(),
            [
                f"loginctl enable-linger {user}",
                "systemctl --user daemon-reload",
                f"systemctl --user enable {UNIT}",
                f"systemctl --user restart {UNIT}",
            ],
        )
        unit = parse(self.unit())
        self.assertEqual(unit.arguments[1:], ["gateway", "--port", "18800"])
        wanted = {"Restart": "always", "RestartSec": "5", "Type": "notify", "NotifyAccess": "main"}
        wanted |= {"WorkingDirectory": str(self.home), "TimeoutStopSec": "35", "WantedBy": "default.target"}
        self.assertEqual({name: unit.last(name) for name in wanted}, wanted)
        self.assertNotIn("KillMode", unit.settings)
        names = ("OPENCLAW_SERVICE_MARKER", "OPENCLAW_SERVICE_KIND", "OPENCLAW_SYSTEMD_UNIT")
        self.assertEqual([unit.environment[name] for name in names], ["openclaw", "gateway", UNIT])

    def test_again(self) -> None:
        """
        A second installation changes nothing, wherever its options stand; with ``--force`` it is written again, and
        what users have beside it stays.
        """
        self.openclaw("gateway", "install")
        dropin = self.units / f"{UNIT}.d" / "mine.conf"
        dropin.parent.mkdir()
        dropin.write_text("[Service]\nMemoryMax=1G\n")
        (self.units / UNIT).write_text(self.unit() + "# touched\n")
        again = self.openclaw("gateway", "--json", "install")
        self.assertEqual(
            again.json,
            {
                "action": "install",
                "ok": True,
                "result": "already-installed",
                "message": "Gateway service already enabled.",
                "service": {"label": "systemd", "loaded": True, "loadedText": "enabled", "notLoadedText": "disabled"},
            },
        )
        self.assertIn("# touched", self.unit())
        told = self.openclaw("daemon", "install").out
        self.assertEqual(told, "Gateway service already enabled.\nReinstall with: openclaw gateway install --force\n")
        forced = self.openclaw("gateway", "--force", "--port=18801", "install", "--runtime", "bun", "--json")
        self.assertEqual(forced.json["result"], "installed")
        self.assertNotIn("# touched", self.unit())
        self.assertIn("--port 18801", self.unit())
        self.assertEqual(dropin.read_text(), "[Service]\nMemoryMax=1G\n")

    def test_secret(self) -> None:
        """
        A token that only the caller has goes to a file that its owner alone reads; one of the configuration stays.
        """
        self.environ["OPENCLAW_GATEWAY_TOKEN"] = 'a"token$of mine'
        self.openclaw("gateway", "install")
        file = self.home / ".openclaw" / "service.env"
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
        self.assertEqual(file.read_text(), 'OPENCLAW_GATEWAY_TOKEN="a\\"token\\$of mine"\n')
        self.assertNotIn("of mine", self.unit())
        self.assertIn(f"EnvironmentFile=-{file}\n", self.unit())
        del self.environ["OPENCLAW_GATEWAY_TOKEN"]
        self.openclaw("gateway", "install", "--force")
        self.assertIn("EnvironmentFile", self.unit(), "a shell without the token does not take it away")
        self.configure({"gateway": {"mode": "local", "auth": {"token": "configured-0123456789"}}})
        self.openclaw("gateway", "install", "--force")
        self.assertFalse(file.exists())
        self.assertNotIn("EnvironmentFile", self.unit())
        done = self.openclaw("gateway", "install", "--force", "--token", "given-0123456789")
        self.assertIn("The gateway uses gateway.auth.token of the configuration, not --token.\n", done.err)
        self.assertTrue(file.exists())
        self.openclaw("gateway", "uninstall")
        self.assertFalse(file.exists())

    def test_variables(self) -> None:
        """
        What the configuration refers to and only the caller has goes there, too, and stays for a shell that has part of
        it; so does a password.
        """
        self.environ |= {"MY_TOKEN": "my-token-0123456789", "X_KEY": "x-key", "UNUSED": "unused"}
        env = {"vars": {"A": "${X_KEY}"}}
        self.configure({"gateway": {"mode": "local", "auth": {"token": "${MY_TOKEN}"}}, "env": env})
        file = self.home / ".openclaw" / "service.env"
        self.openclaw("gateway", "install")
        self.assertEqual(file.read_text(), 'MY_TOKEN="my-token-0123456789"\nX_KEY="x-key"\n')
        self.assertIn(f"EnvironmentFile=-{file}\n", self.unit())
        self.assertNotIn("my-token", self.unit())
        self.environ["OPENCLAW_GATEWAY_PASSWORD"] = "a password of this test"
        self.configure({"gateway": {"mode": "local", "auth": {"mode": "password"}}, "env": env})
        self.openclaw("gateway", "install", "--force")
        told = 'OPENCLAW_GATEWAY_PASSWORD="a password of this test"\n'
        self.assertEqual(file.read_text(), f'{told}X_KEY="x-key"\n')
        del self.environ["OPENCLAW_GATEWAY_PASSWORD"]
        self.openclaw("gateway", "install", "--force")
        self.assertIn(told, file.read_text())

    def test_env_of_configuration(self) -> None:
        """
        What the configuration sets in ``env`` is often a key: the gateway reads it itself, and the service has it not.
        """
        env = {"ONE_API_KEY": "one-0123456789abcdef", "vars": {"OTHER_API_KEY": "other-0123456789abcdef"}}
        self.configure({"gateway": {"mode": "local"}, "env": env})
        self.assertEqual(self.openclaw("gateway", "install").code, 0)
        for text in ("0123456789abcdef", "API_KEY"):
            self.assertNotIn(text, self.unit())
        self.assertFalse((self.home / ".openclaw" / "service.env").exists())

    def test_dry_run(self) -> None:
        """
        With ``--dry-run`` all is told and nothing done; not even the token is shown.
        """
        done = self.openclaw("gateway", "install", "--dry-run", "--token", "hidden-one-0123456789")
        self.assertEqual(self.stubs.calls(), [])
        self.assertFalse(self.units.exists())
        self.assertIn(f"Would write {self.units / UNIT}", done.out)
        self.assertIn(f"Would run: systemctl --user enable {UNIT}", done.out)
        self.assertNotIn("hidden-one", done.out)

    def test_profile_and_legacy(self) -> None:
        """
        A profile has its own unit; units of earlier programs are turned off and put aside.
        """
        self.units.mkdir(parents=True)
        (self.units / "clawdbot-gateway.service").write_text("[Service]\n")
        self.configure({"gateway": {"shutdown": {"drainMs": 60_000}}})
        self.openclaw("--profile", "rescue", "gateway", "install")
        unit = parse(self.unit("openclaw-gateway-rescue.service"))
        self.assertEqual(unit.environment["OPENCLAW_STATE_DIR"], str(self.home / ".openclaw-rescue"))
        self.assertIn("Description=OpenClaw Gateway (profile: rescue, v", self.unit("openclaw-gateway-rescue.service"))
        self.assertIn("systemctl --user disable --now clawdbot-gateway.service", self.stubs.calls())
        self.assertEqual([path.name for path in self.units.glob("clawdbot*")], ["clawdbot-gateway.service.replaced"])

    def test_refused(self) -> None:
        """
        What makes no sense is told, and nothing is written.
        """
        cases = {
            ("--port", "x"): "Invalid port",
            ("--port", "0"): "Invalid port",
            ("--runtime", "perl"): 'Invalid --runtime (use "node" or "bun")',
            ("--user", "root"): "--user belongs to --system: it says whom the machine's service runs as",
            ("--system", "--user", "no-such-user"): "there is no user 'no-such-user' (--user)",
        }
        for arguments, error in cases.items():
            done = self.openclaw("gateway", "install", "--json", *arguments)
            self.assertEqual((done.code, done.json), (1, {"action": "install", "ok": False, "error": error}))
        self.environ["OPENCLAW_NIX_MODE"] = "1"
        done = self.openclaw("gateway", "install")
        self.assertEqual((done.code, done.err), (1, "Nix mode detected; service install is disabled.\n"))
        self.assertFalse(self.units.exists())

    def test_no_supervisor(self) -> None:
        """
        Without a user's systemd the reason is told, and what works instead.
        """
        self.stubs.answer("systemctl status", 1, "Failed to connect to bus: No medium found")
        done = self.openclaw("gateway", "install")
        self.assertEqual(done.code, 1)
        first, *hints = done.err.splitlines()
        self.assertEqual(
            first,
            "Gateway service check failed: systemctl --user unavailable: Failed to connect to bus: No medium found",
        )
        self.assertIn("In the foreground: openclaw gateway run", hints)
        self.environ["PATH"] = str(self.home)
        done = self.openclaw("gateway", "start", "--json")
        self.assertEqual(done.code, 69)
        text = "Gateway service check failed: systemctl not available; systemd user services are required on Linux."
        self.assertEqual(done.json["error"], text)
        self.environ["WSL_DISTRO_NAME"] = "Debian"
        self.assertIn("/etc/wsl.conf", self.openclaw("gateway", "start").err)

    def test_steps_fail(self) -> None:
        """
        A step that fails is named; so is a gateway that does not stay up.
        """
        self.stubs.answer("systemctl enable", 1, "Access denied")
        done = self.openclaw("gateway", "install")
        told = "Gateway install failed: systemctl enable failed: Access denied\n"
        self.assertEqual((done.code, done.err), (1, f"{told}Look at it with: systemctl --user status {UNIT}\n"))
        (self.stubs.directory / "answer systemctl enable").unlink()
        self.stubs.set("dies")
        done = self.openclaw("gateway", "install", "--json")
        self.assertEqual(done.json["error"], f"Gateway install failed: {UNIT} does not run: it is failed")
        self.assertIn(f"Logs: journalctl --user -u {UNIT} -n 200 --no-pager", done.json["hints"])

    def test_lingering_refused(self) -> None:
        """
        Lingering that cannot be enabled is explained, and does not keep the service from being installed.
        """
        self.stubs.answer("loginctl enable-linger", 1, "Access denied")
        done = self.openclaw("gateway", "install", "--json")
        user = getpass.getuser()
        self.assertEqual(done.json["result"], "installed")
        self.assertIn(
            f"Systemd lingering is disabled for {user}. Run: sudo loginctl enable-linger {user}", done.json["warnings"]
        )

    def test_for_others(self) -> None:
        """
        Other commands install with one call.
        """
        from io import StringIO

        from openclaw.cli.context import Context

        context = Context(
            environ=self.environ, home=self.home, directory=self.home, out=StringIO(), err=StringIO(), now=lambda: 0
        )
        self.assertFalse(install(context, port=18805).already)
        self.assertTrue(install(context).already)
        self.assertIn("--port 18805", self.unit())

    def test_systemd_takes_it(self) -> None:
        """
        ``systemd-analyze verify`` has nothing to say about what is written.
        """
        analyze = shutil.which("systemd-analyze")
        if analyze is None:
            self.skipTest("systemd-analyze is not installed")
        self.openclaw("--profile", "a_b", "gateway", "install", "--token", "0123456789-0123456789")
        unit = self.units / "openclaw-gateway-a_b.service"
        environ = {"PATH": os.environ["PATH"], "HOME": str(self.home), "XDG_RUNTIME_DIR": str(self.home)}
        ended = subprocess.run(
            [analyze, "--user", "--man=no", "verify", str(unit)],
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
        )
        said = [line for line in ended.stderr.splitlines() if unit.name in line]
        self.assertEqual((ended.returncode, said), (0, []))


class ActionTests(ServiceCase):
    """
    Start, stop, restart, uninstall.
    """

    def test_not_loaded(self) -> None:
        """
        Without a service, start says how to get one; that is no failure.
        """
        done = self.openclaw("gateway", "start", "--json")
        self.assertEqual(
            (done.code, done.json),
            (
                0,
                {
                    "action": "start",
                    "ok": True,
                    "result": "not-loaded",
                    "message": "Gateway service disabled.",
                    "hints": ["openclaw gateway install", "openclaw gateway", f"systemctl --user start {UNIT}"],
                    "service": {
                        "label": "systemd",
                        "loaded": False,
                        "loadedText": "enabled",
                        "notLoadedText": "disabled",
                    },
                },
            ),
        )
        self.assertEqual(
            self.openclaw("gateway", "restart").out,
            "Gateway service disabled.\nStart with: openclaw gateway install\nStart with: openclaw gateway\n"
            f"Start with: systemctl --user start {UNIT}\n",
        )
        self.assertEqual(self.openclaw("gateway", "stop").out, "Gateway service disabled.\n")

    def test_life(self) -> None:
        """
        What is installed starts, stops, and can be removed.
        """
        self.openclaw("gateway", "install")
        self.assertEqual(self.openclaw("gateway", "start").out, f"Restarted systemd service: {UNIT}\n")
        self.assertEqual(self.openclaw("gateway", "restart", "--json").json["result"], "restarted")
        self.assertEqual(self.openclaw("daemon", "stop").out, f"Stopped systemd service: {UNIT}\n")
        gone = self.openclaw("gateway", "uninstall")
        removed = f"Removed systemd service: {self.units / UNIT}\n"
        self.assertEqual((gone.code, gone.out), (0, f"Stopped systemd service: {UNIT}\n{removed}"))
        again = self.openclaw("gateway", "uninstall")
        self.assertEqual((again.code, again.out), (0, f"Systemd service not found at {self.units / UNIT}\n"))

    def test_honest(self) -> None:
        """
        A stop that does not stop it is no success, nor is an uninstallation that leaves it loaded.
        """
        self.openclaw("gateway", "install")
        self.stubs.set("stays")
        done = self.openclaw("gateway", "stop")
        self.assertEqual((done.code, done.out), (1, ""))
        self.assertIn(f"Gateway stop failed: {UNIT} still runs: it is active", done.err)
        (self.stubs.directory / "stays").unlink()
        self.stubs.answer("systemctl disable", 0, "nothing")
        done = self.openclaw("gateway", "uninstall")
        self.assertEqual((done.code, done.err), (1, "Gateway service still loaded after uninstall.\n"))


class DaemonTests(ServiceCase):
    """
    The alias.
    """

    def test_words(self) -> None:
        """
        It takes the service's commands, and no others.
        """
        self.assertEqual(self.openclaw("daemon").code, 2)
        done = self.openclaw("daemon", "call", "health")
        self.assertEqual((done.code, done.err.splitlines()[0]), (2, "error: unknown command 'daemon call'"))
        self.assertEqual(self.openclaw("daemon", "status", "--no-probe", "--json").json["service"]["label"], "systemd")
        self.assertEqual(self.openclaw("daemon", "--help").code, 0)
