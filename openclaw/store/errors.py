"""
Why the database could not be used just now.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from attrs import frozen

from openclaw.errors import OpenClawError


@frozen
class StoreUnavailable(OpenClawError):
    """
    Nothing was written, or nothing could be read, and that is not the doing of who asked.

    :ivar why: for people, without paths.
    :ivar retryable: whether it makes sense to ask again in a moment.
    """

    why: str
    retryable: bool = False

    def __str__(self) -> str:
        return self.why


@frozen
class StoreClosed(StoreUnavailable):
    """
    The store is stopping; nothing is read or written any more. Whoever asks the next process is answered.
    """

    why: str = "The store is closed."
    retryable: bool = True


@frozen
class StoreUnopened(OpenClawError):
    """
    The database cannot be opened. Its text is for whoever starts the process, not for clients: it has the path.
    """

    path: Path

    @property
    def told(self) -> StoreUnavailable:
        """
        The same for clients.
        """
        return _KNOWN[sqlite3.SQLITE_CANTOPEN]


@frozen
class StoreDamaged(StoreUnopened):
    """
    The database does not hold together.
    """

    what: str

    def __str__(self) -> str:
        return f"The database {self.path} is damaged: {self.what}"

    @property
    def told(self) -> StoreUnavailable:
        return _KNOWN[sqlite3.SQLITE_CORRUPT]


@frozen
class StoreTooNew(StoreUnopened):
    """
    The database was made by a later version.
    """

    version: int

    def __str__(self) -> str:
        return f"The database {self.path} has schema {self.version}, which is newer than this program."


@frozen
class StoreUnusable(StoreUnopened):
    """
    The database cannot be opened for writing.
    """

    why: str

    def __str__(self) -> str:
        return f"The database {self.path} cannot be used: {self.why}"

    @property
    def told(self) -> StoreUnavailable:
        return known(self.__cause__) or _KNOWN[sqlite3.SQLITE_CANTOPEN]

    @property
    def retryable(self) -> bool:
        """
        Whether another start in a moment may go well: another program held the file.
        """
        return self.told.retryable


#: By SQLite's primary result codes. What is not here is a defect of ours.
_KNOWN: Final[Mapping[int, StoreUnavailable]] = {
    sqlite3.SQLITE_FULL: StoreUnavailable("The disk is full: nothing more can be stored."),
    sqlite3.SQLITE_BUSY: StoreUnavailable("The database is in use by another program.", retryable=True),
    sqlite3.SQLITE_LOCKED: StoreUnavailable("The database is in use by another program.", retryable=True),
    sqlite3.SQLITE_READONLY: StoreUnavailable("The database cannot be written to."),
    sqlite3.SQLITE_PERM: StoreUnavailable("The database may not be opened."),
    sqlite3.SQLITE_CANTOPEN: StoreUnavailable("The database cannot be opened."),
    sqlite3.SQLITE_IOERR: StoreUnavailable("The disk cannot be read or written."),
    sqlite3.SQLITE_CORRUPT: StoreUnavailable("The database is damaged."),
    sqlite3.SQLITE_NOTADB: StoreUnavailable("The database is damaged."),
}


#: Of the files beside the database, by what the system says.
_FILES: Final[Mapping[int, StoreUnavailable]] = {
    errno.ENOSPC: _KNOWN[sqlite3.SQLITE_FULL],
    errno.EDQUOT: _KNOWN[sqlite3.SQLITE_FULL],
    errno.EROFS: _KNOWN[sqlite3.SQLITE_READONLY],
    errno.EACCES: _KNOWN[sqlite3.SQLITE_READONLY],
    errno.EIO: _KNOWN[sqlite3.SQLITE_IOERR],
}


def known(error: BaseException | None) -> StoreUnavailable | None:
    """
    What an error of SQLite or of the system means for who asked; ``None`` for what is no trouble with file or disk.
    """
    if isinstance(error, StoreUnopened):
        return error.told
    if isinstance(error, OSError):
        return _FILES.get(error.errno or 0)
    code = getattr(error, "sqlite_errorcode", None)
    return _KNOWN.get(code & 0xFF) if isinstance(error, sqlite3.Error) and isinstance(code, int) else None
