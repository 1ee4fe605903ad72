"""
Heartbeats of a whole gateway.
"""

from __future__ import annotations

from typing import Any

from attrs import evolve

from openclaw.gateway.life import Life
from openclaw.testing.gateway import OWN
from openclaw.testing.model import said
from tests.gateway.test_cron import HALF_HOUR, MAIN, Case

OPS = "agent:ops:main"


class IntervalTests(Case):
    def heartbeat(self, **settings: Any) -> dict[str, Any]:
        return {"defaults": {"skipBootstrap": True, "heartbeat": settings}}

    def test_first(self) -> None:
        """
        The first comes one interval after the start, and then one each interval.
        """
        self.start(said("HEARTBEAT_OK"))
        self.pass_time(HALF_HOUR - 10)
        self.assertEqual(self.told("heartbeat"), [])
        self.pass_time(HALF_HOUR)
        (beat,) = self.told("heartbeat")
        self.assertEqual((beat["status"], beat["reason"], beat["indicatorType"]), ("ok-token", "interval", "ok"))
        self.pass_time(HALF_HOUR)
        self.assertEqual(len(self.told("heartbeat")), 2)
        # Chat clients see nothing of it.
        self.assertEqual((self.told("chat"), len(self.told("agent")) > 0), ([], True))

    def test_silent(self) -> None:
        """
        A heartbeat with nothing to tell is no use of the session.
        """
        self.start(said("hello"), said("HEARTBEAT_OK"))
        self.client.call("chat.send", {"sessionKey": "main", "message": "hi", "idempotencyKey": "k"})
        self.pass_time(5)
        before = self.store.unit.sessions.rows[MAIN].updated_at_ms
        self.pass_time(HALF_HOUR)
        self.assertEqual(self.told("heartbeat")[0]["status"], "ok-token")
        self.assertEqual(self.store.unit.sessions.rows[MAIN].updated_at_ms, before)

    def test_nothing_to_do(self) -> None:
        """
        Without tasks no model is asked, unless something waits to be told.
        """
        workspace = self.directory / "workspace"
        workspace.mkdir(parents=True)
        (workspace / "HEARTBEAT.md").write_text("# Tasks\n")
        self.start(agents={"defaults": {"skipBootstrap": True, "workspace": str(workspace)}})
        self.pass_time(HALF_HOUR + 10)
        (beat,) = self.told("heartbeat")
        self.assertEqual((beat["status"], beat["reason"]), ("skipped", "empty-heartbeat-file"))
        self.assertEqual(self.requests(), [])
        self.call("wake", {"mode": "next-heartbeat", "text": "milk"})
        self.pass_time(HALF_HOUR)
        self.assertEqual(len(self.requests()), 1)
        (workspace / "HEARTBEAT.md").write_text("- look for mail\n")
        self.pass_time(HALF_HOUR)
        self.assertEqual(len(self.requests()), 2)

    def test_off(self) -> None:
        """
        Off by the configuration or by the switch, nothing runs and nothing is told.
        """
        self.start(agents=self.heartbeat(every="0m"))
        self.call("wake", {"mode": "now", "text": "milk"})
        self.pass_time(2 * HALF_HOUR)
        self.assertEqual((self.told("heartbeat"), self.call("health", {"probe": True})["heartbeatSeconds"]), ([], 0))
        self.gateway.stop()
        self.start(agents=self.heartbeat(every="10"))
        self.assertEqual(self.call("health", {"probe": True})["heartbeatSeconds"], 600)
        self.call("set-heartbeats", {"enabled": False})
        self.pass_time(HALF_HOUR)
        self.assertEqual(self.told("heartbeat"), [])
        self.call("set-heartbeats", {"enabled": True})
        self.pass_time(601)
        self.assertEqual(len(self.told("heartbeat")), 1)

    def test_hours(self) -> None:
        """
        Outside its hours nothing runs; the clock of the tests stands at eight.
        """
        for start, count in (("10:00", 0), ("07:00", 1)):
            hours = {"start": start, "end": "23:00", "timezone": "UTC"}
            self.start(agents=self.heartbeat(every="5m", activeHours=hours))
            self.pass_time(301)
            self.assertEqual(len(self.told("heartbeat")), count, start)
            self.gateway.stop()
        self.gateway = None

    def test_answers(self) -> None:
        """
        What a model says beyond that all is well has no channel to go to yet; the event tells its beginning.
        """
        self.start(said("The house burns. " * 30), said(""), agents=self.heartbeat(every="5m"))
        self.pass_time(301)
        self.pass_time(300)
        news, nothing = self.told("heartbeat")
        self.assertEqual((news["status"], news["reason"], len(news["preview"])), ("skipped", "no-target", 200))
        self.assertEqual((nothing["status"], nothing["silent"]), ("ok-empty", True))
        self.gateway.stop()
        self.start(said("news"), agents=self.heartbeat(every="5m", target="none"))
        self.pass_time(301)
        self.assertEqual(self.told("heartbeat")[0]["reason"], "target-none")

    def test_repeated(self) -> None:
        """
        What was sent within a day is not told again.
        """
        self.start(said("hi"), said("news"), said("news"), agents=self.heartbeat(every="5m"))
        self.client.call("chat.send", {"sessionKey": "main", "message": "hi", "idempotencyKey": "k"})
        self.pass_time(5)
        session = self.store.unit.sessions.rows[MAIN]
        for age, reason in ((86_000_000, "duplicate"), (87_000_000, "no-target")):
            sent_at = round(self.gateway.reactor.seconds() * 1000) - age
            members = {**session.members, "lastHeartbeatText": "news", "lastHeartbeatSentAt": sent_at}
            self.store.unit.sessions.put(evolve(session, members=members))
            self.pass_time(301)
            self.assertEqual(self.told("heartbeat")[-1]["reason"], reason)

    def test_failure(self) -> None:
        """
        A run that fails is told as such.
        """
        self.start([ValueError("broken")], agents=self.heartbeat(every="5m"))
        self.pass_time(301)
        (beat,) = self.told("heartbeat")
        self.assertEqual((beat["status"], beat["indicatorType"]), ("failed", "error"))
        self.flushLoggedErrors(ValueError)

    def test_own_model(self) -> None:
        """
        Heartbeats may use another model, also one that people may not switch to.
        """
        agents: dict[str, Any] = self.heartbeat(every="5m", model="builtin/echo")
        agents["defaults"]["models"] = {"mock/one": {}}
        self.start(agents=agents)
        self.pass_time(301)
        self.assertEqual((len(self.requests()), self.told("heartbeat")[0]["status"]), (1, "skipped"))
        (run,) = self.store.unit.runs.rows.values()
        assert run.outcome is not None
        self.assertEqual(run.outcome["result"]["meta"]["agentMeta"]["model"], "echo")


class AgentsTests(Case):
    def test_each_its_own(self) -> None:
        """
        Only the agents that have a heartbeat of their own have one, each at its interval and in its session.
        """
        listed = [
            {"id": "main", "default": True},
            {"id": "ops", "heartbeat": {"every": "5m"}},
            {"id": "home", "heartbeat": {"every": "10m"}},
        ]
        self.start(agents={"defaults": {"skipBootstrap": True}, "list": listed})
        for _ in range(2):
            self.pass_time(301)
        keys = [run.session_key for run in self.store.unit.runs.rows.values()]
        self.assertEqual(sorted(keys), ["agent:home:main", OPS, OPS])
        told = {
            agent["agentId"]: agent["heartbeat"]["every"] for agent in self.call("health", {"probe": True})["agents"]
        }
        self.assertEqual(told, {"main": "disabled", "ops": "5m", "home": "10m"})


class WakeTests(Case):
    def test_together(self) -> None:
        """
        Wakes that come together are one heartbeat, which has heard them all.
        """
        self.start(said("HEARTBEAT_OK"))
        for number in range(5):
            self.call("wake", {"mode": "now", "text": f"text {number}"})
        self.pass_time(5)
        (request,) = self.requests()
        self.assertEqual(request.count("text "), 5)

    def test_busy(self) -> None:
        """
        While the conversation goes on a wake waits, and looks again each second.
        """
        self.start([5.0, *said("hello")], said("HEARTBEAT_OK"))
        self.client.call("chat.send", {"sessionKey": "main", "message": "hi", "idempotencyKey": "k"})
        self.gateway.advance(0.1)
        self.call("wake", {"mode": "now", "text": "milk"})
        for _ in range(40):
            self.gateway.advance(0.1)
        self.assertEqual(len(self.requests()), 1)
        for _ in range(25):
            self.gateway.advance(0.1)
        self.assertEqual((len(self.requests()), len(self.told("heartbeat"))), (2, 1))


class LifeTests(Case):
    def test_switch_outlives_the_tree(self) -> None:
        """
        A restart in place leaves the switch and the last heartbeat alone.
        """
        self.start(said("HEARTBEAT_OK"))
        life: Life = self.gateway.life
        self.call("wake", {"mode": "now", "text": "a"})
        self.pass_time(2)
        self.call("set-heartbeats", {"enabled": False})
        last = self.call("last-heartbeat")
        self.assertEqual((life.heartbeats.enabled, life.heartbeats.last), (False, last))
        fresh = Life(clock=self.gateway.reactor, make_id=lambda: "x", own=OWN)
        self.assertEqual((fresh.heartbeats.enabled, fresh.heartbeats.last), (True, None))

    def test_reconfigured(self) -> None:
        """
        Another interval counts from the change on.
        """
        path = self.directory / "openclaw.json"
        self.directory.mkdir()
        self.start(said("HEARTBEAT_OK"))
        self.pass_time(600)
        path.write_text("{}")
        change = '{agents: {defaults: {heartbeat: {every: "5m"}}}}'
        answer = self.client.call("config.get", {})
        raw = self.client.call("config.patch", {"raw": change, "baseHash": answer["payload"]["hash"]})
        self.assertTrue(raw["ok"], raw)
        self.pass_time(299)
        self.pass_time(10)
        self.assertEqual(len(self.told("heartbeat")), 1)

    def test_stop_while_it_runs(self) -> None:
        """
        A stop in the middle leaves nothing behind.
        """
        self.start([30.0, *said("HEARTBEAT_OK")])
        self.call("wake", {"mode": "now", "text": "a"})
        self.pass_time(2)
        self.gateway.stop()
        self.assertEqual(self.gateway.reactor.getDelayedCalls(), [])
        self.gateway = None
