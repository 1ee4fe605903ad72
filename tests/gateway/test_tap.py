"""
``twistd openclaw-gateway``, run for real where it must not start.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.tables import ROOT


class RefusalTests(SynchronousTestCase):
    """
    What keeps the gateway from starting is told on the terminal in a line, and ends twistd with 1.
    """

    def setUp(self) -> None:
        self.home = Path(self.mktemp()).absolute()
        self.home.mkdir()

    def refused(self, *options: str) -> str:
        """
        :return: what was told.
        """
        ended = subprocess.run(
            self.command(*options),
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "HOME": str(self.home), "OPENCLAW_DISABLE_BONJOUR": "1"},
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual((ended.returncode, ended.stdout), (1, ""))
        self.assertNotIn("Traceback", ended.stderr)
        return ended.stderr

    def command(self, *options: str) -> list[str]:
        run = "from twisted.scripts.twistd import run; run()"
        daemon = ["--nodaemon", f"--pidfile={self.home / 'pid'}", f"--logfile={self.home / 'log'}"]
        return [sys.executable, "-c", run, *daemon, "openclaw-gateway", *options]

    def test_no_secret(self) -> None:
        """
        Without a secret.
        """
        self.assertEqual(
            self.refused("--port=1", "--allow-unconfigured"),
            "Gateway auth is set to token, but no token is configured.\n"
            "Set gateway.auth.token (or OPENCLAW_GATEWAY_TOKEN), or pass --token.\n",
        )

    def test_bad_configuration(self) -> None:
        """
        With a file that cannot be used: the place of what is wrong with it.
        """
        path = self.home / ".openclaw" / "openclaw.json"
        path.parent.mkdir()
        path.write_text('{ gateway: { port: "x" } }')
        told = self.refused("--port=1")
        self.assertIn(f"{path}:1:20: gateway.port: Invalid input: expected number, received string", told)

    def test_values(self) -> None:
        """
        With a value that an option cannot have: the words of ``openclaw gateway``.
        """
        for option, text in {
            "--port=x": "Invalid port",
            "--auth=x": 'Invalid --auth (use "token" or "password")',
            "--ws-log=x": 'Invalid --ws-log (use "auto", "full", "compact")',
            "--bind=x": 'Invalid --bind (use "loopback", "lan", "tailnet", "auto", or "custom")',
        }.items():
            self.assertEqual(self.refused("--allow-unconfigured", option), f"{text}\n")

    def test_not_set_up(self) -> None:
        """
        Where nothing says that this machine should be a gateway, and where the configuration cannot be followed.
        """
        self.assertEqual(
            self.refused("--profile=work"),
            "Missing config. Run `openclaw --profile work setup` or set gateway.mode=local"
            " (or pass --allow-unconfigured).\n",
        )
        path = self.home / ".openclaw" / "openclaw.json"
        path.parent.mkdir()
        path.write_text(
            '{ gateway: { auth: { token: "a-token-of-this-test" }, tls: { enabled: true, autoGenerate: false } } }'
        )
        self.assertEqual(
            self.refused(),
            "Gateway start blocked: set gateway.mode=local (current: unset) or pass --allow-unconfigured.\n",
        )
        told = self.refused("--allow-unconfigured")
        self.assertIn("gateway tls: cert/key missing", told)

    def test_bad_profile(self) -> None:
        """
        With a profile that is none.
        """
        self.assertIn("Invalid --profile", self.refused("--profile=../x"))
