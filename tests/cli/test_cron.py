"""
``openclaw cron`` and ``openclaw system``.
"""

from __future__ import annotations

from typing import Any

from tests.cli.harness import NOW, GatewayCase

NOW_MS = int(NOW * 1000)
JOB = {
    "id": "badb285d-0000-4000-8000-000000000001",
    "name": "j1\x1b[31m",
    "enabled": True,
    "schedule": {"kind": "every", "everyMs": 3_600_000},
    "sessionTarget": "main",
    "state": {"nextRunAtMs": NOW_MS + 300_000, "lastRunAtMs": NOW_MS - 60_000, "lastStatus": "ok"},
}
ON = {"enabled": True, "storePath": "/s", "jobs": 1, "nextWakeAtMs": None}


class CronTests(GatewayCase):
    def setUp(self) -> None:
        super().setUp()
        self.gateway.methods |= {"cron.add": JOB, "cron.update": JOB, "cron.status": ON}

    def asked(self, method: str) -> Any:
        """
        The parameters of the last request of a method.
        """
        return [request["params"] for request in self.gateway.requests if request["method"] == method][-1]

    def test_list(self) -> None:
        """
        Jobs are padded columns, or the payload; what moves the cursor is taken out of names.
        """
        self.gateway.methods["cron.list"] = {"jobs": []}
        self.assertEqual(self.openclaw("cron", "list").out, "No cron jobs.\n")
        at = {"kind": "at", "atMs": 1_893_456_000_000}
        cron = {"kind": "cron", "expr": "0 7 * * *", "tz": "Europe/London"}
        others = [{**JOB, "enabled": False, "schedule": at, "state": {}}, {**JOB, "schedule": cron, "agentId": "ops"}]
        self.gateway.methods["cron.list"] = {"jobs": [JOB, *others]}
        head, first, second, third = self.openclaw("cron", "list", "--all").out.splitlines()
        self.assertEqual(self.asked("cron.list"), {"includeDisabled": True})
        self.assertEqual(head.split(), ["ID", "Name", "Schedule", "Next", "Last", "Status", "Target", "Agent"])
        self.assertEqual(first.split()[3:], ["every", "1h", "in", "5m", "1m", "ago", "ok", "main", "default"])
        self.assertNotIn("\x1b", first)
        self.assertEqual(second.split()[3:], ["at", "2030-01-01", "00:00Z", "-", "-", "disabled", "main", "default"])
        self.assertIn("cron 0 7 * * * @ Europe/London", third)
        self.assertEqual(self.openclaw("cron", "list", "--json").json["jobs"][0], JOB)

    def test_add(self) -> None:
        """
        A job for the main session, and a turn of an agent.
        """
        words = ("--name", "j1", "--every", "1h", "--system-event", "hi")
        self.assertEqual(self.openclaw("cron", "add", *words).json, JOB)
        job = {
            "name": "j1",
            "enabled": True,
            "deleteAfterRun": False,
            "schedule": {"kind": "every", "everyMs": 3_600_000},
        }
        rest = {"sessionTarget": "main", "wakeMode": "next-heartbeat", "payload": {"kind": "systemEvent", "text": "hi"}}
        self.assertEqual(self.asked("cron.add"), {**job, **rest})
        turn = (
            "--message",
            "look",
            "--session",
            "isolated",
            "--wake",
            "now",
            "--deliver",
            "--to",
            "-5",
            "--misfire",
            "all",
        )
        more = ("--post-mode", "full", "--timeout-seconds", "5", "--disabled", "--agent", "ops")
        self.openclaw("cron", "create", "--name", "x", "--cron", "@daily", "--tz", "Asia/Tokyo", *turn, *more)
        asked = self.asked("cron.add")
        payload = {"kind": "agentTurn", "message": "look", "timeoutSeconds": 5, "deliver": True, "to": "-5"}
        self.assertEqual(asked["payload"], payload)
        self.assertEqual(asked["schedule"], {"kind": "cron", "expr": "@daily", "tz": "Asia/Tokyo"})
        told = (asked["enabled"], asked["misfire"], asked["isolation"], asked["agentId"])
        self.assertEqual(told, (False, "all", {"postToMainMode": "full"}, "ops"))

    def test_at(self) -> None:
        """
        A time, in UTC where it names no zone, or a span from now.
        """
        for text, at in (
            ("20m", NOW_MS + 1_200_000),
            ("2030-01-01T00:00:00", 1_893_456_000_000),
            ("2030-01-01T01:00+01:00", 1_893_456_000_000),
        ):
            self.openclaw("cron", "add", "--name", "x", "--at", text, "--system-event", "x")
            self.assertEqual(self.asked("cron.add")["schedule"], {"kind": "at", "atMs": at}, text)

    def test_refused(self) -> None:
        """
        What makes no sense is refused before anything is asked.
        """
        event, every = ("--system-event", "x"), ("--every", "1h")
        for words, text in (
            (event, "Choose exactly one schedule: --at, --every, or --cron"),
            ((*event, *every, "--at", "5m"), "Choose exactly one schedule: --at, --every, or --cron"),
            (every, "Choose exactly one payload: --system-event or --message"),
            ((*every, *event, "--message", "y"), "Choose exactly one payload: --system-event or --message"),
            ((*every, "--message", "y"), "Main jobs require --system-event (systemEvent)."),
            ((*every, *event, "--session", "isolated"), "Isolated jobs require --message (agentTurn)."),
            ((*event, "--at", "soon"), "Invalid --at; use ISO time or duration like 20m"),
            ((*event, "--every", "5"), "Invalid --every; use e.g. 10m, 1h, 1d"),
            ((*event, *every, "--session", "x"), "--session must be main or isolated"),
            ((*event, *every, "--wake", "x"), "--wake must be now or next-heartbeat"),
            ((*event, *every, "--misfire", "x"), "--misfire must be skip, once or all"),
        ):
            outcome = self.openclaw("cron", "add", "--name", "x", *words)
            self.assertEqual((outcome.code, outcome.err), (1, f"Error: {text}\n"))
        self.assertEqual(self.openclaw("cron", "add", *event, *every).code, 2)
        self.assertEqual(self.openclaw("cron", "rm", "x", "--force").code, 2)
        self.assertEqual(self.gateway.connects, [])

    def test_edit(self) -> None:
        """
        Only what is given is changed.
        """
        self.openclaw(
            "cron", "edit", "x", "--model", "m", "--no-deliver", "--clear-agent", "--keep-after-run", "--disable"
        )
        patch = {"enabled": False, "deleteAfterRun": False, "agentId": None}
        turn = {"kind": "agentTurn", "model": "m", "deliver": False}
        self.assertEqual(self.asked("cron.update"), {"id": "x", "patch": {**patch, "payload": turn}})
        self.openclaw("cron", "enable", "x")
        self.assertEqual(self.asked("cron.update"), {"id": "x", "patch": {"enabled": True}})
        self.assertEqual(self.openclaw("cron", "edit", "x").code, 1)

    def test_switched_off(self) -> None:
        """
        Whoever changes a job is told that none runs.
        """
        self.gateway.methods["cron.status"] = {**ON, "enabled": False}
        outcome = self.openclaw("cron", "disable", "x")
        self.assertIn("warning: cron scheduler is disabled in the Gateway", outcome.err)
        self.assertEqual(outcome.json, JOB)

    def test_the_rest(self) -> None:
        """
        Answers are printed as they come.
        """
        self.gateway.methods |= {
            "cron.remove": {"ok": True, "removed": True},
            "cron.run": {"ok": True, "ran": True},
            "cron.runs": {"entries": []},
        }
        self.assertEqual(self.openclaw("cron", "status").json, ON)
        for alias in ("rm", "remove", "delete"):
            self.assertEqual(self.openclaw("cron", alias, "x").json, {"ok": True, "removed": True})
        self.assertEqual(self.openclaw("cron", "run", "x", "--force").json, {"ok": True, "ran": True})
        self.assertEqual(self.asked("cron.run"), {"id": "x", "mode": "force"})
        self.assertEqual(self.openclaw("cron", "runs", "--id", "x").json, {"entries": []})
        self.assertEqual(self.asked("cron.runs"), {"id": "x", "limit": 50})


class SystemTests(GatewayCase):
    def test_event(self) -> None:
        """
        The agent is told something, with its next heartbeat unless it is to be now.
        """
        self.gateway.methods["wake"] = {"ok": True}
        self.assertEqual(self.openclaw("system", "event", "--text", "hi").out, "ok\n")
        self.assertEqual(self.openclaw("system", "event", "--text", "hi", "--mode", "now", "--json").json, {"ok": True})
        modes = [request["params"]["mode"] for request in self.gateway.requests]
        self.assertEqual(modes, ["next-heartbeat", "now"])
        self.assertEqual(self.openclaw("system", "event").code, 1)
        self.assertEqual(self.openclaw("system", "event", "--text", "x", "--mode", "later").code, 1)

    def test_heartbeat(self) -> None:
        """
        The last one, and the switch.
        """
        self.gateway.methods |= {
            "last-heartbeat": lambda peer, request: peer.answer(request, None),
            "set-heartbeats": {"ok": True, "enabled": False},
        }
        self.assertEqual(self.openclaw("system", "heartbeat", "last").out, "null\n")
        self.assertEqual(self.openclaw("system", "heartbeat", "disable").json, {"ok": True, "enabled": False})
        self.assertEqual(self.gateway.requests[-1]["params"], {"enabled": False})
        self.assertEqual(self.openclaw("system", "heartbeat", "often").code, 2)

    def test_presence(self) -> None:
        """
        Who is here.
        """
        self.gateway.methods["system-presence"] = [{"host": "box"}]
        self.assertEqual(self.openclaw("system", "presence").json, [{"host": "box"}])
        self.assertEqual(self.openclaw("system").code, 2)
