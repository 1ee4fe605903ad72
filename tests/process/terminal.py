"""
A person at a terminal: reads what a command shows, and types.
"""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import define, field

from tests.process.gateway import LIMIT, NotSeen

ENTER, DOWN, UP, INTERRUPT = "\r", "\x1b[B", "\x1b[A", "\x03"
#: Colours, and where the cursor is put.
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>]|\r")


@define(eq=False)
class Terminal:
    """
    One command on a terminal of its own.

    :ivar shown: everything so far, without colours.
    """

    process: subprocess.Popen[bytes]
    shown: str = field(default="", init=False)
    _file: int = field(kw_only=True)
    _seen: int = field(default=0, init=False)

    @classmethod
    def run(cls, command: Sequence[str], environ: Mapping[str, str], directory: Path) -> Terminal:
        ours, theirs = pty.openpty()
        more = {"TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1", "COLUMNS": "120", "LINES": "40"}
        process = subprocess.Popen(
            command,
            env={**environ, **more},
            cwd=directory,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        return cls(process, file=ours)

    def wait_for(self, text: str) -> None:
        """
        Read until something new is shown.
        """
        end = time.monotonic() + LIMIT
        while (found := self.shown.find(text, self._seen)) < 0:
            if not self._read(end):
                raise NotSeen(f"{text!r} was not shown, but: {self.shown[self._seen :]}")
        self._seen = found + len(text)

    def answer(self, question: str, keys: str) -> None:
        """
        Wait for a question, and type.
        """
        self.wait_for(question)
        os.write(self._file, keys.encode())

    def ended(self) -> int:
        """
        Wait for the end of the command.

        :return: its exit code.
        """
        end = time.monotonic() + LIMIT
        while self._read(end):
            pass
        return self.process.wait(LIMIT)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._file)

    def _read(self, end: float) -> bool:
        """
        :return: whether there may be more.
        """
        ready, _, _ = select.select([self._file], [], [], max(end - time.monotonic(), 0))
        if not ready:
            return False
        try:
            data = os.read(self._file, 65536)
        except OSError:
            # Linux says so when nobody has the other side any more.
            return False
        self.shown += _CONTROL.sub("", data.decode(errors="replace"))
        return bool(data)
