"""
Tests for ``openclaw.agent.heartbeat``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.heartbeat import PROMPT, has_tasks, heartbeat_of, heartbeats, is_active, judge
from openclaw.agent.workspace import template
from openclaw.config.durations import duration_ms
from openclaw.config.model import Config, build
from openclaw.config.model_agents import ActiveHoursConfig


def config(defaults: Any = None, *agents: Any) -> Config:
    listed = {"list": list(agents)} if agents else {}
    return build({"agents": {"defaults": {"heartbeat": defaults or {}}, **listed}})


class SettingsTests(SynchronousTestCase):
    def test_defaults(self) -> None:
        """
        The default agent looks every half hour, in its main session.
        """
        one = heartbeat_of(config(), "main")
        self.assertEqual((one.every, one.every_ms, one.prompt, one.target), ("30m", 1_800_000, PROMPT, "last"))
        self.assertEqual(one.session_key(config()), "agent:main:main")
        self.assertEqual(heartbeat_of(config(), "other").every_ms, None)

    def test_off(self) -> None:
        """
        Nothing, or nothing that can be read, is never.
        """
        for every in ("0m", "0", "soon"):
            one = heartbeat_of(config({"every": every}), "main")
            self.assertEqual((one.every_ms, one.every), (None, "disabled"))
        self.assertEqual(heartbeats(config({"every": "0m"})), [])

    def test_own(self) -> None:
        """
        If an agent has one of its own, only those have one; what they do not say the defaults say.
        """
        agents = config(
            {"every": "10m", "target": "none"}, {"id": "a", "default": True}, {"id": "B", "heartbeat": {"model": "m/x"}}
        )
        (one,) = heartbeats(agents)
        self.assertEqual((one.agent_id, one.every, one.model, one.target), ("b", "10m", "m/x", "none"))
        self.assertEqual(one.session_key(agents), "agent:b:main")

    def test_session(self) -> None:
        """
        It may be in another session.
        """
        for named, key in (
            ("watch", "agent:main:watch"),
            ("agent:ops:x", "agent:ops:x"),
            ("global", "global"),
            ("Main", "agent:main:main"),
        ):
            one = heartbeat_of(config({"session": named}), "main")
            self.assertEqual(one.session_key(config()), key)

    def test_durations(self) -> None:
        """
        Spans as people write them.
        """
        told = {text: duration_ms(text) for text in ("5", "1.5h", " 10 S ", "250ms", "2d", "x", "", "-5m")}
        whole = {"5": 300_000, "1.5h": 5_400_000, " 10 S ": 10_000, "250ms": 250, "2d": 172_800_000}
        self.assertEqual(told, {**whole, "x": None, "": None, "-5m": None})
        self.assertIsNone(duration_ms("5", unit=None))


class HoursTests(SynchronousTestCase):
    def active(
        self, local: str, start: str | None, end: str | None, zone: str | None = None, user: str | None = None
    ) -> bool:
        moment = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo("Europe/Vienna")).timestamp()
        return is_active(ActiveHoursConfig(start=start, end=end, timezone=zone), moment, user)

    def test_hours(self) -> None:
        """
        From the start, up to the end; over midnight where the end is before the start.
        """
        vienna = {"zone": "Europe/Vienna"}
        day = [
            self.active(f"2026-11-23T{time}", "08:00", "22:00", **vienna)
            for time in ("07:59", "08:00", "21:59", "22:00")
        ]
        self.assertEqual(day, [False, True, True, False])
        night = [
            self.active(f"2026-11-23T{time}", "22:00", "06:00", **vienna)
            for time in ("21:59", "22:00", "05:59", "06:00")
        ]
        self.assertEqual(night, [False, True, True, False])
        self.assertTrue(self.active("2026-11-23T23:59", "08:00", "24:00", **vienna))

    def test_always(self) -> None:
        """
        Without both times, or with the same one twice, there are no hours.
        """
        for start, end in ((None, None), ("08:00", None), ("08:00", "08:00")):
            self.assertTrue(self.active("2026-11-23T03:00", start, end))

    def test_zones(self) -> None:
        """
        The zone is the one named, else that of the user; one that does not exist is none.
        """
        for zone, user in (
            (None, "Asia/Tokyo"),
            ("user", "Asia/Tokyo"),
            ("Asia/Tokyo", None),
            ("No/Where", "Asia/Tokyo"),
        ):
            self.assertTrue(self.active("2026-11-23T00:30", "08:00", "09:00", zone, user), (zone, user))
            self.assertFalse(self.active("2026-11-23T08:30", "08:00", "09:00", zone, user), (zone, user))


class TextTests(SynchronousTestCase):
    def test_tasks(self) -> None:
        """
        Headings, blank lines and empty items ask for nothing; the file that a workspace begins with is such a one.
        """
        self.assertFalse(has_tasks(template("HEARTBEAT.md")))
        self.assertFalse(has_tasks("# Tasks\n\n## More\n-\n* [ ]\n+ [x]\n   \n"))
        for text in ("look", "- mail", "- [ ] mail", "#mail"):
            self.assertTrue(has_tasks(text), text)

    def test_all_is_well(self) -> None:
        """
        The word that all is well is found at the start and at the end, in whatever it is wrapped.
        """
        for text in ("HEARTBEAT_OK", " **HEARTBEAT_OK** ", "<b>HEARTBEAT_OK</b>", "HEARTBEAT_OK.", "`HEARTBEAT_OK`!"):
            self.assertEqual(judge(text, 300), ("token", ""), text)
        self.assertEqual(judge("HEARTBEAT_OK All quiet.", 300), ("token", "All quiet"))
        self.assertEqual(judge("Nothing new. HEARTBEAT_OK", 300), ("token", "Nothing new"))

    def test_something(self) -> None:
        """
        What is longer than may stand beside the word is something to tell; so is a word in the middle.
        """
        self.assertEqual(judge("HEARTBEAT_OK but " + "x" * 300, 300), ("text", "but " + "x" * 300))
        self.assertEqual(judge("HEARTBEAT_OK no", 0), ("text", "no"))
        self.assertEqual(judge("I was to say HEARTBEAT_OK but the house burns", 300)[0], "text")
        self.assertEqual(judge(" \n", 300), ("empty", ""))

    @given(st.text(max_size=60), st.integers(min_value=0, max_value=40))
    def test_any_text(self, text: str, most: int) -> None:
        """
        Every answer is one of the three; only what has the word or nothing is not told.
        """
        kind, rest = judge(text, most)
        self.assertEqual(kind == "empty", not text.strip())
        if kind == "token":
            self.assertIn("HEARTBEAT_OK", text)
            self.assertLessEqual(len(rest), most)
