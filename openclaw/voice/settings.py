"""
Small settings that clients change and that are files, at the places where the reference keeps them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from attrs import frozen

from openclaw.config.files import make_private_directory, replace_file
from openclaw.errors import OpenClawError


@frozen(kw_only=True)
class SettingsUnreadable(OpenClawError):
    """
    A settings file is there and is none.
    """

    path: Path
    why: str

    def __str__(self) -> str:
        return f"The settings file {self.path} cannot be read: {self.why}"


def read_settings(path: Path) -> Mapping[str, Any]:
    """
    The object in a file; an empty one where there is no file. Blocks.

    :raise SettingsUnreadable: it holds something else.
    """
    try:
        value = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, orjson.JSONDecodeError) as error:
        raise SettingsUnreadable(path=path, why=str(error)) from error
    if not isinstance(value, dict):
        raise SettingsUnreadable(path=path, why="expected an object")
    return value


def write_settings(path: Path, value: Mapping[str, Any]) -> None:
    """
    Replace a file's object. Blocks.

    :raise OSError: it cannot be written; then the old content is still there.
    """
    make_private_directory(path.parent)
    replace_file(path, orjson.dumps(value, option=orjson.OPT_INDENT_2) + b"\n")
