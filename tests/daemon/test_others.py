"""
Services that look like a gateway, beside the one that is meant.
"""

from __future__ import annotations

from pathlib import Path

from openclaw.daemon.others import Place, other_services, places
from tests.cli.harness import CommandCase

OWN = "openclaw-gateway.service"


class OtherServicesTests(CommandCase):
    def setUp(self) -> None:
        super().setUp()
        self.environ["PATH"] = ""
        self.units = self.home / ".config" / "systemd" / "user"
        self.units.mkdir(parents=True)

    def unit(self, name: str, text: str) -> Path:
        path = self.units / name
        path.write_text(text)
        return path

    def test_found(self) -> None:
        """
        A unit that names a gateway is told of in the recorded shape, and for people with what ends it.
        """
        path = self.unit("clawdbot-gateway.service", "[Service]\nExecStart=/usr/bin/ClawdBot gateway\n")
        self.unit("cups.service", "[Service]\nExecStart=/usr/sbin/cupsd\n")
        outcome = self.openclaw("gateway", "status", "--json", "--no-probe")
        entry = {"platform": "linux", "label": path.name, "detail": f"unit: {path}", "scope": "user"}
        self.assertEqual(outcome.json["extraServices"], [{**entry, "marker": "clawdbot", "legacy": True}])
        err = self.openclaw("gateway", "status", "--no-probe").err
        self.assertIn(f"- clawdbot-gateway.service (user, unit: {path})\n", err)
        self.assertIn(f"systemctl --user disable --now clawdbot-gateway.service && rm {path}\n", err)

    def test_ours(self) -> None:
        """
        The gateways of our profiles and the node host are no others, nor is the unit that is asked for.
        """
        marked = "Environment=OPENCLAW_SERVICE_MARKER=openclaw\nEnvironment=OPENCLAW_SERVICE_KIND="
        self.unit(OWN, "ExecStart=openclaw gateway")
        self.unit("openclaw-gateway-rescue.service", "ExecStart=openclaw --profile rescue gateway")
        self.unit("renamed.service", f"{marked}gateway")
        self.unit("openclaw-node.service", f"{marked}node")
        self.unit("mine.service", "ExecStart=openclaw gateway")
        found_in = [Place(scope="user", directory=self.units)]
        self.assertEqual([other.label for other in other_services(found_in, OWN, "linux")], ["mine.service"])
        self.assertEqual(other_services(found_in, "mine.service", "linux"), [])

    def test_deep(self) -> None:
        """
        ``--deep`` looks at the system's own units, too, and tells of a file once, by whatever way it is reached.
        """
        self.assertEqual([place.scope for place in places(self.home, deep=False, platform="linux")], ["user"])
        deep = places(self.home, deep=True, platform="linux")
        self.assertIn(Path("/etc/systemd/system"), [place.directory for place in deep])
        system, again = self.home / "system", self.home / "again"
        system.mkdir()
        again.symlink_to(system)
        (system / "moltbot.service").write_text("moltbot")
        looked = [Place(scope="system", directory=directory) for directory in (system, again, self.home / "none")]
        (found,) = other_services(looked, OWN, "linux")
        self.assertEqual(found.cleanup()[0], "systemctl disable --now moltbot.service")

    def test_launchd(self) -> None:
        """
        On macOS agents are found by their labels.
        """
        own, *_ = places(self.home, deep=True, platform="darwin")
        self.assertEqual(own.directory, self.home / "Library" / "LaunchAgents")
        own.directory.mkdir(parents=True)
        (own.directory / "com.openclaw.gateway.plist").write_text("<string>openclaw</string><string>gateway</string>")
        (own.directory / "bot.molt.gateway.plist").write_text("<string>openclaw</string><string>gateway</string>")
        (found,) = other_services([own], "bot.molt.gateway", "darwin")
        self.assertEqual(
            (found.label, found.cleanup()[0]),
            ("com.openclaw.gateway", "launchctl bootout gui/$UID/com.openclaw.gateway"),
        )
