"""
Who listens on a port of this machine, and how to make them stop.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from attrs import field, frozen

from openclaw.cli.exits import CommandFailed, DependencyMissing

_LSOF = ("/usr/bin/lsof", "/usr/sbin/lsof")
_POLL = 0.1
_PATIENCE = 0.7
_LIMIT = 2.0
#: Options of interpreters that have their value behind them.
_WITH_VALUE = frozenset({"-W", "-X", "-r", "--require", "--import"})
_ADDRESSES = ("127.0.0.1", "0.0.0.0", "::1", "::")  # noqa: S104 - bound for a moment, to see whether it can be


@frozen(kw_only=True)
class Listener:
    """
    A process that listens.
    """

    pid: int
    command: str = ""
    address: str = ""
    command_line: str = ""
    user: str = ""

    def payload(self) -> dict[str, Any]:
        """
        The shape of ``gateway status --json``.
        """
        return {
            "pid": self.pid,
            "command": self.command,
            "address": self.address,
            "commandLine": self.command_line,
            "user": self.user,
        }


@frozen(kw_only=True)
class PortUse:
    """
    What is known of a port.

    :ivar status: ``free``, ``busy`` or ``unknown``.
    """

    port: int
    status: str
    listeners: tuple[Listener, ...] = ()
    hints: tuple[str, ...] = field(factory=tuple)

    def payload(self) -> dict[str, Any]:
        """
        The shape of ``gateway status --json``.
        """
        return {
            "port": self.port,
            "status": self.status,
            "listeners": [listener.payload() for listener in self.listeners],
            "hints": list(self.hints),
        }

    def lines(self) -> list[str]:
        """
        The same for people.
        """
        if self.status != "busy":
            return [f"Port {self.port} is {self.status}."]
        lines = [f"Port {self.port} is already in use."]
        for listener in self.listeners:
            what = listener.command_line or listener.command
            lines.append(f"- pid {listener.pid} {listener.user}: {what} ({listener.address})")
        return [*lines, *(f"- {hint}" for hint in self.hints)]


def lsof_path() -> str | None:
    """
    The program that knows who listens.
    """
    return next((path for path in _LSOF if os.access(path, os.X_OK)), None) or shutil.which("lsof")


def inspect(port: int) -> PortUse:
    """
    Look at a port; costs two child processes when something listens.
    """
    listeners = tuple(_listeners(port))
    status = "busy" if listeners else bindable(port)
    return PortUse(port=port, status=status, listeners=listeners, hints=tuple(hints(status, listeners)))


def _listeners(port: int) -> Iterator[Listener]:
    lsof = lsof_path()
    if lsof is None:
        return
    output = _output([lsof, "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-FpFcn"])
    pid, command = 0, ""
    seen = set()
    for line in output.splitlines():
        kind, value = line[:1], line[1:]
        if kind == "p":
            pid, command = int(value), ""
        elif kind == "c":
            command = value
        elif kind == "n" and (pid, value) not in seen:
            seen.add((pid, value))
            yield Listener(
                pid=pid,
                command=command,
                address=value,
                command_line=_output(["ps", "-p", str(pid), "-o", "command="]).strip(),
                user=_output(["ps", "-p", str(pid), "-o", "user="]).strip(),
            )


def _output(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=False).stdout  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""


def bindable(port: int, addresses: Sequence[str] = _ADDRESSES) -> str:
    """
    Whether a port can be bound: ``free``, ``busy`` or ``unknown``.
    """
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        try:
            with socket.socket(family) as trial:
                # As servers do: what only waits to be forgotten is not in the way.
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    trial.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                trial.bind((address, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return "busy"
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                return "unknown"
    return "free"


def hints(status: str, listeners: tuple[Listener, ...]) -> Iterator[str]:
    """
    What may be done about a port that is taken.
    """
    if status != "busy":
        return
    if not listeners:
        yield "Port is in use but process details are unavailable (install lsof or run as an admin user)."
        return
    lines = [listener.command_line or listener.command for listener in listeners]
    gateways = dict.fromkeys(str(one.pid) for one, line in zip(listeners, lines, strict=True) if "openclaw" in line)
    if gateways:
        yield f"Gateway already running locally. Stop it (kill {' '.join(gateways)}) or use a different port."
    if any("ssh" in line for line in lines if "openclaw" not in line):
        yield "SSH tunnel already bound to this port. Close the tunnel or use a different local port in -L."
    if any("openclaw" not in line and "ssh" not in line for line in lines):
        yield "Another process is listening on this port."
    if len({listener.pid for listener in listeners}) > 1:
        yield (
            "Multiple listeners detected; ensure only one gateway/tunnel per port"
            " unless intentionally running isolated profiles."
        )


def is_gateway(command_line: str) -> bool:
    """
    Whether a process is an OpenClaw gateway, ours or the reference's, as far as its command line shows.
    """
    words = command_line.split()
    if words and os.path.basename(words[0]).startswith(("python", "node")):
        words = _run_by(words)
    program = os.path.basename(words[0]) if words else ""
    if program == "twistd":
        return "openclaw-gateway" in words
    named = program in ("openclaw", "openclaw.cli.main", "openclaw.mjs") and "gateway" in words
    return named or program == "openclaw-gateway"


def _run_by(words: list[str]) -> list[str]:
    """
    What an interpreter runs: its first argument that is no option, also that of ``-m``, and what follows.
    """
    at = 1
    while at < len(words) and words[at].startswith("-"):
        at += 2 if words[at] in _WITH_VALUE else 1
    return words[at:]


def is_python(command_line: str) -> bool:
    """
    Whether a process is run by Python, as this program is and the reference is not.
    """
    return os.path.basename(command_line.split(" ", 1)[0]).startswith("python")


def free_port(
    port: int,
    *,
    own: int | None = None,
    others: bool = False,
    listeners: Callable[[int], Sequence[Listener]] | None = None,
    kill: Callable[[int, int], None] = os.kill,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[str]:
    """
    End the gateway that listens on a port: first asked, then made to.

    :param own: the process that has the lock of our state directory. Another gateway of this program is that of another
        profile.
    :param others: whether what is no gateway, or not ours, is ended as well.
    :return: lines for the log, as it happens.
    :raise DependencyMissing: there is no lsof.
    :raise CommandFailed: something is still there, or is no gateway; then nothing was ended.
    """
    if listeners is None and lsof_path() is None:
        raise DependencyMissing("Force: Error: lsof not found; required for --force")
    find = listeners or _listeners
    found = {one.pid: one for one in find(port)}
    if not found:
        yield f"force: no listeners on port {port}"
        return
    strangers = [one for one in found.values() if one.pid != own and not is_gateway(one.command_line)]
    if strangers and not others:
        raise CommandFailed(_refusal(port, strangers, "which is no OpenClaw gateway"))
    foreign = [one for one in found.values() if one.pid != own and is_python(one.command_line)]
    if foreign and not others:
        raise CommandFailed(_refusal(port, foreign, "an OpenClaw gateway with another state directory"))
    _kill_all(found, signal.SIGTERM, kill)
    for one in found.values():
        yield f"force: killed pid {one.pid}{f' ({one.command})' if one.command else ''} on port {port}"
    waited, escalated = 0.0, False
    while left := list(dict.fromkeys(one.pid for one in find(port))):
        if waited >= _LIMIT:
            pids = ", ".join(map(str, left))
            raise CommandFailed(f"Force: Error: port {port} still has listeners after --force: {pids}")
        if waited >= _PATIENCE and not escalated:
            escalated = True
            _kill_all(left, signal.SIGKILL, kill)
            yield f"force: escalated to SIGKILL while freeing port {port}"
        pause(_POLL)
        waited += _POLL
    if waited:
        yield f"force: waited {round(waited * 1000)}ms for port {port} to free"


def _refusal(port: int, strangers: Sequence[Listener], what: str) -> str:
    told = ", ".join(f"pid {one.pid} ({one.command_line or one.command or 'unknown'})" for one in strangers)
    return (
        f"Force: Error: port {port} is held by {told}, {what}."
        " End it yourself, use another --port, or give --force twice to end it anyway."
    )


def _kill_all(pids: Iterable[int], number: int, kill: Callable[[int, int], None]) -> None:
    for pid in pids:
        try:
            kill(pid, number)
        except ProcessLookupError:
            continue  # It left by itself, which is what we want.
        except OSError as error:
            raise CommandFailed(f"Force: Error: failed to kill pid {pid}: {error.strerror}") from error
