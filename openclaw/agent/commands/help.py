"""
``/help`` and ``/commands``.
"""

from __future__ import annotations

from openclaw.agent.commands.base import Command, CommandContext, CommandResult, answer

HELP = """\
ℹ️ Help

Session: /new, /reset, /stop
Options: /think <level>, /verbose on|off, /model <name>
More: /status, /commands"""


def help_command(context: CommandContext, arguments: str) -> CommandResult:
    """
    A short menu.
    """
    return answer(HELP)


def commands_command(context: CommandContext, arguments: str) -> CommandResult:
    """
    Every command, by group.
    """
    from openclaw.agent.commands.table import COMMANDS  # the table names this module

    groups: dict[str, list[str]] = {}
    for command in COMMANDS:
        name, *others = (f"/{name}" for name in command.names)
        known_as = f" ({', '.join(others)})" if others else ""
        groups.setdefault(command.group, []).append(f"  {name}{known_as} - {command.description}")
    parts = [f"{group}\n" + "\n".join(lines) for group, lines in groups.items()]
    return answer("ℹ️ Slash commands\n\n" + "\n\n".join(parts))


HELP_COMMAND = Command(
    names=("help",),
    description="Show a short menu.",
    group="Status",
    run=help_command,
    inline=True,
    takes_arguments=False,
)
COMMANDS_COMMAND = Command(
    names=("commands",),
    description="List all commands.",
    group="Status",
    run=commands_command,
    inline=True,
    takes_arguments=False,
)
