"""
Tests of ``openclaw.gateway.supervisor``.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from openclaw.gateway.supervisor import Supervisor, status_line


class SupervisorTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.told: list[str] = []

    def supervisor(self, **variables: str) -> Supervisor:
        environ = {"NOTIFY_SOCKET": "/run/systemd/notify", **variables, "A": "b"}
        made = Supervisor.of(environ, 42)
        self.assertEqual(environ, {"A": "b"})
        made.send = lambda path, message: self.told.append(f"{path}: {message.decode()}")
        made.monotonic = lambda: 1.5
        self.addCleanup(made.gone)
        return made

    def test_life(self) -> None:
        """
        Ready, restarting, ready again, stopping.
        """
        supervisor = self.supervisor()
        supervisor.ready(self.clock, "listening")
        supervisor.restarting()
        supervisor.ready(self.clock, "listening")
        supervisor.stopping()
        where = "/run/systemd/notify: "
        ready = f"{where}READY=1\nSTATUS=listening"
        self.assertEqual(
            self.told,
            [
                ready,
                f"{where}RELOADING=1\nMONOTONIC_USEC=1500000\nSTATUS=restarting",
                ready,
                f"{where}STOPPING=1\nSTATUS=stopping",
            ],
        )
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_watchdog(self) -> None:
        """
        The reactor shows twice in the time that it has that it is not stuck, from the start to the end.
        """
        supervisor = self.supervisor(WATCHDOG_USEC="20000000", WATCHDOG_PID="42")
        supervisor.ready(self.clock, "x")
        supervisor.ready(self.clock, "x")
        supervisor.stopping()
        self.clock.pump([1.0] * 30)
        self.assertEqual([told.partition(": ")[2] for told in self.told].count("WATCHDOG=1"), 4)
        supervisor.gone()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_not_ours(self) -> None:
        """
        A watchdog of another process, one that is none, and no supervisor at all.
        """
        for variables in ({"WATCHDOG_PID": "43"}, {"WATCHDOG_USEC": "x"}, {"WATCHDOG_USEC": ""}):
            self.supervisor(**{"WATCHDOG_USEC": "20000000", **variables}).ready(self.clock, "x")
        self.supervisor(NOTIFY_SOCKET="", WATCHDOG_USEC="20000000").ready(self.clock, "x")
        self.assertEqual(len(self.told), 3)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_socket(self) -> None:
        """
        By a socket in the file system and by one that has only a name; nobody there is told in the log.
        """
        directory = Path(self.mktemp())
        directory.mkdir()
        for name, address in (
            (str(directory / "n"), str(directory / "n")),
            (f"\0openclaw-{os.getpid()}", f"@openclaw-{os.getpid()}"),
        ):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
                systemd.bind(name)
                Supervisor(address=address).stopping()
                self.assertEqual(systemd.recv(100), b"STOPPING=1\nSTATUS=stopping")
        with capturedLogs() as events:
            Supervisor(address=str(directory / "nobody")).stopping()
        self.assertEqual(len(events), 1)

    def test_status(self) -> None:
        """
        What ``systemctl status`` shows.
        """
        addresses = [IPv4Address("TCP", "127.0.0.1", 1), IPv4Address("TCP", "10.0.0.1", 1)]
        self.assertEqual(status_line(addresses), "listening on 127.0.0.1:1, 10.0.0.1:1")
