"""
What stands in contrib/ fits the program.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from openclaw.cli.gateway import parse
from openclaw.config.binding import LOOPBACK
from openclaw.config.keys import shape_at
from openclaw.config.loader import evaluate
from openclaw.config.start import read_options
from openclaw.daemon.base import Spec
from openclaw.daemon.unit import render
from openclaw.web.hosts import host_allowed, origin_allowed
from openclaw.web.local import is_local, recorded_address
from tests.tables import ROOT

CONTRIB = ROOT / "contrib"
UNITS = ("systemd/openclaw-gateway.service", "systemd/system/openclaw-gateway.service")
SOCKET = "openclaw-gateway.socket"
PROGRAM = "/usr/local/bin/openclaw"
TOKEN = "a-token-of-this-test-0123456789"


def settings(name: str) -> list[tuple[str, str]]:
    """
    The settings of a unit, in order.
    """
    text = (CONTRIB / name).read_text(encoding="utf-8")
    found = re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE)
    return [(key, value) for key, value in found]


class UnitTests(SynchronousTestCase):
    """
    The systemd units.
    """

    def test_systemd_takes_them(self) -> None:
        """
        ``systemd-analyze verify`` has nothing to say about them.
        """
        analyze = shutil.which("systemd-analyze")
        if analyze is None:
            self.skipTest("systemd-analyze is not installed")
        for name, manager in zip(UNITS, ("--user", "--system"), strict=True):
            directory = Path(self.mktemp()).absolute()
            directory.mkdir(parents=True)
            unit = directory / "openclaw-gateway.service"
            # The program has to exist for systemd to be content.
            unit.write_text((CONTRIB / name).read_text(encoding="utf-8").replace(PROGRAM, "/bin/true"))
            port = directory / SOCKET
            port.write_text((CONTRIB / "systemd" / SOCKET).read_text(encoding="utf-8"))
            environ = {"PATH": os.environ["PATH"], "HOME": str(directory), "XDG_RUNTIME_DIR": str(directory)}
            ended = subprocess.run(
                [analyze, manager, "--man=no", "verify", str(unit), str(port)],
                env=environ,
                capture_output=True,
                text=True,
                timeout=60,
            )
            # Units of other programs, which it reads as well, have troubles of their own.
            said = [line for line in ended.stderr.splitlines() if unit.name in line or port.name in line]
            self.assertEqual((ended.returncode, said), (0, []), name)

    def test_socket(self) -> None:
        """
        systemd holds the ports that a gateway takes over, for the service of the same name.
        """
        given = settings(f"systemd/{SOCKET}")
        ports = [value for key, value in given if key == "ListenStream"]
        self.assertEqual(ports, [f"{f'[{host}]' if ':' in host else host}:18789" for host in LOOPBACK])
        self.assertIn(("WantedBy", "sockets.target"), given)
        self.assertEqual(Path(UNITS[0]).stem, Path(SOCKET).stem)

    def test_command(self) -> None:
        """
        The command is one that the program understands.
        """
        for name in UNITS:
            (command,) = [value for key, value in settings(name) if key == "ExecStart"]
            program, gateway, *arguments = command.split()
            self.assertEqual((program, gateway), (PROGRAM, "gateway"))
            subcommand, options = parse(arguments)
            self.assertEqual((subcommand, read_options(vars(options)).port), ("run", 18789))

    def test_supervision(self) -> None:
        """
        It is restarted after five seconds, but not where that cannot help; a stop may take as long as a drain; the
        network is waited for; what asks for the service's kind finds it.
        """
        for name, target in zip(UNITS, ("default.target", "multi-user.target"), strict=True):
            given = settings(name)
            for expected in (
                ("After", "network-online.target"),
                ("Wants", "network-online.target"),
                ("Restart", "always"),
                ("RestartSec", "5"),
                ("RestartPreventExitStatus", "2 78"),
                ("UMask", "0077"),
                ("NoNewPrivileges", "yes"),
                ("Environment", "OPENCLAW_SYSTEMD_UNIT=%n"),
                ("Environment", "OPENCLAW_SERVICE_MARKER=openclaw"),
                ("Environment", "OPENCLAW_SERVICE_KIND=gateway"),
                ("WantedBy", target),
            ):
                self.assertIn(expected, given, name)
            self.assertGreater(int(dict(given)["TimeoutStopSec"]), 30)

    def test_as_installed(self) -> None:
        """
        The one for a user has what ``openclaw gateway install`` writes; names and paths aside.
        """
        spec = Spec(
            description="OpenClaw Gateway",
            program=(PROGRAM,),
            port=18789,
            directory=Path("/home/x"),
            state=Path("/home/x/.openclaw"),
            environment={},
            stop_seconds=35,
        )
        own = {"Environment", "ExecStart", "WorkingDirectory"}
        written = re.findall(r"^(\w+)=(.*)$", render(spec, secrets=None), re.MULTILINE)
        expected = sorted((key, value) for key, value in written if key not in own)
        self.assertEqual(sorted(pair for pair in settings(UNITS[0]) if pair[0] not in own), expected)

    def test_no_secrets(self) -> None:
        """
        No unit holds a secret, nor a place for one.
        """
        for name in UNITS:
            for key, value in settings(name):
                self.assertNotRegex(f"{key}={value}", r"(?i)token|password|api_?key")


class ProxyTests(SynchronousTestCase):
    """
    The proxy examples: what they send makes a client remote, known by its own address, and lets the page in.
    """

    peer = "127.0.0.1"

    def config_of(self, name: str) -> str:
        """
        The gateway's part, as the example's comment tells it.
        """
        text = (CONTRIB / name).read_text(encoding="utf-8")
        (told,) = re.findall(r"^#\s+(gateway: \{.*\})$", text, re.MULTILINE)
        return f"{{{told}}}"

    def check(self, name: str, headers: dict[str, str]) -> None:
        home = Path(self.mktemp())
        config = evaluate(self.config_of(name), home / "openclaw.json", {}, home).require()
        trusted = config.gateway.trusted_proxies
        self.assertEqual(config.gateway.bind, "loopback")
        self.assertFalse(is_local(self.peer, headers, trusted))
        self.assertEqual(recorded_address(self.peer, headers, trusted), "203.0.113.7")
        page = {**headers, "origin": "https://gateway.example.com"}
        self.assertTrue(host_allowed(page, self.peer, config, frozenset()))
        self.assertTrue(origin_allowed(page, self.peer, config, frozenset()))
        self.assertFalse(origin_allowed({**page, "origin": "https://evil.example"}, self.peer, config, frozenset()))

    def test_nginx(self) -> None:
        """
        With the headers of the nginx example, for a client that lies about itself.
        """
        text = (CONTRIB / "nginx" / "openclaw.conf").read_text(encoding="utf-8")
        told = {name.lower(): value for name, value in re.findall(r"proxy_set_header ([\w-]+) (\S+);", text)}
        # What a client says of itself stands in this variable; it must not be handed on.
        self.assertNotIn("$proxy_add_x_forwarded_for", text)
        known = {"$host": "gateway.example.com", "$remote_addr": "203.0.113.7", "$scheme": "https"}
        self.assertEqual({told.pop("upgrade"), told.pop("connection")}, {"$http_upgrade", "$connection_upgrade"})
        self.check("nginx/openclaw.conf", {name: known[value] for name, value in told.items()})
        self.assertEqual(text.count("{"), text.count("}"))
        (seconds,) = re.findall(r"proxy_read_timeout (\d+)s;", text)
        self.assertGreater(int(seconds), 60, "two ticks")

    def test_caddy(self) -> None:
        """
        With the headers that Caddy sets by itself.
        """
        headers = {
            "host": "gateway.example.com",
            "x-forwarded-for": "203.0.113.7",
            "x-forwarded-host": "gateway.example.com",
            "x-forwarded-proto": "https",
        }
        self.check("caddy/Caddyfile", headers)

    def test_without_trust(self) -> None:
        """
        The gateway's part of the example is needed: without it the page is refused.
        """
        headers = {"host": "gateway.example.com", "x-forwarded-host": "gateway.example.com"}
        home = Path(self.mktemp())
        config = evaluate("{}", home / "openclaw.json", {}, home).require()
        self.assertFalse(host_allowed(headers, self.peer, config, frozenset()))
        self.assertIsNotNone(shape_at(("gateway", "trustedProxies")))

    def test_programs_take_them(self) -> None:
        """
        Caddy itself reads its file, where it is installed.
        """
        caddy = shutil.which("caddy")
        if caddy is None:
            self.skipTest("caddy is not installed")
        command = [caddy, "adapt", "--adapter", "caddyfile", "--config", str(CONTRIB / "caddy" / "Caddyfile")]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=30)
        self.assertEqual(ended.returncode, 0, ended.stderr)


class ExampleTests(SynchronousTestCase):
    """
    The example client, against a real gateway.
    """

    def setUp(self) -> None:
        self.home = Path(self.mktemp()).absolute()
        self.home.mkdir(parents=True)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.environ = {"PATH": os.environ["PATH"], "HOME": str(self.home)}
        command = [sys.executable, "-m", "openclaw.cli.main", "gateway", "--allow-unconfigured"]
        output = (self.home / "output").open("wb")
        self.addCleanup(output.close)
        gateway = subprocess.Popen(
            [*command, "--port", str(self.port), "--token", TOKEN],
            cwd=ROOT,
            env=self.environ,
            stdout=output,
            stderr=output,
        )
        self.addCleanup(gateway.wait)
        self.addCleanup(gateway.kill)
        deadline = time.monotonic() + 30
        while not self.listens():
            self.assertLess(time.monotonic(), deadline, (self.home / "output").read_text())
            self.assertIsNone(gateway.poll(), (self.home / "output").read_text())
            time.sleep(0.05)

    def listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def say(self, token: str) -> subprocess.CompletedProcess[str]:
        example = CONTRIB / "examples" / "websocket_client.py"
        return subprocess.run(
            [sys.executable, str(example), f"ws://127.0.0.1:{self.port}", token, "good", "morning"],
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def test_conversation(self) -> None:
        """
        It prints the answer as it grows, the last line being the whole; with a wrong token it prints why not.
        """
        ended = self.say(TOKEN)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        lines = ended.stdout.splitlines()
        self.assertGreater(len(lines), 2)
        self.assertTrue(all(line.startswith("delta ") for line in lines[:-1]))
        self.assertTrue(lines[-1].startswith("final "))
        self.assertIn("good morning", lines[-1])
        refused = self.say("wrong")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("unauthorized: gateway token mismatch", refused.stderr)
