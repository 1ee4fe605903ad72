"""
Keys and headers that a command of the owner prints (``agent.md`` 13.2).
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable

from attrs import evolve, frozen

from openclaw.agent.providers.base import COMMAND_MARK, ResolvedModel
from openclaw.errors import OpenClawError

#: Seconds that a command which prints a key may take.
KEY_COMMAND_SECONDS = 10.0


@frozen
class KeyCommandFailed(OpenClawError):
    """
    A configured command gave no key. What it printed may be secret, and so may the command.
    """

    reason: str

    def __str__(self) -> str:
        return f"The configured command for a model's key failed: {self.reason}."


def run_key_command(command: str) -> str:
    """
    The output of a configured ``!command``, which prints a key. Blocks.

    :raise KeyCommandFailed: it failed, took too long or printed nothing.
    """
    try:
        done = subprocess.run(  # noqa: S602  # the owner's own command line, as written in the configuration
            command, shell=True, capture_output=True, text=True, timeout=KEY_COMMAND_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise KeyCommandFailed(f"it took longer than {KEY_COMMAND_SECONDS:g} seconds") from None
    except (OSError, ValueError) as error:
        raise KeyCommandFailed(str(error)) from error
    if done.returncode:
        raise KeyCommandFailed(f"exit code {done.returncode}")
    if not done.stdout.strip():
        raise KeyCommandFailed("it printed nothing")
    return done.stdout


def has_commands(model: ResolvedModel) -> bool:
    """
    Whether a key or a header has to be asked for first.
    """
    return model.key_is_command or bool(model.header_commands)


def with_commands_run(model: ResolvedModel, run: Callable[[str], str]) -> ResolvedModel:
    """
    The same model with what its commands print. Blocks.

    :param run: gives what a command prints.
    """

    def printed(text: str) -> str:
        return run(text.removeprefix(COMMAND_MARK).strip()).strip()

    headers = {name: printed(text) if name in model.header_commands else text for name, text in model.headers.items()}
    key = model.api_key
    if key is not None and model.key_is_command:
        key = printed(key)
    return evolve(model, api_key=key, key_is_command=False, headers=headers, header_commands=frozenset())
