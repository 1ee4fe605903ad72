"""
When the service tree makes room for a new one, and who may ask for it (``config.md`` 7.5).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from attrs import define, field
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

#: The gateway restarts itself so often in so many seconds; what asks for more waits.
MOST: Final = 5
WINDOW: Final = 300.0


@define(kw_only=True, eq=False, repr=False)
class Restarts:
    """
    One process's.

    :ivar begin: starts a restart, told the reason; ``None`` where nothing can.
    :ivar refused: told why a restart was not begun: the gateway goes on as it is.
    :ivar allowed: whether whoever may send us signals may restart the gateway (``commands.restart``).
    """

    _log = Logger(namespace="gateway")
    clock: IReactorTime
    begin: Callable[[str], None] | None = None
    refused: Callable[[str], None] = lambda why: None
    allowed: Callable[[], bool] = lambda: False
    _pending: IDelayedCall | None = field(default=None, init=False)
    _begun: deque[float] = field(factory=lambda: deque(maxlen=MOST), init=False)

    def ask(self, reason: str, delay: float = 0.0) -> float | None:
        """
        Restart in a while. Who asks while another one's restart is coming gets that one.

        :param delay: in seconds.
        :return: after how many seconds it comes; ``None`` where it does not.
        """
        if self.begin is None:
            return None
        if self._pending is None:
            self._pending = self.clock.callLater(max(delay, self._rest()), self._due, reason)
        return self._pending.getTime() - self.clock.seconds()

    def _rest(self) -> float:
        """
        How long the next one has to wait so that a gateway that restarts itself again and again still works between.
        """
        if len(self._begun) < MOST:
            return 0.0
        rest = self._begun[0] + WINDOW - self.clock.seconds()
        if rest > 0:
            self._log.warn(
                "restarted {most} times within {window:g} s; the next restart waits for {rest:.0f} s",
                most=MOST,
                window=WINDOW,
                rest=rest,
            )
        return max(rest, 0.0)

    def _due(self, reason: str) -> None:
        self._pending = None
        self._begin(reason)

    def _begin(self, reason: str) -> None:
        if self.begin is not None:
            self._begun.append(self.clock.seconds())
            self.begin(reason)

    def signalled(self) -> None:
        """
        SIGUSR1 has come. It counts when it is allowed, and when a restart is coming anyway; a person's is never put
        off.
        """
        self._log.info("signal SIGUSR1 received")
        if self._pending is None and not self.allowed():
            self._log.warn("SIGUSR1 restart ignored (not authorized; enable commands.restart or use gateway tool).")
            return
        self._cancel()
        self._log.info("received SIGUSR1; restarting")
        self._begin("SIGUSR1")

    def end(self) -> None:
        """
        There are no more restarts.
        """
        self._cancel()
        self.begin = None

    def _cancel(self) -> None:
        if self._pending is not None:
            self._pending.cancel()
            self._pending = None
