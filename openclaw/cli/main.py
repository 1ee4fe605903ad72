"""
``openclaw``: the command line. Here are only the global options and the list of commands, so that what a command does
not need is not loaded; ``openclaw --version`` needs nothing but this file.
"""

from __future__ import annotations

import sys

# Importing typing for its own constant would double the time that --version takes.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

#: The module of each command; all of them have ``run(context, arguments)``.
COMMANDS = {
    "agent": ("openclaw.cli.agent", "Run one agent turn through the gateway"),
    "agents": ("openclaw.cli.agents", "The agents of the configuration"),
    "approvals": ("openclaw.cli.approvals", "Which commands may run: the file of rules"),
    "backup": ("openclaw.cli.backup", "Keep everything in one archive, and put it back"),
    "completion": ("openclaw.cli.completion", "Let the shell complete commands"),
    "config": ("openclaw.cli.config", "Read or change the configuration"),
    "configure": ("openclaw.cli.configure", "Change the configuration by questions"),
    "cron": ("openclaw.cli.cron", "Jobs that run by the clock"),
    "daemon": ("openclaw.cli.service", "The gateway as a service: the same as gateway install, start, status, ..."),
    "dashboard": ("openclaw.cli.dashboard", "Open the page of the gateway"),
    "devices": ("openclaw.cli.devices", "Pair devices, and their tokens"),
    "doctor": ("openclaw.cli.doctor", "Check the configuration, and repair old keys"),
    "exec-approvals": ("openclaw.cli.approvals", "The same as approvals"),
    "gateway": ("openclaw.cli.gateway", "Run the gateway, or ask one that runs"),
    "health": ("openclaw.cli.health", "How the running gateway is"),
    "logs": ("openclaw.cli.logs", "Read the gateway's log"),
    "message": ("openclaw.cli.message", "Send a message through a channel"),
    "models": ("openclaw.cli.models", "Which models there are, and which is the default"),
    "node": ("openclaw.cli.node", "Let a gateway run commands on this machine"),
    "nodes": ("openclaw.cli.nodes", "The nodes, and what they are asked"),
    "onboard": ("openclaw.cli.onboard", "Set up a gateway, by questions or by options"),
    "protocol": ("openclaw.cli.protocol", "Schema and client types of the protocol"),
    "reset": ("openclaw.cli.reset", "Begin anew: what there is goes to the trash"),
    "sessions": ("openclaw.cli.sessions", "List conversations"),
    "setup": ("openclaw.cli.setup", "Write a configuration and the agent's workspace"),
    "status": ("openclaw.cli.status", "The whole picture"),
    "system": ("openclaw.cli.system", "Tell the agent something; heartbeats; who is here"),
    "uninstall": ("openclaw.cli.uninstall", "Remove the service, the state, and the workspace"),
    "update": ("openclaw.cli.update", "Whether there is a newer version"),
}

_VERSION = frozenset({"--version", "-V", "-v"})
_HELP = frozenset({"--help", "-h"})


class Globals:
    """
    What stands before the command, and ``--no-color``, which may stand anywhere.

    :ivar rest: the command and its own arguments.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        """
        :raise ValueError: an option is unknown, or lacks its value; the text is what to print.
        """
        self.dev = False
        self.profile: str | None = None
        self.version = False
        self.help = False
        self.color = True
        left = list(arguments)
        while left and left[0].startswith("-"):
            self._take(left)
        # Behind "--" there is only text.
        options = left[: left.index("--")] if "--" in left else left
        if "--no-color" in options:
            self.color = False
            left.remove("--no-color")
        self.rest = left

    def _take(self, left: list[str]) -> None:
        option = left.pop(0)
        name, equals, value = option.partition("=")
        if option == "--dev":
            self.dev = True
        elif name == "--profile":
            if not equals:
                value = left.pop(0) if left and not left[0].startswith("-") else ""
            if not value:
                raise ValueError("[openclaw] --profile requires a value")
            self.profile = value
        elif option in _VERSION:
            self.version = True
        elif option in _HELP:
            self.help = True
        elif option == "--no-color":
            self.color = False
        else:
            raise ValueError(f"error: unknown option '{option}'")


def usage() -> str:
    """
    The help of ``openclaw`` itself.
    """
    commands = "\n".join(f"  {name:<10} {summary}" for name, (_, summary) in COMMANDS.items())
    return f"""\
Usage: openclaw [options] <command> [options]

Commands:
{commands}

Options:
  --dev              use the profile "dev": its own state in ~/.openclaw-dev, port 19001
  --profile <name>   use a profile: its own state in ~/.openclaw-<name>
  --no-color         no colours
  -V, --version      print the version
  -h, --help         print this, or the help of a command
"""


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run one command.

    :param argv: without the program's name; those of the process when ``None``.
    :return: the exit code (``design.md`` 6).
    """
    try:
        return _main(sys.argv[1:] if argv is None else argv)
    except KeyboardInterrupt:
        # Also while modules are being loaded, which takes the larger part of a short command.
        return 130


def _main(argv: Sequence[str]) -> int:
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            # It was closed before we began; what is written there is for nobody.
            setattr(sys, name, open("/dev/null", "w"))  # noqa: SIM115 - lives as long as the process
    try:
        given = Globals(argv)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if given.version:
        from openclaw import __version__

        sys.stdout.write(f"{__version__}\n")
        return 0
    if given.help or given.rest in ([], ["help"]):
        stream = sys.stdout if given.help or given.rest else sys.stderr
        stream.write(usage())
        return 0 if stream is sys.stdout else 2
    if given.rest[0] == "help":
        given.rest = [*given.rest[1:], "--help"]
    from openclaw.cli.dispatch import dispatch

    return dispatch(given)


if __name__ == "__main__":
    sys.exit(main())
