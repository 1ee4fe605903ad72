"""
Two gateways of one user on one machine.
"""

from __future__ import annotations

import json
import signal

from tests.process.case import ProcessCase
from tests.process.gateway import GatewayProcess, eventually

BOT = "110201543:a-token-of-this-test-0123456789"


class SharingTests(ProcessCase):
    def gateway(self, **config: object) -> GatewayProcess:
        """
        A gateway whose workspace is in its own home, and whose locks are where the user's are.
        """
        gateway = self.make_gateway()
        assert gateway.config is not None
        gateway.config = {**gateway.config, **config}
        return gateway

    def test_refused(self) -> None:
        """
        A workspace, or the token of a bot, that another one has is refused with the reason, and so is a change that
        asks for it; when the other has ended, by whatever, nothing is in the way.
        """
        shared = str(self.gateway().home / "shared")
        agents = {"defaults": {"workspace": shared}}
        bot = {"telegram": {"botToken": BOT}}
        first = self.gateway(agents=agents, channels=bot).start()
        second = self.gateway(agents=agents).start(ready=False)
        self.assertEqual(second.ended(), 75)
        pid = first.process.pid
        told = f"Gateway failed to start: workspace {shared} is used by another gateway (pid {pid})\n"
        self.assertIn(told, second.output)
        self.assertIn("openclaw config set agents.defaults.workspace <directory>", second.output)
        self.assertFalse((second.state / "openclaw.sqlite3").exists())
        third = self.gateway(channels={"telegram": {"accounts": {"x": {"botToken": BOT}}}}).start(ready=False)
        self.assertEqual(third.ended(), 75)
        self.assertIn("channels.telegram.accounts.x.botToken is used by another gateway", third.output)
        self.assertNotIn(BOT, third.output)

        fourth = self.gateway(commands={"restart": True}).start()
        path = fourth.state / "openclaw.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "agents": agents}))
        eventually(lambda: f"workspace {shared} is used by another gateway (pid {pid}). Give" in fourth.output, "told")
        fourth.signal(signal.SIGUSR1)
        eventually(lambda: "restart refused (SIGUSR1), the gateway goes on: workspace" in fourth.output, "refused")
        first.kill()
        fourth.signal(signal.SIGUSR1)
        eventually(lambda: fourth.output.count("listening on ws://127.0.0.1") == 2, "restarted")
        self.assertEqual(fourth.stop(), 0)
