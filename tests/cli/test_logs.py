"""
``openclaw logs``.
"""

from __future__ import annotations

import json
from typing import Any

from openclaw.cli.logs import parse_line
from tests.cli.harness import GatewayCase
from tests.client.gateway import Peer

LINE = json.dumps(
    {
        "0": '{"subsystem":"gateway/ws"}',
        "1": "connected",
        "2": {"conn": 1},
        "_meta": {
            "name": '{"subsystem":"gateway/ws"}',
            "date": "2026-11-23T06:03:43.942Z",
            "logLevelName": "INFO",
        },
        "time": "2026-11-23T06:03:43.942Z",
    }
)


class LogsTests(GatewayCase):
    """
    Reading through the gateway.
    """

    def setUp(self) -> None:
        super().setUp()
        self.tails: list[dict[str, Any]] = [self.tail([LINE, "junk"])]
        self.gateway.methods["logs.tail"] = self.answer

    def tail(self, lines: list[str], **members: Any) -> dict[str, Any]:
        """
        An answer of the gateway.
        """
        path = f"{self.home}/x.log"
        return {"file": path, "cursor": 9, "size": 9, "lines": lines, "truncated": False, "reset": False, **members}

    def answer(self, peer: Peer, request: dict[str, Any]) -> None:
        """
        The next answer; when there are no more, the gateway goes away.
        """
        if self.tails:
            peer.answer(request, self.tails.pop(0))
        else:
            peer.close(1012, "service restart")

    def test_text(self) -> None:
        """
        People read time, level, place and text; what is no record is shown as it is.
        """
        self.assertEqual(
            self.openclaw("logs").out,
            'Log file: ~/x.log\n2026-11-23T06:03:43.942Z info gateway/ws connected {"conn": 1}\njunk\n',
        )
        self.assertEqual(self.gateway.requests[0]["params"], {"limit": 200, "maxBytes": 250_000})

    def test_json(self) -> None:
        """
        Scripts get one object a line.
        """
        self.tails = [self.tail([LINE, "junk"], truncated=True)]
        lines = [json.loads(line) for line in self.openclaw("logs", "--json", "--limit", "5").out.splitlines()]
        self.assertEqual(
            lines,
            [
                {"type": "meta", "file": f"{self.home}/x.log", "cursor": 9, "size": 9},
                {"type": "notice", "message": "Log tail truncated (increase --max-bytes)."},
                {
                    "type": "log",
                    "time": "2026-11-23T06:03:43.942Z",
                    "level": "info",
                    "subsystem": "gateway/ws",
                    "message": 'connected {"conn": 1}',
                    "raw": LINE,
                },
                {"type": "raw", "raw": "junk"},
            ],
        )

    def test_follow(self) -> None:
        """
        A follow goes on from the cursor, tells of a new file, and ends when the gateway does.
        """
        self.tails = [self.tail(["one"]), self.tail(["two"], reset=True)]
        outcome = self.openclaw("logs", "--follow", "--interval", "1")
        self.assertEqual(outcome.code, 1)
        self.assertEqual(outcome.out, "Log file: ~/x.log\none\ntwo\n")
        self.assertTrue(outcome.err.startswith("Log cursor reset (file rotated).\nGateway not reachable."))
        self.assertEqual(len(self.gateway.connects), 1)
        self.assertEqual(self.gateway.requests[1]["params"]["cursor"], 9)

    def test_unreachable(self) -> None:
        """
        Without a gateway the target and a hint are told, for scripts as one object on stderr.
        """
        url = "ws://127.0.0.1:9"
        outcome = self.openclaw("logs", "--url", url)
        self.assertEqual((outcome.code, outcome.out), (1, ""))
        lines = outcome.err.splitlines()
        self.assertEqual(lines[0], "Gateway not reachable. Is it running and accessible?")
        self.assertEqual(lines[1:3], [f"Gateway target: {url}", "Source: cli --url"])
        self.assertEqual(lines[-1], "Hint: run `openclaw doctor`.")
        told = json.loads(self.openclaw("logs", "--json", "--url", url).err)
        self.assertEqual((told["type"], told["details"]["url"]), ("error", url))
        self.assertIn("gateway closed (1006", told["error"])

    def test_refused(self) -> None:
        """
        Who is refused reads why, and does not look for a gateway that is not down.
        """
        err = self.openclaw("logs", "--token", "wrong").err
        self.assertIn("Cause: gateway closed (1008): unauthorized: gateway token mismatch", err)

    def test_lines_of_others(self) -> None:
        """
        Whatever a line holds, reading it does not fail.
        """
        for text in ("", "1", "[]", "{}", '{"_meta": 1}'):
            self.assertIsNone(parse_line(text))
        entry = parse_line('{"0": "plain", "_meta": {"name": "{", "logLevelName": "WARN"}}')
        assert entry is not None
        self.assertEqual((entry.level, entry.message, entry.subsystem), ("warn", "plain", None))
