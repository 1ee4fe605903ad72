"""
``openclaw message send``.
"""

from __future__ import annotations

from tests.cli.harness import GatewayCase


class MessageTests(GatewayCase):
    def channels(self, **channels: object) -> None:
        gateway = {"mode": "local", "port": self.gateway.port, "auth": {"token": "shared"}}
        self.configure({"gateway": gateway, "channels": channels})

    def test_sent(self) -> None:
        """
        The only channel is taken; the gateway sends, and its key is new each time.
        """
        self.channels(telegram={"botToken": "x"}, whatsapp={"enabled": False}, defaults={"groupPolicy": "open"})
        self.gateway.methods["send"] = {"runId": "r", "messageId": "7", "channel": "telegram"}
        done = self.openclaw("message", "send", "-t", " @me ", "-m", "hi", "--account", "work")
        self.assertEqual((done.code, done.out), (0, "✅ Sent via Telegram. Message ID: 7\n"))
        done = self.openclaw("message", "send", "--target", "@me", "--media", "http://x/y.png", "--json")
        payload = done.json["payload"]
        self.assertEqual((payload["via"], payload["result"]["messageId"]), ("gateway", "7"))
        first, second = (request["params"] for request in self.gateway.requests if request["method"] == "send")
        self.assertNotEqual(first.pop("idempotencyKey"), second.pop("idempotencyKey"))
        self.assertEqual(first, {"to": "@me", "message": "hi", "channel": "telegram", "accountId": "work"})
        self.assertEqual(second["mediaUrl"], "http://x/y.png")

    def test_dry_run(self) -> None:
        """
        Nothing is sent, and nobody is asked.
        """
        done = self.openclaw("message", "send", "-t", "1", "-m", "hi", "--channel", "Telegram", "--dry-run", "--json")
        payload = {"channel": "telegram", "to": "1", "via": "gateway", "mediaUrl": None, "dryRun": True}
        wanted = {"action": "send", "channel": "telegram", "dryRun": True, "handledBy": "core", "payload": payload}
        self.assertEqual(done.json, wanted)
        self.assertEqual(self.gateway.requests, [])

    def test_refused(self) -> None:
        """
        What is missing is named; what the gateway says is told.
        """
        send = ("message", "send", "-t", "1", "-m", "hi")
        unsupported = "unsupported channel: telegram"
        for words, channels, error in (
            (("message", "send", "-m", "hi"), {}, "error: required option '-t, --target <dest>' not specified"),
            (("message", "send", "-t", "1"), {}, "Error: message required"),
            (send, {}, "Error: Channel is required (no configured channels detected)."),
            (
                send,
                {"telegram": {}, "whatsapp": {}},
                "Error: Channel is required when multiple channels are configured: telegram, whatsapp",
            ),
            (send, {"telegram": {}}, "Error: Unknown channel: telegram"),
        ):
            self.channels(**channels)
            self.gateway.methods["send"] = lambda peer, request: peer.refuse(request, "INVALID_REQUEST", unsupported)
            done = self.openclaw(*words)
            self.assertNotEqual(done.code, 0, words)
            self.assertIn(error, done.err)
