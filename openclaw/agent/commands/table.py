"""
All commands, and how one is found in a text.
"""

from __future__ import annotations

import re

from openclaw.agent.commands.base import Command
from openclaw.agent.commands.help import COMMANDS_COMMAND, HELP_COMMAND
from openclaw.agent.commands.options import MODEL_COMMAND, THINK_COMMAND, VERBOSE_COMMAND
from openclaw.agent.commands.restart import RESTART_COMMAND
from openclaw.agent.commands.session import NEW_COMMAND, RESET_COMMAND, STOP_COMMAND
from openclaw.agent.commands.status import STATUS_COMMAND

COMMANDS: tuple[Command, ...] = (
    NEW_COMMAND,
    RESET_COMMAND,
    STOP_COMMAND,
    THINK_COMMAND,
    VERBOSE_COMMAND,
    MODEL_COMMAND,
    STATUS_COMMAND,
    RESTART_COMMAND,
    HELP_COMMAND,
    COMMANDS_COMMAND,
)

_BY_NAME = {name: command for command in COMMANDS for name in command.names}

#: ``/name arguments``, ``/name: arguments``, ``/name@bot arguments``.
_SHAPE = re.compile(r"/([a-z_]+)(?:@\w+)?(?:\s*:\s*|\s+|\Z)", re.IGNORECASE)


def find(text: str) -> tuple[Command, str] | None:
    """
    The command that a message is, with its arguments as they were written.
    """
    stripped = text.strip()
    found = _SHAPE.match(stripped)
    if found is None:
        return None
    command = _BY_NAME.get(found[1].lower())
    arguments = stripped[found.end() :]
    if command is None or (arguments and not command.takes_arguments):
        return None
    return command, arguments


def inline(text: str) -> tuple[Command, int, int] | None:
    """
    A command that is answered in the middle of a message, and where it stands.
    """
    for command in COMMANDS:
        found = re.search(rf"(?<!\S)/{command.names[0]}(?!\S)", text, re.IGNORECASE) if command.inline else None
        if found is not None:
            return command, found.start(), found.end()
    return None
