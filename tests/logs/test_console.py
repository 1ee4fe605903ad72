"""
Lines for people.
"""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from openclaw.logs.console import Console, format_line, make_console, printable, tag_of
from openclaw.logs.records import Level, Record

TIME = 1795499607.443


def record(message: str, subsystem: str = "gateway/heartbeat", level: Level = Level.INFO, **meta: object) -> Record:
    return Record(time=TIME, level=level, subsystem=subsystem, message=message, meta=meta)


class Terminal(io.StringIO):
    """
    A stream that says it is a terminal.
    """

    def isatty(self) -> bool:
        return True


class Gone(io.StringIO):
    """
    A pipe whose reader has left.
    """

    def write(self, text: str) -> int:
        raise BrokenPipeError


class FormatTests(SynchronousTestCase):
    """
    The three styles, as recorded.
    """

    def test_compact(self) -> None:
        """
        A whole time, the tag, and the message without the tag repeated.
        """
        self.assertEqual(
            format_line(record("heartbeat: started"), "compact"), "2026-11-24T05:53:27.443Z [heartbeat] started"
        )

    def test_pretty(self) -> None:
        """
        Only the time of day.
        """
        self.assertEqual(format_line(record("heartbeat: started"), "pretty"), "05:53:27 [heartbeat] started")

    def test_json(self) -> None:
        """
        The full name and message, and the metadata's members, which replace none of ours.
        """
        line = format_line(record("heartbeat: started", intervalMs=1800000, time="no"), "json")
        self.assertEqual(
            json.loads(line),
            {
                "time": "2026-11-24T05:53:27.443Z",
                "level": "info",
                "subsystem": "gateway/heartbeat",
                "message": "heartbeat: started",
                "intervalMs": 1800000,
            },
        )

    def test_tags(self) -> None:
        """
        Leading segments that say nothing are dropped; of a chat channel only its name stays.
        """
        for subsystem, tag in (
            ("gateway", "gateway"),
            ("gateway/ws", "ws"),
            ("gateway/channels/telegram", "telegram"),
            ("telegram/network", "telegram"),
            ("agents/auth-profiles", "agents/auth-profiles"),
            ("a/b/c", "b/c"),
        ):
            self.assertEqual(tag_of(subsystem), tag)

    def test_colour(self) -> None:
        """
        Colours surround the parts and change no text.
        """
        line = format_line(record("odd", level=Level.WARN), "pretty", colour=True)
        self.assertIn("\x1b[33modd\x1b[0m", line)

    def test_no_control_characters(self) -> None:
        """
        A message cannot move the cursor, colour the terminal or turn the writing round; its lines stay lines.
        """
        self.assertEqual(printable("a\x1b[2Jb\r\u202ec\nd\te"), "a\\x1b[2Jb\\x0d\\u202ec\nd\te")
        self.assertEqual(printable("日本語 ✗ ⇄ é"), "日本語 ✗ ⇄ é")


class ConsoleTests(SynchronousTestCase):
    """
    Where lines go.
    """

    def test_streams(self) -> None:
        """
        Warnings and worse go to standard error, the rest to standard output.
        """
        out, err = io.StringIO(), io.StringIO()
        console = make_console(out, err, {}, None)
        for level in (Level.INFO, Level.WARN, Level.FATAL, Level.DEBUG):
            console.write(record(level.name, level=level))
        self.assertEqual([line.split()[-1] for line in out.getvalue().splitlines()], ["INFO", "DEBUG"])
        self.assertEqual([line.split()[-1] for line in err.getvalue().splitlines()], ["WARN", "FATAL"])

    def test_style_and_colour(self) -> None:
        """
        Pretty and coloured on a terminal, compact and plain elsewhere; the configuration and NO_COLOR win.
        """
        plain = make_console(io.StringIO(), io.StringIO(), {"TERM": "xterm"}, None)
        self.assertEqual((plain.style, plain.colour), ("compact", False))
        shown = make_console(Terminal(), Terminal(), {"TERM": "xterm"}, None)
        self.assertEqual((shown.style, shown.colour), ("pretty", True))
        told = make_console(Terminal(), Terminal(), {"NO_COLOR": "1"}, "json")
        self.assertEqual((told.style, told.colour), ("json", False))

    def test_reader_left(self) -> None:
        """
        A stream without a reader is given up; the other one goes on.
        """
        err = io.StringIO()
        console = Console(stdout=Gone(), stderr=err, style="compact")
        console.write(record("lost"))
        console.write(record("seen", level=Level.ERROR))
        self.assertIn("seen", err.getvalue())

    def test_narrow_encoding(self) -> None:
        """
        A stream that cannot say a character gets its number.
        """
        raw = io.BytesIO()
        console = Console(stdout=io.TextIOWrapper(raw, encoding="ascii"), stderr=io.StringIO(), style="compact")
        console.write(record("⇄ res"))
        self.assertTrue(raw.getvalue().endswith(b"[heartbeat] \\u21c4 res\n"))

    def test_library_noise(self) -> None:
        """
        What the WhatsApp library says of its sessions is shown only when asked for.
        """
        for noise in (False, True):
            out = io.StringIO()
            make_console(out, out, {}, None, noise=noise).write(record("Closing session: SessionEntry"))
            self.assertEqual(bool(out.getvalue()), noise)

    def test_journal(self) -> None:
        """
        On the journal's own stream each line has its priority and no time; a name inherited for another is ignored.
        """
        path = Path(self.mktemp())
        with path.open("w") as stream:
            found = os.fstat(stream.fileno())
            told = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
            make_console(stream, stream, told, None).write(record("one\ntwo", level=Level.ERROR))
        self.assertEqual(path.read_text(), "<3>[heartbeat] one\n<3>two\n")
        self.assertFalse(make_console(io.StringIO(), io.StringIO(), told, None).journal)
