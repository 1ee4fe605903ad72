"""
Programs that may run without leave as long as they only read what is piped into them (``tools.exec.safeBins``).

For each there is a list of what is harmless; everything else is not, options that are shortened included
(CVE-2026-28363: ``sort --compress-prog``).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence

from attrs import frozen

from openclaw.approvals.names import named

DEFAULT = ("jq", "grep", "cut", "sort", "uniq", "head", "tail", "tr", "wc")

#: Only a program of the system is the one that its name says.
_DIRECTORIES = named(
    "/bin /usr/bin /sbin /usr/sbin /usr/local/bin /opt/homebrew/bin /opt/local/bin /run/current-system/sw/bin"
)

#: What a program of jq may not say: it reads the environment, other files or other inputs, or never ends.
_JQ_WORDS = re.compile(r"\b(env|import|include|input_filename|modulemeta|get_search_list|ENV|__prog_args)\b")


@frozen(kw_only=True)
class Profile:
    """
    What of a program's arguments is harmless.

    :ivar flags: letters of options without a value.
    :ivar values: letters of options with one.
    :ivar long_flags: whole names.
    :ivar words: how many other words it takes, at most; none of them names a file.
    :ivar instead: letters of options that stand for the first of these words.
    :ivar number: whether ``-5`` is an option.
    """

    flags: str = ""
    values: str = ""
    long_flags: frozenset[str] = frozenset()
    long_values: frozenset[str] = frozenset()
    words: int = 0
    instead: str = ""
    number: bool = False


_ENDS = Profile(
    flags="qvz",
    values="nc",
    long_flags=named("quiet silent verbose zero-terminated"),
    long_values=named("lines bytes"),
    number=True,
)

_PROFILES: Mapping[str, Profile] = {
    "jq": Profile(
        flags="rcsSnMCjea",
        long_flags=named(
            "raw-output compact-output slurp sort-keys null-input monochrome-output color-output join-output"
            " exit-status ascii-output tab raw-input"
        ),
        long_values=named("indent"),
        words=1,
    ),
    "grep": Profile(
        flags="ivncoEFGPwxqshaz",
        values="emABC",
        long_flags=named(
            "ignore-case invert-match line-number count only-matching extended-regexp fixed-strings basic-regexp"
            " perl-regexp word-regexp line-regexp quiet silent no-messages text no-filename"
        ),
        long_values=named("regexp max-count after-context before-context context"),
        words=1,
        instead="e",
    ),
    "cut": Profile(
        flags="snz",
        values="dfcb",
        long_flags=named("complement only-delimited zero-terminated"),
        long_values=named("delimiter fields characters bytes output-delimiter"),
    ),
    "sort": Profile(
        flags="nrufbghVdiMscCz",
        values="kt",
        long_flags=named(
            "numeric-sort reverse unique ignore-case ignore-leading-blanks general-numeric-sort human-numeric-sort"
            " version-sort dictionary-order ignore-nonprinting month-sort stable zero-terminated"
        ),
        long_values=named("key field-separator"),
    ),
    "uniq": Profile(
        flags="cdDuiz",
        values="fsw",
        long_flags=named("count repeated unique ignore-case zero-terminated"),
        long_values=named("skip-fields skip-chars check-chars"),
    ),
    "head": _ENDS,
    "tail": _ENDS,
    "tr": Profile(flags="cCdst", long_flags=named("complement delete squeeze-repeats truncate-set1"), words=2),
    "wc": Profile(flags="lwcmL", long_flags=named("lines words bytes chars max-line-length")),
}


def is_safe(argv: Sequence[str], path: str, safe_bins: Sequence[str]) -> bool:
    """
    Whether a command only works on what it is given.

    :param argv: as it will be, nothing of it to be expanded any more.
    :param path: what its first word names.
    :param safe_bins: names that the configuration gives; one that is not known here may run without arguments only.
    """
    name = os.path.basename(path)
    if name not in safe_bins or argv[0] not in (name, path) or os.path.dirname(path) not in _DIRECTORIES:
        return False
    profile = _PROFILES.get(name)
    if profile is None:
        return len(argv) == 1
    return _harmless(profile, argv[1:]) and (name != "jq" or not any(_JQ_WORDS.search(word) for word in argv[1:]))


def _harmless(profile: Profile, arguments: Sequence[str]) -> bool:
    left = list(arguments)
    words = profile.words
    while left:
        argument = left.pop(0)
        if profile.number and re.fullmatch(r"-\d+", argument):
            continue
        if argument.startswith("--"):
            if not _long(profile, argument, left):
                return False
            if profile.instead and argument.startswith("--regexp"):
                words = profile.words - 1
        elif argument.startswith("-") and argument != "-":
            letters = _letters(profile, argument[1:], left)
            if letters is None:
                return False
            if any(letter in profile.instead for letter in letters):
                words = profile.words - 1
        else:
            words -= 1
        if words < 0:
            return False
    return True


def _long(profile: Profile, argument: str, left: list[str]) -> bool:
    name, equals, _ = argument[2:].partition("=")
    if name in profile.long_values:
        if not equals:
            if not left:
                return False
            left.pop(0)
        return True
    return name in profile.long_flags and not equals


def _letters(profile: Profile, bunch: str, left: list[str]) -> str | None:
    """
    The options in a bunch of letters, or ``None`` where one is not harmless.
    """
    for place, letter in enumerate(bunch):
        if letter in profile.values:
            if place == len(bunch) - 1:
                if not left:
                    return None
                left.pop(0)
            return bunch[: place + 1]
        if letter not in profile.flags:
            return None
    return bunch
