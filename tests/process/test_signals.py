"""
Ends by signals, and life under twistd.

Under ``openclaw gateway`` signals and logging are ours: SIGTERM and SIGINT drain and exit 0, a second one leaves at
once.
Under ``twistd`` the handlers, the log file, the pid file and the change of the user are twistd's: our handlers are not
set, and after the tree has stopped twistd raises the signal once more (128 + number in a shell).
"""

from __future__ import annotations

import os
import pwd
import signal
import socket
import sys
import time
from pathlib import Path

import twisted
from tests.process.case import ProcessCase
from tests.process.gateway import ROOT, GatewayProcess, eventually
from tests.process.model import Gate, Text
from tests.process.peer import Peer

#: Where the program and what it needs is imported from.
CODE = (ROOT, Path(twisted.__file__).parent.parent)
SYSTEM_PYTHON = Path(f"/usr/bin/python{sys.version_info[0]}.{sys.version_info[1]}")
TWISTD = "import sys; from twisted.scripts.twistd import run; sys.argv[0] = 'twistd'; run()"


class SignalTests(ProcessCase):
    """
    ``openclaw gateway``.
    """

    def test_drain(self) -> None:
        """
        Clients are told, then closed with 1012, and the exit code is 0: for both signals.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            gateway = self.start_gateway(self.start_model())
            peer = self.join(gateway)
            gateway.signal(number)
            self.assertEqual(peer.wait_closed(), (1012, "service restart"))
            self.assertEqual(peer.events[-1]["event"], "shutdown")
            self.assertEqual(peer.events[-1]["payload"], {"reason": "gateway stopping"})
            self.assertEqual(gateway.ended(), 0)
            self.assertIn(f"received {number.name}; shutting down", gateway.output)

    def test_running_answer_is_waited_for(self) -> None:
        """
        A run that is under way ends well before the process does.
        """
        model, gate = self.start_model(), Gate()
        gateway = self.start_gateway(model)
        peer = self.join(gateway)
        model.plan(Text("half"), gate, Text(" whole"))
        peer.ask("chat.send", {"sessionKey": "main", "message": "take your time", "idempotencyKey": "one"})
        gate.wait_reached()
        gateway.signal(signal.SIGTERM)
        peer.wait_event(lambda event: event["event"] == "shutdown")
        gate.open()
        self.assertEqual(gateway.ended(), 0)
        gateway.start()
        self.assertEqual(self.join(gateway).history(), [("user", "take your time"), ("assistant", "half whole")])

    def test_second_signal(self) -> None:
        """
        A second signal does not wait for a model that hangs.
        """
        model, gate = self.start_model(), Gate()
        gateway = self.start_gateway(model)
        peer = self.join(gateway)
        model.plan(gate)
        peer.ask("chat.send", {"sessionKey": "main", "message": "hang", "idempotencyKey": "one"})
        gate.wait_reached()
        gateway.signal(signal.SIGTERM)
        peer.wait_event(lambda event: event["event"] == "shutdown")
        self.assertIsNone(gateway.process.poll())
        began = time.monotonic()
        gateway.signal(signal.SIGTERM)
        gateway.ended()
        self.assertLess(time.monotonic() - began, 5.0)  # the drain takes 20

    def test_silent_sockets(self) -> None:
        """
        Those who never said who they are do not delay the end.
        """
        gateway = self.start_gateway()
        bare = [socket.create_connection(("127.0.0.1", gateway.port)) for _ in range(20)]
        for silent in bare:
            self.addCleanup(silent.close)
        upgraded = [Peer.open(gateway.url) for _ in range(5)]
        for peer in upgraded:
            self.addCleanup(peer.close)
            peer.wait_event(lambda event: event["event"] == "connect.challenge")
        began = time.monotonic()
        self.assertEqual(gateway.stop(), 0)
        self.assertLess(time.monotonic() - began, 4.0)


class TwistdTests(ProcessCase):
    """
    ``twistd openclaw-gateway``.
    """

    def daemon(self, *options: str, python: str = sys.executable) -> tuple[GatewayProcess, Path]:
        gateway = self.make_gateway()
        pidfile = gateway.home / "twistd.pid"
        program = ["env", f"PYTHONPATH={os.pathsep.join(map(str, CODE))}", python, "-c", TWISTD]
        files = [f"--pidfile={pidfile}", f"--logfile={gateway.home}/twistd.log"]
        gateway.command = [*program, *files, *options, "openclaw-gateway", "--port", "PORT"]
        return gateway, pidfile

    def run_daemon(self, gateway: GatewayProcess, pidfile: Path) -> int:
        """
        Start it.

        :return: the process id of the daemon.
        """
        gateway.start(ready=False)
        self.assertEqual(gateway.ended(), 0, gateway.output)
        pid = int(eventually(lambda: pidfile.exists() and pidfile.read_text(), "no pid file") or 0)
        self.addCleanup(end, pid, pidfile)
        eventually(lambda: answers(gateway), "the daemon does not answer")
        return pid

    def check_stops(self, gateway: GatewayProcess, pid: int, pidfile: Path) -> None:
        os.kill(pid, signal.SIGTERM)
        eventually(lambda: not pidfile.exists(), "the pid file stays")
        eventually(lambda: gone(pid), "the daemon stays")
        self.assertIn("Server Shut Down", (gateway.home / "twistd.log").read_text())

    def test_daemon(self) -> None:
        """
        It becomes a daemon, answers, and takes its pid file away when SIGTERM ends it.
        """
        gateway, pidfile = self.daemon()
        pid = self.run_daemon(gateway, pidfile)
        self.assertNotEqual(pid, gateway.process.pid)
        self.assertIn("server", self.join(gateway).hello)
        self.check_stops(gateway, pid, pidfile)

    def test_other_user(self) -> None:
        """
        With --uid all that it writes belongs to that user.
        """
        if os.geteuid() != 0:
            self.skipTest("only root can become another user")
        nobody = pwd.getpwnam("nobody")
        # An interpreter in somebody's home is nobody's.
        known = [path for path in (Path(sys.executable), SYSTEM_PYTHON) if path.exists()]
        pythons = [str(path) for path in known if reachable(path.resolve())]
        if not pythons or not all(map(reachable, CODE)):
            self.skipTest("another user cannot reach the interpreter or the code")
        options = (f"--uid={nobody.pw_uid}", f"--gid={nobody.pw_gid}")
        gateway, pidfile = self.daemon(*options, python=pythons[0])
        gateway.home.parent.chmod(0o711)
        gateway.state.mkdir(mode=0o700)
        for path in (gateway.home, gateway.state):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
        pid = self.run_daemon(gateway, pidfile)
        self.assertEqual(Path(f"/proc/{pid}").stat().st_uid, nobody.pw_uid)
        self.assertIn("server", self.join(gateway).hello)
        self.assertTrue((gateway.state / "openclaw.sqlite3").exists())
        for path in gateway.state.rglob("*"):
            if path.name == "openclaw.json":
                continue  # the test wrote it
            self.assertEqual(path.stat().st_uid, nobody.pw_uid, path)
        self.check_stops(gateway, pid, pidfile)


def end(pid: int, pidfile: Path) -> None:
    """
    End a daemon that a failed test has left.
    """
    if pidfile.exists() and not gone(pid):
        os.kill(pid, signal.SIGKILL)


def gone(pid: int) -> bool:
    """
    Whether a process has ended, also when nobody has collected it.
    """
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def answers(gateway: GatewayProcess) -> bool:
    """
    Whether the gateway is ready.
    """
    try:
        return gateway.get("/readyz").status == 200
    except OSError:
        return False


def reachable(path: Path) -> bool:
    """
    Whether any user may pass through all directories above.
    """
    return all(parent.stat().st_mode & 0o001 for parent in path.parents)
