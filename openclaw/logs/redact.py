"""
Secrets are removed where lines are written, by value and by shape.

By value: whatever the program knows to be a secret is registered when it is read or made, and replaced whole. By shape:
what looks like a secret is masked (``service.md`` 7.5). ``logging.redactPatterns`` adds to the built-in shapes: a
list that replaced them could only uncover what they cover.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from json import dumps
from urllib.parse import quote

from attrs import define, field

from openclaw.errors import OpenClawError

#: What stands for a secret that is known.
HIDDEN = "***"

#: Shorter secrets are replaced only where they stand alone: within words they would blot out the log.
_SHORT = 8
_SHOWN_HEAD = 6
_SHOWN_TAIL = 4
_FULLY_HIDDEN_BELOW = 18
_ALREADY = re.compile(rf".{{{_SHOWN_HEAD}}}….{{{_SHOWN_TAIL}}}")

# Names that end like a secret's and are none; "key" alone is what this program calls half of its things.
_NOT_ONE = r"(?!(?:session|main|public|idempotency|dedupe|primary|foreign)[-_]?key\b)"

_ASSIGNED = (
    rf"\b{_NOT_ONE}(?:[A-Z0-9_]+KEY|[A-Z0-9_]*(?:TOKEN|SECRET|PASSWORD|PASSWD))\b\s*[=:]\s*"
    r"([\"']?)([^\s\"'\\&#]+)\1"
)
# Also where the JSON stands in a JSON string, and as Python writes a dict.
_MEMBER = (
    r"[\"'](?:api_?key|token|secret|password|passwd|(?:access|refresh|device)_?token)\\*[\"']\s*:\s*"
    r"\\*[\"']([^\"'\\]+)"
)

#: The last group that matched is what is masked; without groups, the whole.
BUILT_IN_PATTERNS: tuple[str, ...] = (
    _ASSIGNED,
    _MEMBER,
    r"--(?:api[-_]?key|token|secret|password|passwd)[\s=]+([\"']?)([^\s\"']+)\1",
    r"Authorization\s*[:=]\s*(?:Bearer|Basic)\s+([A-Za-z0-9._\-+=/…]+)",
    r"\bBearer\s+([A-Za-z0-9._\-+=/…]{18,})",
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:(?!-----BEGIN)[\s\S])+?-----END [A-Z ]*PRIVATE KEY-----",
    r"\b(sk-[A-Za-z0-9_-]{8,})\b",
    r"\b(ghp_[A-Za-z0-9]{20,})\b",
    r"\b(github_pat_[A-Za-z0-9_]{20,})\b",
    r"\b(xox[baprs]-[A-Za-z0-9-]{10,})\b",
    r"\b(xapp-[A-Za-z0-9-]{10,})\b",
    r"\b(gsk_[A-Za-z0-9_-]{10,})\b",
    r"\b(AIza[0-9A-Za-z\-_]{20,})\b",
    r"\b(pplx-[A-Za-z0-9_-]{10,})\b",
    r"\b(npm_[A-Za-z0-9]{10,})\b",
    r"\b(\d{6,}:[A-Za-z0-9_-]{20,})\b",
)


class BadPattern(OpenClawError):
    """
    ``logging.redactPatterns`` names something that is no regular expression.
    """


def compile_pattern(text: str) -> re.Pattern[str]:
    """
    A pattern of the configuration: ``/expression/flags``, or a bare expression that ignores case.

    :raise BadPattern: it is no regular expression.
    """
    flags = re.IGNORECASE
    slashed = re.fullmatch(r"/(.+)/([a-z]*)", text, re.DOTALL)
    if slashed is not None:
        text, letters = slashed.groups()
        known = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}
        flags = re.NOFLAG
        for letter in letters:
            flags |= known.get(letter, re.NOFLAG)
    try:
        # The one difference of spelling that people meet between the two dialects.
        return re.compile(re.sub(r"\(\?<(?=[A-Za-z])", "(?P<", text), flags)
    except re.error as error:
        raise BadPattern(f"logging.redactPatterns: {text!r} is no regular expression: {error}") from error


def mask(secret: str) -> str:
    """
    What is shown of something that looks like a secret.
    """
    if secret.startswith("-----BEGIN") and "\n" in secret.strip():
        lines = secret.strip().splitlines()
        return f"{lines[0]}\n…redacted…\n{lines[-1]}"
    if len(secret) < _FULLY_HIDDEN_BELOW or secret.startswith("-----BEGIN"):
        return HIDDEN
    return f"{secret[:_SHOWN_HEAD]}…{secret[-_SHOWN_TAIL:]}"


def _masked(match: re.Match[str]) -> str:
    group = next((number for number in range(match.re.groups, 0, -1) if match[number]), 0)
    secret = match[group]
    if secret == HIDDEN or _ALREADY.fullmatch(secret):
        return match[0]
    start, end = match.start(group) - match.start(), match.end(group) - match.start()
    return match[0][:start] + mask(secret) + match[0][end:]


def redact_shapes(text: str, patterns: Iterable[re.Pattern[str]]) -> str:
    """
    Mask everything that matches.
    """
    for pattern in patterns:
        text = pattern.sub(_masked, text)
    return text


BUILT_IN = tuple(compile_pattern(text) for text in BUILT_IN_PATTERNS)


@define
class Redactor:
    """
    Takes secrets out of text. Registered values always; shapes while ``shapes`` is set.
    """

    shapes: bool = True
    _patterns: tuple[re.Pattern[str], ...] = field(default=BUILT_IN, init=False)
    _secrets: dict[str, None] = field(factory=dict, init=False, repr=False)
    _values: re.Pattern[str] | None = field(default=None, init=False, repr=False)

    def use_patterns(self, patterns: Sequence[str]) -> None:
        """
        Shapes to mask besides the built-in ones, in place of those given before.

        :raise BadPattern: one is no regular expression; nothing has changed.
        """
        self._patterns = (*BUILT_IN, *(compile_pattern(text) for text in patterns))

    def add(self, secret: str | None) -> None:
        """
        Never show this value again, nor as JSON or a URL spell it. Empty is no secret.
        """
        if not secret or secret in self._secrets:
            return
        for spelling in (secret, dumps(secret)[1:-1], quote(secret, safe="")):
            self._secrets[spelling] = None
        longest_first = sorted(self._secrets, key=len, reverse=True)
        self._values = re.compile("|".join(map(_alternative, longest_first)))

    def __call__(self, text: str) -> str:
        if self._values is not None:
            text = self._values.sub(HIDDEN, text)
        return redact_shapes(text, self._patterns) if self.shapes else text


def _alternative(secret: str) -> str:
    escaped = re.escape(secret)
    return escaped if len(secret) >= _SHORT else rf"(?<!\w){escaped}(?!\w)"
