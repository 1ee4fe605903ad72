"""
``openclaw devices`` and ``openclaw sessions``.
"""

from __future__ import annotations

from tests.cli.harness import NOW, GatewayCase

NOW_MS = int(NOW * 1000)


class DevicesTests(GatewayCase):
    """
    Who may connect.
    """

    def test_list(self) -> None:
        """
        What waits and what is paired are tables, or the payload.
        """
        listed = {
            "pending": [{"requestId": "req-1", "deviceId": "d", "role": "node", "ts": NOW_MS - 90_000}],
            "paired": [
                {
                    "deviceId": "abc",
                    "displayName": "Phone\x1b[31m",
                    "roles": ["node", "operator"],
                    "scopes": ["operator.read"],
                    "tokens": [{"role": "node"}, {"role": "operator", "revokedAtMs": 1}],
                }
            ],
        }
        self.gateway.methods["device.pair.list"] = listed
        self.assertEqual(self.openclaw("devices", "list", "--json").json, listed)
        out = self.openclaw("devices").out
        self.assertIn("Pending (1)\n┌", out)
        self.assertIn("│ req-1   │ d      │ node │    │ 1m  │", out)
        self.assertIn("node, operator (revoked)", out)
        self.assertNotIn("\x1b", out)

    def test_none(self) -> None:
        """
        Nothing is told of as such.
        """
        self.gateway.methods["device.pair.list"] = {"pending": [], "paired": []}
        self.assertEqual(self.openclaw("devices", "list").out, "No device pairing entries.\n")

    def test_decisions(self) -> None:
        """
        A decision names the request, and the answer names the device.
        """
        self.gateway.methods["device.pair.approve"] = {"requestId": "r", "device": {"deviceId": "abc"}}
        self.gateway.methods["device.pair.reject"] = {"requestId": "r", "deviceId": "abc"}
        self.assertEqual(self.openclaw("devices", "approve", "r").out, "Approved abc\n")
        self.assertEqual(self.openclaw("devices", "reject", "r").out, "Rejected abc\n")
        self.assertEqual([request["params"] for request in self.gateway.requests], [{"requestId": "r"}] * 2)

    def test_options(self) -> None:
        """
        An option that a subcommand does not have is refused, and nothing is asked.
        """
        for words in (["list", "--device", "x"], ["approve", "r", "--role", "node"], ["revoke", "--scope", "a"]):
            outcome = self.openclaw("devices", *words)
            (option,) = [word for word in words if word.startswith("--")]
            told = f"error: unknown option '{option}' of 'devices {words[0]}'\n"
            self.assertEqual((outcome.code, outcome.err), (2, told))
        self.assertEqual(self.gateway.connects, [])

    def test_tokens(self) -> None:
        """
        Tokens are rotated and revoked by device and role.
        """
        self.gateway.methods["device.token.rotate"] = {"token": "t"}
        self.gateway.methods["device.token.revoke"] = {"revokedAtMs": 1}
        whose = ("--device", "abc", "--role", "node")
        rotated = self.openclaw("devices", "rotate", *whose, "--scope", "a", "--scope", "b")
        self.assertEqual(rotated.json, {"token": "t"})
        self.assertEqual(self.openclaw("devices", "revoke", *whose).json, {"revokedAtMs": 1})
        expected = {"deviceId": "abc", "role": "node"}
        params = [request["params"] for request in self.gateway.requests]
        self.assertEqual(params, [{**expected, "scopes": ["a", "b"]}, expected])

    def test_usage(self) -> None:
        """
        What is missing is named.
        """
        outcome = self.openclaw("devices", "revoke", "--device", "x")
        self.assertEqual((outcome.code, outcome.err), (2, "error: required option '--role <role>' not specified\n"))
        self.assertEqual(self.openclaw("devices", "approve").err, "error: missing required argument 'requestId'\n")
        self.assertEqual(self.openclaw("devices", "nope").err, "error: unknown command 'devices nope'\n")

    def test_unknown_request(self) -> None:
        """
        The gateway's refusal is the message.
        """
        self.gateway.methods["device.pair.approve"] = lambda peer, request: peer.refuse(
            request, "INVALID_REQUEST", "unknown requestId"
        )
        outcome = self.openclaw("devices", "approve", "r")
        self.assertEqual((outcome.code, outcome.err), (1, "Error: unknown requestId\n"))


class SessionsTests(GatewayCase):
    """
    Conversations.
    """

    def setUp(self) -> None:
        super().setUp()
        row = {"key": "agent:main:main", "kind": "direct", "updatedAt": NOW_MS - 120_000, "sessionId": "s"}
        row |= {"totalTokens": 1500, "model": "echo", "systemSent": True, "thinkingLevel": "low"}
        self.gateway.methods["sessions.list"] = {
            "path": f"{self.home}/db",
            "count": 1,
            "defaults": {"model": "echo", "contextTokens": 200_000},
            "sessions": [row],
        }

    def test_json(self) -> None:
        """
        Scripts get the rows with their ages.
        """
        listed = self.openclaw("sessions", "--json", "--active", "5").json
        self.assertEqual((listed["path"], listed["count"], listed["activeMinutes"]), (f"{self.home}/db", 1, 5))
        self.assertEqual(list(listed["sessions"][0])[:4], ["key", "kind", "updatedAt", "ageMs"])
        self.assertEqual(listed["sessions"][0]["ageMs"], 120_000)
        self.assertEqual(self.gateway.requests[0]["params"]["activeMinutes"], 5)

    def test_table(self) -> None:
        """
        People get a table.
        """
        out = self.openclaw("sessions").out
        self.assertTrue(out.startswith("Session store: ~/db\nSessions listed: 1\n┌"), out)
        self.assertIn("│ direct │ agent:main:main │ 2m  │ echo  │ 1.5k/200k (1%) │ think:low system │", out)

    def test_bad_number(self) -> None:
        """
        Numbers must count something.
        """
        outcome = self.openclaw("sessions", "--active", "0")
        self.assertEqual((outcome.code, outcome.err), (2, "error: --active must be a positive integer (minutes)\n"))

    def test_store(self) -> None:
        """
        There is no file to read: it says where conversations are instead.
        """
        outcome = self.openclaw("sessions", "--store", "sessions.json")
        self.assertEqual((outcome.code, outcome.err[:28]), (2, "error: --store is not here: "))
        self.assertEqual(self.gateway.connects, [])
