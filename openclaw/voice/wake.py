"""
Words that wake a listening node (``methods.md`` 20.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from openclaw.voice.settings import read_settings, write_settings

DEFAULT_TRIGGERS = ("openclaw", "claude", "computer")
MOST_TRIGGERS = 32
MOST_CHARACTERS = 64


def cleaned(triggers: Sequence[Any]) -> list[str]:
    """
    What is left of a list of words: texts, trimmed, not too many and not too long; the defaults when nothing is.
    """
    words = [word.strip() for word in triggers if isinstance(word, str)]
    kept = [word[:MOST_CHARACTERS] for word in words if word][:MOST_TRIGGERS]
    return kept or list(DEFAULT_TRIGGERS)


def wake_words_path(state_dir: Path) -> Path:
    return state_dir / "settings" / "voicewake.json"


def read_wake_words(state_dir: Path) -> list[str]:
    """
    The words that count now. Blocks.

    :raise SettingsUnreadable: the file is none of ours.
    """
    triggers = read_settings(wake_words_path(state_dir)).get("triggers")
    return cleaned(triggers if isinstance(triggers, list) else [])


def write_wake_words(state_dir: Path, triggers: Sequence[Any], now_ms: int) -> list[str]:
    """
    Keep other words. Blocks.

    :return: as they are kept.
    """
    words = cleaned(triggers)
    write_settings(wake_words_path(state_dir), {"triggers": words, "updatedAtMs": now_ms})
    return words
