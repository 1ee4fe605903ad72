"""
Variables from ``.env`` files, which fill in what the environment does not have.
"""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from pathlib import Path

from openclaw.config.paths import state_dir

_LINE = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*=[ \t]*"""
    r"""(?:"((?:\\.|[^"\\])*)"|'([^']*)'|([^\n#]*))[ \t]*(?:\#[^\n]*)?$""",
    re.MULTILINE,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def parse_dotenv(text: str) -> dict[str, str]:
    """
    The variables of a ``.env`` text; lines that are none are skipped, a later one of the same name wins.
    """
    found: dict[str, str] = {}
    for line in _LINE.finditer(text.replace("\r\n", "\n")):
        name, double, single, bare = line.groups()
        if double is not None:
            found[name] = re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[1]), double)
        else:
            found[name] = single if single is not None else bare.strip()
    return found


def read_dotenv(path: Path) -> dict[str, str]:
    """
    The variables of a ``.env`` file; none where it cannot be read.
    """
    try:
        return parse_dotenv(path.read_bytes().decode(errors="replace"))
    except OSError:
        return {}


def fill_environment(environ: MutableMapping[str, str], home: Path, directory: Path) -> None:
    """
    Add the variables of ``.env`` in ``directory``, then of the one in the state directory; what is set stays.

    :param directory: the current one.
    """
    for path in (directory / ".env", None):
        # The first file may say where the state is.
        file = state_dir(environ, home) / ".env" if path is None else path
        try:
            text = file.read_bytes().decode(errors="replace")
        except (FileNotFoundError, NotADirectoryError, PermissionError, IsADirectoryError):
            continue
        for name, value in parse_dotenv(text).items():
            environ.setdefault(name, value)
