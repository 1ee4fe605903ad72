"""
Credentials that only the user's login shell knows, asked of that shell when the configuration wants it.

The shell is a child process with a time limit, and of what it says only names of a fixed list are taken. A process asks
at most once: afterwards one of the names is set, or asking again would bring nothing, either.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping
from typing import Any

from openclaw.config.issues import ConfigError
from openclaw.config.loader import Snapshot
from openclaw.config.paths import is_true, variable
from openclaw.config.raw import dig

#: What is imported; when one of them is set, nothing is.
NAMES = (
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_OAUTH_TOKEN",
    "GEMINI_API_KEY",
    "ZAI_API_KEY",
    "OPENROUTER_API_KEY",
    "AI_GATEWAY_API_KEY",
    "MINIMAX_API_KEY",
    "SYNTHETIC_API_KEY",
    "ELEVENLABS_API_KEY",
    "TELEGRAM_BOT_TOKEN",
    "DISCORD_BOT_TOKEN",
    "SLACK_BOT_TOKEN",
    "SLACK_APP_TOKEN",
    "OPENCLAW_GATEWAY_TOKEN",
    "OPENCLAW_GATEWAY_PASSWORD",
)
DEFAULT_TIMEOUT_MS = 15_000
MOST_BYTES = 2 * 1024 * 1024


class ShellSilent(ConfigError):
    """
    The login shell gave no environment.
    """

    def __init__(self, shell: str, reason: str) -> None:
        self.shell = shell
        self.reason = reason
        super().__init__(shell, reason)

    def __str__(self) -> str:
        return f"The login shell {self.shell} gave no environment: {self.reason}; credentials it sets are not known."


def import_shell_environment(environ: MutableMapping[str, str], snapshot: Snapshot) -> tuple[str, ...]:
    """
    Fill in what the login shell sets, where the configuration or ``OPENCLAW_LOAD_SHELL_ENV`` asks for it. Blocks for as
    long as the shell takes.

    :param snapshot: read with this environment; it may be invalid for want of a variable.
    :return: the names that were set; with any, the configuration is to be read again.
    :raise ShellSilent: the shell failed, or took too long.
    """
    settings = _settings(snapshot)
    if not is_true(environ.get("OPENCLAW_LOAD_SHELL_ENV")) and settings.get("enabled") is not True:
        return ()
    if any(variable(known, name) for known in (environ, snapshot.environment) for name in NAMES):
        return ()
    shell = variable(environ, "SHELL") or "/bin/sh"
    found = parse_environment(ask(shell, environ, _timeout(settings, environ)))
    taken = tuple(name for name in NAMES if found.get(name, "").strip())
    for name in taken:
        environ[name] = found[name]
    return taken


def _settings(snapshot: Snapshot) -> Mapping[str, Any]:
    value = dig(snapshot.config or snapshot.parsed, "env", "shellEnv")
    return value if isinstance(value, Mapping) else {}


def _timeout(settings: Mapping[str, Any], environ: Mapping[str, str]) -> float:
    """
    In seconds.
    """
    told = settings.get("timeoutMs")
    if isinstance(told, int | float) and not isinstance(told, bool) and told > 0:
        return told / 1000
    named = environ.get("OPENCLAW_SHELL_ENV_TIMEOUT_MS", "").strip()
    return (int(named) if named.isdecimal() and int(named) > 0 else DEFAULT_TIMEOUT_MS) / 1000


def parse_environment(output: bytes) -> dict[str, str]:
    """
    The variables of ``env -0``. What start-up files print stands before the first one, and is cut off.
    """
    found: dict[str, str] = {}
    for entry in output.split(b"\0"):
        name, equals, value = entry.decode("utf-8", "replace").partition("=")
        if equals:
            found[name.rpartition("\n")[2].strip()] = value
    return found


def ask(shell: str, environ: Mapping[str, str], timeout: float) -> bytes:
    """
    What ``env -0`` prints in a login shell.

    :param timeout: in seconds.
    :raise ShellSilent: it failed, took too long, or said too much; nothing of it is left running.
    """
    import contextlib
    import signal
    import subprocess

    try:
        child = subprocess.Popen(  # noqa: S603 - the user's own shell
            [shell, "-l", "-c", "env -0"],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # Its own group, so that what its start-up files began ends with it.
            start_new_session=True,
        )
    except OSError as error:
        raise ShellSilent(shell, error.strerror or str(error)) from error
    try:
        output = _read(child, shell, timeout)
        code = child.wait(timeout)
    except subprocess.TimeoutExpired as error:
        raise ShellSilent(shell, f"it took longer than {timeout:g} s") from error
    finally:
        with contextlib.suppress(ProcessLookupError):  # all of them have ended
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        if child.stdout is not None:
            child.stdout.close()
    if code != 0:
        raise ShellSilent(shell, f"it ended with code {code}")
    return output


def _read(child: Any, shell: str, timeout: float) -> bytes:
    import select
    import time

    deadline = time.monotonic() + timeout
    descriptor = child.stdout.fileno()
    output = bytearray()
    while True:
        ended = child.poll() is not None
        if not select.select([descriptor], [], [], 0.05)[0]:
            if ended:
                # Something that its start-up files began still holds the pipe.
                return bytes(output)
            if deadline <= time.monotonic():
                raise ShellSilent(shell, f"it took longer than {timeout:g} s")
            continue
        data = os.read(descriptor, 65536)
        if not data:
            return bytes(output)
        output += data
        if len(output) > MOST_BYTES:
            raise ShellSilent(shell, f"it printed more than {MOST_BYTES} bytes")
