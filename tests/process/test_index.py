"""
Every command that an existing script or person relies on (``cli.md`` 2, those marked MUST), as a program: what it
prints for people, the document that it prints for programs, and its exit code. The gateway is real; the supervisor only
notes what it is asked.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from openclaw import __version__
from tests.daemon.stubs import Stubs
from tests.process.case import ProcessCase
from tests.process.gateway import GatewayProcess


@frozen
class Row:
    """
    One command.

    :ivar words: as typed; ``--json`` is added for the second run.
    :ivar shown: stands in what people see.
    :ivar members: of the document; ``None`` where there is none.
    :ivar code: the exit code, of both.
    """

    words: str
    shown: str
    members: Sequence[str] | None = None
    code: int = 0


ASKED = (
    Row("--version", __version__),
    Row("health", "Agents: main (default)", ("ok", "ts", "durationMs", "channels", "channelOrder", "sessions")),
    Row("gateway health", "Gateway Health", ("ok", "ts", "durationMs", "channels")),
    Row("gateway call health", "Gateway call: health", ("ok", "ts", "durationMs")),
    Row("gateway call no.such", "unknown method", None, 1),
    Row("gateway probe", "Reachable: yes", ("ok", "primaryTargetId", "targets", "discovery", "network", "warnings")),
    Row("gateway discover --timeout 200", "Gateway Discovery", ("timeoutMs", "domains", "count", "beacons")),
    Row("status", "OpenClaw status", ("gateway", "gatewayService", "agents", "securityAudit", "sessions", "update")),
    Row("status --all", "OpenClaw status", None),
    Row("logs --plain", "gateway", None),
    Row("config get gateway.mode", "local"),
    Row("config get gateway", '"mode": "local"', ("mode", "auth")),
    Row("config get gateway.nope", "Config path not found: gateway.nope", None, 1),
    Row("config set agents.defaults.timeoutSeconds 77", "Updated agents.defaults.timeoutSeconds."),
    Row("config unset agents.defaults.timeoutSeconds", "Removed agents.defaults.timeoutSeconds."),
    Row("doctor", "Doctor complete.", ("findings", "plan")),
    Row("configure", "no terminal to ask on", None, 1),
    Row("configure --section zzz", "Invalid --section: zzz. Expected one of: workspace, model,", None, 1),
    Row("config", "no terminal to ask on", None, 1),
    Row("onboard", "no terminal to ask on", None, 1),
    Row("onboard --non-interactive", "requires explicit risk acknowledgement", None, 1),
    Row("agent --agent main --message hi", "re: hi", ("runId", "status", "summary", "result")),
    Row("agents list", "main", ()),
    Row("sessions", "agent:main:main", ("path", "count", "sessions")),
    Row("message send --target +15550001111 --message hi", "hannel", None, 1),
    Row("nodes status", "Known: 0", ("ts", "nodes")),
    Row("nodes list", "Pending: 0", ("pending", "paired")),
    Row("nodes pending", "No pending pairing requests.", ()),
    Row("nodes describe --node none", "unknown node", None, 1),
    Row("nodes approve none", "unknown requestId", None, 1),
    Row("nodes reject none", "unknown requestId", None, 1),
    Row("nodes rename --node none --name x", "unknown node", None, 1),
    Row("nodes invoke --node none --command system.run", "unknown node", None, 1),
    Row("devices list", "Paired (1)", ("pending", "paired")),
    Row("devices approve none", "unknown requestId", None, 1),
    Row("devices reject none", "unknown requestId", None, 1),
    Row("devices rotate --device none --role operator", "unknown deviceId/role", None, 1),
    Row("devices revoke --device none --role operator", "unknown deviceId/role", None, 1),
    Row("no-such-command", "unknown command 'no-such-command'", None, 2),
    # Of the channels, which are not there yet: a script must notice.
    Row("channels list", "unknown command 'channels'", None, 2),
    Row("pairing list telegram", "unknown command 'pairing'", None, 2),
)
ACTION = ("action", "ok", "result", "service")
#: In this order: each finds what the one before has left.
SUPERVISED = (
    Row("gateway start", "Gateway service disabled.", ACTION),
    Row("gateway stop", "Gateway service disabled.", ACTION),
    Row("gateway install", "Installed systemd service: ", ACTION),
    Row("gateway install", "Gateway service already enabled.", ACTION),
    Row("gateway install --force", "Installed systemd service: ", ACTION),
    Row("gateway status --no-probe", "Service: systemd (enabled)", ("service", "gateway", "port", "config")),
    Row("gateway status --deep", "RPC probe: ok", ("service", "gateway", "port", "rpc", "config", "extraServices")),
    Row("gateway restart", "Restarted systemd service: openclaw-gateway.service", ACTION),
    Row("gateway start", "Restarted systemd service: openclaw-gateway.service", ACTION),
    Row("daemon status --no-probe", "Service: systemd (enabled)", ("service",)),
    Row("gateway stop", "Stopped systemd service: openclaw-gateway.service", ACTION),
    Row("gateway uninstall", "ystemd service", ACTION),
)
#: What is asked of a gateway that is not there.
UNREACHED = (
    Row("health", "gateway closed", None, 1),
    Row("gateway health", "gateway closed", None, 1),
    Row("gateway call health", "gateway closed", None, 1),
    Row("gateway probe", "Reachable: no", ("ok", "targets"), 1),
    Row("status", "OpenClaw status", ("gateway",)),
    Row("agent --agent main --message hi", "gateway closed", None, 1),
    Row("nodes status", "gateway closed", None, 1),
    Row("devices list", "gateway closed", None, 1),
    Row("doctor", "The gateway does not run", ("findings",)),
    Row("config get gateway.mode", "local"),
    Row("setup", "Workspace OK"),
    Row("gateway status", "RPC probe: failed", ("rpc", "service")),
)


class StubbedGateway(GatewayProcess):
    """
    With a system whose programs only note what they are asked.
    """

    stubs: Stubs

    def environ(self) -> dict[str, str]:
        return {**super().environ(), **self.stubs.environ}


class IndexTests(ProcessCase):
    """
    One after the other, as somebody types them.
    """

    timeout = 300

    def setUp(self) -> None:
        home = Path(self.mktemp()).absolute()
        home.mkdir(parents=True)
        model = self.start_model()
        config = {"gateway": {"mode": "local", "auth": {"token": "index-test-token-0123456789abcdef"}}}
        self.gateway = StubbedGateway(home, {**config, **model.configuration()})
        self.gateway.stubs = Stubs(home / "stubs")
        self.addCleanup(self.gateway.kill)

    def run_row(self, row: Row) -> None:
        words = row.words.split()
        done = self.gateway.openclaw(*words)
        told = f"{row.words}: {done.stdout}{done.stderr}"
        self.assertEqual(done.returncode, row.code, told)
        self.assertIn(row.shown, done.stdout + done.stderr, told)
        self.assertNotIn("Traceback", done.stderr, told)
        if row.code and not row.members:
            self.assertEqual(done.stdout, "", f"what went wrong belongs to the other stream: {told}")
        if row.members is not None:
            self.check_json(row, self.gateway.openclaw(*words, "--json"))

    def check_json(self, row: Row, done: subprocess.CompletedProcess[str]) -> None:
        told = f"{row.words} --json: {done.stdout}{done.stderr}"
        self.assertEqual(done.returncode, row.code, told)
        document: Any = json.loads(done.stdout)
        missing = [name for name in row.members or () if name not in document]
        self.assertEqual(missing, [], told)
        self.assertNotIn("index-test-token", done.stderr)

    def test_asked(self) -> None:
        """
        A gateway runs.
        """
        self.gateway.start()
        for row in ASKED:
            self.run_row(row)

    def test_supervised(self) -> None:
        """
        The six commands of the service, from nothing to nothing.
        """
        self.gateway.start()
        for row in SUPERVISED:
            self.run_row(row)

    def test_unreached(self) -> None:
        """
        None runs.
        """
        self.gateway.state.mkdir(mode=0o700)
        (self.gateway.state / "openclaw.json").write_text(json.dumps(self.gateway.config))
        for row in UNREACHED:
            self.run_row(row)
