"""
Following a branch of a session's tree.
"""

from __future__ import annotations

from collections.abc import Iterable

from openclaw.store.interfaces import Entry


def branch(newest_first: Iterable[Entry]) -> list[Entry]:
    """
    The branch of the newest entry, back to the first one that its latest compaction kept, or to the root.

    :param newest_first: all entries of a session, the newest first; a parent always stands behind its children. No
        more are taken than are needed: what was summarised long ago costs nothing.
    :return: oldest first.
    """
    path: list[Entry] = []
    wanted: str | None = None
    kept: str | None = None
    for entry in newest_first:
        if path and entry.id != wanted:
            continue
        path.append(entry)
        if kept is None and entry.type == "compaction":
            # Without a word about what it kept, it kept what came after it.
            first = entry.body.get("firstKeptEntryId")
            kept = first if isinstance(first, str) else entry.id
        if entry.id == kept or entry.parent_id is None:
            break
        wanted = entry.parent_id
    return path[::-1]
