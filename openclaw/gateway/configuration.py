"""
The configuration of a running gateway: the one writer of its file, and what counts after each write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredLock
from twisted.logger import Logger

from openclaw.config.live import follow
from openclaw.config.loader import Snapshot, load
from openclaw.config.model import Config, build
from openclaw.config.writer import check_base, edit_file
from openclaw.gateway.life import Life
from openclaw.methods.context import Written


@define(kw_only=True, eq=False, repr=False)
class Configuration:
    """
    One gateway's.

    :ivar config: what the gateway runs with.
    :ivar path: the file.
    :ivar environ: the process's, without what the file's ``env`` block adds.
    :ivar in_thread: runs what waits for the disk.
    :ivar changed: called after each change of what the gateway runs with.
    """

    _log = Logger()
    config: Config
    path: Path
    environ: Mapping[str, str]
    home: Path
    life: Life
    in_thread: Callable[..., Deferred[Any]]
    changed: list[Callable[[], None]] = field(factory=list)
    _writing: DeferredLock = field(factory=DeferredLock, init=False)

    def running(self) -> Config:
        """
        What the gateway runs with. Another object after each change, and only then.
        """
        return self.config

    def read(self) -> Snapshot:
        """
        What the file says now. Blocks on the disk.
        """
        return load(self.environ, self.home, path=self.path)

    def write(self, base_hash: str | None, change: Callable[[Snapshot], str]) -> Deferred[Written]:
        """
        Change the file, one writer after the other, and follow it.

        :param change: makes the new text; called in a thread.
        :raise ConfigError: nothing was written; with the reasons of ``check_base``, ``change`` and ``edit_file``.
        """
        return self._run(change, lambda before: check_base(before, base_hash))

    def edit(self, change: Callable[[Snapshot], str]) -> Deferred[Written]:
        """
        Change the file, whatever it says now.

        :raise ConfigError: nothing was written; with the reasons of ``change`` and ``edit_file``.
        """
        return self._run(change, lambda before: None)

    def reload(self, wanted: Callable[[Snapshot], bool]) -> Deferred[None]:
        """
        Read the file that somebody else has written, after those who write it here, and follow it.

        :param wanted: whether to.
        """
        return self._writing.run(lambda: Deferred.fromCoroutine(self._reload(wanted)))

    async def _reload(self, wanted: Callable[[Snapshot], bool]) -> None:
        snapshot = await self.in_thread(self.read)
        if wanted(snapshot):
            self.follow(snapshot)

    def _run(self, change: Callable[[Snapshot], str], check: Callable[[Snapshot], None]) -> Deferred[Written]:
        return self._writing.run(lambda: Deferred.fromCoroutine(self._write(change, check)))

    async def _write(self, change: Callable[[Snapshot], str], check: Callable[[Snapshot], None]) -> Written:
        def make(before: Snapshot) -> str:
            check(before)
            return change(before)

        return self.follow(await self.in_thread(edit_file, self.path, make, self.environ, self.home))

    def follow(self, snapshot: Snapshot) -> Written:
        """
        Run with what was written, as far as that goes without a restart.
        """
        effective, waiting = follow(self.config.effective, snapshot.config)
        if effective != self.config.effective:
            self.config = build(effective)
            if self.life.logging is not None:
                self.life.logging.hide(snapshot.config)
                self.life.logging.apply(self.config.logging)
            for told in self.changed:
                try:
                    told()
                except Exception:
                    # The change is in the file and counts, whatever becomes of those who hear of it.
                    self._log.failure("A part of the gateway does not follow the configuration.")
        paths = tuple(".".join(path) for path in waiting)
        if paths:
            self._log.info("The configuration needs a restart for {paths}.", paths=", ".join(paths))
        return Written(snapshot=snapshot, waiting=paths)
