"""
The time limits of one run.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import define
from twisted.internet.interfaces import IDelayedCall, IReactorTime


@define(kw_only=True, eq=False)
class Limits:
    """
    A run may wait in its queue as long as its limit, and then run as long; some expire as a whole.

    :ivar seconds: the agent's own limit, asked when it begins to count.
    :ivar expires: seconds after which the run expires; ``None`` never.
    :ivar passed: told ``deadline`` or ``timeout``.
    """

    clock: IReactorTime
    seconds: Callable[[], float]
    expires: float | None
    passed: Callable[[str], None]
    _deadline: IDelayedCall | None = None
    _expiry: IDelayedCall | None = None
    _left: tuple[float, float | None] | None = None

    def start(self) -> None:
        """
        Both begin to count.
        """
        self._begin(self.seconds(), self.expires)

    def restart(self) -> None:
        """
        The agent's own limit counts from now.
        """
        _cancel(self._deadline)
        self._deadline = self.clock.callLater(self.seconds(), self.passed, "deadline")

    def pause(self) -> None:
        """
        Nothing counts until ``resume``.
        """
        now = self.clock.seconds()
        deadline = _left(self._deadline, now)
        self._left = None if deadline is None else (deadline, _left(self._expiry, now))
        self._stop()

    def resume(self) -> None:
        """
        What was left when it was paused counts on.
        """
        left, self._left = self._left, None
        if left is not None:
            self._begin(*left)

    def stop(self) -> None:
        """
        Nothing counts any more.
        """
        self._left = None
        self._stop()

    def _begin(self, deadline: float, expiry: float | None) -> None:
        self._deadline = self.clock.callLater(deadline, self.passed, "deadline")
        if expiry is not None:
            self._expiry = self.clock.callLater(expiry, self.passed, "timeout")

    def _stop(self) -> None:
        _cancel(self._deadline)
        _cancel(self._expiry)
        self._deadline = self._expiry = None


def _left(call: IDelayedCall | None, now: float) -> float | None:
    return max(0.0, call.getTime() - now) if call is not None and call.active() else None


def _cancel(call: IDelayedCall | None) -> None:
    if call is not None and call.active():
        call.cancel()
