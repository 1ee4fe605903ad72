"""
The console: lines for people, or for the journal, or JSON (``service.md`` 7.3).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Literal, TextIO

import orjson
from attrs import define, field

from openclaw.logs.records import Level, Record, iso_utc

Style = Literal["pretty", "compact", "json"]

_DROPPED_SEGMENTS = ("gateway", "channels", "providers")
_CHAT_CHANNELS = ("telegram", "whatsapp", "discord", "googlechat", "slack", "signal", "imessage")

#: What the WhatsApp library says about every session; of use only to who looks for its faults.
_LIBRARY_NOISE = (
    "Closing session:",
    "Opening session:",
    "Removing old closed session:",
    "Session already closed",
    "Session already open",
)

_RESET = "\x1b[0m"
_TAG_COLOURS = ("\x1b[36m", "\x1b[32m", "\x1b[33m", "\x1b[34m", "\x1b[35m", "\x1b[31m")
_GREY = "\x1b[90m"
_LEVEL_COLOURS = {
    Level.TRACE: _GREY,
    Level.DEBUG: _GREY,
    Level.INFO: "\x1b[36m",
    Level.WARN: "\x1b[33m",
    Level.ERROR: "\x1b[31m",
    Level.FATAL: "\x1b[31m",
}

#: What sd-daemon(3) reads in front of a line.
_JOURNAL_PRIORITIES = {
    Level.TRACE: "<7>",
    Level.DEBUG: "<7>",
    Level.INFO: "<6>",
    Level.WARN: "<4>",
    Level.ERROR: "<3>",
    Level.FATAL: "<2>",
}

# Everything that could move a cursor or begin an escape sequence; lines of a traceback stay lines.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def tag_of(subsystem: str) -> str:
    """
    The short form of a subsystem that stands in brackets: ``gateway/ws`` is ``ws``.
    """
    segments = subsystem.split("/")
    while len(segments) > 1 and segments[0] in _DROPPED_SEGMENTS:
        segments = segments[1:]
    if segments[0] in _CHAT_CHANNELS:
        return segments[0]
    return "/".join(segments[-2:])


def printable(text: str) -> str:
    """
    Text without control characters: a client's name must not repaint the operator's terminal.
    """
    return _CONTROL.sub(
        lambda match: f"\\u{ord(match[0]):04x}" if ord(match[0]) > 255 else f"\\x{ord(match[0]):02x}", text
    )


def format_json(record: Record) -> str:
    """
    One JSON object with the full name, the message and the metadata's members.
    """
    line = {
        "time": iso_utc(record.time),
        "level": record.level.name.lower(),
        "subsystem": record.subsystem,
        "message": record.message,
    }
    return orjson.dumps({**record.meta, **line}, default=str).decode()


def format_line(record: Record, style: Style, *, colour: bool = False, time: bool = True) -> str:
    """
    One line as a style writes it.

    :param time: leave it out where something else writes the time, as the journal does.
    """
    if style == "json":
        return format_json(record)
    tag = tag_of(record.subsystem)
    message = record.message
    if message[: len(tag) + 1].lower() == f"{tag}:".lower():
        message = message[len(tag) + 1 :].lstrip()
    message = printable(message)
    stamp = iso_utc(record.time)
    stamp = stamp[11:19] if style == "pretty" else stamp
    shown = f"[{tag}]"
    if colour:
        stamp = f"{_GREY}{stamp}{_RESET}"
        shown = f"{_TAG_COLOURS[sum(tag.encode()) % len(_TAG_COLOURS)]}{shown}{_RESET}"
        message = f"{_LEVEL_COLOURS[record.level]}{message}{_RESET}"
    return f"{stamp} {shown} {message}" if time else f"{shown} {message}"


@define(kw_only=True)
class Console:
    """
    Writes records to the standard streams: warnings and worse to the second, the rest to the first.

    A stream whose reader has left is not written to any more; one whose reader is slow makes the process wait, as with
    any program's output.

    :ivar journal: the streams are the journal's: priorities stand in front, times and colours do not.
    :ivar noise: also show what the WhatsApp library says of its sessions.
    """

    stdout: TextIO
    stderr: TextIO
    style: Style
    colour: bool = False
    journal: bool = False
    noise: bool = False
    _gone: set[int] = field(factory=set, init=False)

    def write(self, record: Record) -> None:
        """
        Write one record, already redacted.
        """
        if not self.noise and record.message.startswith(_LIBRARY_NOISE):
            return
        stream = self.stderr if record.level >= Level.WARN else self.stdout
        if id(stream) in self._gone:
            return
        line = format_line(record, self.style, colour=self.colour, time=not self.journal)
        if self.journal:
            # Each line of a traceback is an entry of its own there.
            priority = _JOURNAL_PRIORITIES[record.level]
            line = "\n".join(priority + part for part in line.split("\n"))
        try:
            stream.write(line + "\n")
            stream.flush()
        except UnicodeEncodeError:
            stream.write(line.encode("ascii", "backslashreplace").decode() + "\n")
            stream.flush()
        except (OSError, ValueError):
            # A closed pipe or a closed stream: there is nobody to tell; the file has the record.
            self._gone.add(id(stream))


def make_console(
    stdout: TextIO, stderr: TextIO, environ: Mapping[str, str], style: Style | None, *, noise: bool = False
) -> Console:
    """
    The console for a process's streams.

    :param style: as configured; without one, pretty on a terminal and compact elsewhere.
    """
    terminal = stdout.isatty()
    return Console(
        stdout=stdout,
        stderr=stderr,
        style=style or ("pretty" if terminal else "compact"),
        colour=terminal and stderr.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb",
        journal=style != "json" and _is_journal(stdout, environ.get("JOURNAL_STREAM", "")),
        noise=noise,
    )


def _is_journal(stream: TextIO, told: str) -> bool:
    """
    Whether the stream is the one that systemd names in ``JOURNAL_STREAM`` (a child may have inherited the name only).
    """
    if not told:
        return False
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return told == f"{found.st_dev}:{found.st_ino}"
