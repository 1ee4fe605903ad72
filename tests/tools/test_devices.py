"""
Tools that ask nodes.
"""

from __future__ import annotations

import stat
from base64 import b64encode
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.providers.base import ToolCall
from openclaw.tools.base import ToolFailed, parameters
from tests.tools.fakes import FakeWorld, where

PHONE = {
    "nodeId": "phone-0123456789",
    "displayName": "My Phone",
    "connected": True,
    "commands": ["camera.snap", "canvas.present", "canvas.snapshot", "canvas.eval"],
}
MAC = {"nodeId": "mac-0123456789", "displayName": "Mac", "connected": True, "commands": ["system.run", "system.notify"]}
AWAY = {"nodeId": "old-0123456789", "displayName": "My Phone", "connected": False, "commands": []}
PNG = b64encode(b"\x89PNG").decode()


class DeviceCase(SynchronousTestCase):
    def world(self, payload: Any = None, nodes: Any = (PHONE, MAC, AWAY)) -> FakeWorld:
        answers = {"node.list": {"ts": 1, "nodes": list(nodes)}, "node.invoke": {"ok": True, "payload": payload}}
        return FakeWorld(Path(self.mktemp()).absolute(), answers)

    def invoked(self, world: FakeWorld) -> Any:
        """
        :return: node, command and parameters of the last one.
        """
        asked = [params for method, params in world.called if method == "node.invoke"][-1]
        return asked["nodeId"], asked["command"], asked["params"]

    def failed(self, world: FakeWorld, tool: str, **arguments: Any) -> str:
        return str(self.failureResultOf(world.perform(tool, **arguments), ToolFailed).value)


class NodeTests(DeviceCase):
    def test_which(self) -> None:
        """
        By name, id or the beginning of one; alone where only one can do it; else it has to be said.
        """
        world = self.world()
        for named in ("Mac", "mac-0123456789", "mac-01", None):
            arguments = {"command": ["uptime"], **({"node": named} if named else {})}
            self.successResultOf(world.perform("nodes", action="run", **arguments))
            self.assertEqual(self.invoked(world)[0], "mac-0123456789")
        self.successResultOf(world.perform("canvas", action="present", node="my phone"))
        self.assertEqual(self.invoked(world)[0], "phone-0123456789")
        self.assertIn("unknown node: nope (known: ", self.failed(world, "nodes", action="describe", node="nope"))
        self.assertEqual(self.failed(world, "nodes", action="location_get"), "node required")
        self.assertEqual(self.failed(self.world(nodes=()), "canvas", action="hide"), "node required")

    def test_run(self) -> None:
        """
        What a caller says of approvals does not come along; the node's own rules count.
        """
        world = self.world({"exitCode": 0})
        asked = {"command": ["ls", "-l"], "cwd": "/", "env": ["A=b=c", "x"], "commandTimeoutMs": 1000, "approved": True}
        told = self.successResultOf(world.perform("nodes", action="run", **asked))
        self.assertEqual(told.details, {"exitCode": 0})
        expected = {
            "command": ["ls", "-l"],
            "agentId": "main",
            "sessionKey": "agent:main:main",
            "cwd": "/",
            "env": {"A": "b=c"},
            "timeoutMs": 1000,
        }
        self.assertEqual(self.invoked(world)[2], expected)
        self.assertEqual(world.called[-1][1]["timeoutMs"], 6000)
        self.assertIn("command required", self.failed(world, "nodes", action="run", command="ls"))

    def test_pictures(self) -> None:
        """
        In files for the owner only, and for the model.
        """
        world = self.world({"format": "png", "base64": PNG, "width": 2})
        told = self.successResultOf(world.perform("nodes", action="camera_snap", facing="both"))
        self.assertEqual([block["type"] for block in told.content], ["text", "image"] * 2)
        path = Path(told.details["snaps"][0]["path"])
        self.assertEqual((path.read_bytes(), stat.S_IMODE(path.stat().st_mode)), (b"\x89PNG", 0o600))
        self.assertEqual(stat.S_IMODE(path.parent.stat().st_mode), 0o700)
        told_so = self.failed(world, "nodes", action="camera_snap", facing="up")
        self.assertEqual(told_so, "facing must be front, back or both")

    def test_bad_files(self) -> None:
        for payload, why in (
            (None, "the node sent no file"),
            ({"base64": ""}, "the node sent no file"),
            ({"base64": "?"}, "the node sent a file that cannot be read"),
        ):
            self.assertEqual(self.failed(self.world(payload), "nodes", action="camera_snap"), why)
        odd = self.world({"format": "../x", "base64": PNG})
        told = self.successResultOf(odd.perform("nodes", action="camera_snap"))
        self.assertTrue(told.details["snaps"][0]["path"].endswith(".jpg"))

    def test_recording(self) -> None:
        node = {**PHONE, "commands": ["screen.record", "camera.clip"]}
        world = self.world({"base64": PNG}, nodes=(node,))
        for duration, wanted in (("10s", 10_000), ("500ms", 500), ("1m", 60_000), ("5m", 60_000), ("7", 7)):
            self.successResultOf(world.perform("nodes", action="screen_record", duration=duration))
            self.assertEqual(self.invoked(world)[2]["durationMs"], wanted)
        self.assertEqual(world.called[-1][1]["timeoutMs"], 30_007)
        self.assertIn("duration must be", self.failed(world, "nodes", action="camera_clip", duration="soon"))

    def test_pairing(self) -> None:
        world = FakeWorld(Path(self.mktemp()), {"node.pair.approve": {"requestId": "r"}})
        self.successResultOf(world.perform("nodes", action="approve", requestId="r"))
        self.assertEqual(world.called, [("node.pair.approve", {"requestId": "r"})])
        self.assertEqual(self.failed(world, "nodes", action="reject"), "requestId required")
        self.assertEqual(self.failed(world, "nodes", action="pending"), "node.pair.list is not played")


class CanvasTests(DeviceCase):
    def test_actions(self) -> None:
        world = self.world({"result": "42"})
        self.successResultOf(world.perform("canvas", action="present", url="http://x/", x=1, width="2"))
        placed = {"url": "http://x/", "placement": {"x": 1, "width": 2}}
        self.assertEqual(self.invoked(world)[1:], ("canvas.present", placed))
        told = self.successResultOf(world.perform("canvas", action="eval", javaScript="6*7"))
        self.assertEqual(told.content[0]["text"], "42")
        self.assertEqual(self.failed(world, "canvas", action="eval"), "javaScript required")

    def test_snapshot(self) -> None:
        world = self.world({"format": "jpeg", "base64": PNG})
        told = self.successResultOf(world.perform("canvas", action="snapshot", outputFormat="jpg", maxWidth=5))
        self.assertEqual(self.invoked(world)[2], {"format": "jpeg", "maxWidth": 5})
        self.assertEqual(told.content[1]["mimeType"], "image/jpeg")

    def test_a2ui(self) -> None:
        """
        Messages as a text, or in a file of the workspace and nowhere else.
        """
        node = {**PHONE, "commands": ["canvas.a2ui.pushJSONL"]}
        world = self.world(nodes=(node,))
        world.directory.mkdir()
        (world.directory / "ui.jsonl").write_text("{}\n")
        (world.directory.parent / "outside.jsonl").write_text("secret")
        for name in ("ui.jsonl", str(world.directory / "ui.jsonl")):
            self.successResultOf(world.perform("canvas", action="a2ui_push", jsonlPath=name))
            self.assertEqual(self.invoked(world)[2], {"jsonl": "{}\n"})
        for name in ("../outside.jsonl", "nope.jsonl", "/etc/passwd", "."):
            self.assertIn("jsonlPath cannot be read", self.failed(world, "canvas", action="a2ui_push", jsonlPath=name))
        self.assertEqual(self.failed(world, "canvas", action="a2ui_push"), "jsonl or jsonlPath required")


class OtherTests(DeviceCase):
    def test_browser(self) -> None:
        world = FakeWorld(Path(self.mktemp()), {"browser.request": {"ok": True}})
        self.successResultOf(world.perform("browser", action="open", targetUrl="http://x/", profile="p"))
        self.assertEqual(
            world.called[-1][1],
            {"method": "POST", "path": "/tabs/open", "query": {"profile": "p"}, "body": {"url": "http://x/"}},
        )
        told = self.successResultOf(world.perform("browser", action="snapshot", snapshotFormat="ai", limit=5))
        self.assertEqual(world.called[-1][1]["query"], {"format": "ai", "limit": "5"})
        self.assertTrue(told.foreign)
        self.successResultOf(world.perform("browser", action="close", targetId="t"))
        self.assertEqual(world.called[-1][1], {"method": "DELETE", "path": "/tabs/t"})
        self.assertEqual(self.failed(world, "browser", action="act"), "request required")
        self.assertEqual(self.failed(world, "browser", action="open"), "targetUrl required")
        self.assertEqual(self.failed(world, "browser", action="dance"), "Unknown action: dance")

    def test_speech(self) -> None:
        made = {"audioPath": "/x.opus", "provider": "openai", "voiceCompatible": True}
        world = FakeWorld(Path(self.mktemp()), {"tts.convert": made})
        told = self.successResultOf(world.perform("tts", text="hi", channel="telegram"))
        self.assertEqual(told.content[0]["text"], "[[audio_as_voice]]\nMEDIA:/x.opus")
        self.assertEqual(self.failed(world, "tts"), "text required")

    def test_message(self) -> None:
        world = FakeWorld(Path(self.mktemp()), {"send": ToolFailed("unsupported channel: telegram")})
        for action in ("send", "broadcast", "react"):
            told = self.failed(world, "message", action=action, message="x")
            self.assertEqual(told, "Channel is required (no configured channels detected).")
        told = self.failed(world, "message", action="send", channel="telegram", to="1", message="x")
        self.assertEqual(told, "unsupported channel: telegram")

    def test_message_dry_run(self) -> None:
        """
        What would be sent is told, and nothing is; what is no switch is not taken for one that is off.
        """
        world = FakeWorld(Path(self.mktemp()), {"send": {"messageId": "m1"}})
        message = {"action": "send", "channel": "telegram", "target": "1", "message": "x"}
        told = {"channel": "telegram", "to": "1", "message": "x", "via": "gateway", "mediaUrl": None, "dryRun": True}
        for dry in (True, "true"):
            done = self.successResultOf(world.perform("message", **message, dryRun=dry))
            self.assertEqual(done.details, told)
        with_more = self.successResultOf(
            world.perform("message", **message, dryRun=True, media="a.png", accountId="work")
        ).details
        self.assertEqual(with_more, {**told, "mediaUrl": "a.png", "accountId": "work"})
        odd: list[Any] = [1, "yes", []]
        for dry in odd:
            self.assertEqual(self.failed(world, "message", **message, dryRun=dry), "dryRun must be true or false")
        self.assertEqual(
            self.failed(world, "message", action="send", channel="telegram", dryRun=True), "target required"
        )
        self.assertEqual(world.called, [])
        for off in (None, False):
            self.successResultOf(world.perform("message", **message, dryRun=off))
        self.assertEqual([method for method, _ in world.called], ["send", "send"])

    def test_questions(self) -> None:
        """
        After text from outside, what acts asks a person first; what looks does not.
        """
        tools = FakeWorld(Path(self.mktemp())).tools
        self.assertEqual(set(tools), set(parameters()))
        acting = {"cron": "add", "gateway": "config.patch", "nodes": "run", "canvas": "eval", "browser": "act"}
        looking = {"cron": "list", "gateway": "config.get", "nodes": "status", "canvas": "snapshot", "browser": "tabs"}
        for actions, asked in ((acting, True), (looking, False)):
            for name, action in actions.items():
                call = ToolCall("c", name, {"action": action})
                self.assertEqual(tools[name].question(call, where("external")) is not None, asked, (name, action))
                self.assertIsNone(tools[name].question(call, where("operator")))
        self.assertIsNotNone(tools["message"].question(ToolCall("c", "message", {}), where("external")))
        dry = ToolCall("c", "message", {"action": "send", "dryRun": True})
        self.assertIsNone(tools["message"].question(dry, where("external")))
        self.assertIsNone(tools["web_fetch"].question(ToolCall("c", "web_fetch", {}), where("external")))

    def test_internal_error(self) -> None:
        """
        A bug is told in the log, and to nobody else.
        """
        world = FakeWorld(Path(self.mktemp()), {"cron.status": ZeroDivisionError("secret")})
        self.assertEqual(self.failed(world, "cron", action="status"), "cron failed with an internal error")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
