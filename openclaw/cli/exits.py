"""
How a command ends badly: the one place that knows exceptions and exit codes (``design.md`` 6).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from attrs import frozen

from openclaw.errors import OpenClawError

FAILED = 1
USAGE = 2
UNAVAILABLE = 69
TRY_AGAIN = 75
CONFIGURATION = 78

#: By name, so that nothing is imported only to find out that it was not raised. A base class stands for its children.
_CODES = {
    "openclaw.cli.exits.UsageError": USAGE,
    "openclaw.cli.exits.DependencyMissing": UNAVAILABLE,
    "openclaw.cli.exits.ConfigurationRefused": CONFIGURATION,
    "openclaw.config.paths.ProfileInvalid": USAGE,
    "openclaw.config.start.OptionInvalid": USAGE,
    "openclaw.config.editor.EditRefused": FAILED,
    "openclaw.config.writer.ConfigBusy": TRY_AGAIN,
    "openclaw.config.writer.HashMismatch": TRY_AGAIN,
    "openclaw.config.issues.ConfigError": CONFIGURATION,
    "openclaw.gateway.listener.PortTaken": TRY_AGAIN,
    "openclaw.store.claims.ClaimRefused": TRY_AGAIN,
    "openclaw.store.lock.AlreadyRunning": TRY_AGAIN,
    "builtins.ModuleNotFoundError": UNAVAILABLE,
}


class UsageError(OpenClawError):
    """
    The arguments make no sense; nothing was done.
    """

    def __str__(self) -> str:
        return f"error: {self.args[0]}"


def unknown_command(name: str, known: Iterable[str], *, parent: str = "") -> UsageError:
    """
    The refusal of a command that does not exist, with the one that may have been meant.

    :param parent: the command that it should belong to.
    """
    import difflib  # only needed by who mistypes

    before = f"{parent} " if parent else ""
    text = f"unknown command '{before}{name}'"
    close = difflib.get_close_matches(name.lower(), list(known), n=1, cutoff=0.6)
    return UsageError(f"{text}\n(Did you mean {before}{close[0]}?)" if close else text)


@frozen
class CommandFailed(OpenClawError):
    """
    A command could not do what it was asked for.

    :ivar message: printed as it is.
    :ivar code: the exit code.
    """

    message: str
    code: int = FAILED

    def __str__(self) -> str:
        return self.message


@frozen
class DependencyMissing(OpenClawError):
    """
    Another program is needed, and is not there.
    """

    message: str

    def __str__(self) -> str:
        return self.message


@frozen
class ConfigurationRefused(OpenClawError):
    """
    With this configuration the command must not go on.
    """

    message: str

    def __str__(self) -> str:
        return self.message


#: Their texts are complete: a prefix would only be in the way.
_PLAIN = (UsageError, CommandFailed, DependencyMissing, ConfigurationRefused)


def code_for(error: BaseException) -> int:
    """
    The exit code that an exception stands for.
    """
    if isinstance(error, CommandFailed):
        return error.code
    if getattr(error, "retryable", False) is True:
        return TRY_AGAIN
    names = (f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__)
    return next((_CODES[name] for name in names if name in _CODES), FAILED)


def exit_code(error: Exception, err: TextIO) -> int:
    """
    Tell what went wrong, in one sentence where it is one of ours.

    :return: the exit code.
    """
    code = code_for(error)
    if isinstance(error, _PLAIN) or code in (USAGE, CONFIGURATION):
        err.write(f"{error}\n")
    elif isinstance(error, OpenClawError | ModuleNotFoundError | OSError):
        err.write(f"Error: {error}\n")
    else:
        import traceback

        # A defect of ours: whoever reports it needs the place.
        traceback.print_exception(error, file=err)
    return code
