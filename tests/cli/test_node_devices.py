"""
``openclaw nodes`` and what devices are asked most.
"""

from __future__ import annotations

import stat
from base64 import b64encode
from pathlib import Path
from typing import Any

from openclaw.cli.node_devices import COMMANDS
from tests.cli.harness import GatewayCase, Outcome

PHONE = {
    "nodeId": "phone-0001",
    "displayName": "Phone",
    "connected": True,
    "commands": [command.command for name, command in COMMANDS.items() if name != ("run",)],
}
BOX = {"nodeId": "box-000001", "displayName": "Box", "connected": True, "commands": ["system.run", "camera.list"]}
DATA = b64encode(b"bytes").decode()


class DeviceCase(GatewayCase):
    def setUp(self) -> None:
        super().setUp()
        self.gateway.methods["node.list"] = {"ts": 1, "nodes": [PHONE, BOX]}
        self.answer({"ok": True})

    def answer(self, payload: Any) -> None:
        self.gateway.methods["node.invoke"] = {"ok": True, "nodeId": "x", "command": "y", "payload": payload}

    def nodes(self, *words: str) -> Outcome:
        return self.openclaw("nodes", *words)

    def asked(self) -> Any:
        """
        :return: node, command and parameters of the last question to a node.
        """
        params = [one["params"] for one in self.gateway.requests if one["method"] == "node.invoke"][-1]
        return params["nodeId"], params["command"], params.get("params")


class CommandTests(DeviceCase):
    def test_plain(self) -> None:
        """
        What was done is said in a line, or as the device said it.
        """
        for words, command, params in (
            (("notify", "--title", "T", "--body", "B"), "system.notify", {"title": "T", "body": "B"}),
            (("canvas", "hide"), "canvas.hide", {}),
            (("canvas", "navigate", "http://x/"), "canvas.navigate", {"url": "http://x/"}),
            (
                ("canvas", "present", "--target", "http://x/", "--x", "1", "--width", "2.5"),
                "canvas.present",
                {"url": "http://x/", "placement": {"x": 1, "width": 2.5}},
            ),
            (("canvas", "a2ui", "reset"), "canvas.a2ui.reset", {}),
        ):
            outcome = self.nodes(*words)
            self.assertEqual((outcome.code, outcome.out), (0, f"{command} ok\n"), outcome.err)
            self.assertEqual(self.asked(), ("phone-0001", command, params))
            self.assertEqual(self.nodes(*words, "--json").json, {"ok": True})

    def test_which(self) -> None:
        """
        The one that is named, or the only one that can do it.
        """
        self.nodes("camera", "list", "--node", "box")
        self.assertEqual(self.asked()[0], "box-000001")
        outcome = self.nodes("camera", "list")
        self.assertEqual((outcome.code, outcome.err), (2, "error: required option '--node <node>' not specified\n"))
        outcome = self.nodes("canvas", "hide", "--node", "nope")
        self.assertEqual(outcome.code, 1)
        self.assertIn("nodes canvas hide failed: Error: unknown node: nope (known: Phone, Box)", outcome.err)

    def test_eval(self) -> None:
        self.answer({"result": "42"})
        for words in (("--js", "6*7"), ("6*7",)):
            self.assertEqual(self.nodes("canvas", "eval", *words).out, "42\n")
            self.assertEqual(self.asked()[2], {"javaScript": "6*7"})
        self.assertEqual(self.nodes("canvas", "eval").code, 2)

    def test_a2ui(self) -> None:
        file = self.home / "ui.jsonl"
        file.write_text('{"a": 1}\n')
        self.nodes("canvas", "a2ui", "push", "--jsonl", str(file))
        self.assertEqual(self.asked()[1:], ("canvas.a2ui.pushJSONL", {"jsonl": '{"a": 1}\n'}))
        self.nodes("canvas", "a2ui", "push", "--text", "hi")
        self.assertIn("beginRendering", self.asked()[2]["jsonl"])
        self.assertEqual(self.nodes("canvas", "a2ui", "push").code, 2)
        self.assertEqual(self.nodes("canvas", "a2ui", "push", "--jsonl", "nope").code, 1)

    def test_location(self) -> None:
        self.answer({"lat": 1})
        outcome = self.nodes("location", "get", "--accuracy", "coarse", "--max-age", "5")
        self.assertEqual(outcome.json, {"lat": 1})
        wanted = {"timeoutMs": 10_000, "maxAgeMs": 5, "desiredAccuracy": "coarse"}
        self.assertEqual(self.asked()[2], wanted)

    def test_refused(self) -> None:
        """
        What makes no sense is said before anybody is asked.
        """
        for words, why in (
            (("canvas",), "unknown command 'nodes canvas '"),
            (("canvas", "snapshto"), "unknown command 'nodes canvas snapshto'\n(Did you mean nodes canvas snapshot?)"),
            (("canvas", "hide", "--title", "x"), "unknown option '--title' of 'nodes canvas hide'"),
            (("canvas", "snapshot", "--format", "gif"), "--format must be png or jpg"),
            (("camera", "snap", "--facing", "up"), "--facing must be front, back or both"),
            (("camera", "clip", "--facing", "both"), "--facing must be front or back"),
            (("screen", "record", "--duration", "soon"), "--duration must be a time, such as 3000, 10s or 1m"),
            (("notify",), "give --title or --body"),
            (("run",), "give a command after --, or --raw"),
        ):
            outcome = self.nodes(*words)
            self.assertEqual(outcome.code, 2, words)
            self.assertIn(why, outcome.err)
        self.assertEqual([one for one in self.gateway.requests if one["method"] == "node.invoke"], [])


class FileTests(DeviceCase):
    def kept(self, path: str) -> None:
        file = Path(path)
        self.addCleanup(file.unlink)
        self.assertEqual((file.read_bytes(), stat.S_IMODE(file.stat().st_mode)), (b"bytes", 0o600))

    def test_pictures(self) -> None:
        """
        Each in a file for the user only.
        """
        self.answer({"format": "jpg", "base64": DATA})
        paths = self.nodes("camera", "snap", "--json").json["files"]
        self.assertEqual(["camera-snap-front" in paths[0], "camera-snap-back" in paths[1]], [True, True])
        for path in paths:
            self.kept(path)
        line = self.nodes("canvas", "snapshot", "--max-width", "5").out
        self.assertTrue(line.startswith("MEDIA:/") and line.endswith(".jpg\n"), line)
        self.assertEqual(self.asked()[2], {"format": "jpeg", "maxWidth": 5})
        self.kept(line.strip().removeprefix("MEDIA:"))

    def test_recordings(self) -> None:
        self.answer({"format": "../../x", "base64": DATA})
        out = self.home / "screen.mp4"
        told = self.nodes("screen", "record", "--duration", "2s", "--no-audio", "--out", str(out), "--json").json
        self.assertEqual(told, {"file": str(out)})
        self.assertEqual(out.read_bytes(), b"bytes")
        self.assertEqual((self.asked()[2]["durationMs"], self.asked()[2]["includeAudio"]), (2000, False))
        path = self.nodes("camera", "clip").out.strip().removeprefix("MEDIA:")
        self.assertTrue(path.endswith(".mp4"), path)
        self.kept(path)

    def test_none(self) -> None:
        for payload in (None, {}, {"base64": ""}, {"base64": "?"}):
            self.answer(payload)
            outcome = self.nodes("canvas", "snapshot")
            self.assertEqual(outcome.code, 1)
            self.assertIn("the node sent no file", outcome.err)


class RunTests(DeviceCase):
    def test_output(self) -> None:
        self.answer({"exitCode": 0, "stdout": "out\n", "stderr": "err\n"})
        outcome = self.nodes("run", "--cwd", "/", "--env", "A=b=c", "--", "ls", "-l")
        self.assertEqual((outcome.code, outcome.out, outcome.err), (0, "out\n", "err\n"))
        wanted = {"command": ["ls", "-l"], "env": {"A": "b=c"}, "cwd": "/"}
        self.assertEqual(self.asked(), ("box-000001", "system.run", wanted))
        self.nodes("run", "--raw", "uptime | cat")
        self.assertEqual(self.asked()[2]["command"], ["/bin/sh", "-lc", "uptime | cat"])

    def test_failures(self) -> None:
        self.answer({"exitCode": 3, "stdout": "", "stderr": ""})
        outcome = self.nodes("run", "--", "false")
        self.assertEqual(outcome.code, 1)
        self.assertIn("run exit 3", outcome.err)
        self.answer({"exitCode": None, "timedOut": True})
        self.assertIn("run timed out", self.nodes("run", "--", "sleep", "9").err)
