"""
``/restart``.
"""

from __future__ import annotations

from openclaw.agent.commands.base import Command, CommandContext, CommandResult, answer


def restart(context: CommandContext, arguments: str) -> CommandResult:
    """
    Restart the gateway in place, where its owner has allowed that (``agent.md`` 8).
    """
    if not context.config.commands.restart:
        return answer("⚠️ /restart is disabled. Set commands.restart=true to enable.")
    return CommandResult(answer="⚙️ Restarting OpenClaw in-process; back in a few seconds.", restarts=True)


RESTART_COMMAND = Command(
    names=("restart",), description="Restart the gateway.", group="Management", run=restart, takes_arguments=False
)
