"""
What follows when a configuration is written: the workspace, a gateway that answers, and a message that is answered.
"""

from __future__ import annotations

import io
import subprocess
import tempfile
import uuid
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import evolve

from openclaw.cli.children import ends_with_us, gateway_command
from openclaw.cli.context import Context
from openclaw.cli.exits import CommandFailed
from openclaw.cli.target import Target, dig, local_target
from openclaw.config.files import make_private_directory
from openclaw.config.loader import load
from openclaw.config.paths import state_dir
from openclaw.errors import OpenClawError

#: How long a gateway that was just started has to answer, in seconds.
PATIENCE = 15.0
#: How long the agent has for its first answer, in seconds; the model may be slow, and nobody knows it yet.
ANSWER_LIMIT = 120
HELLO = "Hello! Say in one sentence that you are there."
#: Conversations of their own, so that the first real one begins with nothing before it.
SESSION = "agent:{agent}:onboarding"
_PAUSE = 0.5
#: How long a gateway has for its end: its runs may end first.
_LAST_SECONDS = 40.0
_OUTPUT_LINES = 5

Say = Callable[[str], None]


def prepare(context: Context, workspace: Path, say: Say) -> None:
    """
    Make the workspace and the state directory.
    """
    from openclaw.agent.workspace import ensure_workspace

    ensure_workspace(workspace)
    say(f"Workspace OK: {context.short(workspace)}")
    state = state_dir(context.environ, context.home)
    make_private_directory(state)
    say(f"Sessions OK: {context.short(state / 'openclaw.sqlite3')}")


def reset_all(context: Context, *, quiet: bool = False) -> None:
    """
    Begin anew: what was there goes to the trash.

    :raise AlreadyRunning: a gateway works on it; nothing was moved.
    """
    from openclaw.cli.reset import run as reset

    reset(evolve(context, out=io.StringIO()) if quiet else context, ["--scope", "full", "--yes"])


def install_service(context: Context, port: int, say: Say) -> None:
    """
    Install the service of this profile, and with it lingering.

    :raise CommandFailed: it could not be; the text says what works instead.
    """
    from openclaw.cli.service import install

    done = install(context, port=port, force=True)
    for line in done.lines:
        say(line)
    for line in done.warnings:
        context.problem(line)


def await_gateway(
    context: Context, pause: Callable[[float], None], ended: Callable[[], str | None] = lambda: None
) -> None:
    """
    Wait until the gateway of this configuration answers.

    :param pause: waits, in seconds.
    :param ended: what a gateway that has ended meanwhile has told.
    :raise CommandFailed: it does not.
    """
    from openclaw.cli.probe import Probe, probe

    def look() -> Probe:
        # Its certificate may be one that it makes meanwhile.
        return probe(context, own_gateway(context), timeout_ms=3000, questions=("health",))

    found, waited = look(), 0.0
    while not found.ok and waited < PATIENCE:
        if (told := ended()) is not None:
            raise CommandFailed(f"The gateway has ended:\n{told}")
        pause(_PAUSE)
        waited += _PAUSE
        found = look()
    if not found.ok:
        raise CommandFailed(f"The gateway does not answer: {found.error}")


def own_gateway(context: Context) -> Target:
    """
    The gateway of this configuration, as it is written now.
    """
    told = Namespace(url=None, token=None, password=None, tls_fingerprint=None, timeout=3000)
    return local_target(context, told, load(context.environ, context.home))


def has_model(context: Context) -> bool:
    """
    Whether a model was chosen that can be asked.
    """
    return bool(dig(load(context.environ, context.home).config, "agents", "defaults", "model", "primary"))


def first_answer(context: Context) -> Sequence[str]:
    """
    Let the agent answer a message, in a conversation of its own.

    :return: the answer.
    :raise CommandFailed: there is none.
    """
    from openclaw.cli.agent import reply_lines
    from openclaw.cli.rpc import connect

    try:
        with connect(context, own_gateway(context), timeout_ms=10_000) as client:
            agent = dig(client.hello, "snapshot", "sessionDefaults", "defaultAgentId") or "main"
            params = {"message": HELLO, "sessionKey": SESSION.format(agent=agent), "timeout": ANSWER_LIMIT}
            params["idempotencyKey"] = str(uuid.uuid4())
            answer: Any = client.call("agent", params, timeout=ANSWER_LIMIT + 30, expect_final=True)
    except OpenClawError as error:
        raise CommandFailed(f"The agent did not answer: {_first_line(error)}") from error
    if dig(answer, "status") != "ok":
        raise CommandFailed(f"The agent did not answer: {dig(answer, 'summary') or dig(answer, 'status')}")
    return list(reply_lines(answer))


def _first_line(error: Exception) -> str:
    text = getattr(error, "message", None) or str(error)
    return str(text).partition("\n")[0].removeprefix("Error: ")


@contextmanager
def passing_gateway(context: Context) -> Iterator[Callable[[], str | None]]:
    """
    A gateway for as long as it is needed, where no service runs one.

    :return: what it has told, once it has ended by itself.
    """
    command, environ = gateway_command(context.environ)
    with tempfile.TemporaryFile() as output:

        def ended() -> str | None:
            if child.poll() is None:
                return None
            output.seek(0)
            lines = output.read().decode(errors="replace").strip().splitlines()
            return "\n".join(lines[-_OUTPUT_LINES:]) or f"exit code {child.returncode}"

        child = subprocess.Popen(  # noqa: S603 - this program
            command, env=environ, stdin=subprocess.DEVNULL, stdout=output, stderr=output, process_group=0
        )
        with ends_with_us(child, seconds=_LAST_SECONDS):
            yield ended
