"""
The command as a process: closed streams, readers that leave, signals.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.cli.harness import GatewayCase


class ProcessTests(GatewayCase):
    """
    What only a process of its own can show.
    """

    def setUp(self) -> None:
        super().setUp()
        self.gateway.methods["health"] = {"ok": True, "filler": "x" * 200_000}
        self.gateway.methods["logs.tail"] = {"file": "/x", "cursor": 1, "size": 1, "lines": ["y" * 100_000]}

    def start(self, *arguments: str, **settings: Any) -> subprocess.Popen[bytes]:
        """
        Begin a command; it ends with the test.
        """
        environ = {"HOME": str(self.home), "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
        command = [sys.executable, "-m", "openclaw.cli.main", *arguments]
        started = subprocess.Popen(
            command, env=environ, cwd=self.home, **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **settings}
        )
        self.addCleanup(started.wait)
        self.addCleanup(started.kill)
        return started

    def ended(self, process: subprocess.Popen[bytes]) -> tuple[int, str]:
        """
        Exit code and what stands on stderr.
        """
        _, err = process.communicate(timeout=30)
        return process.returncode, err.decode()

    def test_reader_leaves(self) -> None:
        """
        A reader that has seen enough is no failure; a tail says that it stops.
        """
        told = "openclaw logs: output stdout closed (EPIPE). Stopping tail.\n"
        for words, err in ((("health", "--json"), ""), (("logs", "--follow", "--interval", "1"), told)):
            process = self.start(*words)
            assert process.stdout is not None
            process.stdout.read(1)
            process.stdout.close()
            process.stdout = None
            self.assertEqual(self.ended(process), (0, err))

    def test_narrow_terminal(self) -> None:
        """
        A terminal that does not know every character gets the rest, and no traceback.
        """
        self.gateway.methods["health"] = {"ok": True, "note": "caf\u00e9 \u2713"}
        environ = {"HOME": str(self.home), "PYTHONIOENCODING": "latin-1"}
        environ["PYTHONPATH"] = os.pathsep.join(entry for entry in sys.path if entry)
        command = [sys.executable, "-m", "openclaw.cli.main", "health", "--json"]
        done = subprocess.run(command, env=environ, cwd=self.home, capture_output=True, timeout=30, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertEqual(json.loads(done.stdout), {"ok": True, "note": "caf\u00e9 \u2713"})
        done = subprocess.run([*command[:3], "status"], env=environ, cwd=self.home, capture_output=True, timeout=30)
        self.assertEqual((done.returncode, done.stderr), (0, b""))

    def test_closed_streams(self) -> None:
        """
        With no stdout at all nothing is printed, and nothing fails; a full disk is a failure in one line.
        """
        shell = f'exec "{sys.executable}" -m openclaw.cli.main "$@" >&-'
        environ = {"HOME": str(self.home), "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
        for words in (["--version"], ["health"]):
            done = subprocess.run(
                ["/bin/sh", "-c", shell, "sh", *words],
                env=environ,
                cwd=self.home,
                capture_output=True,
                text=True,
                timeout=30,
                check=False,
            )
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        if Path("/dev/full").exists():
            with open("/dev/full", "wb") as full:
                code, err = self.ended(self.start("health", "--json", stdout=full))
            self.assertEqual((code, err), (1, "Error: [Errno 28] No space left on device\n"))

    def test_interrupt(self) -> None:
        """
        Ctrl-C ends with 130 and without a traceback, while a command waits and while it loads.
        """
        process = self.start("logs", "--follow")
        assert process.stdout is not None
        process.stdout.read(1)
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.ended(process), (130, ""))
        code = (
            "import sys; from openclaw.cli import main\n"
            "class Finder:\n"
            "    def find_spec(self, name, path=None, target=None):\n"
            "        if name == 'openclaw.cli.dispatch': raise KeyboardInterrupt\n"
            "sys.meta_path.insert(0, Finder())\n"
            "sys.exit(main.main(['health']))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        self.assertEqual((done.returncode, done.stderr), (130, ""))

    def test_terminate(self) -> None:
        """
        SIGTERM ends a command as it ends any program.
        """
        process = self.start("logs", "--follow")
        assert process.stdout is not None
        process.stdout.read(1)
        process.terminate()
        self.assertEqual(self.ended(process), (-signal.SIGTERM, ""))

    def test_speed(self) -> None:
        """
        ``--version`` takes a tenth of a second of processor time at most: how long it takes by the clock depends on
        what else the machine does. The best of five counts.
        """
        times = []
        for _ in range(5):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            self.assertEqual(self.ended(self.start("--version")), (0, ""))
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        self.assertLess(min(times), 0.10)
