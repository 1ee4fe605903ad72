"""
The system's supervisor.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from openclaw.daemon.systemd import parse_show, unit_name


class SupervisorTests(SynchronousTestCase):
    """
    What systemd says.
    """

    def test_running(self) -> None:
        """
        A unit that runs is told with its command, and no secret of its environment.
        """
        told = {"LoadState": "loaded", "UnitFileState": "enabled", "ActiveState": "active", "SubState": "running"}
        told |= {"MainPID": "4242", "ExecMainStatus": "0", "ExecMainCode": "0", "FragmentPath": "/u"}
        text = (
            "[Service]\nExecStart=/usr/bin/openclaw gateway --port 28831\n"
            'Environment=OPENCLAW_GATEWAY_PORT=28831 "OPENCLAW_GATEWAY_TOKEN=secret"\n'
        )
        service = parse_show(told, lambda path: text)
        self.assertEqual(
            service.payload(),
            {
                "label": "systemd",
                "loaded": True,
                "loadedText": "enabled",
                "notLoadedText": "disabled",
                "command": {
                    "programArguments": ["/usr/bin/openclaw", "gateway", "--port", "28831"],
                    "environment": {"OPENCLAW_GATEWAY_PORT": "28831"},
                    "sourcePath": "/u",
                },
                "runtime": {
                    "status": "running",
                    "state": "active",
                    "subState": "running",
                    "pid": 4242,
                    "lastExitStatus": 0,
                    "lastExitReason": "0",
                },
            },
        )
        self.assertEqual(service.runtime_line(), "running (pid 4242, state active, sub running, last exit 0, reason 0)")

    def test_missing(self) -> None:
        """
        No unit is no service.
        """
        service = parse_show({"LoadState": "not-found"})
        self.assertEqual((service.loaded, service.command, service.runtime_line()), (False, None, "not installed"))

    def test_names(self) -> None:
        """
        Each profile has its unit.
        """
        self.assertEqual(unit_name({}), "openclaw-gateway.service")
        self.assertEqual(unit_name({"OPENCLAW_PROFILE": "Default"}), "openclaw-gateway.service")
        self.assertEqual(unit_name({"OPENCLAW_PROFILE": "rescue"}), "openclaw-gateway-rescue.service")
        self.assertEqual(unit_name({"OPENCLAW_SYSTEMD_UNIT": "mine"}), "mine.service")
