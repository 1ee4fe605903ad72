"""
What is told when something is in the way of a start.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

from attrs import evolve, frozen
from twisted.trial.unittest import SynchronousTestCase

from openclaw.cli.context import Context
from openclaw.cli.ports import Listener, PortUse, hints
from openclaw.cli.start_failure import lines
from openclaw.daemon.base import Supervised
from openclaw.gateway.listener import PortTaken
from openclaw.store.claims import Claim, ClaimRefused
from openclaw.store.lock import AlreadyRunning

FREE = PortUse(port=28830, status="free")
BUSY = PortUse(
    port=28830,
    status="busy",
    listeners=(
        Listener(pid=9500, command="openclaw", address="127.0.0.1:28830", command_line="openclaw-gateway", user="root"),
    ),
    hints=("Gateway already running locally. Stop it (kill 9500) or use a different port.",),
)
RUNNING = AlreadyRunning(pid=9500, waited=5.0)


@frozen
class Service:
    """
    A supervisor's answer.
    """

    loaded: bool
    status: str

    def __call__(self, environ: Mapping[str, str], home: Path) -> Supervised:
        return Supervised(label="systemd", loaded=self.loaded, runtime={"status": self.status})


class LinesTests(SynchronousTestCase):
    def told(self, error: Exception, use: PortUse, service: Service, **environ: str) -> list[str]:
        context = Context(
            environ=environ,
            home=Path("/home/u"),
            directory=Path("/"),
            out=io.StringIO(),
            err=io.StringIO(),
            now=lambda: 0.0,
        )
        return list(lines(context, error, 28830, look=lambda port: use, ask=service))

    def test_running(self) -> None:
        """
        Of another gateway on this state: which one it is, how to end it, and what a second one needs.
        """
        self.assertEqual(
            self.told(RUNNING, BUSY, Service(False, "unknown")),
            [
                "Gateway failed to start: gateway already running (pid 9500); lock timeout after 5000ms",
                "If the gateway is supervised, stop it with: openclaw gateway stop",
                "Port 28830 is already in use.",
                "- pid 9500 root: openclaw-gateway (127.0.0.1:28830)",
                "- Gateway already running locally. Stop it (kill 9500) or use a different port.",
                "Stop it with: kill 9500",
                "A second one needs a state of its own: openclaw --profile <name> gateway --port <port>",
                "Gateway service status unknown; if supervised, stop it first.",
                "Tip: openclaw gateway stop",
                "Or: systemctl --user stop openclaw-gateway.service",
            ],
        )

    def test_claimed(self) -> None:
        """
        Of what another gateway has only that is told, and what keeps the two apart.
        """
        fix = "Give this gateway one of its own: openclaw config set agents.defaults.workspace <directory>"
        claim = Claim(path=Path("/w"), what="workspace /w", fix=fix)
        self.assertEqual(
            self.told(ClaimRefused(claim=claim, pid=7), BUSY, Service(True, "running"), OPENCLAW_PROFILE="work"),
            [
                "Gateway failed to start: workspace /w is used by another gateway (pid 7)",
                fix.replace("openclaw", "openclaw --profile work"),
            ],
        )

    def test_service(self) -> None:
        """
        A service that is known not to be loaded is not spoken of; one of a profile is named.
        """
        self.assertEqual(len(self.told(RUNNING, FREE, Service(False, "stopped"))), 4)
        told = self.told(RUNNING, FREE, Service(True, "running"), OPENCLAW_PROFILE="work")
        self.assertEqual(
            told[4:],
            [
                "Gateway service appears enabled. Stop it first.",
                "Tip: openclaw --profile work gateway stop",
                "Or: systemctl --user stop openclaw-gateway-work.service",
            ],
        )

    def test_port(self) -> None:
        """
        A port that is taken, and an address that this machine does not have, are told apart.
        """
        service = Service(False, "stopped")
        taken = PortTaken(host="127.0.0.1", port=28830, why="in use")
        told = self.told(taken, BUSY, service, OPENCLAW_PROFILE="work")
        self.assertEqual(
            told[0], "Gateway failed to start: another gateway instance is already listening on ws://127.0.0.1:28830"
        )
        self.assertEqual(told[2:-1], BUSY.lines())
        self.assertEqual(told[-1], "Use a different port with: openclaw --profile work gateway --port <port>")
        wrong = PortTaken(host="::9", port=28830, why="Cannot assign requested address")
        self.assertEqual(
            self.told(wrong, FREE, service)[0],
            "Gateway failed to start: failed to bind gateway socket on ws://[::9]:28830:"
            " Cannot assign requested address",
        )


class HintTests(SynchronousTestCase):
    def test_gateway(self) -> None:
        """
        A gateway is named by its process, once, and not by a command that there is not.
        """
        one = Listener(pid=7, command_line="python -m openclaw gateway")
        (hint,) = hints("busy", (one, evolve(one, address="[::1]:5")))
        self.assertEqual(hint, "Gateway already running locally. Stop it (kill 7) or use a different port.")
        other, several = hints("busy", (one, Listener(pid=8, command="openclaw")))
        self.assertIn("(kill 7 8)", other)
        self.assertTrue(several.startswith("Multiple listeners detected"))
