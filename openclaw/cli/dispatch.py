"""
From the command's name to its module, and from whatever it raises to an exit code.
"""

from __future__ import annotations

import io
import os
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from openclaw.cli.context import Context, wants_color
from openclaw.cli.exits import exit_code, unknown_command
from openclaw.config.dotenv import fill_environment
from openclaw.config.paths import apply_profile

if TYPE_CHECKING:
    from openclaw.cli.main import Globals


def dispatch(given: Globals) -> int:
    """
    Run the command that the arguments name, in this process's surroundings.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # What a terminal does not know, or half a character of a file's name, is no reason to fail.
            stream.reconfigure(errors="replace")
    environ = os.environ
    home = Path(environ.get("HOME") or Path.home())
    context = Context(
        environ=environ,
        home=home,
        directory=_current_directory(home),
        out=sys.stdout,
        err=sys.stderr,
        now=time.time,
        color=given.color and wants_color(environ, sys.stdout),
    )
    return run(context, given)


def _current_directory(home: Path) -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:
        # It was removed while we stood in it.
        return home


def run(context: Context, given: Globals) -> int:
    """
    Run the command that the arguments name.

    :return: the exit code; what went wrong has been told on ``context.err``.
    """
    from openclaw.cli.main import COMMANDS

    try:
        apply_profile(context.environ, context.home, given.profile, given.dev)
        fill_environment(context.environ, context.home, context.directory)
        name, *arguments = given.rest
        if name not in COMMANDS:
            raise unknown_command(name, COMMANDS)
        code: int = import_module(COMMANDS[name][0]).run(context, arguments)
        context.out.flush()
    except SystemExit as leaving:
        # argparse's way of saying that the help was printed.
        return int(leaving.code or 0)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read us has seen enough. The interpreter flushes once more when it ends.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - lives as long as the process
        return 0
    except Exception as error:
        return exit_code(error, context.err)
    return code
