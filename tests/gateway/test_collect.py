"""
What a health snapshot says of agents.
"""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from openclaw.testing.gateway import MemoryGateway


class CollectTests(SynchronousTestCase):
    def test_agents(self) -> None:
        """
        Configured agents come in the order of the file, under their normal ids, with their names.
        """
        agents = [{"id": "zoe", "name": "Zoe"}, {"id": "Boss", "default": True}]
        gateway = MemoryGateway(directory=Path(self.mktemp()), config={"agents": {"list": agents}}).start()
        self.addCleanup(gateway.stop)
        client = gateway.connected()
        client.call("chat.send", {"sessionKey": "main", "message": "hi", "idempotencyKey": "k"})
        gateway.advance(1)
        health = client.call("health", {"probe": True})["payload"]
        told = [
            (agent["agentId"], agent.get("name"), agent["isDefault"], agent["sessions"]["count"])
            for agent in health["agents"]
        ]
        self.assertEqual(told, [("zoe", "Zoe", False, 0), ("boss", None, True, 1)])
        self.assertEqual((health["defaultAgentId"], health["sessions"]["count"]), ("boss", 1))

    def test_others_beside_a_list(self) -> None:
        """
        Without a list, agents are the default one and those that have sessions.
        """
        gateway = MemoryGateway(directory=Path(self.mktemp())).start()
        self.addCleanup(gateway.stop)
        client = gateway.connected()
        client.call("sessions.patch", {"key": "agent:ghost:main", "label": "x"})
        health = client.call("health", {"probe": True})["payload"]
        self.assertEqual([agent["agentId"] for agent in health["agents"]], ["main", "ghost"])
