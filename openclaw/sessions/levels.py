"""
The words for a session's levels, as people write them (``methods.md`` 9.4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

#: Models that know the level ``xhigh``.
XHIGH_MODELS: Final = ("openai/gpt-5.2", "openai-codex/gpt-5.2-codex", "openai-codex/gpt-5.1-codex")

THINKING: Final = ("off", "minimal", "low", "medium", "high")


def _words(**levels: Sequence[str]) -> Mapping[str, str]:
    return {word: level for level, words in levels.items() for word in (level.replace("_", "-"), *words)}


_THINKING = _words(
    off=(),
    minimal=("min", "think"),
    low=("on", "enable", "enabled", "thinkhard", "think-hard", "think_hard"),
    medium=("mid", "med", "thinkharder", "think-harder", "harder"),
    high=("ultra", "ultrathink", "thinkhardest", "highest", "max"),
    xhigh=("x-high", "x_high"),
)
_VERBOSE = _words(off=("false", "no", "0"), on=("minimal", "true", "yes", "1"), full=("all", "everything"))
_REASONING = _words(
    off=("false", "no", "0", "hide", "hidden", "disable", "disabled"),
    on=("true", "yes", "1", "show", "visible", "enable", "enabled"),
    stream=("streaming", "draft", "live"),
)
_ELEVATED = _words(
    off=("false", "no", "0"),
    on=("true", "yes", "1"),
    ask=("prompt", "approval", "approve"),
    full=("auto", "auto-approve", "autoapprove"),
)
_USAGE = _words(off=(), tokens=("on",), full=())


def thinking_level(text: str) -> str | None:
    """
    :return: ``off``, ``minimal``, ``low``, ``medium``, ``high`` or ``xhigh``; ``None`` for an unknown word.
    """
    return _THINKING.get(text.strip().lower())


def verbose_level(text: str) -> str | None:
    """
    :return: ``off``, ``on`` or ``full``; ``None`` for an unknown word.
    """
    return _VERBOSE.get(text.strip().lower())


def reasoning_level(text: str) -> str | None:
    """
    :return: ``off``, ``on`` or ``stream``; ``None`` for an unknown word.
    """
    return _REASONING.get(text.strip().lower())


def elevated_level(text: str) -> str | None:
    """
    :return: ``off``, ``on``, ``ask`` or ``full``; ``None`` for an unknown word.
    """
    return _ELEVATED.get(text.strip().lower())


def usage_mode(text: str) -> str | None:
    """
    :return: ``off``, ``tokens`` or ``full``; ``None`` for an unknown word.
    """
    return _USAGE.get(text.strip().lower())


def supports_xhigh(provider: str, model: str) -> bool:
    """
    Whether a model knows the level ``xhigh``.
    """
    return f"{provider}/{model}".lower() in XHIGH_MODELS
