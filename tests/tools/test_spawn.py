"""
``sessions_spawn``: what it takes, and what it refuses.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.model import build
from openclaw.tools.base import ToolFailed
from openclaw.tools.spawn import MOST_LABEL, MOST_TIME
from tests.tools.case import ToolCase
from tests.tools.fakes import FakeWorld, where


class SpawnTests(SynchronousTestCase):
    def world(self, agents: Any = None, **more: Any) -> FakeWorld:
        return FakeWorld(Path(self.mktemp()), config=build({"agents": agents or {}}), **more)

    def call(self, world: FakeWorld, key: str = "agent:main:main", trust: str = "operator", **arguments: Any) -> Any:
        context = evolve(where(trust), session_key=key, agent_id=key.split(":")[1])
        return Deferred.fromCoroutine(world.tools["sessions_spawn"].perform(arguments, context))

    def details(self, world: FakeWorld, **arguments: Any) -> Any:
        return self.successResultOf(self.call(world, **arguments)).details

    def refused(self, world: FakeWorld, **arguments: Any) -> str:
        return str(self.failureResultOf(self.call(world, **arguments), ToolFailed).value)

    def test_accepted(self) -> None:
        world = self.world()
        told = self.details(
            world,
            task=" look ",
            label="x" * 99,
            thinking="HIGH",
            runTimeoutSeconds="30",
            cleanup="delete",
            trust="external",
        )
        self.assertEqual(told, {"status": "accepted", "childSessionKey": "agent:main:subagent:s1", "runId": "r"})
        (wanted,) = world.started
        self.assertEqual((wanted.requester, wanted.agent_id, wanted.task), ("agent:main:main", "main", "look"))
        self.assertEqual((wanted.label, wanted.thinking, wanted.trust), ("x" * MOST_LABEL, "high", "external"))
        self.assertEqual((wanted.timeout, wanted.forget), (timedelta(seconds=30), True))

    def test_times(self) -> None:
        """
        The old name of the limit counts where the new one is not given; zero is none.
        """
        for given, wanted in (
            ({}, None),
            ({"runTimeoutSeconds": 0}, None),
            ({"runTimeoutSeconds": -5}, None),
            ({"timeoutSeconds": 9}, 9),
            ({"runTimeoutSeconds": 4, "timeoutSeconds": 9}, 4),
            ({"runTimeoutSeconds": 1e14}, MOST_TIME),
        ):
            world = self.world()
            self.details(world, task="x", **given)
            timeout = world.started[0].timeout
            self.assertEqual(None if timeout is None else timeout.total_seconds(), wanted, given)

    def test_not_by_subagents(self) -> None:
        world = self.world()
        told = self.details(world, key="agent:main:subagent:x", task="x")
        self.assertEqual(
            told, {"status": "forbidden", "error": "sessions_spawn is not allowed from sub-agent sessions"}
        )
        self.assertEqual(world.started, [])

    def test_agents(self) -> None:
        """
        For itself an agent may always, for others only where that is configured.
        """
        agents = [{"id": "main", "subagents": {"allowAgents": ["Ops", "gone"]}}, {"id": "ops"}, {"id": "third"}]
        world = self.world({"list": agents})
        self.assertEqual(self.details(world, task="x", agentId="OPS")["childSessionKey"], "agent:ops:subagent:s1")
        self.assertEqual(self.details(world, task="x", agentId="main")["status"], "accepted")
        refused = self.details(world, task="x", agentId="third")
        self.assertEqual(refused["error"], "agentId is not allowed for sessions_spawn (allowed: gone, ops)")
        self.assertEqual(self.details(world, task="x", agentId="gone")["error"], 'unknown agent id "gone"')
        nobody = self.details(self.world({"list": agents}), key="agent:ops:main", task="x", agentId="main")
        self.assertEqual(nobody["error"], "agentId is not allowed for sessions_spawn (allowed: none)")
        anybody = self.world({"list": [{"id": "main", "subagents": {"allowAgents": ["*"]}}, {"id": "b"}]})
        self.assertEqual(self.details(anybody, task="x", agentId="b")["status"], "accepted")
        self.assertEqual(self.details(anybody, task="x", agentId="c")["status"], "forbidden")

    def test_wrong(self) -> None:
        world = self.world({"defaults": {"models": {"openai/gpt-5": {}}}})
        self.assertEqual(self.refused(world), "task required")
        self.assertIn('Invalid thinking level "deep"', self.refused(world, task="x", thinking="deep"))
        self.assertEqual(self.refused(world, task="x", model="openai/other"), "model not allowed: openai/other")
        self.assertEqual(world.started, [])

    def test_asks(self) -> None:
        """
        Starting one is an act: after text from outside a person is asked.
        """
        from openclaw.agent.providers.base import ToolCall

        tool = self.world().tools["sessions_spawn"]
        call = ToolCall("c", "sessions_spawn", {"task": "x"})
        self.assertIsNone(tool.question(call, where()))
        self.assertIsNotNone(tool.question(call, where("external")))


class ProgramTests(ToolCase):
    def test_by_default(self) -> None:
        """
        Programs may not start agents, unless the owner says so.
        """
        asked = {"tool": "sessions_spawn", "args": {"task": "x"}}
        self.assertEqual(self.post(self.gateway(), asked).status, 404)
        allowed = self.gateway({"gateway": {"tools": {"allow": ["sessions_spawn"]}}})
        self.assertEqual(self.done(allowed, "sessions_spawn", task="x")["status"], "accepted")
        allowed.advance(5)
