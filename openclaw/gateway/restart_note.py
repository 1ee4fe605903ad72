"""
What an earlier process wanted to be told after its restart goes to the session that asked (``methods.md`` 13.6).

It is a system note of that session: to deliver it to a chat as a turn of its own needs a channel, and there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from openclaw.config.model import Config
from openclaw.config.sentinel import read_sentinel, remove_sentinel, told
from openclaw.sessions.keys import canonical_key


@define(kw_only=True, eq=False, repr=False)
class RestartNote(Service):
    """
    Reads the note once, when the tree starts.

    :ivar note: queues a text for the next prompt of a session.
    :ivar in_thread: runs what waits for the disk.
    """

    _log = Logger()
    state_dir: Path
    config: Callable[[], Config]
    note: Callable[[str, str], None]
    in_thread: Callable[..., Deferred[Any]]
    _reading: Deferred[Any] | None = field(default=None, init=False)

    def startService(self) -> None:
        super().startService()
        self._reading = self.in_thread(read_sentinel, self.state_dir).addCallback(self._tell)
        self._reading.addCallback(lambda _: self.in_thread(remove_sentinel, self.state_dir))
        self._reading.addErrback(self._failed)

    def stopService(self) -> Deferred[Any]:
        """
        :return: fires when nothing is being read any more.
        """
        super().stopService()
        return self._reading or succeed(None)

    def _tell(self, payload: Mapping[str, Any] | None) -> None:
        if payload is None:
            return
        named = payload.get("sessionKey")
        self.note(canonical_key(named if isinstance(named, str) else "", self.config()), told(payload))

    def _failed(self, failure: Failure) -> None:
        failure.trap(OSError)
        self._log.warn("The note of the last restart could not be read: {why}", why=failure.value)
