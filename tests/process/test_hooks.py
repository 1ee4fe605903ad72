"""
Hooks of the real process, called as ``curl`` calls them.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from tests.process.case import ProcessCase
from tests.process.gateway import LIMIT, TOKEN, GatewayProcess, NotSeen, configuration, eventually
from tests.process.model import Gate, MockModel, Text

HOOK_TOKEN = "process-hook-token-0123456789abcdef"

TRANSFORM = """
def transform(call):
    return {"message": call["payload"]["what"].upper(), "deliver": False, "name": "Shout"}
"""


class HookTests(ProcessCase):
    def setUp(self) -> None:
        self.model: MockModel = self.start_model()

    def make(self, **hooks: Any) -> GatewayProcess:
        gateway = self.make_gateway()
        told = {"hooks": {"enabled": True, "token": HOOK_TOKEN, **hooks}}
        gateway.config = configuration({**self.model.configuration(), **told})
        return gateway

    def post(self, gateway: GatewayProcess, path: str, body: Any, token: str = HOOK_TOKEN) -> tuple[int, Any]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{gateway.port}{path}",
            json.dumps(body).encode(),
            {"Authorization": f"Bearer {token}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=LIMIT) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def test_turn(self) -> None:
        """
        Accepted at once, done soon, and told in the main session.
        """
        gateway = self.make(
            transformsDir="transforms",
            mappings=[{"match": {"path": "shout"}, "sessionKey": "hook:shout", "transform": {"module": "a.py"}}],
        )
        (gateway.state / "transforms").mkdir(parents=True)
        (gateway.state / "transforms" / "a.py").write_text(TRANSFORM)
        gateway.start()
        status, told = self.post(gateway, "/hooks/shout", {"what": "hello"})
        self.assertEqual((status, told["ok"]), (202, True), told)
        peer = self.join(gateway)
        said = eventually(lambda: self.said(peer, "agent:main:hook:shout"), "the turn was not taken")
        self.assertIn("HELLO", said)
        eventually(
            lambda: any("Hook Shout: re:" in str(asked.body) for asked in self.model.requests), "nobody was told"
        )
        self.assertEqual(self.post(gateway, "/hooks/shout", {}, token=TOKEN)[0], 401)
        self.assertEqual(self.post(gateway, "/hooks/agent", {"message": "x" * 300_000})[0], 413)
        self.assertNotIn(HOOK_TOKEN, gateway.output)

    def test_edited(self) -> None:
        """
        The file, edited by hand: what needs no restart counts without one, half a file changes nothing.
        """
        gateway = self.make().start()
        path = gateway.state / "openclaw.json"
        whole = path.read_text()
        self.assertEqual(self.post(gateway, "/hooks/wake", {"text": "t"})[0], 200)
        for cut in range(0, len(whole) - 20, max(1, len(whole) // 100)):
            other = path.with_suffix(".new")
            other.write_text(whole[: cut // 2])
            other.replace(path)
            path.write_text(whole[:cut])
        path.write_text(whole[:-20])
        eventually(lambda: "config reload skipped (invalid config)" in gateway.output, "it was not told")
        self.assertEqual(self.post(gateway, "/hooks/wake", {"text": "t"})[0], 200)
        done = gateway.openclaw("health")
        said = done.stdout + done.stderr
        self.assertIn("Configuration: the file cannot be used, the gateway goes on", said)
        path.write_text(json.dumps({**json.loads(whole), "hooks": {"enabled": True, "token": "another-" + HOOK_TOKEN}}))
        eventually(lambda: self.post(gateway, "/hooks/wake", {"text": "t"})[0] == 401, "it was not followed")
        self.assertEqual(self.post(gateway, "/hooks/wake", {"text": "t"}, token="another-" + HOOK_TOKEN)[0], 200)

    def test_killed(self) -> None:
        """
        What was accepted survives the process.
        """
        gate = Gate()
        gateway = self.make().start()
        self.model.plan(gate, Text("late"))
        status, told = self.post(gateway, "/hooks/agent", {"message": "m", "sessionKey": "hook:k", "deliver": False})
        self.assertEqual(status, 202, told)
        gate.wait_reached()
        gateway.kill()
        gate.open()
        gateway.start()
        peer = self.join(gateway)
        eventually(lambda: self.said(peer, "agent:main:hook:k").count("assistant") == 1, "it was not done")

    def test_refused(self) -> None:
        """
        A gateway whose hooks would have its own token does not start.
        """
        gateway = self.make(token=TOKEN)
        with self.assertRaisesRegex(NotSeen, "ended with 78"):
            gateway.start()
        self.assertIn("hooks.token must not be the gateway's own token or password", gateway.output)

    def said(self, peer: Any, key: str) -> str:
        history = peer.ask("chat.history", {"sessionKey": key})["messages"]
        return json.dumps(history) if any(message["role"] == "assistant" for message in history) else ""
