"""
Processes that a command needs for a while, and that end with it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

import openclaw

#: What ends a command besides Ctrl-C: a supervisor, and a terminal that is closed.
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


def gateway_command(environ: Mapping[str, str], *arguments: str) -> tuple[list[str], dict[str, str]]:
    """
    This program's own gateway, wherever it was started from.

    :param arguments: of ``openclaw gateway``.
    :return: the command, and its environment.
    """
    root = str(Path(openclaw.__file__).parent.parent)
    paths = filter(None, (root, environ.get("PYTHONPATH")))
    command = [sys.executable, "-P", "-m", "openclaw.cli.main", "gateway", *arguments]
    return command, {**environ, "PYTHONPATH": os.pathsep.join(paths)}


@contextmanager
def ends_with_us(child: subprocess.Popen[bytes], *, seconds: float) -> Iterator[None]:
    """
    End a child process when the block ends, however it does.

    :param seconds: how long it may take before it is killed.
    """

    def leave(number: int, frame: FrameType | None) -> NoReturn:
        sys.exit(128 + number)

    # Only the main thread may; what runs elsewhere ends with that.
    mine = threading.current_thread() is threading.main_thread()
    before = {number: signal.signal(number, leave) for number in _SIGNALS} if mine else {}
    try:
        yield
    finally:
        child.terminate()
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        for number, handler in before.items():
            signal.signal(number, handler)
