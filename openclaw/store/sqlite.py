"""
The store in SQLite: one writer thread with group commit, readers on their own connections.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IReactorFromThreads
from twisted.logger import Logger
from twisted.python.failure import Failure

from openclaw.store import errors
from openclaw.store.bodies import Bodies
from openclaw.store.errors import StoreClosed
from openclaw.store.interfaces import Unit
from openclaw.store.schema import close_cleanly, open_reader, open_writer
from openclaw.store.sql_unit import SqlUnit

T = TypeVar("T")

_log = Logger()

#: At most so many works in one commit, so that none waits for a whole backlog.
MOST_IN_ONE_COMMIT = 256


@define(eq=False)
class _Work:
    function: Callable[[Unit], Any]
    done: Deferred[Any]
    result: Any = None


def _attempt(work: _Work, unit: SqlUnit) -> None:
    try:
        work.result = work.function(unit)
    except Exception:
        work.result = Failure()


def _fire(works: list[_Work]) -> None:
    for work in works:
        if work.done.called:
            continue
        if isinstance(work.result, Failure):
            work.done.errback(_told(work.result))
        else:
            work.done.callback(work.result)


def _told(failure: Failure) -> Failure:
    """
    A failure as others may see it. What SQLite says of it, with the place, is in the log.
    """
    known = errors.known(failure.value)
    if known is None:
        return failure
    _log.error("The database could not be used: {error}", error=failure.value)
    return Failure(known)


@define(eq=False)
class _Writer(threading.Thread):
    """
    Commits what waits, many works at once.
    """

    _log = Logger()
    path: Path
    reactor: IReactorFromThreads
    opened: Callable[[Failure | None], None]
    first: Callable[[Unit], None] | None
    works: queue.SimpleQueue[_Work | None] = field(factory=queue.SimpleQueue)

    def __attrs_pre_init__(self) -> None:
        super().__init__(name="store-writer", daemon=True)

    def run(self) -> None:
        try:
            connection = open_writer(self.path)
            unit = SqlUnit(connection, Bodies(self.path.parent / "blobs"))
            if self.first is not None:
                self._do_first(connection, unit, self.first)
        except Exception:
            failure = Failure()
            self.reactor.callFromThread(self.opened, failure)
            self._refuse(failure)
            return
        self.reactor.callFromThread(self.opened, None)
        more = True
        while more:
            works, more = self._waiting()
            if works:
                self._commit(connection, unit, works)
                self.reactor.callFromThread(_fire, works)
        try:
            close_cleanly(connection)
        except sqlite3.Error:
            # Nothing is lost: the next start checks the file, and plays back what is in its log.
            self._log.failure("The database was not closed cleanly.")

    def _do_first(self, connection: sqlite3.Connection, unit: SqlUnit, first: Callable[[Unit], None]) -> None:
        work = _Work(first, Deferred())
        self._commit(connection, unit, [work])
        if isinstance(work.result, Failure):
            connection.close()
            work.result.raiseException()

    def _waiting(self) -> tuple[list[_Work], bool]:
        """
        All works that wait now, at least one; and whether there will be more.
        """
        works: list[_Work] = []
        work = self.works.get()
        while work is not None:
            works.append(work)
            if len(works) >= MOST_IN_ONE_COMMIT:
                return works, True
            try:
                work = self.works.get_nowait()
            except queue.Empty:
                return works, True
        return works, False

    def _commit(self, connection: sqlite3.Connection, unit: SqlUnit, works: list[_Work]) -> None:
        try:
            connection.execute("BEGIN IMMEDIATE")
            for work in works:
                connection.execute("SAVEPOINT work")
                _attempt(work, unit)
                if isinstance(work.result, Failure):
                    if not connection.in_transaction:
                        # A full disk, most often: it has ended the transaction, with what the works before did.
                        work.result.raiseException()
                    connection.execute("ROLLBACK TO work")
                connection.execute("RELEASE work")
            connection.execute("COMMIT")
        except Exception:
            failure = Failure()
            with suppress(sqlite3.Error):
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            for work in works:
                work.result = failure

    def _refuse(self, failure: Failure) -> None:
        more = True
        while more:
            works, more = self._waiting()
            for work in works:
                work.result = failure
            self.reactor.callFromThread(_fire, works)


@define(eq=False)
class _Reader(threading.Thread):
    """
    Reads on a connection of its own, one consistent snapshot for each work.
    """

    path: Path
    reactor: IReactorFromThreads
    works: queue.SimpleQueue[_Work | None]

    def __attrs_pre_init__(self) -> None:
        super().__init__(name="store-reader", daemon=True)

    def run(self) -> None:
        connection: sqlite3.Connection | None = None
        while (work := self.works.get()) is not None:
            try:
                connection = connection or open_reader(self.path)
                connection.execute("BEGIN")
                _attempt(work, SqlUnit(connection, Bodies(self.path.parent / "blobs")))
                connection.execute("ROLLBACK")
            except sqlite3.Error:
                work.result = Failure()
            self.reactor.callFromThread(_fire, [work])
        if connection is not None:
            connection.close()


@define(kw_only=True, eq=False, repr=False)
class SqliteStore(Service):
    """
    The store of one state directory. Implements ``openclaw.store.interfaces.Store``.

    Work that is given before the database is open, or before ``startService``, waits.

    :ivar path: of the database file; large bodies are in ``blobs`` beside it.
    :ivar readers: how many reads can happen at once.
    :ivar first: work that is done before any other, and before it is ready; it may read files.
    """

    _log = Logger()
    path: Path
    reactor: Any
    readers: int = 2
    first: Callable[[Unit], None] | None = None
    ready: Deferred[None] = field(init=False)
    _writer: _Writer = field(init=False)
    _reading: list[_Reader] = field(factory=list, init=False)
    _reads: queue.SimpleQueue[_Work | None] = field(factory=queue.SimpleQueue, init=False)
    _early: list[_Work] | None = field(factory=list, init=False)
    _failure: Failure | None = field(default=None, init=False)
    _closed: bool = field(default=False, init=False)
    _open: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self.ready = Deferred()
        self._writer = _Writer(path=self.path, reactor=self.reactor, opened=self._opened, first=self.first)

    @property
    def is_ready(self) -> bool:
        return self._open and not self._closed

    @property
    def waiting(self) -> tuple[int, int]:
        """
        How many writes and how many reads nobody has begun yet.
        """
        return self._writer.works.qsize(), self._reads.qsize() + len(self._early or ())

    def startService(self) -> None:
        """
        Begin to open the database, without waiting for it.
        """
        super().startService()
        self._writer.start()

    def _opened(self, failure: Failure | None) -> None:
        if failure is not None:
            self._log.critical("{error}", error=failure.value)
            self._failure = failure
            early, self._early = self._early or [], None
            for work in early:
                work.result = failure
            _fire(early)
            self.ready.addErrback(lambda logged: None)
            self.ready.errback(failure)
            return
        self._open = True
        self._reading = [_Reader(path=self.path, reactor=self.reactor, works=self._reads) for _ in range(self.readers)]
        for reader in self._reading:
            reader.start()
        early, self._early = self._early or [], None
        for work in early:
            self._reads.put(work)
        self.ready.callback(None)

    def write(self, work: Callable[[Unit], T]) -> Deferred[T]:
        done: Deferred[T] = Deferred()
        if self._closed:
            done.errback(StoreClosed())
        else:
            self._writer.works.put(_Work(work, done))
        return done

    def read(self, work: Callable[[Unit], T]) -> Deferred[T]:
        done: Deferred[T] = Deferred()
        if self._closed:
            done.errback(StoreClosed())
        elif self._failure is not None:
            done.errback(_told(self._failure))
        elif self._early is not None:
            # Reads wait for the file to be there.
            self._early.append(_Work(work, done))
        else:
            self._reads.put(_Work(work, done))
        return done

    def stopService(self) -> Deferred[Any]:
        """
        :return: fires after the last commit, with every connection closed.
        """
        super().stopService()
        if self._closed or not self._writer.is_alive():
            self._closed = True
            return DeferredList([])
        self._closed = True
        self._writer.works.put(None)
        for _ in self._reading:
            self._reads.put(None)
        done: Deferred[Any] = Deferred()

        def wait() -> None:
            for reader in self._reading:
                reader.join()
            self._writer.join()
            self.reactor.callFromThread(done.callback, None)

        threading.Thread(target=wait, name="store-stop", daemon=True).start()
        return done
