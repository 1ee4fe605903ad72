"""
Whether the reactor answers: how late it is, and what it was doing when it was late (``design.md`` 1).

The reactor beats: once a second while there is little to do, ten times while it works. A thread sleeps until a beat is
overdue, so that an idle gateway wakes once a second for each of the two. What blocks an idle reactor between two beats
is measured by nobody; what blocks it again and again is found.
"""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Mapping

from attrs import define, field, frozen
from twisted.application.service import Service
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

#: Seconds between two beats.
IDLE_BEAT = 1.0
BUSY_BEAT = 0.1
#: The reactor works when it used this part of the time since the last beat.
BUSY_PART = 0.05
#: Nothing may hold the reactor for longer.
BLOCKED = 0.25
#: A reactor that does not come back cannot log; then the thread says it itself.
HOPELESS = 10.0
#: Stacks are told at most so often.
TELL_EVERY = 10.0
MOST_FRAMES = 25
#: How far back ``worst`` looks.
WINDOW = 60.0


@frozen(kw_only=True)
class Caught:
    """
    What a late reactor was doing.

    :ivar beat: the number of the last beat before it.
    """

    beat: int
    stack: str


def stack_of(thread: int) -> str:
    """
    What a thread is doing now, the innermost frames last.
    """
    frame = sys._current_frames().get(thread)
    if frame is None:
        return ""
    return "".join(traceback.format_stack(frame)[-MOST_FRAMES:])


def complain_on_stderr(text: str) -> None:
    """
    Write past the log, which runs in the reactor.
    """
    if sys.__stderr__ is not None:
        sys.__stderr__.write(text)
        sys.__stderr__.flush()


@define(kw_only=True, eq=False, repr=False)
class ReactorWatch(Service):
    """
    Measures how late the reactor is, and logs the stack of what blocked it.

    :ivar monotonic: seconds, in the reactor and in the thread.
    :ivar cpu: seconds that the reactor's thread has worked.
    :ivar stack: what a thread is doing.
    :ivar complain: says that the reactor does not come back.
    :ivar heard: told of each beat how many seconds late it was.
    :ivar with_thread: tests look by themselves.
    """

    _log = Logger()
    clock: IReactorTime
    monotonic: Callable[[], float] = time.monotonic
    cpu: Callable[[], float] = time.thread_time
    stack: Callable[[int], str] = stack_of
    complain: Callable[[str], None] = complain_on_stderr
    heard: Callable[[float], None] = lambda late: None
    with_thread: bool = True
    _late: deque[tuple[float, float]] = field(factory=lambda: deque(maxlen=int(WINDOW / BUSY_BEAT)), init=False)
    _call: IDelayedCall | None = field(default=None, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)
    _stop: threading.Event = field(factory=threading.Event, init=False)
    _watched: int = field(default=0, init=False)
    # Written by the reactor, read by the thread; one assignment each, so that no lock is needed.
    _beat: tuple[int, float] | None = field(default=None, init=False)
    _worked: float = field(default=0.0, init=False)
    # Written by the thread.
    _caught: Caught | None = field(default=None, init=False)
    _complained: int = field(default=-1, init=False)
    _told_at: float = field(default=float("-inf"), init=False)

    def startService(self) -> None:
        super().startService()
        self._watched = threading.get_ident()
        self._stop.clear()
        self._beat = None
        # The first beat is the reactor's own: what comes before it runs is no delay of it.
        self._call = self.clock.callLater(0, self._begin)
        if self.with_thread:
            self._thread = threading.Thread(target=self._watch, name="reactor-watch", daemon=True)
            self._thread.start()

    def stopService(self) -> None:
        super().stopService()
        self._stop.set()
        if self._call is not None and self._call.active():
            self._call.cancel()
        self._beat = None
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(1.0)

    def lag(self) -> Mapping[str, int]:
        """
        How late the reactor was, in milliseconds: at its last beat, and at most within the last minute.
        """
        since = self.monotonic() - WINDOW
        late = [late for at, late in self._late if at >= since]
        return {"lastMs": _ms(late[-1]) if late else 0, "worstMs": _ms(max(late, default=0.0))}

    # In the reactor.

    def _begin(self) -> None:
        self._worked = self.cpu()
        self._next(0, self.monotonic(), IDLE_BEAT)

    def _next(self, number: int, now: float, interval: float) -> None:
        self._beat = (number, now + interval)
        self._call = self.clock.callLater(interval, self._beats)

    def _beats(self) -> None:
        assert self._beat is not None
        number, due = self._beat
        now = self.monotonic()
        late = max(0.0, now - due)
        self._late.append((now, late))
        self.heard(late)
        caught, self._caught = self._caught, None
        if late > BLOCKED:
            self._tell(now, late, caught.stack if caught is not None and caught.beat == number else "")
        worked, self._worked = self._worked, self.cpu()
        busy = self._worked - worked > BUSY_PART * BUSY_BEAT
        self._next(number + 1, now, BUSY_BEAT if busy else IDLE_BEAT)

    def _tell(self, now: float, late: float, stack: str) -> None:
        if now - self._told_at < TELL_EVERY:
            return
        self._told_at = now
        self._log.warn("the reactor was blocked for {ms} ms\n{stack}", ms=_ms(late), stack=stack)

    # In the thread.

    def _watch(self) -> None:
        while not self._stop.wait(self.look()):
            pass

    def look(self) -> float:
        """
        Look whether the beat is overdue.

        :return: seconds until the next look.
        """
        beat = self._beat
        if beat is None:
            return IDLE_BEAT
        number, due = beat
        late = self.monotonic() - due
        if late <= BLOCKED:
            return BLOCKED - late + 0.001
        caught = self._caught
        if caught is None or caught.beat != number:
            self._caught = caught = Caught(beat=number, stack=self.stack(self._watched))
        if late > HOPELESS and self._complained != number:
            self._complained = number
            self.complain(f"the reactor is blocked for {_ms(late)} ms\n{self.stack(self._watched)}")
        return IDLE_BEAT


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
