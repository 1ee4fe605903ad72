"""
Tables of box-drawing characters for people.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from typing import TextIO

#: Where a long cell may be broken, besides spaces.
_BREAKS = re.compile(r"(?<=[/\-_.])|(?<= )")
_NARROWEST = 6


def table_width(out: TextIO) -> int:
    """
    How wide a table on this stream may be.
    """
    columns = shutil.get_terminal_size((120, 24)).columns if out.isatty() else 120
    return max(60, columns - 1)


def plain(text: str, instead: str = " ") -> str:
    """
    A text from outside without what moves the cursor or rings the bell.

    :param instead: stands in the place of each such character.
    """
    return "".join(char if char.isprintable() else instead for char in text)


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], width: int = 119) -> list[str]:
    """
    The lines of a table. The widest columns give up what is too much, and their cells wrap.
    """
    cells = [[plain("" if cell is None else str(cell)) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    room = width - 3 * len(widths) - 1
    while sum(widths) > room and max(widths) > _NARROWEST:
        widths[widths.index(max(widths))] -= 1
    lines = [_rule("┌┬┐", widths), *_row(columns, widths), _rule("├┼┤", widths)]
    for row in cells:
        lines += _row(row, widths)
    return [*lines, _rule("└┴┘", widths)]


def _rule(corners: str, widths: Sequence[int]) -> str:
    return corners[0] + corners[1].join("─" * (width + 2) for width in widths) + corners[2]


def _row(cells: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    wrapped = [list(_wrap(cell, width)) for cell, width in zip(cells, widths, strict=True)]
    for number in range(max(map(len, wrapped))):
        parts = [lines[number] if number < len(lines) else "" for lines in wrapped]
        padded = (f" {part:<{width}} " for part, width in zip(parts, widths, strict=True))
        yield "│" + "│".join(padded) + "│"


def _wrap(text: str, width: int) -> Iterator[str]:
    line = ""
    for piece in _BREAKS.split(text):
        if line and len(line) + len(piece.rstrip()) > width:
            yield line.rstrip()
            line = ""
        line += piece
        while len(line.rstrip()) > width:
            yield line[:width]
            line = line[width:]
    yield line.rstrip()


def user_name() -> str:
    """
    Whoever runs this, for commands to type on another machine.
    """
    return os.environ.get("USER") or os.environ.get("LOGNAME") or "user"
