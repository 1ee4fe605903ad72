"""
Lines that repeat.
"""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from openclaw.logs.collapse import Collapse
from openclaw.logs.records import Level, Record


class CollapseTests(SynchronousTestCase):
    """
    A line is written once, and then how often it came.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.written: list[Record] = []
        self.collapse = Collapse(clock=self.clock, write=self.written.append)

    def say(self, message: str, level: Level = Level.INFO, **meta: object) -> None:
        record = Record(time=self.clock.seconds(), level=level, subsystem="x", message=message, meta=meta)
        self.collapse.record(record)

    def messages(self) -> list[str]:
        return [record.message for record in self.written]

    def tearDown(self) -> None:
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_counted_when_another_comes(self) -> None:
        """
        The count stands between the line that repeated and the next one.
        """
        for message in ("a", "a", "a", "b"):
            self.say(message)
        self.assertEqual(self.messages(), ["a", "the last message came 2 times more", "b"])
        self.assertEqual(self.written[1].meta, {"repeats": 2})

    def test_counted_after_a_while(self) -> None:
        """
        Nothing is held back for longer than ten seconds, and counting goes on.
        """
        self.say("a")
        self.say("a")
        self.clock.advance(10)
        self.say("a")
        self.assertEqual(self.messages(), ["a", "the last message came once more"])
        self.collapse.flush()
        self.assertEqual(self.messages()[2:], ["the last message came once more"])

    def test_what_differs(self) -> None:
        """
        Another level, or metadata, make another line.
        """
        self.say("a")
        self.say("a", Level.WARN)
        self.say("a", Level.WARN, n=1)
        self.assertEqual(self.messages(), ["a", "a", "a"])
