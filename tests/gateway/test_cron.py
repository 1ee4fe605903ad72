"""
Jobs, wakes and heartbeats of a whole gateway.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from twisted.trial.unittest import SynchronousTestCase

from openclaw.gateway.cron_runs import told_time
from openclaw.store.memory import MemoryStore
from openclaw.testing.client import GatewayClient
from openclaw.testing.gateway import START, MemoryGateway
from openclaw.testing.model import Step, said

NOW_MS = int(START * 1000)
HALF_HOUR = 1800
MAIN = "agent:main:main"


def text_of(request: Any) -> str:
    """
    The last message that a model was asked with.
    """
    content = request.messages[-1]["content"]
    return content if isinstance(content, str) else "".join(block.get("text", "") for block in content)


class Case(SynchronousTestCase):
    answers: Sequence[Sequence[Step]] = (said("HEARTBEAT_OK"),)
    config: Mapping[str, Any] = {}

    def setUp(self) -> None:
        self.directory = Path(self.mktemp()).absolute()
        self.store = MemoryStore()
        self.gateway: Any = None
        self.client: Any = None
        self.addCleanup(lambda: self.gateway is None or self.gateway.stop())

    def start(self, *answers: Sequence[Step], environ: Mapping[str, str] | None = None, **config: Any) -> GatewayClient:
        """
        A gateway with a client, the next one on the same store if there was one.
        """
        self.gateway = MemoryGateway(
            directory=self.directory,
            config={"agents": {"defaults": {"skipBootstrap": True}}, **config},
            store=self.store,
            answers=answers or (said("fine"),),
            environ=environ or {},
            **({} if self.gateway is None else {"reactor": self.gateway.reactor}),
        ).start()
        self.client = self.gateway.connected()
        return self.client  # type: ignore[no-any-return]  # it is a client

    def call(self, method: str, params: Any = None) -> Any:
        answer = self.client.call(method, params or {})
        self.assertTrue(answer["ok"], answer)
        return answer["payload"]

    def refused(self, method: str, params: Any) -> str:
        answer = self.client.call(method, params)
        self.assertEqual((answer["ok"], answer["error"]["code"]), (False, "UNAVAILABLE"))
        return str(answer["error"]["message"])

    def add(self, **members: Any) -> str:
        job = {
            "name": "look",
            "schedule": {"kind": "every", "everyMs": 60_000},
            "wakeMode": "next-heartbeat",
            **members,
        }
        return str(self.call("cron.add", job)["id"])

    def turn(self, message: str = "look around", **members: Any) -> dict[str, Any]:
        return {"kind": "agentTurn", "message": message, **members}

    def told(self, event: str) -> list[Any]:
        return [frame["payload"] for frame in self.client.events(event)]

    def finished(self) -> list[Any]:
        return [event for event in self.told("cron") if event["action"] == "finished"]

    def pass_time(self, seconds: float) -> None:
        """
        Let time pass in steps that are short enough for what follows from each other.
        """
        for _ in range(4):
            self.gateway.advance(seconds / 8)
        self.gateway.advance(seconds / 2)
        for _ in range(20):
            self.gateway.advance(0.05)

    def requests(self) -> list[str]:
        return [text_of(request) for request in self.gateway.model.requests]


class IsolatedTests(Case):
    """
    Jobs with a session of their own.
    """

    def test_turn(self) -> None:
        """
        An agent takes a turn in a fresh session each time, is told what time it is, and the main session hears of it.
        """
        self.start(said("all is well"))
        job_id = self.add(payload=self.turn(deliver=False, thinking="low"))
        self.pass_time(60)
        self.pass_time(60)
        prompts = self.requests()
        told = "Current time: Friday, January 15th, 2027 — 8:01 AM (UTC)"
        self.assertEqual(prompts[0], f"[cron:{job_id} look] look around\n{told}")
        first, second = (event for event in self.finished() if event["jobId"] == job_id)
        self.assertEqual(
            (first["status"], first["summary"], first["nextRunAtMs"]), ("ok", "all is well", NOW_MS + 120_000)
        )
        key = f"agent:main:cron:{job_id}"
        runs = [run for run in self.store.unit.runs.rows.values() if run.session_key == key]
        self.assertEqual([run.session_id for run in runs], [run.run_id for run in runs])
        self.assertEqual(len({run.session_id for run in runs}), 2)
        self.assertEqual(self.call("status")["queuedSystemEvents"], ["Cron: all is well"])
        entries = self.call("cron.runs", {"id": job_id})["entries"]
        self.assertEqual([entry["runAtMs"] for entry in entries], [first["runAtMs"], second["runAtMs"]])
        (job,) = self.call("cron.list")["jobs"]
        self.assertEqual((job["state"]["lastStatus"], "runningAtMs" in job["state"]), ("ok", False))

    def test_fails(self) -> None:
        """
        A turn that fails is an error of the job; the main session hears of that too.
        """
        self.start([ValueError("broken")])
        self.add(payload=self.turn(), isolation={"postToMainPrefix": "Look"})
        self.pass_time(62)
        (event,) = self.finished()
        self.assertEqual((event["status"], event["error"]), ("error", "internal error"))
        self.assertEqual(self.call("status")["queuedSystemEvents"], ["Look (error): internal error"])
        self.flushLoggedErrors(ValueError)

    def test_whole_text(self) -> None:
        """
        The main session can be told the whole text, up to a length.
        """
        self.start(said("x" * 5000))
        posting = {"postToMainMode": "full", "postToMainMaxChars": 3000}
        self.add(payload=self.turn(), isolation=posting)
        self.pass_time(62)
        self.assertEqual(len(self.finished()[0]["summary"]), 2000)
        self.assertEqual(self.call("status")["queuedSystemEvents"], ["Cron: " + "x" * 3000])

    def test_delivery(self) -> None:
        """
        No channel can deliver yet, and a job that asks for it is told so, unless it does not mind or says nothing.
        """
        self.start(said("news"), said("news"), said("news"), said("HEARTBEAT_OK"))
        asked = [
            self.turn(deliver=True, channel="telegram"),
            self.turn(to="+491234"),
            self.turn(deliver=True, bestEffortDeliver=True),
            self.turn(deliver=True),
        ]
        for payload in asked:
            self.call("cron.run", {"id": self.add(payload=payload, enabled=False), "mode": "due"})
            job_id = self.add(payload=payload)
            self.client.ask("cron.run", {"id": job_id, "mode": "force"})
            self.pass_time(1)
            self.call("cron.remove", {"id": job_id})
        told = [(event["status"], event.get("error")) for event in self.finished()]
        unknown = [("error", "Unknown channel: telegram"), ("error", "Unknown channel: whatsapp")]
        self.assertEqual(told, [*unknown, ("ok", None), ("ok", None)])

    def test_model(self) -> None:
        """
        A job may name a model that is allowed, and no other.
        """
        models: dict[str, Any] = {"builtin/echo": {}}
        self.start(agents={"defaults": {"skipBootstrap": True, "models": models, "model": "builtin/echo"}})
        for model in ("builtin/echo", "other/model"):
            job_id = self.add(payload=self.turn(model=model))
            self.client.ask("cron.run", {"id": job_id, "mode": "force"})
            self.pass_time(1)
        good, bad = self.finished()
        self.assertEqual(
            (good["status"], bad["status"], bad["error"]), ("ok", "error", "model not allowed: other/model")
        )

    def test_one_after_the_other(self) -> None:
        """
        So many run at a time as the configuration says; a job begins when its turn has come.
        """
        self.start([5.0, *said("fine")])
        for _ in range(3):
            self.add(payload=self.turn(), schedule={"kind": "at", "atMs": NOW_MS + 1000})
        for _ in range(18):
            self.gateway.advance(1)
        begun = [event["runAtMs"] - NOW_MS for event in self.told("cron") if event["action"] == "started"]
        self.assertEqual([round(moment / 1000) for moment in begun], [1, 6, 11])

    def test_crash(self) -> None:
        """
        What a process was at when it died is gone on with, under the same id, and ends once.
        """
        self.start([1000.0, *said("never")])
        job_id = self.add(payload=self.turn(), misfire="once")
        self.pass_time(62)
        (run,) = self.store.unit.runs.rows.values()
        self.assertEqual(run.state, "running")
        self.gateway.reactor.calls.clear()
        self.gateway.reactor.tcpServers.clear()
        self.start(said("fine"))
        self.pass_time(2)
        (again,) = self.store.unit.runs.rows.values()
        self.assertEqual((again.run_id, again.state), (run.run_id, "ok"))
        (entry,) = self.call("cron.runs", {"id": job_id})["entries"]
        self.assertEqual((entry["status"], entry["summary"]), ("ok", "fine"))

    def test_stop(self) -> None:
        """
        A stop lets the job that runs come to its end, and begins none.
        """
        self.start([5.0, *said("fine")])
        job_id = self.add(payload=self.turn(), schedule={"kind": "every", "everyMs": 3000})
        for _ in range(4):
            self.gateway.advance(1)
        self.gateway.stop()
        (line,) = self.store.unit.cron_runs.rows[job_id]
        self.assertEqual((line["status"], len(self.store.unit.runs.rows)), ("ok", 1))


class MainTests(Case):
    """
    Jobs that tell the main session something.
    """

    def note(self, text: str = "milk") -> dict[str, Any]:
        return {"kind": "systemEvent", "text": text}

    def test_next_heartbeat(self) -> None:
        """
        The text waits for a heartbeat that is asked for; the job is done at once.
        """
        self.start(said("HEARTBEAT_OK"))
        self.add(payload=self.note(), schedule={"kind": "at", "atMs": NOW_MS + 1000}, deleteAfterRun=True)
        self.pass_time(2)
        actions = [event["action"] for event in self.told("cron")]
        self.assertEqual(actions, ["added", "started", "finished", "removed"])
        (request,) = self.requests()
        self.assertIn("] milk\n\n", request)
        (beat,) = self.told("heartbeat")
        self.assertEqual((beat["status"], beat["silent"]), ("ok-token", True))

    def test_fresh_workspace(self) -> None:
        """
        On a fresh workspace a reminder is told all the same, once: nothing runs hundreds of times.
        """
        workspace = self.directory / "workspace"
        workspace.mkdir(parents=True)
        (workspace / "HEARTBEAT.md").write_text("# Tasks\n\n- [ ]\n")
        defaults = {"skipBootstrap": True, "workspace": str(workspace)}
        self.start(said("Remember the milk."), agents={"defaults": defaults})
        self.add(payload=self.note(), schedule={"kind": "at", "atMs": NOW_MS + 1000}, wakeMode="now")
        self.pass_time(20)
        (event,) = self.finished()
        self.assertEqual((event["status"], event["summary"], len(self.requests())), ("ok", "milk", 1))
        (job,) = self.call("cron.list", {"includeDisabled": True})["jobs"]
        self.assertFalse(job["enabled"])

    def test_skipped(self) -> None:
        """
        A reminder whose heartbeat is off is done: its text waits for the next message.
        """
        self.start()
        self.call("set-heartbeats", {"enabled": False})
        self.add(payload=self.note(), schedule={"kind": "at", "atMs": NOW_MS + 1000}, wakeMode="now")
        self.pass_time(900)
        (event,) = self.finished()
        self.assertEqual((event["status"], event["error"], self.told("heartbeat")), ("skipped", "disabled", []))
        self.assertEqual(self.call("status")["queuedSystemEvents"], ["milk"])

    def test_busy(self) -> None:
        """
        A reminder waits while the conversation goes on.
        """
        self.start([3.0, *said("hello")], said("HEARTBEAT_OK"))
        self.add(payload=self.note(), schedule={"kind": "at", "atMs": NOW_MS + 1000}, wakeMode="now")
        self.client.call("chat.send", {"sessionKey": "main", "message": "hi", "idempotencyKey": "k"})
        for _ in range(50):
            self.gateway.advance(0.1)
        (event,) = self.finished()
        self.assertEqual((event["status"], event["durationMs"] >= 2000), ("ok", True))

    def test_agent(self) -> None:
        """
        A job of an agent is told to that agent; what has lost its agent goes to the default one.
        """
        agents = {"list": [{"id": "boss", "default": True}, {"id": "ops"}], "defaults": {"skipBootstrap": True}}
        self.start(agents=agents)
        for agent_id in ("ops", "gone"):
            job_id = self.add(payload=self.note(agent_id), agentId=agent_id)
            self.call("cron.run", {"id": job_id, "mode": "force"})
        notes = self.gateway.service.agents.notes
        self.assertEqual((notes("agent:ops:main"), notes("agent:boss:main")), (["ops"], ["gone"]))


class MethodTests(Case):
    def test_life_of_a_job(self) -> None:
        """
        A job is made, changed, found, and removed; everybody is told.
        """
        self.start()
        given = {
            "name": " x ",
            "misfire": "all",
            "schedule": {"expr": "@daily", "tz": "Europe/Vienna"},
            "agentId": None,
        }
        made = self.call("cron.add", {"job": {**given, "payload": {"kind": "systemEvent", "text": "a"}}})
        self.assertEqual((made["enabled"], made["misfire"], made["sessionTarget"]), (True, "all", "main"))
        midnight = NOW_MS + 15 * 3_600_000
        self.assertEqual(made["state"], {"nextRunAtMs": midnight})
        changed = self.call("cron.update", {"jobId": made["id"], "patch": {"misfire": "once", "name": "y"}})
        self.assertEqual((changed["name"], changed["misfire"], changed["payload"]), ("y", "once", made["payload"]))
        self.assertEqual(self.call("cron.list")["jobs"], [changed])
        status = self.call("cron.status")
        self.assertEqual((status["jobs"], status["nextWakeAtMs"]), (1, midnight))
        self.assertEqual(self.call("cron.remove", {"id": made["id"]}), {"ok": True, "removed": True})
        self.assertEqual(self.call("cron.remove", {"id": made["id"]}), {"ok": True, "removed": False})
        self.assertEqual([event["action"] for event in self.told("cron")], ["added", "updated", "removed"])

    def test_list(self) -> None:
        """
        Jobs come by their next due time; those that are off only on request.
        """
        self.start()
        note = {"kind": "systemEvent", "text": "a"}
        late = self.add(payload=note, schedule={"everyMs": 7_200_000})
        soon = self.add(payload=note)
        off = self.add(payload=note, enabled=False)
        ids = lambda **params: [job["id"] for job in self.call("cron.list", params)["jobs"]]  # noqa: E731 - only here
        self.assertEqual((ids(), ids(includeDisabled=True)), ([soon, late], [off, soon, late]))

    def test_refused_change(self) -> None:
        """
        Of a change that makes no sense nothing is kept.
        """
        self.start()
        job_id = self.add(payload={"kind": "systemEvent", "text": "a"})
        before = self.call("cron.list")
        patch = {"name": "z", "schedule": {"kind": "cron", "expr": "0 0 31 2 *"}}
        self.assertIn("CronPattern", self.refused("cron.update", {"id": job_id, "patch": patch}))
        self.assertEqual(self.call("cron.list"), before)
        for method in ("cron.run", "cron.update"):
            params = {"id": "nope", **({"patch": {}} if method == "cron.update" else {})}
            self.assertEqual(self.refused(method, params), "Error: unknown cron job id: nope")

    def test_paths(self) -> None:
        """
        An id is no path.
        """
        client = self.start()
        for job_id in ("../../openclaw", "a\\b"):
            answer = client.call("cron.runs", {"id": job_id})
            self.assertEqual((answer["ok"], answer["error"]["code"]), (False, "INVALID_REQUEST"))

    def test_switched_off(self) -> None:
        """
        By the configuration or the environment jobs are kept and do not run.
        """
        ways: tuple[dict[str, Any], ...] = ({"cron": {"enabled": False}}, {"environ": {"OPENCLAW_SKIP_CRON": "1"}})
        for number, how in enumerate(ways):
            self.start(**how)
            self.add(payload={"kind": "systemEvent", "text": "a"})
            self.pass_time(200)
            status = self.call("cron.status")
            self.assertEqual((status["enabled"], status["jobs"], status["nextWakeAtMs"]), (False, number + 1, None))
            self.assertEqual(self.finished(), [])
            self.gateway.stop()
        self.gateway = None

    def test_restart(self) -> None:
        """
        Jobs and their logs are there after a restart, and a missed time falls to the job's policy.
        """
        self.start()
        every = {"kind": "every", "everyMs": 3_600_000}
        jobs = {
            policy: self.add(payload={"kind": "systemEvent", "text": "a"}, schedule=every, misfire=policy)
            for policy in ("skip", "once", "all")
        }
        self.pass_time(3600)
        self.gateway.stop()
        self.gateway.reactor.advance(5 * 3600 + 1800)
        self.start()
        self.pass_time(1)
        ran = {policy: len(self.call("cron.runs", {"id": job_id})["entries"]) for policy, job_id in jobs.items()}
        self.assertEqual(ran, {"skip": 1, "once": 2, "all": 6})

    def test_wake(self) -> None:
        """
        A wake tells the main session something; blank text is none.
        """
        self.start(said("HEARTBEAT_OK"))
        self.assertEqual(self.call("wake", {"mode": "next-heartbeat", "text": " later "}), {"ok": True})
        self.pass_time(5)
        self.assertEqual((self.call("status")["queuedSystemEvents"], self.told("heartbeat")), (["later"], []))
        self.assertEqual(self.call("wake", {"mode": "now", "text": "  "}), {"ok": False})
        self.assertEqual(self.call("wake", {"mode": "now", "text": "now"}), {"ok": True})
        self.pass_time(5)
        (request,) = self.requests()
        self.assertLess(request.index("] later\n"), request.index("] now\n"))
        (beat,) = self.told("heartbeat")
        self.assertEqual(self.call("last-heartbeat"), beat)


class TimeTests(SynchronousTestCase):
    def test_told(self) -> None:
        """
        Moments as models read them.
        """
        moment = 1_795_415_523.0
        self.assertEqual(told_time(moment, ZoneInfo("UTC"), hours=12), ("Monday, November 23rd, 2026 — 6:32 AM", "UTC"))
        self.assertEqual(told_time(moment, ZoneInfo("UTC"), hours=24), ("Monday, November 23rd, 2026 — 06:32", "UTC"))
        days = {
            day: told_time(moment + (day - 23) * 86_400, ZoneInfo("UTC"), hours=12)[0].split()[2]
            for day in (1, 2, 11, 12, 13, 21)
        }
        self.assertEqual(list(days.values()), ["1st,", "2nd,", "11th,", "12th,", "13th,", "21st,"])
        self.assertIn("12:32 AM", told_time(moment - 6 * 3600, ZoneInfo("UTC"), hours=12)[0])
