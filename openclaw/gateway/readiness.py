"""
What has not come up yet, and waiting for it a while.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from attrs import define
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime

from openclaw.agent.errors import NotReady
from openclaw.store.import_service import ImportService
from openclaw.store.interfaces import Store

#: How long a request waits for what it needs before it is told to come again. A small state directory is imported in
#: less, so that whoever asks as soon as the port is bound is served.
PATIENCE = timedelta(seconds=3)


@define(kw_only=True, eq=False)
class Readiness:
    """
    Whether conversations can go on.

    :ivar importer: ``None`` where there is nothing to import.
    :ivar stopping: whether the gateway makes room for the next one.
    """

    store: Store
    importer: ImportService | None
    clock: IReactorTime
    stopping: Callable[[], bool] = lambda: False

    def pending(self) -> list[str]:
        """
        The names of the parts that are not ready, as ``/readyz`` tells them.
        """
        if self.stopping():
            return ["restart"]
        waiting = [] if self.store.is_ready else ["store"]
        return waiting if self.importer is None or self.importer.is_done else [*waiting, "import"]

    def ready(self) -> Deferred[None]:
        """
        :return: fires when nothing is pending that conversations need.
        :raise NotReady: it takes longer than a request may wait.
        """
        if self.importer is None or self.importer.is_done:
            return succeed(None)
        waiting = self.importer.finished()
        return waiting.addTimeout(PATIENCE.total_seconds(), self.clock, self._too_long)

    def _too_long(self, result: Any, seconds: float) -> None:
        raise NotReady(tuple(self.pending()))
