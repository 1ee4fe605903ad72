"""
Child processes for a reactor in memory: they run to their end when they have been given all that they read.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import define, field
from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.python.failure import Failure

from openclaw.testing.gateway import MemoryReactor


@define(eq=False)
class _Child:
    """
    The transport of a process protocol.
    """

    protocol: Any
    command: Sequence[str]
    environ: Mapping[str, str]
    pid: int = 1
    _stdin: bytearray = field(factory=bytearray, init=False)

    def write(self, data: bytes) -> None:
        self._stdin += data

    def closeStdin(self) -> None:
        done = subprocess.run(
            self.command, input=bytes(self._stdin), env=self.environ, capture_output=True, check=False
        )
        self.protocol.outReceived(done.stdout)
        self.protocol.errReceived(done.stderr)
        code = done.returncode
        self.protocol.processEnded(Failure(ProcessTerminated(code) if code else ProcessDone(0)))


class ChildReactor(MemoryReactor):
    """
    A reactor in memory that has children.
    """

    def spawnProcess(
        self, protocol: Any, executable: Any, args: Sequence[str] = (), env: Any = None, **_: Any
    ) -> _Child:
        child = _Child(protocol, args, env or {})
        protocol.makeConnection(child)
        return child
