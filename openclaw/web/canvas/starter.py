"""
The directory of the canvas when there is none yet (``http.md`` 12.1).
"""

from __future__ import annotations

import os
from pathlib import Path

from openclaw.web.canvas.opening import INDEX

STARTER = Path(__file__).parent / "starter.html"


def prepare(root: Path) -> None:
    """
    Make the directory, and a first page in it where there is none. Blocks.

    :raise OSError: there is no such directory and none can be made, or it cannot be written to.
    """
    root.mkdir(parents=True, exist_ok=True)
    try:
        # Never over what is there, be it a link to nothing.
        page = os.open(root / INDEX, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    except FileExistsError:
        return
    with os.fdopen(page, "wb") as file:
        file.write(STARTER.read_bytes())
