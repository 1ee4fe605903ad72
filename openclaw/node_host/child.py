"""
Programs that a gateway wants run: bounded in time and in what they say, and ended with all that they started.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

#: Of each stream; what comes after it is read and forgotten.
MOST_BYTES = 200_000
#: Behind a stream that was longer.
CUT = b"\n... (truncated)"

#: A session of its own, so that everything below can be ended at once. The program replaces it.
LEADER = "import os, sys; os.setsid(); os.execv(sys.argv[1], sys.argv[1:])"


@frozen(kw_only=True)
class Ended:
    """
    What became of a program.

    :ivar exit_code: ``None`` where a signal ended it.
    """

    exit_code: int | None
    timed_out: bool
    output: str
    errors: str


@define(eq=False)
class _Stream:
    data: bytearray = field(factory=bytearray)
    cut: bool = False

    def take(self, data: bytes) -> None:
        room = MOST_BYTES - len(self.data)
        self.data += data[:room]
        self.cut = self.cut or len(data) > room

    def text(self) -> str:
        return bytes(self.data + CUT if self.cut else self.data).decode("utf-8", "replace")


class _Child(ProcessProtocol):
    def __init__(self) -> None:
        self.output, self.errors = _Stream(), _Stream()
        self.timed_out = False
        self.ended: Deferred[Ended] = Deferred(lambda _: self.kill())

    def connectionMade(self) -> None:
        # What asks for input gets its end.
        transport: Any = self.transport
        transport.closeStdin()

    def outReceived(self, data: bytes) -> None:
        self.output.take(data)

    def errReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted calls it
        self.errors.take(data)

    def too_late(self) -> None:
        self.timed_out = True
        self.kill()

    def kill(self) -> None:
        transport: Any = self.transport
        if transport is None or not transport.pid:
            return
        try:
            os.killpg(transport.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            # It has not become a leader yet, or is gone.
            transport.signalProcess("KILL")

    def processEnded(self, reason: Failure) -> None:
        code = 0 if reason.check(ProcessDone) else getattr(reason.value, "exitCode", None)
        if not self.ended.called:
            self.ended.callback(
                Ended(exit_code=code, timed_out=self.timed_out, output=self.output.text(), errors=self.errors.text())
            )


def run(
    reactor: Any, program: str, argv: Sequence[str], *, cwd: Path, environ: Mapping[str, str], limit: float
) -> Deferred[Ended]:
    """
    Run a program to its end.

    :param program: its path; ``argv`` are its arguments without its name.
    :param limit: seconds; then it is ended with all that it started.
    :return: fires when it has ended. Cancelling it ends the program.
    """
    child = _Child()
    command = [sys.executable, "-I", "-S", "-c", LEADER, program, *argv]
    reactor.spawnProcess(child, sys.executable, command, env=dict(environ), path=str(cwd))
    timer = reactor.callLater(limit, child.too_late)

    def stop(result: Any) -> Any:
        if timer.active():
            timer.cancel()
        return result

    return child.ended.addBoth(stop)
