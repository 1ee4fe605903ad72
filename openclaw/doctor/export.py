"""
The database in the shapes of the reference (``design.md`` 3): for other programs, and for going back.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from attrs import frozen

from openclaw.errors import OpenClawError
from openclaw.store.bodies import Bodies
from openclaw.store.errors import StoreDamaged, StoreTooNew
from openclaw.store.exporting import Export
from openclaw.store.imports import Counts
from openclaw.store.schema import migrations, open_reader
from openclaw.store.sql_unit import SqlUnit


@frozen
class NothingToExport(OpenClawError):
    """
    There is no database yet, or one that has to be brought up to date first.
    """

    path: Path
    why: str

    def __str__(self) -> str:
        return f"{self.path}: {self.why}"


@frozen
class TargetInUse(OpenClawError):
    """
    The directory to export into is none, or holds something: nothing is ever overwritten.
    """

    path: Path
    why: str

    def __str__(self) -> str:
        return f"Cannot export to {self.path}: {self.why}."


def export(database: Path, target: Path, cwd: str) -> Counts:
    """
    Write everything in a database to a directory, also while a gateway runs: what is written is one moment's state.

    :param target: empty, or not there yet.
    :param cwd: the workspace that transcripts name which were not imported.
    :raise OpenClawError: there is nothing to export, or no place for it.
    :raise OSError: it cannot be written.
    """
    if not database.is_file():
        raise NothingToExport(database, "there is no such database; start the gateway once")
    try:
        connection = open_reader(database)
        try:
            connection.execute("BEGIN")
            _check_version(connection, database)
            make_target(target)
            return Export(unit=SqlUnit(connection, Bodies(database.parent / "blobs")), target=target, cwd=cwd).run()
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        raise StoreDamaged(database, str(error)) from error


def _check_version(connection: sqlite3.Connection, database: Path) -> None:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    newest = migrations()[-1][0]
    if version > newest:
        raise StoreTooNew(database, version)
    if version < newest:
        raise NothingToExport(database, "the database is of an earlier version; start the gateway once")


def make_target(target: Path) -> None:
    """
    :raise TargetInUse: something is there.
    """
    try:
        target.mkdir(parents=True, mode=0o700, exist_ok=True)
    except FileExistsError as error:
        raise TargetInUse(target, "it is not a directory") from error
    if any(target.iterdir()):
        raise TargetInUse(target, "it is not empty")
