"""
The log file.
"""

from __future__ import annotations

import json
import os
import stat
import time
from datetime import timedelta
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from openclaw.logs.file import LogFile, daily_path, json_line, make_file, prune
from openclaw.logs.records import Level, Record
from openclaw.logs.tail import tail

DAY = 86_400.0
NOON = 1795521600.0  # 2026-11-24T12:00:00Z


class LineTests(SynchronousTestCase):
    """
    What the apps and ``openclaw logs`` parse.
    """

    def test_message(self) -> None:
        """
        The binding as a string, the message, and the names that readers look for.
        """
        line = json_line(Record(time=NOON, level=Level.WARN, subsystem="gateway/canvas", message="mounted"))
        self.assertTrue(line.endswith(b"}\n"))
        self.assertEqual(
            json.loads(line),
            {
                "0": '{"subsystem":"gateway/canvas"}',
                "1": "mounted",
                "_meta": {
                    "runtime": "python",
                    "name": '{"subsystem":"gateway/canvas"}',
                    "parentNames": ["openclaw"],
                    "date": "2026-11-24T12:00:00.000Z",
                    "logLevelId": 4,
                    "logLevelName": "WARN",
                },
                "time": "2026-11-24T12:00:00.000Z",
            },
        )

    def test_metadata(self) -> None:
        """
        Metadata stand between the binding and the message.
        """
        line = json.loads(
            json_line(Record(time=NOON, level=Level.INFO, subsystem="x", message="m", meta={"intervalMs": 5}))
        )
        self.assertEqual((line["1"], line["2"]), ({"intervalMs": 5}, "m"))

    def test_one_line(self) -> None:
        """
        Whatever a message holds, it is one line of valid JSON.
        """
        for message in ("a\nb\r\u2028c", "\x00\x1b", "\ud800 half", "日本"):
            line = json_line(Record(time=NOON, level=Level.INFO, subsystem="x", message=message, meta={"o": {1: b"x"}}))
            self.assertEqual(line.count(b"\n"), 1)
            json.loads(line)


class FileTests(SynchronousTestCase):
    """
    Where lines go, and how long they stay.
    """

    def setUp(self) -> None:
        zone = os.environ.get("TZ")
        os.environ["TZ"] = "UTC"
        time.tzset()

        def restore() -> None:
            os.environ.pop("TZ")
            if zone is not None:
                os.environ["TZ"] = zone
            time.tzset()

        self.addCleanup(restore)
        self.state = Path(self.mktemp())
        self.errors: list[OSError] = []

    def make(self, configured: str | None = None) -> LogFile:
        file = make_file(configured, self.state, self.errors.append)
        self.addCleanup(file.close)
        return file

    def test_private(self) -> None:
        """
        The file and the directories made for it are their owner's only, whatever the umask.
        """
        self.addCleanup(os.umask, os.umask(0))
        file = self.make()
        file.append(NOON, b"one\n")
        path = self.state / "logs" / "openclaw-2026-11-24.log"
        self.assertEqual(file.path(NOON), path)
        self.assertEqual(path.read_bytes(), b"one\n")
        for made, mode in ((path, 0o600), (path.parent, 0o700), (self.state, 0o700)):
            self.assertEqual(stat.S_IMODE(made.stat().st_mode), mode)

    def test_loose_file_is_closed_to_others(self) -> None:
        """
        A file of ours that others could read is made private before anything is added.
        """
        path = daily_path(self.state / "logs", NOON)
        path.parent.mkdir(parents=True)
        path.write_bytes(b"old\n")
        path.chmod(0o644)
        self.make().append(NOON, b"new\n")
        self.assertEqual((path.read_bytes(), stat.S_IMODE(path.stat().st_mode)), (b"old\nnew\n", 0o600))

    def test_midnight(self) -> None:
        """
        The first record of a day begins the day's file, to the second, by the local date.
        """
        os.environ["TZ"] = "Asia/Tokyo"
        time.tzset()
        midnight = NOON + 3 * 3600
        file = self.make()
        for seconds, line in ((midnight - 0.1, b"before\n"), (midnight, b"after\n"), (midnight + 0.1, b"later\n")):
            file.append(seconds, line)
        logs = self.state / "logs"
        self.assertEqual((logs / "openclaw-2026-11-24.log").read_bytes(), b"before\n")
        self.assertEqual((logs / "openclaw-2026-11-25.log").read_bytes(), b"after\nlater\n")

    def test_configured(self) -> None:
        """
        A configured file keeps its name; one named as a daily file stands for its directory.
        """
        mine = self.state / "mine.log"
        file = self.make(str(mine))
        file.append(NOON, b"1\n")
        file.append(NOON + DAY, b"2\n")
        self.assertEqual(mine.read_bytes(), b"1\n2\n")
        daily = self.make(str(self.state / "elsewhere" / "openclaw-2026-01-01.log"))
        self.assertEqual(daily.path(NOON), self.state / "elsewhere" / "openclaw-2026-11-24.log")

    def test_moved_away(self) -> None:
        """
        When somebody has moved or removed the file, a new one is begun within seconds.
        """
        mine = self.state / "mine.log"
        file = self.make(str(mine))
        file.append(NOON, b"1\n")
        mine.rename(self.state / "mine.log.1")
        file.append(NOON + 1, b"2\n")
        file.append(NOON + 6, b"3\n")
        self.assertEqual((self.state / "mine.log.1").read_bytes(), b"1\n2\n")
        self.assertEqual(mine.read_bytes(), b"3\n")

    def test_no_links(self) -> None:
        """
        The file is not opened through a link, which could lead anywhere; this is told once.
        """
        victim = Path(self.mktemp())
        victim.write_bytes(b"precious")
        path = daily_path(self.state / "logs", NOON)
        path.parent.mkdir(parents=True)
        path.symlink_to(victim.absolute())
        file = self.make()
        file.append(NOON, b"1\n")
        file.append(NOON, b"2\n")
        self.assertEqual((victim.read_bytes(), len(self.errors)), (b"precious", 1))
        path.unlink()
        file.append(NOON, b"3\n")
        self.assertEqual(path.read_bytes(), b"3\n")

    def test_size(self) -> None:
        """
        A file of today that is full is set aside under a number; a reader's cursor is reset.
        """
        file = self.make()
        file.most_file_bytes = 10
        for line in (b"11111\n", b"22222\n", b"33333\n"):
            file.append(NOON, line)
        logs = self.state / "logs"
        self.assertEqual(
            {path.name: path.read_bytes() for path in logs.iterdir()},
            {
                "openclaw-2026-11-24.1.log": b"11111\n",
                "openclaw-2026-11-24.2.log": b"22222\n",
                "openclaw-2026-11-24.log": b"33333\n",
            },
        )
        self.assertTrue(tail(file.path(NOON), 12).reset)

    def test_pruning(self) -> None:
        """
        Old files go, then the oldest beyond the total size; other files and the current one stay.
        """
        self.state.mkdir()
        for name, age, size in (
            ("openclaw-2026-11-20.log", 25 * 3600, 1),
            ("openclaw-2026-11-23.log", 3 * 3600, 40),
            ("openclaw-2026-11-24.1.log", 2 * 3600, 40),
            ("openclaw-2026-11-24.log", 90 * 3600, 40),
            ("other.log", 90 * 3600, 40),
        ):
            (self.state / name).write_bytes(b"x" * size)
            os.utime(self.state / name, (NOON - age, NOON - age))
        current = self.state / "openclaw-2026-11-24.log"
        prune(self.state, current, NOON, keep=timedelta(hours=24), most_bytes=100)
        left = sorted(path.name for path in self.state.iterdir())
        self.assertEqual(left, ["openclaw-2026-11-24.1.log", "openclaw-2026-11-24.log", "other.log"])
