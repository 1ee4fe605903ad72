"""
Tests for ``openclaw.cron.jobs`` and ``openclaw.cron.adopt``.
"""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.cron.adopt import adopt
from openclaw.cron.errors import CronRefused
from openclaw.cron.jobs import (
    RETRIES,
    RETRY_MS,
    Claim,
    Result,
    claim_of,
    finish,
    force,
    make_job,
    next_run_ms,
    patch_job,
    shown,
    take,
)
from openclaw.cron.normalize import normalize_add, normalize_update, parse_moment

NOW = 1_795_414_697_000
NOTE = {"kind": "systemEvent", "text": "milk"}
TURN = {"kind": "agentTurn", "message": "look", "deliver": False}


def job(**members: Any) -> dict[str, Any]:
    params = {
        "name": "x",
        "schedule": {"kind": "every", "everyMs": 60_000},
        "sessionTarget": "main",
        "wakeMode": "now",
        "payload": NOTE,
        **members,
    }
    return make_job(params, "id", NOW)


def ran(record: Any, result: Result, now: int = NOW) -> Any:
    """
    A job after a run for its due time.
    """
    taken, claim = take(record, now, "run")
    assert claim is not None
    return finish(taken, claim, result, started_ms=now, now_ms=now + 5)


class MakeTests(SynchronousTestCase):
    def test_defaults(self) -> None:
        """
        A job is on and has its first due time.
        """
        made = job(name=" x ", description=" ")
        self.assertEqual(
            made,
            {
                "id": "id",
                "name": "x",
                "enabled": True,
                "createdAtMs": NOW,
                "updatedAtMs": NOW,
                "schedule": {"kind": "every", "everyMs": 60_000},
                "sessionTarget": "main",
                "wakeMode": "now",
                "payload": NOTE,
                "state": {"nextRunAtMs": NOW + 60_000},
            },
        )
        self.assertEqual(job(enabled=False)["state"], {})

    def test_refused(self) -> None:
        """
        What makes no sense is refused; an expression is only looked at when it counts.
        """
        bad = {"kind": "cron", "expr": "nonsense"}
        for members, text in (
            ({"name": " "}, "Error: cron job name is required"),
            ({"payload": TURN}, 'Error: main cron jobs require payload.kind="systemEvent"'),
            ({"sessionTarget": "isolated"}, 'Error: isolated cron jobs require payload.kind="agentTurn"'),
            ({"schedule": bad}, "TypeError: CronPattern: invalid configuration format"),
        ):
            error = self.assertRaises(CronRefused, job, **members)
            self.assertEqual(str(error)[: len(text)], text)
        self.assertFalse(job(schedule=bad, enabled=False)["enabled"])

    def test_past(self) -> None:
        """
        A job for a time that is over is due at once.
        """
        self.assertEqual(next_run_ms(job(schedule={"kind": "at", "atMs": 5})), 5)


class PatchTests(SynchronousTestCase):
    def test_off_and_on(self) -> None:
        """
        A job that is off is not due.
        """
        off = patch_job(job(), {"enabled": False}, NOW + 1)
        self.assertEqual((off["state"], off["updatedAtMs"]), ({}, NOW + 1))
        self.assertEqual(next_run_ms(patch_job(off, {"enabled": True}, NOW + 60_001)), NOW + 120_000)

    def test_payload(self) -> None:
        """
        A payload of the same kind is changed, another kind takes its place and must be whole.
        """
        turn = job(sessionTarget="isolated", payload=TURN)
        changed = patch_job(turn, {"payload": {"kind": "agentTurn", "model": "m"}}, NOW)
        self.assertEqual(changed["payload"], {**TURN, "model": "m"})
        other = patch_job(turn, {"payload": NOTE, "sessionTarget": "main"}, NOW)
        self.assertEqual(other["payload"], NOTE)
        for patch, text in (
            ({"payload": {"kind": "systemEvent"}}, 'Error: cron.update payload.kind="systemEvent" requires text'),
            ({"payload": NOTE}, 'Error: isolated cron jobs require payload.kind="agentTurn"'),
        ):
            self.assertEqual(str(self.assertRaises(CronRefused, patch_job, turn, patch, NOW)), text)

    def test_agent(self) -> None:
        """
        ``null`` means the default agent.
        """
        mine = job(agentId="ops")
        self.assertEqual(patch_job(mine, {"name": "y"}, NOW)["agentId"], "ops")
        self.assertNotIn("agentId", patch_job(mine, {"agentId": None}, NOW))

    def test_schedule(self) -> None:
        """
        Another schedule has other due times; anything else leaves them.
        """
        hourly = patch_job(job(), {"schedule": {"kind": "every", "everyMs": 3_600_000}}, NOW)
        self.assertEqual(next_run_ms(hourly), NOW + 3_600_000)
        self.assertEqual(next_run_ms(patch_job(job(), {"name": "y"}, NOW + 59_999)), NOW + 60_000)

    def test_running(self) -> None:
        """
        A change while it runs leaves the run alone.
        """
        taken, claim = take(job(), NOW + 60_000, "run")
        changed = patch_job(taken, {"name": "y"}, NOW + 60_001)
        self.assertEqual(claim_of(changed), claim)


class RunTests(SynchronousTestCase):
    def test_not_due(self) -> None:
        """
        Before its time, while it runs and while it is off a job gets no run.
        """
        taken, _ = take(job(), NOW + 60_000, "run")
        for record, now in ((job(), NOW + 59_999), (taken, NOW + 900_000), (job(enabled=False), NOW + 900_000)):
            self.assertEqual(take(record, now, "other"), (record, None))
        self.assertEqual(force(taken, NOW, "other"), (taken, None))

    def test_taken(self) -> None:
        """
        With the run its next due time is there; clients see that it runs, and nothing of the scheduler's own.
        """
        taken, claim = take(job(), NOW + 60_000, "run")
        self.assertEqual(claim, Claim(run_id="run", due_ms=NOW + 60_000, at_ms=NOW + 60_000))
        self.assertEqual(shown(taken)["state"], {"nextRunAtMs": NOW + 120_000, "runningAtMs": NOW + 60_000})
        self.assertNotIn("scheduler", shown(taken))

    def test_finished(self) -> None:
        """
        What became of it stands in its state.
        """
        after = ran(job(), Result(status="error", error="no"), NOW + 60_000)
        told = {"lastRunAtMs": NOW + 60_000, "lastStatus": "error", "lastDurationMs": 5, "lastError": "no"}
        self.assertEqual(after["state"], {"nextRunAtMs": NOW + 120_000, **told})
        good = ran(after, Result(status="ok"), NOW + 120_000)
        self.assertNotIn("lastError", good["state"])
        self.assertNotIn("scheduler", good)

    def test_only_time(self) -> None:
        """
        After its only time a job is off, or gone; what was skipped counts, since the text was told.
        """
        once = job(schedule={"kind": "at", "atMs": NOW})
        for status in ("ok", "skipped"):
            after = ran(once, Result(status=status))
            self.assertEqual((after["enabled"], next_run_ms(after)), (False, None))
            self.assertIsNone(next_run_ms(patch_job(after, {"enabled": True}, NOW + 10)))
            later = {"enabled": True, "schedule": {"kind": "at", "atMs": NOW + 99}}
            self.assertEqual(next_run_ms(patch_job(after, later, NOW + 10)), NOW + 99)
        self.assertIsNone(ran({**once, "deleteAfterRun": True}, Result(status="ok")))

    def test_tried_again(self) -> None:
        """
        After an error a job for one time is tried again, each time later, and then no more.
        """
        record: Any = job(schedule={"kind": "at", "atMs": NOW}, deleteAfterRun=True)
        now = NOW
        for attempt in range(RETRIES):
            record = ran(record, Result(status="error", error="no"), now)
            self.assertEqual(next_run_ms(record), now + 5 + RETRY_MS * 2**attempt)
            now = next_run_ms(record) or 0
        record = ran(record, Result(status="error", error="no"), now)
        self.assertEqual((record["enabled"], next_run_ms(record)), (False, None))

    def test_final(self) -> None:
        """
        What trying again would not mend is not tried again.
        """
        once = job(schedule={"kind": "at", "atMs": NOW})
        self.assertFalse(ran(once, Result(status="error", error="aborted", final=True))["enabled"])

    def test_forced(self) -> None:
        """
        A run out of turn leaves the due time alone.
        """
        taken, claim = force(job(enabled=True), NOW + 7, "run")
        assert claim is not None
        after: Any = finish(taken, claim, Result(status="ok"), started_ms=NOW + 7, now_ms=NOW + 8)
        self.assertEqual(next_run_ms(after), NOW + 60_000)
        early = job(schedule={"kind": "at", "atMs": NOW + 60_000})
        taken, claim = force(early, NOW + 7, "run")
        assert claim is not None
        failed: Any = finish(taken, claim, Result(status="error", error="no"), started_ms=NOW, now_ms=NOW + 8)
        self.assertEqual(next_run_ms(failed), NOW + 60_000)

    def test_missed_for_good(self) -> None:
        """
        A job for one time that is to be left out when it is missed is off then, and says why.
        """
        once = job(schedule={"kind": "at", "atMs": NOW}, misfire="skip")
        after, claim = take(once, NOW + 3_600_000, "run")
        self.assertEqual((claim, after["enabled"], after["state"]["lastError"]), (None, False, "missed"))


class NormalizeTests(SynchronousTestCase):
    def test_add(self) -> None:
        """
        Wrappers, kinds, moments, old names and words for booleans are read as they were meant.
        """
        wrapped = {
            "data": {"name": "x", "schedule": {"everyMs": 5}, "payload": {**TURN, "provider": " Telegram "}},
            "a": 1,
        }
        self.assertEqual(
            normalize_add(wrapped),
            {
                "name": "x",
                "schedule": {"everyMs": 5, "kind": "every"},
                "payload": {**TURN, "channel": "telegram"},
                "wakeMode": "next-heartbeat",
                "sessionTarget": "isolated",
            },
        )
        given = {"agentId": " ", "enabled": "FALSE", "schedule": {"at": "2030-01-01T00:00:00"}, "payload": NOTE}
        self.assertEqual(
            normalize_add(given),
            {
                "enabled": False,
                "schedule": {"atMs": 1_893_456_000_000, "kind": "at"},
                "payload": NOTE,
                "wakeMode": "next-heartbeat",
                "sessionTarget": "main",
            },
        )
        self.assertIsNone(normalize_add({"agentId": None})["agentId"])

    def test_unreadable(self) -> None:
        """
        What cannot be read is left for the check.
        """
        self.assertEqual(normalize_add([1]), [1])
        odd = {"schedule": {"at": "soon"}, "payload": 7, "enabled": "maybe"}
        self.assertEqual(
            normalize_add(odd), {**odd, "schedule": {"at": "soon", "kind": "at"}, "wakeMode": "next-heartbeat"}
        )
        self.assertEqual(normalize_update({"id": "x", "patch": 7}), {"id": "x", "patch": 7})

    def test_update(self) -> None:
        """
        A change gets no defaults.
        """
        given = {"id": "x", "patch": {"schedule": {"expr": "0 7 * * *"}}}
        self.assertEqual(normalize_update(given)["patch"], {"schedule": {"expr": "0 7 * * *", "kind": "cron"}})

    def test_moments(self) -> None:
        """
        With a zone, without one, as digits, or not at all.
        """
        self.assertEqual(parse_moment("2030-01-01T01:00:00+01:00"), 1_893_456_000_000)
        self.assertEqual(parse_moment("2030-01-01"), 1_893_456_000_000)
        self.assertEqual(parse_moment(" 1893456000000 "), 1_893_456_000_000)
        for text in ("", "soon", "1969-01-01", "2030-13-01", "9" * 30):
            self.assertIsNone(parse_moment(text), text)


class AdoptTests(SynchronousTestCase):
    def test_whole(self) -> None:
        """
        A job of ours stays as it is, also with a run under way.
        """
        taken, _ = take(job(), NOW + 60_000, "run")
        for record in (job(), taken):
            self.assertEqual(adopt(record, NOW + 60_000), record)

    def test_lost_member(self) -> None:
        """
        A job that does not say whether it is on is on if ``cron.add`` made it.
        """
        lost = {name: value for name, value in job().items() if name != "enabled"}
        adopted = adopt({**lost, "state": {}}, NOW + 5)
        assert adopted is not None
        self.assertEqual((adopted["enabled"], next_run_ms(adopted)), (True, NOW + 60_000))
        del lost["state"]
        adopted = adopt(lost, NOW + 5)
        assert adopted is not None
        self.assertEqual((adopted["enabled"], adopted["state"]), (False, {}))

    def test_left_running(self) -> None:
        """
        A run of another program is over.
        """
        running = {**job(), "state": {"nextRunAtMs": NOW + 60_000, "runningAtMs": NOW}}
        self.assertEqual(adopt(running, NOW), job())

    def test_unreadable(self) -> None:
        """
        What is no job is none; one whose expression makes no sense is never due.
        """
        for record in (
            {},
            {**job(), "payload": {}},
            {**job(), "schedule": {"kind": "never"}},
            {**job(), "scheduler": 7},
        ):
            self.assertEqual(adopt(record, NOW) is None, "scheduler" not in record, record)
        bad = {**job(), "schedule": {"kind": "cron", "expr": "nonsense"}}
        adopted = adopt(bad, NOW)
        assert adopted is not None
        self.assertIsNone(next_run_ms(adopted))
