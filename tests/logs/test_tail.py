"""
Reading the log from a cursor.
"""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from openclaw.logs.tail import LogUnreadable, tail


class TailTests(SynchronousTestCase):
    """
    The rules of ``logs.tail``, by number in the specification.
    """

    def setUp(self) -> None:
        directory = Path(self.mktemp())
        directory.mkdir()
        self.path = directory / "openclaw-2026-11-23.log"

    def test_missing(self) -> None:
        """
        Without a file there are no lines, and the cursor is 0.
        """
        result = tail(self.path, 17)
        self.assertEqual((result.file, result.cursor, result.size, result.lines), (str(self.path), 0, 0, ()))
        self.assertEqual((result.truncated, result.reset), (False, False))

    def test_whole(self) -> None:
        """
        Without a cursor a small file is read whole.
        """
        self.path.write_text("one\ntwo\n")
        result = tail(self.path)
        self.assertEqual((result.lines, result.cursor, result.size), (("one", "two"), 8, 8))
        self.assertEqual((result.truncated, result.reset), (False, False))

    def test_end_of_a_large_one(self) -> None:
        """
        Of a large file the end is read, without the line that was cut, and this is told.
        """
        self.path.write_text("one\ntwo\nthree\n")
        result = tail(self.path, max_bytes=8)
        self.assertEqual((result.lines, result.truncated, result.reset), (("three",), True, False))

    def test_start_between_lines(self) -> None:
        """
        A start that falls just after a newline loses no line.
        """
        self.path.write_text("one\ntwo\nthree\n")
        self.assertEqual(tail(self.path, max_bytes=10).lines, ("two", "three"))
        self.assertEqual(tail(self.path, 4).lines, ("two", "three"))

    def test_nothing_new(self) -> None:
        """
        A cursor at the end gives no lines and the same cursor.
        """
        self.path.write_text("one\n")
        result = tail(self.path, 4)
        self.assertEqual((result.lines, result.cursor, result.reset, result.truncated), ((), 4, False, False))

    def test_too_far_behind(self) -> None:
        """
        A cursor further behind than the limit of bytes is reset, and bytes are missing.
        """
        self.path.write_text("one\ntwo\nthree\n")
        result = tail(self.path, 0, max_bytes=10)
        self.assertEqual((result.lines, result.truncated, result.reset), (("two", "three"), True, True))
        self.assertFalse(tail(self.path, 4, max_bytes=10).reset)

    def test_rotated(self) -> None:
        """
        A cursor beyond the end means another file: it is read from its start, and nothing is missing.
        """
        self.path.write_text("new\n")
        result = tail(self.path, 9000)
        self.assertEqual((result.lines, result.truncated, result.reset, result.cursor), (("new",), False, True, 4))

    def test_limit(self) -> None:
        """
        Only the last lines are returned, silently.
        """
        self.path.write_text("1\n2\n3\n")
        result = tail(self.path, limit=2)
        self.assertEqual((result.lines, result.truncated), (("2", "3"), False))

    def test_unfinished_line(self) -> None:
        """
        A last line without its newline is returned as it is.
        """
        self.path.write_text("one\ntw")
        result = tail(self.path)
        self.assertEqual((result.lines, result.cursor), (("one", "tw"), 6))

    def test_latest_daily_file(self) -> None:
        """
        When today's file does not exist yet, the latest one beside it is read; a numbered one is no daily file.
        """
        for name, modified in (("openclaw-2026-11-21.log", 200), ("openclaw-2026-11-22.log", 100)):
            older = self.path.with_name(name)
            older.write_text(f"{name}\n")
            os.utime(older, (modified, modified))
        self.path.with_name("openclaw-2026-11-22.1.log").write_text("no\n")
        result = tail(self.path)
        self.assertEqual(result.file, str(self.path.with_name("openclaw-2026-11-21.log")))
        self.assertEqual(result.lines, ("openclaw-2026-11-21.log",))
        self.assertEqual(tail(self.path.with_name("mine.log")).size, 0)

    def test_unreadable(self) -> None:
        """
        A file that cannot be read fails with the text of the method.
        """
        self.path.mkdir()
        error = self.assertRaises(LogUnreadable, tail, self.path)
        self.assertTrue(str(error).startswith("log read failed: "))

    @given(st.binary(max_size=60), st.integers(0, 70) | st.none(), st.integers(1, 70))
    @settings(max_examples=50, derandomize=True, deadline=None)
    def test_any_bytes(self, data: bytes, cursor: int | None, max_bytes: int) -> None:
        """
        Whatever the file holds, the lines are whole lines of its end.
        """
        self.path.write_bytes(data)
        result = tail(self.path, cursor, max_bytes=max_bytes)
        every = data.decode("utf-8", "replace").split("\n")
        every = every[:-1] if not every[-1] else every
        self.assertEqual(list(result.lines), every[len(every) - len(result.lines) :])
        self.assertEqual(result.cursor, len(data))
        if cursor is None or cursor > len(data):
            self.assertEqual(result.truncated, len(data) > max_bytes)
