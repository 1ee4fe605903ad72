"""
The last configuration that could be used is kept, for the day when the file is not valid (``design.md`` 4).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from openclaw.config.loader import Snapshot
from openclaw.config.writer import keep_last_good


@define(kw_only=True, eq=False, repr=False)
class KeptConfig(Service):
    """
    Keeps what the gateway was started with, and what others have made of the file since.

    :ivar in_thread: runs what waits for the disk.
    """

    _log = Logger()
    snapshot: Snapshot
    in_thread: Callable[..., Deferred[Any]]
    _keeping: Deferred[Any] | None = field(default=None, init=False)

    def startService(self) -> None:
        super().startService()
        self.keep(self.snapshot)

    def stopService(self) -> Deferred[Any]:
        """
        :return: fires when nothing is being written any more.
        """
        super().stopService()
        return self._keeping or succeed(None)

    def keep(self, snapshot: Snapshot) -> None:
        """
        Keep a valid configuration. A failure is told in the log, and changes nothing.
        """
        self._keeping = self.in_thread(keep_file, snapshot).addErrback(self._not_kept)

    def _not_kept(self, failure: Failure) -> None:
        failure.trap(OSError)
        self._log.warn("The configuration could not be kept as the last good one: {why}", why=failure.value)


def keep_file(snapshot: Snapshot) -> None:
    """
    Keep a configuration that has a file.
    """
    if snapshot.path.exists():
        keep_last_good(snapshot)
