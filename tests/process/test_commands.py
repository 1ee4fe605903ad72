"""
The command line talks to the same agent as everybody else.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from twisted.trial.unittest import TestCase

from tests.process.case import ProcessCase
from tests.process.gateway import LIMIT, ROOT, GatewayProcess, free_port


class CommandTests(ProcessCase):
    """
    Commands as programs, against the gateway as a program.
    """

    def setUp(self) -> None:
        self.gateway = self.start_gateway(self.start_model())

    def out(self, *arguments: str) -> str:
        """
        What a command prints; it has to succeed.
        """
        done = self.gateway.openclaw(*arguments)
        self.assertEqual(done.returncode, 0, f"{arguments}: {done.stdout}{done.stderr}")
        return done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.out(*arguments))

    def test_agent(self) -> None:
        """
        What ``agent`` says stands in the history of every client, and the other way round.
        """
        peer = self.join(self.gateway)
        self.assertEqual(self.out("agent", "--message", "hi").strip(), "re: hi")
        self.assertEqual(peer.history(), [("user", "hi"), ("assistant", "re: hi")])
        self.assert_ended(peer.chat("hello", "one"), "final")
        params = json.dumps({"sessionKey": "main"})
        told = self.json("gateway", "call", "chat.history", "--params", params, "--json")
        self.assertEqual(len(told["messages"]), 4)
        keys = [session["key"] for session in self.json("sessions", "--json")["sessions"]]
        self.assertEqual(keys, ["agent:main:main"])

    def test_questions(self) -> None:
        """
        The commands that ask find this gateway.
        """
        self.assertTrue(self.json("health", "--json")["ok"])
        self.assertIsInstance(self.json("status", "--json"), dict)
        self.assertIn(str(self.gateway.port), self.out("gateway", "probe"))
        self.assertTrue(self.json("devices", "list", "--json")["paired"], "the command line's own device")
        self.assertEqual(self.out("config", "get", "gateway.mode").strip().strip('"'), "local")
        self.assertTrue(self.out("logs", "--plain").strip())

    def test_unreachable(self) -> None:
        """
        Without a gateway a command fails, and says so in a line.
        """
        self.assertEqual(self.gateway.stop(), 0)
        done = self.gateway.openclaw("health", "--json")
        self.assertNotEqual(done.returncode, 0)
        self.assertNotIn("Traceback", done.stdout + done.stderr)


class FirstUseTests(TestCase):
    """
    The first command of the README.
    """

    def test_dev_gateway(self) -> None:
        """
        It makes a configuration with a secret of 256 bits, readable by its owner only, and answers.
        """
        if not (ROOT / "bin" / "openclaw").exists() or not (ROOT / ".venv" / "bin" / "python").exists():
            self.skipTest("bin/openclaw has not prepared .venv; that takes a minute and a network")
        home = Path(self.mktemp()).absolute()
        home.mkdir(parents=True)
        gateway = FirstUse(
            home, None, [str(ROOT / "bin" / "openclaw"), "--dev", "gateway", "--allow-unconfigured"], free_port()
        )
        self.addCleanup(gateway.kill)
        gateway.start()
        path = home / ".openclaw-dev" / "openclaw.json"
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        secret = json.loads(path.read_text())["gateway"]["auth"]["token"]
        self.assertRegex(secret, r"^[0-9a-f]{64}$")
        self.assertIn(f"http://127.0.0.1:{gateway.port}/", gateway.output)
        self.assertNotIn(secret, gateway.output)
        asked = subprocess.run(
            [str(ROOT / "bin" / "openclaw"), "--dev", "agent", "--message", "hi"],
            env=gateway.environ(),
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        self.assertEqual(asked.returncode, 0, asked.stdout + asked.stderr)
        self.assertIn("echo", asked.stdout.lower())
        self.assertEqual(gateway.stop(), 0)


class FirstUse(GatewayProcess):
    """
    Without a state directory or a configuration; the port is another one, since 19001 may be in use.
    """

    def environ(self) -> dict[str, str]:
        base = super().environ()
        kept = {name: value for name, value in base.items() if name not in ("OPENCLAW_STATE_DIR", "PYTHONPATH")}
        return {**kept, "PATH": os.environ["PATH"]}
