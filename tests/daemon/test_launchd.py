"""
launchd, played by a program that answers with the real one's codes.
"""

from __future__ import annotations

import plistlib
import sys

from tests.cli.test_service import ServiceCase

LABEL = "bot.molt.gateway"


class LaunchdTests(ServiceCase):
    """
    The gateway as an agent.
    """

    def setUp(self) -> None:
        super().setUp()
        self.patch(sys, "platform", "darwin")
        self.agents = self.home / "Library" / "LaunchAgents"

    def plist(self, label: str = LABEL) -> dict[str, object]:
        found: dict[str, object] = plistlib.loads((self.agents / f"{label}.plist").read_bytes())
        return found

    def test_installed(self) -> None:
        """
        The plist is one; agents of earlier programs end in the trash; a secret is in the file of variables.
        """
        self.agents.mkdir(parents=True)
        others = ("com.openclaw.gateway", "ai.openclaw.gateway", "ai.openclaw.rescue")
        for other in others:
            (self.agents / f"{other}.plist").write_text("<plist/>")
        state = self.home / ".openclaw"
        state.mkdir()
        (state / ".env").write_text("# mine\nOTHER=1\nOPENCLAW_GATEWAY_TOKEN=old\n")
        done = self.openclaw("gateway", "install", "--token", "new-0123456789", "--port", "18800")
        self.assertEqual(done.code, 0, done.err)
        logs = state / "logs"
        plist = self.agents / f"{LABEL}.plist"
        self.assertEqual(done.out, f"\nInstalled LaunchAgent: {plist}\nLogs: {logs / 'gateway.log'}\n")
        found = self.plist()
        keys = ["Label", "Comment", "RunAtLoad", "KeepAlive", "ProgramArguments", "WorkingDirectory"]
        self.assertEqual(list(found)[:6], keys)
        self.assertEqual(found["ProgramArguments"][1:], ["gateway", "--port", "18800"])  # type: ignore[index] # a list
        self.assertTrue(logs.is_dir())
        self.assertNotIn("new-0123456789", plist.read_text())
        self.assertEqual((state / ".env").read_text(), '# mine\nOTHER=1\nOPENCLAW_GATEWAY_TOKEN="new-0123456789"\n')
        trashed = sorted(path.stem for path in (self.home / ".Trash").iterdir())
        self.assertEqual(trashed, ["ai.openclaw.gateway", "com.openclaw.gateway"])

    def test_life(self) -> None:
        """
        A stop unloads it, a start loads it again; removed, its plist is in the trash.
        """
        self.assertEqual(self.openclaw("gateway", "start").out.splitlines()[0], "Gateway service not loaded.")
        self.openclaw("gateway", "install")
        self.assertIn(f"/{LABEL}\n", self.openclaw("gateway", "restart").out)
        self.assertIn("Stopped LaunchAgent: gui/", self.openclaw("gateway", "stop").out)
        self.assertIn("Restarted LaunchAgent: gui/", self.openclaw("gateway", "start").out)
        self.assertIn("Moved LaunchAgent to Trash: ", self.openclaw("gateway", "uninstall").out)
        self.assertIn("LaunchAgent not found at ", self.openclaw("gateway", "uninstall").out)

    def test_codes(self) -> None:
        """
        Whatever launchd answers: in the end the agent is loaded, or it is told that it is not, with what helps.
        """
        self.openclaw("gateway", "install")
        # It vanishes between the question and the restart; then bootstrap brings it back.
        vanishing = self.stubs.directory / "answer launchctl kickstart"
        vanishing.write_text('rm "$STUBS/loaded"; echo "Could not find service" >&2; exit 113\n')
        self.assertEqual(self.openclaw("gateway", "restart").code, 0)
        self.assertTrue((self.stubs.directory / "loaded").exists())
        (self.stubs.directory / "loaded").unlink()
        for code, text in ((5, "Bootstrap failed: 5: Input/output error"), (37, "Operation already in progress")):
            self.stubs.answer("launchctl bootstrap", code, text)
            for action in ("start", "restart", "install"):
                done = self.openclaw("gateway", action, "--json")
                self.assertEqual(done.code, 1)
                self.assertEqual(done.json["error"], f"Gateway {action} failed: launchctl bootstrap failed: {text}")
                self.assertEqual(len(done.json["hints"]), 1)

    def test_marker(self) -> None:
        """
        While the app looks after the agent, ours is not written.
        """
        marker = self.home / ".openclaw" / "disable-launchagent"
        marker.parent.mkdir()
        marker.touch()
        done = self.openclaw("gateway", "install")
        self.assertEqual(done.code, 1)
        self.assertIn(f"Gateway install failed: LaunchAgent writes are disabled by {marker}", done.err)
        self.assertFalse(self.agents.exists())

    def test_status(self) -> None:
        """
        Status tells of the agent, and of what is wrong with its plist.
        """
        self.openclaw("--profile", "rescue", "gateway", "install")
        found = self.plist("bot.molt.rescue")
        del found["KeepAlive"]
        (self.agents / "bot.molt.rescue.plist").write_bytes(plistlib.dumps(found))
        service = self.openclaw("--profile", "rescue", "gateway", "status", "--json", "--no-probe").json["service"]
        self.assertEqual((service["label"], service["loaded"], service["loadedText"]), ("LaunchAgent", True, "loaded"))
        self.assertEqual(service["runtime"], {"status": "running", "state": "running", "pid": 77, "lastExitStatus": 0})
        self.assertEqual([issue["code"] for issue in service["configAudit"]["issues"]], ["launchd-keep-alive"])
