"""
What can be wrong with a configuration file, and where it stands in the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from attrs import field, frozen

from openclaw.errors import OpenClawError


@frozen(kw_only=True)
class Location:
    """
    A place in a file, as editors count: both numbers begin at 1.
    """

    file: Path
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@frozen(kw_only=True)
class Issue:
    """
    One thing that is wrong.

    :param path: dotted path of the key, array indexes as numbers; the empty string is the whole file.
    :param expected: what should stand there instead, in a few words, where that can be said.
    :param location: the nearest place in the main file; for what an ``$include`` brought, the directive.
    """

    path: str
    message: str
    expected: str | None = None
    location: Location | None = None
    keys: tuple[str | int, ...] = field(default=(), repr=False, eq=False)

    @classmethod
    def at(cls, keys: tuple[str | int, ...], message: str, expected: str | None = None) -> Issue:
        """
        An issue with the value that these keys lead to; they may have dots in them.
        """
        return cls(path=".".join(str(key) for key in keys), message=message, expected=expected, keys=keys)

    def payload(self) -> dict[str, str]:
        """
        The shape clients know.
        """
        return {"path": self.path, "message": self.message}

    def line(self) -> str:
        """
        One line for people: place, path, message and what was expected.
        """
        place = f"{self.location}: " if self.location else ""
        told = self.expected is None or f"expected {self.expected}," in self.message
        expected = "" if told else f" (expected {self.expected})"
        return f"{place}{self.path or '<root>'}: {self.message}{expected}"


class ConfigError(OpenClawError):
    """
    The root of this package's exceptions.
    """


class ConfigInvalid(ConfigError):
    """
    The configuration cannot be used; every reason is in ``issues``.
    """

    def __init__(self, file: Path, issues: Sequence[Issue]) -> None:
        """
        :param file: the configuration file, also when an issue stands elsewhere.
        """
        self.file = file
        self.issues = tuple(issues)
        super().__init__(file, self.issues)

    def __str__(self) -> str:
        lines = [f"Invalid config at {self.file}."]
        lines.extend(issue.line() for issue in self.issues)
        return "\n".join(lines)
