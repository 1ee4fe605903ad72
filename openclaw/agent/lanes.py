"""
Who may run now: one run at a time for each session, then so many at a time for each global lane.

A run takes its session's lane first and holds no global slot while it waits there, so a crowd in one session never
keeps other sessions waiting.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from attrs import define, field
from twisted.internet.defer import Deferred

from openclaw.config.model import Config


@define(eq=False)
class Slot:
    """
    A place in a lane. Released once; releasing again does nothing.
    """

    _lane: Lane | None

    def release(self) -> None:
        lane, self._lane = self._lane, None
        if lane is not None:
            lane._released()


@define(eq=False)
class Lane:
    """
    So many at a time, in the order they came.

    :ivar limit: asked each time a slot may be given, so a changed configuration counts at once.
    """

    limit: Callable[[], int]
    on_empty: Callable[[], None] = lambda: None
    _taken: int = 0
    _waiting: deque[Deferred[Slot]] = field(factory=deque)

    def acquire(self) -> Deferred[Slot]:
        """
        :return: fires with a slot. Cancelling it leaves the queue.
        """
        waiter: Deferred[Slot] = Deferred(self._waiting_cancelled)
        self._waiting.append(waiter)
        self._grant()
        return waiter

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def taken(self) -> int:
        return self._taken

    def _waiting_cancelled(self, waiter: Deferred[Slot]) -> None:
        self._waiting.remove(waiter)

    def _released(self) -> None:
        self._taken -= 1
        self._grant()
        if not self._taken and not self._waiting:
            self.on_empty()

    def _grant(self) -> None:
        while self._waiting and self._taken < max(1, self.limit()):
            self._taken += 1
            self._waiting.popleft().callback(Slot(self))


def lane_limit(config: Config, name: str) -> int:
    """
    How many runs may be in a global lane at a time (``agent.md`` 10).
    """
    limits = {
        "main": config.agents.defaults.max_concurrent,
        "subagent": config.agents.defaults.subagents.max_concurrent,
        "cron": config.cron.max_concurrent_runs,
    }
    return limits.get(name, 1)


@define(eq=False)
class Lanes:
    """
    All lanes by name. A lane that nobody is in does not exist.

    :ivar limit_of: how many may be in a global lane.
    """

    limit_of: Callable[[str], int]
    _sessions: dict[str, Lane] = field(factory=dict)
    _globals: dict[str, Lane] = field(factory=dict)

    def session(self, key: str) -> Deferred[Slot]:
        """
        Wait for a session's only slot.
        """
        return self._lane(self._sessions, key, lambda: 1).acquire()

    def shared(self, name: str) -> Deferred[Slot]:
        """
        Wait for a slot of a global lane.
        """
        return self._lane(self._globals, name, lambda: self.limit_of(name)).acquire()

    def busy(self, key: str) -> bool:
        """
        Whether a run holds a session's slot.
        """
        return key in self._sessions

    def _lane(self, lanes: dict[str, Lane], name: str, limit: Callable[[], int]) -> Lane:
        lane = lanes.get(name)
        if lane is None:
            lane = lanes[name] = Lane(limit)
            lane.on_empty = lambda: lanes.pop(name, None)  # type: ignore[assignment]  # a dropped answer
        return lane
