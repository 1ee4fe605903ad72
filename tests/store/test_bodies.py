"""
Large bodies are collected when nobody has them, and not before.
"""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from openclaw.store.bodies import Bodies
from openclaw.store.schema import open_writer
from openclaw.store.sql_unit import SqlUnit
from tests.store.interface import entry

LARGE = 300_000


class BodiesTests(SynchronousTestCase):
    def setUp(self) -> None:
        path = Path(self.mktemp()) / "openclaw.sqlite3"
        self.folder = path.parent / "blobs"
        self.connection = open_writer(path)
        self.addCleanup(self.connection.close)
        self.unit = SqlUnit(self.connection, Bodies(self.folder))

    def append(self, id: str, letter: str) -> None:
        self.unit.entries.append(entry(id, None, letter * LARGE))

    def files(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()} if self.folder.exists() else set()

    def lost(self, letter: str) -> str:
        """
        A body whose transaction failed.
        """
        before = self.files()
        self.connection.execute("BEGIN")
        self.append(f"lost-{letter}", letter)
        self.connection.execute("ROLLBACK")
        (name,) = self.files() - before
        # As if some time had passed: the clock of files has large steps.
        os.utime(self.folder / name, ns=(1, 1))
        return name

    def test_nothing_there(self) -> None:
        """
        A database without large bodies has no folder for them.
        """
        self.assertEqual(self.unit.bodies.loose("", 10), ({}, None))
        self.assertEqual(self.unit.bodies.drop({"0" * 64: 1}), 0)

    def test_only_what_nobody_has(self) -> None:
        """
        Bodies of entries stay, of archived ones, too; also what is no body at all.
        """
        self.append("a", "a")
        self.append("b", "b")
        self.unit.entries.keep_last("s1", 1, 5)
        kept = self.files()
        (self.folder / "another").write_bytes(b"x")
        name = self.lost("c")
        loose, more = self.unit.bodies.loose("", 10)
        self.assertEqual((dict(loose), more), ({name: 1}, None))
        self.assertEqual(self.unit.bodies.drop(loose), 1)
        self.assertEqual(self.files(), kept | {"another"})
        self.assertEqual(self.unit.entries.leaf("s1"), entry("b", None, "b" * LARGE))

    def test_replaced(self) -> None:
        """
        The body that a newer one was merged over is nobody's.
        """
        self.append("a", "a")
        (old,) = self.files()
        self.unit.entries.merge(entry("a", None, "b" * LARGE, timestamp_ms=9000))
        loose, _ = self.unit.bodies.loose("", 10)
        self.assertEqual(list(loose), [old])

    def test_wanted_again(self) -> None:
        """
        What is written again between the look and the removal stays: named by now, or in a transaction that failed.
        """
        taken, again, gone = (self.lost(letter) for letter in "abc")
        loose, _ = self.unit.bodies.loose("", 10)
        self.assertEqual(set(loose), {taken, again, gone})
        self.append("a", "a")
        self.connection.execute("BEGIN")
        self.append("b", "b")
        self.connection.execute("ROLLBACK")
        self.assertEqual(self.unit.bodies.drop(loose), 1)
        self.assertEqual(self.files(), {taken, again})

    def test_removed_in_a_transaction_that_fails(self) -> None:
        """
        A body that was named in between is not removed together with a row whose removal then fails.
        """
        name = self.lost("a")
        loose, _ = self.unit.bodies.loose("", 10)
        self.append("a", "a")
        self.connection.execute("BEGIN")
        self.unit.entries.merge(entry("a", None, "small", timestamp_ms=9000))
        self.assertEqual(self.unit.bodies.drop(loose), 0)
        self.connection.execute("ROLLBACK")
        self.assertEqual(self.files(), {name})
        self.assertEqual(self.unit.entries.leaf("s1"), entry("a", None, "a" * LARGE))

    def test_a_part_at_a_time(self) -> None:
        """
        Each look goes on where the last one ended.
        """
        names = sorted(self.lost(letter) for letter in "abcde")
        seen: list[str] = []
        last: str | None = ""
        looks = 0
        while last is not None:
            found, last = self.unit.bodies.loose(last, 2)
            self.assertLessEqual(len(found), 2)
            seen += found
            looks += 1
        self.assertEqual((seen, looks), (names, 3))
