"""
What people are shown of what a model says (``methods.md`` 6.1): no reasoning tags, no media lines, no reply tags.
"""

from __future__ import annotations

import re

from attrs import define

#: A model says this when nothing should be said.
SILENT = "NO_REPLY"

_SPECIAL = re.compile(r"</?\s*(?:think|thought|antthinking|final)|\[\[|MEDIA:", re.IGNORECASE)
#: Code, which is shown as it is, or reasoning, which is not: what begins first holds the other.
_CODE_OR_THOUGHT = re.compile(
    r"((?:^|(?<=>))```.*?(?:^```[^\n]*$|\Z))"
    r"|<\s*(think|thinking|thought|antthinking)\b[^<>]*>.*?(?:<\s*/\s*\2\s*>|\Z)",
    re.IGNORECASE | re.DOTALL | re.MULTILINE,
)
_TAG = re.compile(r"<\s*/?\s*(?:think|thinking|thought|antthinking|final)\b[^<>]*>", re.IGNORECASE)
_REPLY_TAG = re.compile(r"\[\[\s*(?:reply_to_current|reply_to\s*:[^\]\n]*|audio_as_voice)\s*\]\]", re.IGNORECASE)
_MEDIA = re.compile(r"^[ \t]*MEDIA:[^\n]*(?:\n|\Z)", re.MULTILINE)
#: At the very start, or as the last word.
_SILENCE = re.compile(rf"\A\s*{SILENT}\b|\b{SILENT}\W*\Z")
_FENCE = re.compile(r"(^```.*?(?:^```[^\n]*$|\Z))", re.MULTILINE | re.DOTALL)

#: The beginning of something that may turn out to be one of the above, at the end of what has come so far.
_UNDECIDED = re.compile(r"(?:<\s*/?\s*[a-z]{0,12}|\[{1,2}(?:\[[a-z_: \d-]{0,40}\]?)?)\Z", re.IGNORECASE)
_WORDS = ("think", "thinking", "thought", "antthinking", "final")

#: How far back a special word may begin that a new delta completes.
_LOOKBACK = 24


def clean(text: str) -> str:
    """
    The whole of a message as people see it.
    """
    shown = text
    if _SPECIAL.search(text):
        parts = _FENCE.split(_CODE_OR_THOUGHT.sub(lambda found: found[1] or "", text))
        shown = "".join(part if index % 2 else _clean_prose(part) for index, part in enumerate(parts))
    shown = shown.strip()
    return "" if shown == SILENT else shown


def is_silent(text: str) -> bool:
    """
    Whether a final answer asks that nothing be sent (``agent.md`` 12.3).
    """
    return not text.strip() or _SILENCE.search(text) is not None


def _clean_prose(text: str) -> str:
    text = _TAG.sub("", text)
    text = _REPLY_TAG.sub("", text)
    return _MEDIA.sub("", text)


@define
class ShownText:
    """
    The shown text of one assistant message while it arrives.

    Ordinary text costs the same however long it has become; only a text with tags is cleaned anew each time.

    :ivar special: whether there is something to clean.
    """

    raw: str = ""
    special: bool = False

    def add(self, delta: str) -> str:
        """
        :return: what is shown now. What may still turn out to be a tag is held back.
        """
        self.raw += delta
        if not self.special:
            tail = self.raw[-len(delta) - _LOOKBACK :]
            self.special = _SPECIAL.search(tail) is not None
        return self.shown()

    def shown(self) -> str:
        """
        The text as it may be shown now.
        """
        text = self.raw
        undecided = _undecided(text)
        if undecided:
            text = text[:-undecided]
        if self.special:
            return clean(text)
        text = text.strip()
        return "" if SILENT.startswith(text) else text


def _undecided(text: str) -> int:
    """
    :return: how many characters at the end are not decided yet.
    """
    line = text[text.rfind("\n") + 1 :] if len(text) < 64 or "\n" in text[-64:] else ""
    word = line.lstrip(" \t")
    if word and "MEDIA:".startswith(word):
        return len(word)
    found = _UNDECIDED.search(text[-64:])
    if found is None:
        return 0
    held = found.group()
    if held[0] == "<":
        word = held.lstrip("</ ").lower()
        if not any(tag.startswith(word) for tag in _WORDS):
            return 0
    return len(held)
