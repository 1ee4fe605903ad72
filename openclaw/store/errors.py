"""
Why the database could not be used just now.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Mapping
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
    if isinstance(error, OSError):
        return _FILES.get(error.errno or 0)
    code = getattr(error, "sqlite_errorcode", None)
    return _KNOWN.get(code & 0xFF) if isinstance(error, sqlite3.Error) and isinstance(code, int) else None
