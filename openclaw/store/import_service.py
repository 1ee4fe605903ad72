"""
Imports a reference state directory in the background, once (``design.md`` 3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from openclaw.clock import millis
from openclaw.errors import OpenClawError
from openclaw.store.importing import import_pairing, import_piece, start_of
from openclaw.store.imports import Counts, Mark
from openclaw.store.interfaces import Store, Unit
from openclaw.store.reference import Unreadable
from openclaw.store.sources import Folder, Piece, Places, Source, folders, job_sources, pieces, sources

#: Bounds of what is read, and written in one transaction, at a time: the writer serves others in between.
MOST_ROWS = 250
MOST_BYTES = 1024 * 1024

#: How long to wait before another try, in seconds, when the database takes nothing.
RETRY_SECONDS = 30.0


@define(kw_only=True, eq=False)
class ImportService(Service):
    """
    Brings what the reference gateway left in a state directory into the store.

    :ivar store: set before it starts; the store does ``pairing`` first, so that one is made before the other.
    :ivar key_of: the canonical key of a session and its agent, from the key and the agent of the file.
    :ivar in_thread: runs blocking work off the reactor's thread.
    :ivar is_done: whether nothing is left to import; what needs whole conversations waits for it.
    """

    _log = Logger()
    store: Store = field(init=False)
    places: Places
    clock: IReactorTime
    key_of: Callable[[str, str], tuple[str, str]]
    make_id: Callable[[], str]
    in_thread: Callable[..., Deferred[Any]]
    is_done: bool = field(default=False, init=False)
    counts: Counts = field(factory=Counts, init=False)
    _waiting: list[Deferred[None]] = field(factory=list, init=False)
    _running: Deferred[None] | None = field(default=None, init=False)
    _again: Any = field(default=None, init=False)

    def pairing(self, unit: Unit) -> None:
        """
        What has to be there before anybody asks: for ``SqliteStore.first``.
        """
        self._count(import_pairing(unit, self.places.state_dir, millis(self.clock)))

    def startService(self) -> None:
        super().startService()
        self._start()

    def _start(self) -> None:
        self._again = None
        self._running = Deferred.fromCoroutine(self._import())
        self._running.addErrback(self._failed)

    def stopService(self) -> Deferred[None]:
        """
        Stop after the piece in hand; the next start goes on.
        """
        super().stopService()
        if self._again is not None and self._again.active():
            self._again.cancel()
        while self._waiting:
            self._waiting[0].cancel()
        running, self._running = self._running, None
        if running is None or running.called:
            return succeed(None)
        ended: Deferred[None] = Deferred()
        running.addBoth(lambda _: ended.callback(None))
        return ended

    def finished(self) -> Deferred[None]:
        """
        :return: fires when nothing is left to import. Cancelling it stops waiting.
        """
        if self.is_done:
            return succeed(None)
        waiter: Deferred[None] = Deferred(self._waiting.remove)
        self._waiting.append(waiter)
        return waiter

    def _failed(self, failure: Any) -> None:
        # When we were stopped the store may have been, too: the next start goes on.
        if self.running:
            if failure.check(OpenClawError):
                # Such as a database that cannot be opened, of which the store tells.
                self._log.error("The import stopped, and is tried again: {error}", error=failure.value)
            else:
                self._log.failure("The import stopped; it is tried again.", failure)
            self._again = self.clock.callLater(RETRY_SECONDS, self._start)

    async def _import(self) -> None:
        started = self.clock.seconds()
        for source in await self.in_thread(job_sources, self.places):
            await self._sources([source])
        found = await self.in_thread(folders, self.places)
        marks = await self.store.read(lambda unit: {folder.key: unit.imports.get(folder.key) for folder in found})
        for folder in found:
            mark = marks[folder.key]
            if mark is not None and mark.report.get("changedNs") == folder.changed_ns:
                continue
            if not self.running:
                return
            await self._folder(folder)
        if not self.running:
            return
        self.is_done = True
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            waiter.callback(None)
        if self.counts.numbers:
            self._log.info(
                "Imported {counts} from {path} in {seconds:.1f} s; the files stay as they were.",
                counts=self.counts,
                path=self.places.state_dir,
                seconds=self.clock.seconds() - started,
            )

    async def _folder(self, folder: Folder) -> None:
        whole = await self._sources(await self.in_thread(sources, self.places, folder))
        if whole and self.running:
            seen = Mark(
                source=folder.key,
                at_ms=millis(self.clock),
                report={"complete": True, "changedNs": folder.changed_ns},
            )
            await self.store.write(lambda unit: unit.imports.put(seen))

    async def _sources(self, found: list[Source]) -> bool:
        """
        :return: whether all of them were read to their end.
        """
        marks = await self.store.read(lambda unit: {source.key: unit.imports.get(source.key) for source in found})
        whole = True

        def work() -> Iterator[Piece]:
            nonlocal whole
            for source in found:
                start = start_of(marks[source.key], source.version)
                if start is None:
                    continue
                try:
                    yield from pieces(
                        source,
                        start=start,
                        most_rows=MOST_ROWS,
                        most_bytes=MOST_BYTES,
                        key_of=self.key_of,
                        make_id=self.make_id,
                    )
                except (Unreadable, OSError) as error:
                    whole = False
                    self._log.warn("Not imported: {source}: {why}", source=source.key, why=error)

        waiting = work()
        while self.running:
            batch = await self.in_thread(take, waiting)
            if not batch:
                break
            self._count(*await self.store.write(partial(import_pieces, batch, millis(self.clock))))
        return whole

    def _count(self, *counts: Counts) -> None:
        for one in counts:
            for name, number in one.numbers.items():
                self.counts.add(name, number)


def take(waiting: Iterator[Piece]) -> list[Piece]:
    """
    The next pieces: as many as are worth one transaction.
    """
    batch: list[Piece] = []
    rows = weight = 0
    for piece in waiting:
        batch.append(piece)
        rows += len(piece.rows) + 1
        weight += piece.weight
        if rows >= MOST_ROWS or weight >= MOST_BYTES:
            break
    return batch


def import_pieces(batch: list[Piece], now_ms: int, unit: Unit) -> list[Counts]:
    return [import_piece(unit, piece, now_ms) for piece in batch]
