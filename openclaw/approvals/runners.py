"""
Programs that run what their arguments say: leave for them is leave for everything, so it is never remembered, and no
pattern gives it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence

from openclaw.approvals.names import BUILDERS, GIT, INTERPRETERS, SHELLS, WRAPPERS

#: By name, without version and in small letters.
_RUNNERS = SHELLS | INTERPRETERS | WRAPPERS | BUILDERS

#: Many programs in one file, told apart by the name that they are called by.
_MANY_IN_ONE = frozenset({"busybox", "toybox", "coreutils"})

_VERSION = re.compile(r"[-_.]?\d+(\.\d+)*[a-z]?$")
_LOADER = re.compile(r"ld(-linux.*|-musl.*|-[\d.]+|64)?\.so.*")


def runs_anything(path: str) -> bool:
    """
    Whether a program runs whatever its arguments or its input say.

    :param path: where it is. What a link leads to counts as well as the name of the link.
    """
    name, real = os.path.basename(path), os.path.basename(os.path.realpath(path))
    return _is_runner(name) or (_is_runner(real) and real.lower() not in _MANY_IN_ONE)


def _is_runner(name: str) -> bool:
    name = name.lower().removesuffix(".exe")
    return name in _RUNNERS or _VERSION.sub("", name) in _RUNNERS or _LOADER.fullmatch(name) is not None


def carries_command(path: str, arguments: Sequence[str], *, expands: bool = False) -> bool:
    """
    Whether the arguments of an ordinary program make it run another one, or could.

    :param expands: some arguments are not known yet: the names of files may look like options.
    """
    for name in {os.path.basename(path), os.path.basename(os.path.realpath(path))}:
        rule = _CARRIERS.get(name.lower().removesuffix(".exe"))
        if rule is not None and (expands or rule(arguments)):
            return True
    return False


Rule = Callable[[Sequence[str]], bool]


def _options(shorts: str = "", *longs: str) -> Rule:
    """
    Options that run something: letters, alone or in a bunch, and long names, also shortened as GNU programs take them.
    """

    def rule(arguments: Sequence[str]) -> bool:
        return any(_has(argument, shorts, longs) for argument in arguments)

    return rule


def _has(argument: str, shorts: str, longs: Sequence[str]) -> bool:
    if argument.startswith("--"):
        name = argument[2:].partition("=")[0]
        return bool(name) and any(long.startswith(name) for long in longs)
    return argument.startswith("-") and any(char in shorts for char in argument[1:])


def _words(*words: str) -> Rule:
    return lambda arguments: any(argument.partition("=")[0] in words for argument in arguments)


def _tar(arguments: Sequence[str]) -> bool:
    # The first word of tar may be letters without a dash.
    bunch = arguments[0] if arguments and not arguments[0].startswith("-") else ""
    return any(char in "IF" for char in bunch) or _TAR(arguments)


_TAR = _options(
    "IF",
    "to-command",
    "checkpoint-action",
    "use-compress-program",
    "rsh-command",
    "rmt-command",
    "info-script",
    "new-volume-script",
)

_GIT_FIRST = frozenset({"--no-pager", "-P", "--no-optional-locks", "--literal-pathspecs", "--version", "--help"})
_GIT_LONGS = ("exec", "upload-pack", "receive-pack", "config", "extcmd", "open-files-in-pager", "template", "ext-diff")
_GIT_SHORTS = {"clone": "uc", "rebase": "x", "grep": "O", "fetch": "u", "pull": "u", "init": "t"}


def _git(arguments: Sequence[str]) -> bool:
    left = list(arguments)
    while left and left[0].startswith("-"):
        option = left.pop(0)
        if option == "-C" and left:
            left.pop(0)
        elif option not in _GIT_FIRST:
            return True
    if not left:
        return False
    command, *rest = left
    if command not in GIT or any("::" in word for word in rest):
        return True
    return any(_has(word, _GIT_SHORTS.get(command, ""), _GIT_LONGS) for word in rest)


_FIND = _words(
    "-exec", "-execdir", "-ok", "-okdir", "-delete", "-fprint", "-fprint0", "-fprintf", "-fls", "-files0-from"
)

_CARRIERS: Mapping[str, Rule] = {
    "bat": _options("", "pager"),
    "bsdtar": _tar,
    "fd": _options("xX", "exec", "exec-batch"),
    "fdfind": _options("xX", "exec", "exec-batch"),
    "find": _FIND,
    "gfind": _FIND,
    "git": _git,
    "gpg": _options("", "agent-program", "dirmngr-program", "photo-viewer", "exec-path", "pinentry-program"),
    "gsort": _options("", "compress-program"),
    "gtar": _tar,
    "install": _options("", "strip-program"),
    "ip": _words("exec", "-b", "-batch"),
    "less": lambda arguments: any(word.startswith("+") for word in arguments) or _options("k", "lesskey")(arguments),
    "man": _options("PHC", "pager", "html", "config-file"),
    "more": lambda arguments: any(word.startswith("+") for word in arguments),
    "rg": _options("", "pre", "hostname-bin"),
    "rsync": _options("eM", "rsh", "rsync-path", "remote-option"),
    "scp": _options("oSDJF"),
    "sftp": _options("oSDJFb"),
    "sort": _options("", "compress-program"),
    "split": _options("", "filter"),
    "tar": _tar,
    "wget": _options("e", "execute", "use-askpass", "config"),
    "zip": _options("T", "unzip-command", "test"),
}
