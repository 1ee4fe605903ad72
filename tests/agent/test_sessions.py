"""
How long a session goes on, and what waits for its next prompt.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from datetime import datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from openclaw.agent.notes import MAX_NOTES, MAX_SESSIONS
from tests.agent.cases import HouseCase
from tests.agent.fakes import KEY, House, SlowStore

BERLIN = ZoneInfo("Europe/Berlin")


class FreshnessTests(HouseCase):
    def at(self, house: House, moment: str, zone: tzinfo = BERLIN) -> None:
        """
        Move the clock to a local time.
        """
        house.clock.advance(datetime.fromisoformat(moment).replace(tzinfo=zone).timestamp() - house.clock.seconds())

    def in_berlin(self, session: Mapping[str, Any] | None = None) -> House:
        return self.house(config={"session": session or {}}, options={"zone": lambda: BERLIN})

    def continues(self, house: House, run_id: str, **more: Any) -> bool:
        """
        Whether the next message still sees what was said before.
        """
        house.send("and now", run_id, **more)
        return len(house.model.requests[-1].messages) > 1

    def test_daily(self) -> None:
        """
        The first message after four in the morning, where the owner lives, starts afresh.
        """
        house = self.in_berlin()
        self.at(house, "2027-03-10T03:00")
        house.send("hi", "run-1")
        self.at(house, "2027-03-10T03:59")
        self.assertTrue(self.continues(house, "run-2"))
        self.at(house, "2027-03-10T04:01")
        self.assertFalse(self.continues(house, "run-3"))
        self.at(house, "2027-03-11T03:59")
        self.assertTrue(self.continues(house, "run-4"))

    def test_clock_change(self) -> None:
        """
        On the days when the clocks change the hour is still the one that the clock on the wall shows.
        """
        for day in ("2027-03-28", "2027-10-31"):
            house = self.in_berlin()
            self.at(house, f"{day}T00:30")
            house.send("hi", "run-1")
            self.at(house, f"{day}T03:55")
            self.assertTrue(self.continues(house, "run-2"), day)
            self.at(house, f"{day}T04:05")
            self.assertFalse(self.continues(house, "run-3"), day)

    def test_hour_that_comes_twice(self) -> None:
        """
        An hour that the clock shows twice resets once, one that it leaves out resets when it would have come.
        """
        house = self.in_berlin({"reset": {"mode": "daily", "atHour": 2}})
        self.at(house, "2027-10-31T01:50")
        house.send("hi", "run-1")
        house.clock.advance(15 * 60)
        self.assertFalse(self.continues(house, "run-2"))
        house.clock.advance(60 * 60)
        self.assertTrue(self.continues(house, "run-3"))
        house = self.in_berlin({"reset": {"mode": "daily", "atHour": 2}})
        self.at(house, "2027-03-28T01:50")
        house.send("hi", "run-1")
        house.clock.advance(90 * 60)
        self.assertFalse(self.continues(house, "run-2"))

    def test_idle(self) -> None:
        """
        A session that was quiet longer than configured starts afresh.
        """
        house = self.in_berlin({"reset": {"mode": "idle", "idleMinutes": 30}})
        house.send("hi", "run-1")
        house.clock.advance(29 * 60)
        self.assertTrue(self.continues(house, "run-2"))
        house.clock.advance(31 * 60)
        self.assertFalse(self.continues(house, "run-3"))

    def test_heartbeat(self) -> None:
        """
        A heartbeat neither starts a session afresh nor keeps it going.
        """
        house = self.in_berlin({"reset": {"mode": "idle", "idleMinutes": 30}})
        house.send("hi", "run-1")
        house.clock.advance(20 * 60)
        self.assertTrue(self.continues(house, "run-2", origin="heartbeat"))
        house.clock.advance(20 * 60)
        self.assertTrue(self.continues(house, "run-3", origin="heartbeat"))
        self.assertFalse(self.continues(house, "run-4"))

    def test_settings_of_the_day_before(self) -> None:
        """
        What was set for the old session does not hold for the new one.
        """
        house = self.in_berlin()
        self.at(house, "2027-03-10T03:00")
        house.send("/verbose on", "run-1")
        self.at(house, "2027-03-10T05:00")
        house.send("hi", "run-2")
        self.assertNotIn("verboseLevel", house.read(lambda unit: unit.sessions.get(KEY)).members)


class RouteTests(HouseCase):
    def test_told_whole(self) -> None:
        """
        Where answers go is that of the last message: nothing of an earlier one is left.
        """
        house = self.house()
        topic = {"lastChannel": "telegram", "lastTo": "7", "lastThreadId": 42, "lastAccountId": "default"}
        house.send("hi", "run-1", members=topic)
        house.send("hi", "run-2", origin="agent", members={"label": "L"})
        members = house.read(lambda unit: unit.sessions.get(KEY)).members
        self.assertEqual({name: members[name] for name in topic}, topic)
        house.send("hi", "run-3", members={"lastChannel": "webchat"})
        members = house.read(lambda unit: unit.sessions.get(KEY)).members
        self.assertEqual([members.get(name) for name in topic], ["webchat", None, None, None])


class NoteTests(HouseCase):
    def asked(self, house: House) -> str:
        return str(house.model.requests[-1].messages[-1]["content"][0]["text"])

    def test_next_prompt(self) -> None:
        """
        Notes stand before the next message, with their time, and only there.
        """
        house = self.house()
        house.runtime.note(KEY, "Node connected")
        self.assertEqual(house.runtime.notes(KEY), ["Node connected"])
        house.send("hi", "run-1")
        self.assertEqual(
            self.asked(house), "System: [2026-11-23 05:50:00 UTC] Node connected\n\nhi\n[message_id: run-1]"
        )
        house.send("again", "run-2")
        self.assertTrue(self.asked(house).startswith("again"))

    def test_other_session(self) -> None:
        """
        A note is for one session.
        """
        house = self.house()
        house.runtime.note("agent:main:other", "Node connected")
        house.send("hi", "run-1")
        self.assertTrue(self.asked(house).startswith("hi"))

    def beginning(self) -> tuple[House, SlowStore]:
        """
        A house whose run is just writing its prompt, with a note in it.
        """
        house = self.house()
        house.runtime.note(KEY, "Node connected")
        store = house.store
        assert isinstance(store, SlowStore)
        store.slow = True
        house.send("hi", "run-1")
        store.go()
        house.clock.advance(0)
        self.assertEqual(len(store.waiting), 1)
        return house, store

    def finish(self, house: House, store: SlowStore) -> None:
        while store.waiting:
            store.go()
            house.clock.advance(0)
        store.slow = False
        house.clock.advance(1)

    def test_meanwhile(self) -> None:
        """
        A note that comes while a prompt is written waits for the next one.
        """
        house, store = self.beginning()
        house.runtime.note(KEY, "Node gone")
        self.finish(house, store)
        self.assertTrue(self.asked(house).startswith("System: [2026-11-23 05:50:00 UTC] Node connected\n\nhi"))
        self.assertEqual(house.runtime.notes(KEY), ["Node gone"])
        house.send("again", "run-2")
        self.assertIn("Node gone", self.asked(house))
        self.assertEqual(house.runtime.notes(KEY), [])

    def test_store_fails(self) -> None:
        """
        A note stays when its prompt could not be written.
        """
        house, store = self.beginning()
        store.broken = OSError("disk full")
        self.finish(house, store)
        self.assertTrue(self.flushLoggedErrors(OSError))
        self.assertEqual(house.runtime.notes(KEY), ["Node connected"])

    def test_taken_up(self) -> None:
        """
        A run whose prompt an earlier process wrote tells no note: it waits for the next message.
        """
        house = self.house([10])
        house.send("hi", "run-1")
        for call in list(house.clock.getDelayedCalls()):
            call.cancel()
        store = SlowStore(deepcopy(house.store.unit), slow=True)
        house = self.house(store=store)
        house.runtime.note(KEY, "Gateway restarted")
        self.finish(house, store)
        self.assert_one_end(house, "run-1", "final")
        self.assertEqual(house.runtime.notes(KEY), ["Gateway restarted"])

    def test_left_out(self) -> None:
        """
        Blank notes, repetitions and those that say only that something is alive are left out; the newest are kept.
        """
        house = self.house()
        for text in ("", "  ", "Node: x · reason periodic", "same", "same "):
            house.runtime.note(KEY, text)
        self.assertEqual(house.runtime.notes(KEY), ["same"])
        for number in range(30):
            house.runtime.note(KEY, f"note {number}")
        self.assertEqual(house.runtime.notes(KEY), [f"note {number}" for number in range(30 - MAX_NOTES, 30)])

    def test_most_sessions(self) -> None:
        """
        Notes for ever more sessions do not fill the memory.
        """
        house = self.house()
        for number in range(MAX_SESSIONS + 1):
            house.runtime.note(f"agent:main:{number}", "note")
        self.assertEqual(house.runtime.notes("agent:main:0"), [])
        for number in (1, MAX_SESSIONS):
            self.assertEqual(house.runtime.notes(f"agent:main:{number}"), ["note"])
