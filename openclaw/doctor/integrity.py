"""
Whether a database is whole.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path


def damage_of(path: Path) -> str | None:
    """
    Look through a database, without writing to it, also while others do.

    :return: what is wrong with it.
    """
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=1)
        try:
            (told,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        finally:
            connection.close()
    except sqlite3.Error as error:
        return str(error)
    return None if told == "ok" else str(told)
