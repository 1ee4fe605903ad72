"""
A look into a configuration that nobody has checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def dig(config: Any, *path: str | int) -> Any:
    """
    A value inside a configuration that may be invalid, and so of any shape; ``None`` when it is not there.
    """
    for key in path:
        config = config.get(key) if isinstance(config, Mapping) else None
    return config
