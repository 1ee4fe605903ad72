"""
Presence: merging, expiry, and what is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from openclaw.gateway.presence import Presence, parse_line


class PresenceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1_800_000_000)
        self.told: list[Mapping[str, Any]] = []
        self.presence = Presence(
            clock=self.clock, own=lambda: {"host": "gw", "mode": "gateway"}, publish=self.told.append
        )

    def hosts(self) -> list[str]:
        return [entry.get("host", "?") for entry in self.presence.listing()]

    def test_line(self) -> None:
        """
        The well-known line is parsed into members; another text into none.
        """
        line = "Node: Mac (10.0.0.2) · app 1.2 · last input 3s ago · mode ui · reason launch"
        self.assertEqual(
            parse_line(line),
            {
                "host": "Mac",
                "ip": "10.0.0.2",
                "version": "1.2",
                "lastInputSeconds": 3,
                "mode": "ui",
                "reason": "launch",
            },
        )
        self.assertEqual(parse_line("hello world"), {})

    def test_connected_client_stays(self) -> None:
        """
        A connected client is listed however long it is silent; after it left it expires, and leaves no ghost.
        """
        self.presence.connected("dev", {"host": "Browser", "mode": "webchat"})
        self.clock.advance(3600)
        self.assertEqual(self.hosts(), ["gw", "Browser"])
        self.presence.disconnected("dev")
        self.assertEqual(self.presence.listing()[1]["reason"], "disconnect")
        self.clock.advance(301)
        self.assertEqual(self.hosts(), ["gw"])

    def test_two_connections_of_one_device(self) -> None:
        """
        One row for a device; it leaves when its last connection does, and roles are a union.
        """
        self.presence.connected("dev", {"roles": ["operator"], "scopes": []})
        self.presence.connected("DEV", {"roles": ["node"], "scopes": []})
        before = self.presence.version
        self.presence.disconnected("dev")
        entry = self.presence.listing()[1]
        self.assertEqual((entry["roles"], entry["reason"]), (["operator", "node"], "connect"))
        self.assertEqual((self.told[0]["presence"][1]["reason"], self.presence.version), ("connect", before + 1))
        self.presence.disconnected("dev")
        self.assertEqual(self.presence.listing()[1]["reason"], "disconnect")

    def test_nothing_is_absent(self) -> None:
        """
        Whoever has no scopes has no list of them either.
        """
        self.presence.connected("node", {"host": "Phone", "roles": ["node"], "scopes": []})
        entry = self.presence.listing()[1]
        self.assertEqual((entry["roles"], "scopes" in entry), (["node"], False))
        self.presence.connected("node", {"roles": ["operator"], "scopes": [" operator.read ", ""]})
        self.assertEqual(self.presence.listing()[1]["scopes"], ["operator.read"])

    def test_system_event(self) -> None:
        """
        A system event merges, keeps tags, raises the version and tells the whole list.
        """
        note = self.presence.system_event(
            {"text": "hello", "deviceId": "d", "tags": ["a"], "roles": [1], "lastInputSeconds": True}
        )
        entry = self.presence.listing()[1]
        self.assertEqual(
            (note, entry["tags"], self.presence.version, len(self.told[0]["presence"])), ("hello", ["a"], 2, 2)
        )
        self.assertNotIn("roles", entry)
        self.assertNotIn("lastInputSeconds", entry)

    def test_periodic_line_makes_no_note(self) -> None:
        """
        A presence line is a note only when something changed that people care about.
        """
        line = "Node: Mac (10.0.0.2) · app 1.2 · mode ui · reason launch"
        self.assertEqual(self.presence.system_event({"text": line}), line)
        self.assertIsNone(self.presence.system_event({"text": line.replace("launch", "periodic-beacon")}))
        self.assertEqual(
            self.presence.system_event({"text": line.replace("1.2", "1.3").replace("launch", "periodic")}),
            "app 1.3",
        )

    def test_at_most_200(self) -> None:
        """
        The list is bounded; the oldest entries go first.
        """
        for number in range(250):
            self.clock.advance(0.001)
            self.presence.system_event({"text": "x", "host": f"h{number}", "deviceId": f"d{number}"})
        listing = self.presence.listing()
        self.assertEqual((len(listing), listing[1]["host"]), (200, "h249"))
