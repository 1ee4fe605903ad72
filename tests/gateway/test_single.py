"""
Real processes on one state directory: the second is refused, a killed one leaves nothing in the way.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from openclaw.store.lock import NAME

PROJECT = Path(__file__).resolve().parent.parent.parent
LIMIT = 20.0


def free_port() -> int:
    """
    A port that nobody uses now.
    """
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


class ProcessCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.home = Path(self.mktemp()).absolute()
        self.state = self.home / "state"
        self.state.mkdir(parents=True)
        self.environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(PROJECT),
            "HOME": str(self.home),
            "TMPDIR": str(self.home),
            "OPENCLAW_STATE_DIR": str(self.state),
            "OPENCLAW_DISABLE_BONJOUR": "1",
            "OPENCLAW_GATEWAY_TOKEN": "a-token-that-is-long-enough-to-pass",
        }

    def start(self, *command: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, *command],
            env=self.environ,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def gateway(self, port: int) -> subprocess.Popen[str]:
        return self.start("-m", "openclaw.cli.main", "gateway", "--allow-unconfigured", "--port", str(port))

    def end(self, process: subprocess.Popen[str]) -> tuple[int, str]:
        """
        Exit code and output of a process that ends by itself.
        """
        output = process.communicate(timeout=LIMIT)[0]
        return process.returncode, output

    def until(self, condition: Callable[[], bool]) -> None:
        """
        Wait for something that another process does.
        """
        end = time.monotonic() + LIMIT
        while not condition():
            self.assertLess(time.monotonic(), end, "it did not happen")
            time.sleep(0.05)

    def listens(self, port: int) -> bool:
        with socket.socket() as trial:
            return trial.connect_ex(("127.0.0.1", port)) == 0


class GatewayTests(ProcessCase):
    def test_second(self) -> None:
        """
        A second gateway on the state directory waits, says who has it, and ends with 75; the first is not disturbed.
        After a kill the next one starts at once.
        """
        port = free_port()
        first = self.gateway(port)
        self.until(lambda: self.listens(port))
        code, output = self.end(self.gateway(free_port()))
        self.assertEqual(code, 75, output)
        self.assertEqual(
            output.splitlines()[:3],
            [
                f"Gateway failed to start: gateway already running (pid {first.pid}); lock timeout after 5000ms",
                "If the gateway is supervised, stop it with: openclaw gateway stop",
                f"Stop it with: kill {first.pid}",
            ],
        )
        self.assertTrue(self.listens(port))
        first.kill()
        first.wait()
        again = self.gateway(port)
        self.until(lambda: self.listens(port))
        again.send_signal(signal.SIGTERM)
        self.assertEqual(self.end(again)[0], 0)
        self.assertEqual((self.state / NAME).read_bytes(), b"")

    def test_damaged(self) -> None:
        """
        A database that is none ends the gateway with 1 and one line; it stays where it is.
        """
        database = self.state / "openclaw.sqlite3"
        junk = b"this is not a database, but somebody's letter\n" * 500
        database.write_bytes(junk)
        code, output = self.end(self.gateway(free_port()))
        self.assertEqual(code, 1, output)
        self.assertEqual(output.splitlines()[-1], f"Error: The database {database} is damaged: file is not a database")
        self.assertNotIn("Traceback", output)
        self.assertEqual(database.read_bytes(), junk)
        self.assertEqual([path.name for path in self.state.iterdir() if "sqlite3" in path.name], [database.name])


class TwistdTests(ProcessCase):
    def test_damaged(self) -> None:
        """
        A database that is none ends twistd with 1, as it ends ``openclaw gateway``; the reason is in the log, the pid
        file is gone.
        """
        (self.state / "openclaw.sqlite3").write_bytes(b"this is not a database\n" * 500)
        code = "import sys; from twisted.scripts.twistd import run; sys.argv[0] = 'twistd'; run()"
        options = ["--nodaemon", "--pidfile=pid", "openclaw-gateway", "--allow-unconfigured", f"--port={free_port()}"]
        ended, output = self.end(self.start("-c", code, *options))
        self.assertEqual(ended, 1, output)
        self.assertIn(f"The database {self.state / 'openclaw.sqlite3'} is damaged", output)
        self.assertFalse((self.home / "pid").exists())

    def daemon(self, name: str, port: int) -> subprocess.Popen[str]:
        """
        What ``twistd`` leaves behind once it has gone to the background.
        """
        pidfile, logfile = self.home / f"{name}.pid", self.home / f"{name}.log"
        self.addCleanup(self.end_daemon, pidfile)
        code = "import sys; from twisted.scripts.twistd import run; sys.argv[0] = 'twistd'; run()"
        options = ["--pidfile", str(pidfile), "--logfile", str(logfile)]
        return self.start("-c", code, *options, "openclaw-gateway", "--allow-unconfigured", "--port", str(port))

    def end_daemon(self, pidfile: Path) -> None:
        if pidfile.exists():
            os.kill(int(pidfile.read_text()), signal.SIGKILL)
            pidfile.unlink()

    def test_daemon(self) -> None:
        """
        The daemon holds the lock, under its own pid and not that of the process that started it.
        """
        port = free_port()
        code, output = self.end(self.daemon("first", port))
        self.assertEqual(code, 0, output)
        self.until(lambda: self.listens(port))
        pid = int((self.home / "first.pid").read_text())
        self.assertIn(f'"pid":{pid},', (self.state / NAME).read_text())
        code, output = self.end(self.daemon("second", free_port()))
        self.assertEqual(code, 1, output)
        self.assertIn(f"gateway already running (pid {pid})", output)
        self.assertTrue(self.listens(port))
        os.kill(pid, signal.SIGTERM)
        self.until(lambda: not (self.home / "first.pid").exists())
        self.assertEqual((self.state / NAME).read_bytes(), b"")
