"""
Property lists of macOS, read from files that anybody may have written.
"""

from __future__ import annotations

import plistlib
from collections.abc import Mapping
from typing import Any
from xml.parsers.expat import ExpatError

from attrs import field, frozen


def members(data: bytes) -> dict[str, Any]:
    """
    What a property list holds; nothing where it is broken, or no dictionary.
    """
    try:
        found = plistlib.loads(data)
    except (ExpatError, ValueError, AttributeError, LookupError, TypeError, OverflowError, RecursionError):
        # plistlib lets through what its parsers raise.
        return {}
    return found if isinstance(found, dict) else {}


@frozen(kw_only=True)
class Program:
    """
    What a launchd agent runs.

    :ivar environment: what it sets itself, which may hold secrets.
    """

    arguments: list[str]
    environment: dict[str, str] = field(repr=False)

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Program:
        """
        Members of another shape than launchd's are left out.
        """
        environment, arguments = found.get("EnvironmentVariables"), found.get("ProgramArguments")
        texts = environment.items() if isinstance(environment, dict) else ()
        words = arguments if isinstance(arguments, list) else ()
        return cls(
            arguments=[word for word in words if isinstance(word, str)],
            environment={name: value for name, value in texts if isinstance(value, str)},
        )
