"""
Examples in contrib/ for other supervisors than systemd, as far as a machine without them can tell.
"""

from __future__ import annotations

import os
import plistlib
import re
import shlex
import shutil
import subprocess
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from openclaw.cli.gateway import parse
from openclaw.config.start import read_options
from tests.test_contrib import CONTRIB, PROGRAM, settings


class LaunchdTests(SynchronousTestCase):
    def test_plist(self) -> None:
        """
        A property list that starts the gateway, keeps it, gives it time to end, and holds no secret.
        """
        path = CONTRIB / "launchd" / "bot.molt.gateway.plist"
        told = plistlib.loads(path.read_bytes())
        self.assertEqual(f"{told['Label']}.plist", path.name)
        self.assertTrue(told["RunAtLoad"] and told["KeepAlive"])
        program, gateway, *arguments = told["ProgramArguments"]
        self.assertEqual((program, gateway), (PROGRAM, "gateway"))
        self.assertEqual(read_options(vars(parse(arguments)[1])).port, 18789)
        self.assertGreater(told["ExitTimeOut"], 30)
        self.assertEqual(told["Umask"], 0o077)
        self.assertEqual(told["EnvironmentVariables"]["OPENCLAW_SERVICE_KIND"], "gateway")
        self.assertNotRegex(path.read_text().partition("<plist")[2], r"(?i)token|password")


class SysvinitTests(SynchronousTestCase):
    """
    The init script, with stubs for what Debian has.
    """

    def setUp(self) -> None:
        self.script = CONTRIB / "sysvinit" / "openclaw-gateway"
        self.programs = Path(self.mktemp()).absolute()
        self.programs.mkdir()
        self.calls = self.programs / "calls"
        for name, text in {
            "start-stop-daemon": f'printf "%s\\n" "$*" >>{shlex.quote(str(self.calls))}',
            "getent": "echo openclaw:x:999:999::/var/lib/openclaw:/bin/false",
        }.items():
            (self.programs / name).write_text(f"#!/bin/sh\n{text}\n")
            (self.programs / name).chmod(0o755)

    def run_script(self, *arguments: str) -> int:
        environ = {"PATH": f"{self.programs}:/usr/bin:/bin"}
        return subprocess.run(["/bin/sh", str(self.script), *arguments], env=environ, capture_output=True).returncode

    def test_syntax(self) -> None:
        """
        A shell reads it, and it may be run.
        """
        self.assertEqual(subprocess.run(["/bin/sh", "-n", str(self.script)]).returncode, 0)
        self.assertTrue(os.access(self.script, os.X_OK))

    def test_actions(self) -> None:
        """
        It starts the gateway as its user, and gives it time to end.
        """
        self.assertEqual([self.run_script(action) for action in ("start", "stop", "reload", "status")], [0] * 4)
        start, stop, reload, status = self.calls.read_text().splitlines()
        options, _, command = start.partition(" -- ")
        self.assertIn(f"--chuid openclaw --chdir /var/lib/openclaw --startas {PROGRAM}", options)
        self.assertEqual(read_options(vars(parse(command.split()[1:])[1])).port, 18789)
        self.assertIn("--retry TERM/35/KILL/5", stop)
        self.assertIn("--signal USR1", reload)
        self.assertIn("--status", status)
        self.assertEqual(self.run_script("restart"), 0)
        self.assertEqual(len(self.calls.read_text().splitlines()), 6)

    def test_usage(self) -> None:
        """
        Anything else is a mistake.
        """
        self.assertEqual([self.run_script(), self.run_script("x")], [2, 2])


class TunnelTests(SynchronousTestCase):
    def test_unit(self) -> None:
        """
        systemd takes the unit; its tunnel is on loopback at both ends, asks nothing and ends when it cannot forward.
        """
        given = dict(settings("systemd/openclaw-tunnel.service"))
        words = given["ExecStart"].split()
        self.assertIn("127.0.0.1:18789:127.0.0.1:18789", words)
        self.assertLessEqual({"BatchMode=yes", "ExitOnForwardFailure=yes", "-N"}, set(words))
        self.assertEqual(given["Restart"], "always")
        analyze = shutil.which("systemd-analyze")
        if analyze is None:
            self.skipTest("systemd-analyze is not installed")
        directory = Path(self.mktemp()).absolute()
        directory.mkdir()
        unit = directory / "openclaw-tunnel.service"
        text = (CONTRIB / "systemd" / "openclaw-tunnel.service").read_text()
        unit.write_text(text.replace("/usr/bin/ssh", "/bin/true"))
        environ = {"PATH": os.environ["PATH"], "HOME": str(directory), "XDG_RUNTIME_DIR": str(directory)}
        command = [analyze, "--user", "--man=no", "verify", str(unit)]
        ended = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)
        said = [line for line in ended.stderr.splitlines() if unit.name in line]
        self.assertEqual((ended.returncode, said), (0, []))


class OtherTests(SynchronousTestCase):
    def test_logrotate(self) -> None:
        """
        What logrotate does is private to the owner, and the file is not copied while it is written to.
        """
        path = CONTRIB / "logrotate" / "openclaw"
        text = path.read_text()
        self.assertIn("create 0600 openclaw openclaw", text)
        self.assertNotIn("copytruncate", text)
        program = shutil.which("logrotate")
        if program is not None:
            copy = Path(self.mktemp())
            copy.write_text(text.replace("    su openclaw openclaw\n", "").replace(" openclaw openclaw", ""))
            copy.chmod(0o644)
            ended = subprocess.run([program, "-d", "-s", self.mktemp(), str(copy)], capture_output=True, text=True)
            self.assertEqual(ended.returncode, 0, ended.stderr)

    def test_dockerfile(self) -> None:
        """
        The container runs as somebody without rights, with a command that the program understands, and has no secret.
        """
        text = (CONTRIB / "docker" / "Dockerfile").read_text()
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        self.assertIn("USER openclaw", lines)
        (entry,) = [line for line in lines if line.startswith("ENTRYPOINT")]
        (command,) = [line for line in lines if line.startswith("CMD")]
        words = [*re.findall(r'"([^"]*)"', entry), *re.findall(r'"([^"]*)"', command)]
        self.assertEqual(words[:2], ["openclaw", "gateway"])
        told = read_options(vars(parse(words[2:])[1]))
        self.assertEqual((told.bind, told.port, told.allow_unconfigured), ("lan", 18789, True))
        self.assertNotRegex("\n".join(lines), r"(?i)token|password")
        self.assertIn("/healthz", text)
        compile(re.findall(r'"(import [^"]*)"', text)[0], "healthcheck", "exec")
