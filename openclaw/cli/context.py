"""
What a command is given of the world around it, and how it talks to people and to scripts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any, TextIO

from attrs import frozen

from openclaw.config.paths import profiled

_CODES = {"bold": "1", "accent": "38;2;255;90;45", "success": "38;2;47;191;113", "muted": "38;2;139;127;119"}
_CODES |= {"warn": "38;2;255;176;32", "error": "38;2;226;61;45", "info": "38;2;255;138;91"}


@frozen(kw_only=True)
class Context:
    """
    The surroundings of one command.

    :ivar environ: profiles and overrides have been filled in.
    :ivar directory: the one that the user stands in.
    :ivar now: seconds since the epoch.
    :ivar color: whether ``out`` shows colours.
    """

    environ: MutableMapping[str, str]
    home: Path
    directory: Path
    out: TextIO
    err: TextIO
    now: Callable[[], float]
    color: bool = False

    def line(self, text: str = "") -> None:
        """
        A line of the result.
        """
        self.out.write(f"{text}\n")

    def problem(self, text: str) -> None:
        """
        A line of what is wrong.
        """
        self.err.write(f"{text}\n")

    def json(self, value: Any) -> None:
        """
        The result, as the one document that ``--json`` promises. Where the stream does not know every character, JSON's
        own escapes keep them.
        """
        narrow = (self.out.encoding or "utf-8").lower() not in ("utf-8", "utf8")
        self.line(json.dumps(value, indent=2, ensure_ascii=narrow))

    def paint(self, text: str, *styles: str) -> str:
        """
        The text in colours, where there are any.
        """
        if not self.color:
            return text
        return f"\x1b[{';'.join(_CODES[style] for style in styles)}m{text}\x1b[0m"

    def short(self, path: Path | str) -> str:
        """
        A path for people: the home directory is ``~``.
        """
        text, home = str(path), str(self.home)
        return f"~{text[len(home) :]}" if text == home or text.startswith(f"{home}/") else text

    def command(self, text: str) -> str:
        """
        A command to type, with the profile that this one ran under.
        """
        return profiled(self.environ, text)


def wants_color(environ: Mapping[str, str], out: TextIO) -> bool:
    """
    Whether to use colours on a stream.
    """
    forced = environ.get("FORCE_COLOR", "")
    if environ.get("NO_COLOR") and forced in ("", "0"):
        return False
    if forced:
        return forced != "0"
    return out.isatty() and environ.get("TERM") != "dumb"


def age(milliseconds: float | None) -> str:
    """
    A span for people, in its largest unit: ``12m``.
    """
    if milliseconds is None:
        return "-"
    seconds = max(int(milliseconds / 1000), 0)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
