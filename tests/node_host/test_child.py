"""
Programs that really run.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.process import ProcessReader
from twisted.trial.unittest import TestCase

from openclaw.node_host.child import MOST_BYTES, Ended, run


class ChildTests(TestCase):
    timeout = 60

    def run_shell(self, script: str, limit: float = 30.0) -> Deferred[Ended]:
        self.directory = Path(self.mktemp()).absolute()
        self.directory.mkdir(parents=True)
        environ = {"PATH": os.environ["PATH"], "GREETING": "hello"}
        return run(reactor, "/bin/sh", ["-c", script], cwd=self.directory, environ=environ, limit=limit)

    async def test_ended(self) -> None:
        """
        Output, errors, exit code, directory and variables; there is nothing to read.
        """
        ended = await self.run_shell('cat; echo "$GREETING"; pwd; echo bad >&2; exit 3')
        self.assertEqual(ended.output.split(), ["hello", str(self.directory)])
        self.assertEqual((ended.errors, ended.exit_code, ended.timed_out), ("bad\n", 3, False))

    async def test_much_output(self) -> None:
        """
        What is too much is read, so that the program ends, and cut.
        """
        ended = await self.run_shell(f"head -c {MOST_BYTES * 3} /dev/zero | tr '\\0' x")
        self.assertEqual(ended.exit_code, 0)
        self.assertTrue(ended.output.endswith("x\n... (truncated)"))
        self.assertLess(len(ended.output), MOST_BYTES + 100)

    async def test_too_long(self) -> None:
        """
        A program that takes too long is ended with what it has started.
        """
        ended = await self.run_shell("sleep 300 & echo $! > child; wait", limit=1.0)
        self.assertEqual((ended.timed_out, ended.exit_code), (True, None))
        await self.gone(int((self.directory / "child").read_text()))

    async def test_cancelled(self) -> None:
        """
        Who gives up ends the program.
        """
        running = self.run_shell("echo $$ > pid; sleep 300")
        while not (self.directory / "pid").exists() or not (self.directory / "pid").read_text().strip():
            await self.pause()
        running.cancel()
        with self.assertRaises(CancelledError):
            await running
        await self.gone(int((self.directory / "pid").read_text()))
        told: Any = reactor
        while any(isinstance(reader, ProcessReader) for reader in told.getReaders()):
            await self.pause()

    async def gone(self, pid: int) -> None:
        """
        Wait until a process has ended.
        """
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            except (FileNotFoundError, ProcessLookupError):
                return
            if state == "Z":
                return
            await self.pause()
        self.fail(f"{pid} still runs")

    def pause(self) -> Deferred[None]:
        waited: Deferred[None] = Deferred()
        told: Any = reactor
        told.callLater(0.02, waited.callback, None)
        return waited
