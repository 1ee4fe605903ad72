"""
A gateway that Tailscale publishes, with a ``tailscale`` on the path that keeps what it was asked for, and ends a moment
after it has said everything: only SIGCHLD tells of that.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from tests.process.case import ProcessCase
from tests.process.gateway import GatewayProcess, eventually

STUB = """#!/bin/sh
echo "$*" >> "$HOME/asked"
case "$1" in
status) echo '{"Self": {"DNSName": "gw.tail1234.ts.net."}}' ;;
*) [ ! -e "$HOME/refuse" ] || { echo "Access denied: serve config denied" >&2; exit 1; } ;;
esac
exec >&- 2>&-
sleep 0.1
"""


class TailscaleTests(ProcessCase):
    def gateway(self, *options: str) -> GatewayProcess:
        gateway = self.make_gateway()
        assert gateway.config is not None
        gateway.config = {**gateway.config, "commands": {"restart": True}}
        programs = gateway.home / "bin"
        programs.mkdir()
        (programs / "tailscale").write_text(STUB)
        (programs / "tailscale").chmod(0o755)
        path = f"PATH={programs}{os.pathsep}{os.environ['PATH']}"
        gateway.command = ("env", path, sys.executable, *gateway.command[1:], *options)
        return gateway

    def asked(self, home: Path) -> list[str]:
        return (home / "asked").read_text().splitlines()

    def test_serve(self) -> None:
        """
        It is served from the start on, through a restart in place, to the end.
        """
        gateway = self.gateway("--tailscale", "serve", "--tailscale-reset-on-exit").start()
        line = "serve enabled: https://gw.tail1234.ts.net/ (WS via wss://gw.tail1234.ts.net)"
        eventually(lambda: line in gateway.output, "not served")
        gateway.signal(signal.SIGUSR1)
        eventually(lambda: gateway.output.count(line) == 2, "not served again")
        self.assertEqual(gateway.stop(), 0)
        served = [f"serve --bg --yes {gateway.port}", "status --json --peers=false"]
        self.assertEqual(self.asked(gateway.home), [*served, *served, "serve --https=443 off"])

    def test_refused(self) -> None:
        """
        That Tailscale refuses keeps nobody from using the gateway.
        """
        gateway = self.gateway("--tailscale", "serve")
        (gateway.home / "refuse").touch()
        gateway.start()
        line = f"serve failed: Access denied: serve config denied; type: tailscale serve --bg {gateway.port}"
        eventually(lambda: line in gateway.output, "not told")
        self.assertEqual(gateway.stop(), 0)
        self.assertEqual(len(self.asked(gateway.home)), 1)

    def test_not_on_loopback(self) -> None:
        """
        What Tailscale publishes listens on loopback only, and Funnel asks for a password.
        """
        for options, why in (
            (("--tailscale", "serve", "--bind", "lan"), "tailscale serve/funnel requires gateway bind=loopback"),
            (("--tailscale", "funnel"), "tailscale funnel requires gateway auth mode=password"),
        ):
            gateway = self.gateway(*options)
            gateway.start(ready=False)
            self.assertEqual(gateway.ended(), 78)
            self.assertIn(f"Gateway failed to start: Error: {why}", gateway.output)
