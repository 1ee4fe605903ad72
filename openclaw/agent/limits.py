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
    :ivar expires_at: clock time at which the run expires; ``None`` never.
    :ivar passed: told ``deadline`` or ``timeout``.
    """

    clock: IReactorTime
    seconds: Callable[[], float]
    expires_at: float | None
    passed: Callable[[str], None]
    _deadline: IDelayedCall | None = None
    _expiry: IDelayedCall | None = None

    def start(self) -> None:
        """
        Both begin to count.
        """
        self.restart()
        if self.expires_at is not None:
            left = max(0.0, self.expires_at - self.clock.seconds())
            self._expiry = self.clock.callLater(left, self.passed, "timeout")

    def restart(self) -> None:
        """
        The agent's own limit counts from now.
        """
        _cancel(self._deadline)
        self._deadline = self.clock.callLater(self.seconds(), self.passed, "deadline")

    def stop(self) -> None:
        """
        Nothing counts any more.
        """
        _cancel(self._deadline)
        _cancel(self._expiry)
        self._deadline = self._expiry = None


def _cancel(call: IDelayedCall | None) -> None:
    if call is not None and call.active():
        call.cancel()
