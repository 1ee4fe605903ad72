"""
Tests of ``openclaw doctor --isolation``.
"""

from __future__ import annotations

import json
import plistlib
import sys
from pathlib import Path
from typing import Any

from tests.cli.harness import CommandCase, Outcome

BOT = "110201543:a-token-of-this-test-0123456789"


class IsolationTests(CommandCase):
    """
    Of the default profile, beside others.
    """

    def setUp(self) -> None:
        super().setUp()
        self.configure({"gateway": {"mode": "local"}, "channels": {"telegram": {"botToken": BOT}}})

    def profile(self, name: str, config: Any) -> None:
        directory = self.home / f".openclaw-{name}"
        directory.mkdir()
        (directory / "openclaw.json").write_text(config if isinstance(config, str) else json.dumps(config))

    def unit(self, name: str, *, arguments: str = "gateway", **environment: str) -> None:
        units = self.home / ".config" / "systemd" / "user"
        units.mkdir(parents=True, exist_ok=True)
        lines = [f'Environment="{key}={value}"' for key, value in environment.items()]
        (units / name).write_text("\n".join(["[Service]", f"ExecStart=/usr/bin/openclaw {arguments}", *lines, ""]))

    def look(self, *options: str) -> Outcome:
        return self.openclaw("doctor", "--isolation", *options)

    def wrong(self) -> dict[str, list[str]]:
        """
        What is shared, by the names of the items.
        """
        told: dict[str, list[str]] = {}
        outcome = self.look("--json")
        for item in outcome.json["items"]:
            if not item["ok"]:
                told.setdefault(item["id"], []).append(item["detail"])
        self.assertEqual((outcome.code, outcome.json["ok"]), (1 if told else 0, not told))
        self.assertNotIn(BOT, outcome.out)
        return told

    def test_alone(self) -> None:
        """
        A gateway that is the only one shares nothing; each thing that could be is told.
        """
        outcome = self.look()
        self.assertEqual(outcome.code, 0)
        lines = outcome.out.splitlines()
        self.assertEqual(lines[:2], ["Isolation of default", "Other gateways of this machine: none"])
        self.assertEqual(len([line for line in lines if line.startswith("✓")]), 6, lines)

    def test_apart(self) -> None:
        """
        A profile with ports and accounts of its own is no finding.
        """
        self.profile("rescue", {"gateway": {"port": 19789}, "channels": {"telegram": {"botToken": BOT[:-1] + "8"}}})
        self.assertEqual(self.wrong(), {})
        self.assertEqual(self.look("--json").json["others"][0]["name"], "rescue")

    def test_shared(self) -> None:
        """
        One bot, one workspace, one port: each is named, with what to type; no token is.
        """
        workspace = str(self.home / "files")
        more = {"agents": {"defaults": {"workspace": workspace}}, "channels": {"telegram": {"botToken": BOT}}}
        self.configure({"gateway": {"mode": "local"}, **more})
        self.profile("rescue", more)
        told = self.wrong()
        self.assertEqual(set(told), {"workspace", "ports", "credentials"})
        self.assertEqual(told["workspace"], [f"workspace {workspace} is also that of rescue"])
        self.assertIn("18789 (gateway) is also gateway of rescue", told["ports"][0])
        self.assertEqual(told["credentials"], ["the account of channels.telegram.botToken is also that of rescue"])
        self.assertIn("  Fix: openclaw config set gateway.port 18809\n", self.look().out)

    def test_near(self) -> None:
        """
        Ports that follow from a neighbour's, and a neighbour that is too near for more to come.
        """
        self.profile("near", {"gateway": {"port": 18791}})
        self.assertIn("18791 (browser control) is also gateway of near", self.wrong()["ports"][0])
        self.profile("nearer", {"gateway": {"port": 18800}})
        self.assertEqual(self.wrong()["ports"][1], "18789 is less than 20 from 18800 of nearer")

    def test_services(self) -> None:
        """
        Units count: a second one for this gateway, and one that runs another on the same state.
        """
        state = self.home / ".openclaw"
        self.unit("openclaw-gateway.service", OPENCLAW_SERVICE_MARKER="openclaw")
        self.assertEqual(self.wrong(), {})
        self.unit("openclaw-mine.service", OPENCLAW_STATE_DIR=str(state))
        self.assertEqual(
            self.wrong(), {"service": ["default is run by several: openclaw-gateway.service, openclaw-mine.service"]}
        )
        other = self.home / "other.json"
        other.write_text('{gateway: {port: 20000}, agents: {defaults: {workspace: "~/w"}}}')
        self.unit("openclaw-mine.service", OPENCLAW_STATE_DIR=str(state), OPENCLAW_CONFIG_PATH=str(other))
        self.assertEqual(self.wrong(), {"state": [f"{state} is also that of openclaw-mine"]})
        self.unit("openclaw-mine.service", arguments="gateway --port 18790", OPENCLAW_STATE_DIR=str(self.home / "s"))
        self.assertIn("ports", self.wrong())
        self.unit("openclaw-mine.service", arguments="node run", OPENCLAW_SERVICE_KIND="node")
        self.unit("nginx.service", arguments="serve")
        self.assertEqual(self.wrong(), {})

    def test_agents_of_macos(self) -> None:
        """
        Plists count as units do; one that is broken is none, whatever its parser makes of it.
        """
        self.patch(sys, "platform", "darwin")
        agents = self.home / "Library" / "LaunchAgents"
        agents.mkdir(parents=True)
        other = {"OPENCLAW_STATE_DIR": str(self.home / "s")}
        told = {"ProgramArguments": ["openclaw", "gateway", "--port", "18790"], "EnvironmentVariables": other}
        whole = plistlib.dumps(told)
        (agents / "mine.plist").write_bytes(whole)
        self.assertIn("ports", self.wrong())
        odd: list[Any] = [{**told, "ProgramArguments": 1}, {**told, "ProgramArguments": [1]}, "x", []]
        broken = [whole[:-20], b"", b"bplist00", b"bplist00" + bytes(40), *(plistlib.dumps(one) for one in odd)]
        for data in broken:
            (agents / "mine.plist").write_bytes(data)
            self.assertEqual(self.wrong(), {}, data)

    def test_unreadable(self) -> None:
        """
        A neighbour whose configuration is broken still has its places.
        """
        self.profile("broken", "{ gateway:")
        told = self.look()
        self.assertIn("! The configuration of broken cannot be used; only its places were compared.\n", told.out)
        self.assertIn("is also gateway of broken", told.out)

    def test_own_profile(self) -> None:
        """
        Seen from a profile, the default is the other one; the fix names the profile.
        """
        self.profile("rescue", {})
        outcome = self.openclaw_as("rescue")
        self.assertIn("Isolation of rescue\nOther gateways of this machine: default\n", outcome.out)
        self.assertIn("  Fix: openclaw --profile rescue config set gateway.port 18809\n", outcome.out)

    def openclaw_as(self, profile: str) -> Outcome:
        before = dict(self.environ)
        home: Path = self.home
        self.environ |= {
            "OPENCLAW_PROFILE": profile,
            "OPENCLAW_STATE_DIR": str(home / f".openclaw-{profile}"),
            "OPENCLAW_CONFIG_PATH": str(home / f".openclaw-{profile}" / "openclaw.json"),
        }
        try:
            return self.look()
        finally:
            self.environ = before
