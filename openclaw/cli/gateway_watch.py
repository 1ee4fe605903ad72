"""
``openclaw gateway --watch``, for who works on the gateway itself: it runs as a child, and again when its source
changes.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from attrs import define, field

import openclaw
from openclaw.cli.children import gateway_command
from openclaw.cli.context import Context

#: Between two looks at the source, in seconds. What was changed has to be the same for as long.
INTERVAL: Final = 0.5

#: Time and size of each file.
Source = Mapping[str, tuple[int, int]]


class Child(Protocol):
    """
    What of ``subprocess.Popen`` is used.
    """

    def poll(self) -> int | None: ...

    def wait(self) -> int: ...

    def send_signal(self, number: int) -> None: ...


def run(context: Context, arguments: Sequence[str]) -> int:
    """
    :param arguments: of ``openclaw gateway``, without ``--watch``.
    :return: the exit code of the last gateway.
    """
    package = Path(openclaw.__file__).parent
    command, environ = gateway_command(context.environ, *arguments)

    def start() -> Child:
        # In a group of its own: Ctrl-C comes to us, and from us to it, once.
        return subprocess.Popen(command, env=environ, process_group=0)  # noqa: S603 - this program

    watch = Watch(start=start, look=lambda: dict(source(package)), sleep=time.sleep, say=context.problem)
    before = {number: signal.signal(number, watch.end) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    try:
        return watch.run()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def source(package: Path) -> Iterator[tuple[str, tuple[int, int]]]:
    """
    Every file of the program.
    """
    for directory, names, files in os.walk(package):
        if "__pycache__" in names:
            names.remove("__pycache__")
        for name in files:
            path = os.path.join(directory, name)
            try:
                stat = os.stat(path)
            except OSError:
                # Removed meanwhile, or an editor's.
                continue
            yield os.path.relpath(path, package), (stat.st_mtime_ns, stat.st_size)


@define(kw_only=True, eq=False)
class Watch:
    """
    One gateway after the other.

    :ivar look: the source as it is now.
    :ivar say: tells the developer.
    """

    start: Callable[[], Child]
    look: Callable[[], Source]
    sleep: Callable[[float], None]
    say: Callable[[str], None]
    _child: Child | None = field(default=None, init=False)
    _ending: bool = field(default=False, init=False)

    def run(self) -> int:
        """
        :return: the exit code of the last gateway, once it was asked to end.
        """
        seen = self.look()
        child = self._child = self.start()
        ended = False
        while not self._ending:
            self.sleep(INTERVAL)
            now = self._settled(seen)
            if self._ending:
                break
            if now != seen:
                self.say(f"{_changed(seen, now)}: starting the gateway again")
                seen = now
                self._stop(child)
                child, ended = self._start(), False
            elif not ended and (code := child.poll()) is not None:
                ended = True
                self.say(f"the gateway has ended with {code}; it starts again when its source changes")
        return self._stop(child)

    def _start(self) -> Child:
        child = self._child = self.start()
        if self._ending:
            # Asked to end between two gateways: nobody has told this one.
            child.send_signal(signal.SIGTERM)
        return child

    def _settled(self, seen: Source) -> Source:
        now = self.look()
        while now != seen and not self._ending:
            self.sleep(INTERVAL)
            before, now = now, self.look()
            if now == before:
                break
        return now

    def _stop(self, child: Child) -> int:
        if child.poll() is None and not self._ending:
            child.send_signal(signal.SIGTERM)
        return child.wait()

    def end(self, number: int, frame: Any) -> None:
        """
        A signal has come: it is the gateway's, and a second one, too.
        """
        self._ending = True
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(number)


def _changed(before: Source, now: Source) -> str:
    """
    Which files, for people.
    """
    names = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
