"""
What a repair would make of a file, as people can read it: a unified diff without secrets.
"""

from __future__ import annotations

import difflib
import re

from attrs import field, frozen

from openclaw.config.loader import Snapshot
from openclaw.config.redact import redact_text
from openclaw.logs.redact import HIDDEN

_SECRET = r"\w*(?:TOKEN|SECRET|PASSWORD|PASSWD|KEY|CREDENTIALS?)\w*"  # noqa: S105 - the form of a name
#: In a unit or a script, and in a plist: a variable whose name says that it is nobody's business.
_VARIABLES = (
    re.compile(rf"(\b{_SECRET}=)[^\"\n]+", re.IGNORECASE),
    re.compile(rf"(<key>{_SECRET}</key>\s*<string>)[^<]+", re.IGNORECASE),
)


@frozen(kw_only=True)
class Draft:
    """
    A file as it is, and as it would be. Neither text holds a secret.

    :ivar name: of the file, for people.
    """

    name: str
    before: str = field(repr=False)
    after: str = field(repr=False)

    def lines(self) -> list[str]:
        """
        The unified diff; where only secrets differ, what there is to say of it.
        """
        if self.before == self.after:
            return [f"{self.name}: only what is not shown changes."]
        found = difflib.unified_diff(
            self.before.splitlines(), self.after.splitlines(), self.name, f"{self.name} (repaired)", lineterm=""
        )
        return list(found)


def config_draft(name: str, before: Snapshot, after: Snapshot) -> Draft:
    """
    Of a configuration file that can be read.
    """
    return Draft(
        name=name,
        before=redact_text(before.raw or "", before.parsed),
        after=redact_text(after.raw or "", after.parsed),
    )


def service_draft(name: str, before: str, after: str) -> Draft:
    """
    Of a service file.
    """
    return Draft(name=name, before=_without_values(before), after=_without_values(after))


def _without_values(text: str) -> str:
    for pattern in _VARIABLES:
        text = pattern.sub(rf"\1{HIDDEN}", text)
    return text
