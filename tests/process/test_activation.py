"""
Socket activation: a gateway that is given its port by whoever starts it, as systemd does.
"""

from __future__ import annotations

import shlex
import socket
import subprocess
import sys
from collections.abc import Sequence

from tests.process.case import ProcessCase
from tests.process.gateway import GatewayProcess, configuration
from tests.process.test_signals import TWISTD as PROGRAM

OPENCLAW = (sys.executable, "-m", "openclaw.cli.main", "gateway", "--port", "PORT")
TWISTD = (sys.executable, "-c", PROGRAM, "-n", "--pidfile=", "openclaw-gateway", "--port", "PORT")


class Activated(GatewayProcess):
    """
    Starts with a listening socket as its descriptor 3.
    """

    given: socket.socket

    def start(self, *, ready: bool = True) -> GatewayProcess:
        words = shlex.join(argument.replace("PORT", str(self.port)) for argument in self.command)
        script = f"exec 3<&{self.given.fileno()}; LISTEN_PID=$$ LISTEN_FDS=1 exec {words}"
        self.prepare()
        with (self.home / "output").open("ab") as output:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", script],
                cwd=self.home,
                env=self.environ(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[self.given.fileno()],
            )
        if ready:
            self.wait_ready()
        return self


class ActivationTests(ProcessCase):
    def activate(self, command: Sequence[str]) -> None:
        given = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.addCleanup(given.close)
        made = self.make_gateway()
        gateway = Activated(made.home, configuration(), command, given.getsockname()[1])
        gateway.given = given
        self.addCleanup(gateway.kill)
        # It waits in the socket before there is a gateway.
        early = socket.create_connection(given.getsockname(), timeout=60)
        self.addCleanup(early.close)
        early.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        gateway.start()
        self.assertTrue(early.recv(65536).startswith(b"HTTP/1.1 200 "))
        gateway.stop()
        # The socket is not the gateway's: it stays with whoever opened it.
        socket.create_connection(given.getsockname(), timeout=5).close()
        self.assertNotIn("already", gateway.output)

    def test_openclaw(self) -> None:
        """
        ``openclaw gateway`` takes the socket, and answers who was there before it.
        """
        self.activate(OPENCLAW)

    def test_twistd(self) -> None:
        """
        So does ``twistd -n openclaw-gateway``.
        """
        self.activate(TWISTD)
