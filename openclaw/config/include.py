"""
``$include``: one configuration out of several files.
"""

from __future__ import annotations

import os.path
from collections.abc import Callable
from pathlib import Path
from typing import Any

from openclaw.config.issues import ConfigError
from openclaw.config.schema import type_name
from openclaw.config.tokens import Json5Error, decode, parse

KEY = "$include"
MAX_DEPTH = 10


class IncludeError(ConfigError):
    """
    An ``$include`` cannot be followed; ``str()`` is the text of the issue.
    """

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)

    def __str__(self) -> str:
        return self.message


def merge(under: Any, over: Any) -> Any:
    """
    Join two values: objects member by member, arrays one after the other, else the later one.
    """
    if isinstance(under, dict) and isinstance(over, dict):
        joined = dict(under)
        for key, value in over.items():
            joined[key] = merge(joined[key], value) if key in joined else value
        return joined
    if isinstance(under, list) and isinstance(over, list):
        return [*under, *over]
    return over


def read_file(path: Path) -> str:
    """
    The default way to read an included file.
    """
    return path.read_text(encoding="utf-8")


def resolve(value: Any, file: Path, read: Callable[[Path], str] = read_file) -> Any:
    """
    Replace every ``$include`` below ``value`` by what it names.

    :param file: the file that ``value`` was read from.
    :raise IncludeError: one of them cannot be followed.
    """
    return _Includes(read).resolve(value, (file,))


class _Includes:
    """
    One resolution; the chain of files leads from the main file to the current one.
    """

    def __init__(self, read: Callable[[Path], str]) -> None:
        self._read = read

    def resolve(self, value: Any, chain: tuple[Path, ...]) -> Any:
        if isinstance(value, list):
            return [self.resolve(member, chain) for member in value]
        if not isinstance(value, dict):
            return value
        members = {key: self.resolve(member, chain) for key, member in value.items() if key != KEY}
        if KEY not in value:
            return members
        included = self._include(value[KEY], chain)
        if not members:
            return included
        if not isinstance(included, dict):
            raise IncludeError("Sibling keys require included content to be an object")
        return merge(included, members)

    def _include(self, directive: object, chain: tuple[Path, ...]) -> Any:
        if isinstance(directive, str):
            return self._file(directive, chain)
        if not isinstance(directive, list):
            raise IncludeError(
                f"Invalid $include value: expected string or array of strings, got {type_name(directive)}"
            )
        joined: Any = {}
        for item in directive:
            if not isinstance(item, str):
                raise IncludeError(f"Invalid $include array item: expected string, got {type_name(item)}")
            joined = merge(joined, self._file(item, chain))
        return joined

    def _file(self, written: str, chain: tuple[Path, ...]) -> Any:
        path = Path(written)
        path = Path(_normal(path if path.is_absolute() else chain[-1].parent / path))
        if path in chain:
            raise IncludeError("Circular include detected: " + " -> ".join(map(str, (*chain, path))))
        if len(chain) > MAX_DEPTH:
            raise IncludeError(f"Maximum include depth ({MAX_DEPTH}) exceeded at: {written}")
        try:
            text = self._read(path)
        except (OSError, UnicodeDecodeError) as error:
            raise IncludeError(f"Failed to read include file: {written} (resolved: {path})") from error
        try:
            parse(text)
            value = decode(text)
        except Json5Error as error:
            raise IncludeError(f"Failed to parse include file: {written} (resolved: {path})") from error
        return self.resolve(value, (*chain, path))


def _normal(path: Path) -> str:
    """
    Without ``.`` and ``..``, links left alone.
    """
    return os.path.normpath(path)
