"""
Command lines as people are shown them: what cannot be seen, or looks like something else, is written out.
"""

from __future__ import annotations

import re
import unicodedata

#: Letters and marks that print as nothing, though they count as printable.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_VARIATION = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_WORD = re.compile(r"[^\W\d_]+")


def misleads(char: str) -> bool:
    """
    Whether a character is invisible, moves what is around it, or stands for another one.
    """
    if char.isascii():
        return not char.isprintable()
    if not char.isprintable() or char in _BLANK or _VARIATION.match(char):
        return True
    # Wide, small, mathematical and other presentations of an ASCII character.
    plain = unicodedata.normalize("NFKC", char)
    return plain != char and plain.isascii()


def escaped(text: str) -> str:
    """
    A command line in which everything can be seen: ``\\u{202e}`` in place of what turns the writing direction.

    Letters of another alphabet that stand in one word with Latin ones are written out too, since many look the same.
    """
    foreign = {
        place
        for word in _WORD.finditer(text)
        if not word[0].isascii() and any(char.isascii() for char in word[0])
        for place in range(word.start(), word.end())
        if not text[place].isascii() and not unicodedata.name(text[place], "").startswith("LATIN")
    }
    return "".join(
        f"\\u{{{ord(char):x}}}" if place in foreign or misleads(char) else char for place, char in enumerate(text)
    )
