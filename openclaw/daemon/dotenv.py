"""
Variables added to a ``.env`` file that people may have written themselves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path


def with_variables(path: Path, variables: Mapping[str, str]) -> str:
    """
    The text of the file with these variables set; all other lines stay.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        lines = []
    own = re.compile(rf"\s*(?:export\s+)?({'|'.join(map(re.escape, variables))})\s*=")
    kept = [line for line in lines if not own.match(line)]
    added = [f'{name}="{_escaped(value)}"' for name, value in variables.items()]
    return "\n".join([*kept, *added]) + "\n"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
