"""
``openclaw gateway status`` where there is a service.
"""

from __future__ import annotations

import json
import socket

from tests.cli.test_service import UNIT, ServiceCase


class ServiceStatusTests(ServiceCase):
    """
    What the supervisor says, beside what is so.
    """

    def setUp(self) -> None:
        super().setUp()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def test_closed(self) -> None:
        """
        A service that runs and does not listen: its last error, and where to read more.
        """
        self.openclaw("gateway", "install", "--port", str(self.port))
        report = self.openclaw("gateway", "status", "--json", "--no-probe").json
        self.assertEqual(report["lastError"], "openclaw: error: the last line")
        self.assertEqual((report["gateway"]["port"], report["gateway"]["portSource"]), (self.port, "service args"))
        self.assertEqual(report["portCli"]["port"], 18789)
        log = self.home / ".openclaw" / "logs" / "openclaw-2026-11-23.log"
        log.parent.mkdir(parents=True)
        entry = {"0": "disk full", "_meta": {"logLevelName": "ERROR", "name": "x"}, "time": "t"}
        log.write_text(json.dumps(entry) + "\n")
        done = self.openclaw("gateway", "status", "--no-probe")
        self.assertEqual(done.code, 0)
        self.assertIn(f"Gateway port {self.port} is not listening (service appears running).", done.err)
        self.assertIn("Last gateway error: disk full\n", done.err)
        self.assertIn(f"Logs: journalctl --user -u {UNIT} -n 200 --no-pager\n", done.err)
        self.assertIn("Service: systemd (enabled)\n", done.out)
        self.assertIn("Working dir: ~\n", done.out)
        self.assertIn(f"Service file: ~/.config/systemd/user/{UNIT}\n", done.out)
        self.assertIn("Config (service): ~/.openclaw/openclaw.json (missing)\n", done.out)

    def test_audit(self) -> None:
        """
        What was installed is found in order; what was changed is told with its code.
        """
        self.openclaw("gateway", "install")
        command = ("gateway", "status", "--json", "--no-probe")
        self.assertEqual(self.openclaw(*command).json["service"]["configAudit"], {"ok": True, "issues": []})
        text = self.unit().replace("RestartSec=5", "RestartSec=1").replace("Wants=", "X-Wants=")
        text = text.replace("PATH=", "PATH=/home/x/.nvm/bin:").replace(":/usr/local/bin", "")
        text = text.replace("[Install]", "Environment=OPENCLAW_GATEWAY_TOKEN=secret-one\n[Install]")
        text = text.replace("OPENCLAW_SERVICE_VERSION=2", "OPENCLAW_SERVICE_VERSION=1").replace(
            "--port 18789", "--port 7"
        )
        (self.units / UNIT).write_text(text)
        done = self.openclaw(*command)
        self.assertNotIn("secret-one", done.out)
        self.assertEqual(
            {issue["code"] for issue in done.json["service"]["configAudit"]["issues"]},
            {
                "gateway-port-mismatch",
                "gateway-path-missing-dirs",
                "gateway-path-nonminimal",
                "gateway-version-mismatch",
                "gateway-token-embedded",
                "systemd-wants-network-online",
                "systemd-restart-sec",
            },
        )
        (self.units / UNIT).write_text("[Service]\nExecStart=/usr/bin/sleep 5\n")
        codes = {issue["code"] for issue in self.openclaw(*command).json["service"]["configAudit"]["issues"]}
        self.assertLessEqual({"gateway-command-missing", "gateway-path-missing", "gateway-metadata-missing"}, codes)
        told = self.openclaw("gateway", "status", "--no-probe").err
        self.assertIn("Service config looks out of date or non-standard.\n", told)
        self.assertIn("Service config issue: Service command does not include the gateway subcommand\n", told)
        self.assertIn('Recommendation: run "openclaw doctor" (or "openclaw doctor --repair").\n', told)

    def test_mismatch(self) -> None:
        """
        A service that reads another configuration than the command line is told of, with what mends it.
        """
        self.openclaw("gateway", "install")
        self.environ["OPENCLAW_CONFIG_PATH"] = str(self.home / "other.json")
        report = self.openclaw("gateway", "status", "--json", "--no-probe").json
        self.assertTrue(report["config"]["mismatch"])
        self.assertEqual(report["config"]["daemon"]["path"], str(self.home / ".openclaw" / "openclaw.json"))
        done = self.openclaw("gateway", "status", "--no-probe")
        self.assertIn("Root cause: CLI and service are using different config paths", done.err)
        self.assertIn("Fix: rerun `openclaw gateway install --force` from the same --profile", done.err)

    def test_stopped(self) -> None:
        """
        What is enabled and does not run has likely failed at once.
        """
        self.openclaw("gateway", "install")
        (self.stubs.directory / "active").unlink()
        done = self.openclaw("gateway", "status", "--no-probe")
        self.assertIn("Service is loaded but not running (likely exited immediately).\n", done.err)
        self.assertIn("Runtime: stopped (state inactive", done.out)
        self.assertNotIn("Last gateway error", done.err)

    def test_dropin(self) -> None:
        """
        What somebody has added in a file of their own is what the service does.
        """
        self.openclaw("gateway", "install")
        dropin = self.units / f"{UNIT}.d" / "own.conf"
        dropin.parent.mkdir()
        dropin.write_text("[Service]\nExecStart=\nExecStart=/opt/openclaw gateway --port 40000\nEnvironment=A=b\n")
        report = self.openclaw("gateway", "status", "--json", "--no-probe").json
        self.assertEqual((report["gateway"]["port"], report["gateway"]["portSource"]), (40000, "service args"))
        self.assertEqual(report["service"]["command"]["programArguments"][0], "/opt/openclaw")
        self.assertEqual(
            [issue["code"] for issue in report["service"]["configAudit"]["issues"]], ["gateway-port-mismatch"]
        )

    def test_longer_drain(self) -> None:
        """
        A unit whose time for the end was made for a shorter one is told of.
        """
        self.openclaw("gateway", "install")
        self.configure({"gateway": {"mode": "local", "shutdown": {"drainMs": 120_000}}})
        found = self.openclaw("gateway", "status", "--json", "--no-probe").json["service"]["configAudit"]["issues"]
        self.assertEqual([issue["code"] for issue in found], ["systemd-stop-timeout"])
        self.openclaw("gateway", "install", "--force")
        self.assertIn("TimeoutStopSec=135\n", self.unit())
        found = self.openclaw("gateway", "status", "--json", "--no-probe").json["service"]["configAudit"]["issues"]
        self.assertEqual(found, [])

    def test_variables(self) -> None:
        """
        The configuration is read as the service reads it: with what was moved there, and not with what this shell has.
        """
        self.environ["MY_TOKEN"] = "my-token-0123456789"
        self.configure({"gateway": {"mode": "local", "auth": {"token": "${MY_TOKEN}"}}})
        self.openclaw("gateway", "install")
        command = ("gateway", "status", "--json", "--no-probe")
        self.assertTrue(self.openclaw(*command).json["config"]["daemon"]["valid"])
        (self.home / ".openclaw" / "service.env").unlink()
        report = self.openclaw(*command).json["config"]
        self.assertEqual((report["cli"]["valid"], report["daemon"]["valid"]), (True, False))

    def test_refused(self) -> None:
        """
        One that has refused to start has said why to the supervisor, whatever an earlier one has left in its log.
        """
        self.openclaw("gateway", "install")
        (self.stubs.directory / "active").unlink()
        self.stubs.set("dies")
        log = self.home / ".openclaw" / "logs" / "openclaw-2026-11-23.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        entry = {"0": "disk full", "_meta": {"logLevelName": "ERROR", "name": "x"}, "time": "t"}
        log.write_text(json.dumps(entry) + "\n")
        for line in (
            "Gateway start blocked: set gateway.mode=local (current: unset) or pass --allow-unconfigured.",
            "Gateway auth is set to token, but no token is configured.",
            "Refusing to bind gateway to lan without auth.",
        ):
            told = f"echo '{line}'; echo 'openclaw-gateway.service: Deactivated.'; exit 0\n"
            (self.stubs.directory / "answer journalctl --user").write_text(told)
            self.assertIn(f"Last gateway error: {line}\n", self.openclaw("gateway", "status", "--no-probe").err)

    def test_unavailable(self) -> None:
        """
        Without a user's systemd, status says so, and what works.
        """
        self.stubs.answer("systemctl show", 1, "Failed to connect to bus: No medium found")
        done = self.openclaw("gateway", "status", "--no-probe")
        self.assertEqual(done.code, 0)
        self.assertIn("Runtime: unknown (Failed to connect to bus: No medium found)\n", done.out)
        self.assertIn("In the foreground: openclaw gateway run\n", done.err)
        self.environ["OPENCLAW_PROFILE"] = "rescue"
        done = self.openclaw("gateway", "status", "--no-probe")
        self.assertIn("In the foreground: openclaw --profile rescue gateway run\n", done.err)
