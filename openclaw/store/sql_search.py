"""
Searching for a part of a text among many sessions.

Looking at each session costs most of what a search takes, looking at its text nearly nothing. So the texts of some
sessions stand in one row once more, a block: a search looks through the blocks, and at the sessions of those that have
what is searched for. The block that was begun last takes the new sessions.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from attrs import define

from openclaw.store.interfaces import Session

#: Sessions of one block. More would make a new session and a changed text cost more.
BLOCK: Final = 64

#: Between two texts. No text has it, nor what is searched for.
BETWEEN: Final = "\x1f"

#: Characters of a text that is searched for; databases limit the length of a pattern.
MOST_SEARCHED: Final = 10_000

#: What no text has: the character between two, and the one with which texts end where databases compare them. Each has
#: another in its place, so that who searches for one does not find the other.
_PLAIN: Final = str.maketrans({BETWEEN: "\N{SYMBOL FOR UNIT SEPARATOR}", "\0": "\N{SYMBOL FOR NULL}"})


def searchable(session: Session) -> str:
    """
    What ``search`` looks in, in lower case.
    """
    texts = [session.members.get(name) for name in ("displayName", "label", "subject")]
    return BETWEEN.join(_plain(str(text)) for text in [*texts, session.session_id, session.key] if text)


def pattern(text: str) -> str:
    """
    What ``LIKE`` compares with, escaped by backslashes.
    """
    escaped = _plain(text)[:MOST_SEARCHED].replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _plain(text: str) -> str:
    return text.lower().translate(_PLAIN)


@define
class SearchBlocks:
    """
    The blocks on one connection.
    """

    connection: sqlite3.Connection

    def add(self, text: str) -> int:
        """
        Take in the text of a new session.

        :return: its block.
        """
        last = self.connection.execute("SELECT block, count FROM search_blocks ORDER BY block DESC LIMIT 1").fetchone()
        if last is None or last[1] >= BLOCK:
            block = 1 if last is None else int(last[0]) + 1
            self.connection.execute("INSERT INTO search_blocks (block, count, texts) VALUES (?, 1, ?)", (block, text))
            return block
        self.connection.execute(
            "UPDATE search_blocks SET count = count + 1, texts = texts || ? WHERE block = ?", (BETWEEN + text, last[0])
        )
        return int(last[0])

    def renew(self, block: int) -> None:
        """
        Put a block together again, after a text of its sessions has changed, or is gone.
        """
        texts = [row[0] for row in self.connection.execute("SELECT search FROM sessions WHERE block = ?", (block,))]
        if texts:
            self.connection.execute(
                "UPDATE search_blocks SET count = ?, texts = ? WHERE block = ?",
                (len(texts), BETWEEN.join(texts), block),
            )
        else:
            self.connection.execute("DELETE FROM search_blocks WHERE block = ?", (block,))
