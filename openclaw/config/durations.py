"""
Spans of time as people write them: ``30m``, ``1.5h``.
"""

from __future__ import annotations

import re

_FORM = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?\s*", re.IGNORECASE)
_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def duration_ms(text: str, *, unit: str | None = "m") -> int | None:
    """
    :param unit: what a bare number counts; ``None`` allows none.
    :return: whole milliseconds; ``None`` if the text is no duration.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        return None
    chosen = (found[2] or unit or "").lower()
    return round(float(found[1]) * _MS[chosen]) if chosen else None
