"""
A gateway on another machine, through ``ssh -L``, for as long as a command needs it.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from attrs import frozen

from openclaw.cli.children import ends_with_us
from openclaw.cli.exits import UsageError
from openclaw.errors import OpenClawError

_USER = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_HOST = r"[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:]+\]"
_TARGET = re.compile(rf"(?:({_USER})@)?({_HOST})(?::([0-9]{{1,5}}))?")
#: Between two looks whether the tunnel stands, in seconds.
_PAUSE = 0.05
_LAST_SECONDS = 1.0
#: The state of a listening socket in ``/proc/net/tcp``.
_LISTEN = "0A"


@frozen(kw_only=True)
class SshTarget:
    """
    Where to log in. Nothing in it can be taken for an option of ``ssh``.

    :ivar known: log in only to a machine whose key is known, whatever the settings of ``ssh`` are.
    """

    host: str
    user: str | None = None
    port: int | None = None
    known: bool = False

    @classmethod
    def of(cls, text: str) -> SshTarget:
        """
        :param text: ``[user@]host[:port]``.
        :raise UsageError: it is something else.
        """
        found = _TARGET.fullmatch(text.strip())
        if found is None or (found[3] is not None and not 0 < int(found[3]) < 65536):
            raise UsageError(f"Invalid SSH target {text.strip()!r}: expected [user@]host[:port]")
        return cls(user=found[1], host=found[2].strip("[]"), port=int(found[3]) if found[3] else None)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host and self.port else self.host
        return f"{self.user + '@' if self.user else ''}{host}{f':{self.port}' if self.port else ''}"


@frozen
class TunnelFailed(OpenClawError):
    """
    It does not stand.
    """

    why: str

    def __str__(self) -> str:
        return self.why


@frozen(kw_only=True)
class Tunnel:
    """
    One that stands.
    """

    target: SshTarget
    local_port: int
    remote_port: int
    pid: int

    def payload(self) -> dict[str, Any]:
        """
        The shape of ``gateway probe --json``.
        """
        told = {"kind": "ssh", "target": str(self.target), "localPort": self.local_port}
        return {**told, "remotePort": self.remote_port, "pid": self.pid}


def command(target: SshTarget, local: int, remote: int, identity: str | None, seconds: float) -> list[str]:
    """
    What is run. It asks nobody: a password, or a machine that is not known yet, is a failure.
    """
    words = ["ssh", "-N", "-T", "-L", f"127.0.0.1:{local}:127.0.0.1:{remote}"]
    for option in ("BatchMode=yes", "ExitOnForwardFailure=yes", "ForwardAgent=no", "ForwardX11=no"):
        words += ["-o", option]
    words += ["-o", "StrictHostKeyChecking=yes"] if target.known else []
    words += ["-o", f"ConnectTimeout={max(1, round(seconds))}"]
    words += ["-p", str(target.port)] if target.port else []
    words += ["-i", identity] if identity else []
    return [*words, "--", f"{target.user}@{target.host}" if target.user else target.host]


@contextmanager
def tunnel(
    target: SshTarget,
    remote_port: int,
    environ: Mapping[str, str],
    *,
    identity: str | None = None,
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Tunnel]:
    """
    Let a port of this machine lead to one of the other's loopback.

    :param identity: a file with a key.
    :param seconds: how long it may take until it stands.
    :raise TunnelFailed: it does not.
    """
    program = shutil.which("ssh", path=environ.get("PATH"))
    if program is None:
        raise TunnelFailed("ssh is not installed")
    local = _free_port()
    words = command(target, local, remote_port, identity, seconds)
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(  # noqa: S603 - no shell, and the target was checked
            [program, *words[1:]],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=output,
            process_group=0,
        )
        with ends_with_us(process, seconds=_LAST_SECONDS):
            end = clock() + seconds
            while not _stands(local, process.pid):
                if process.poll() is not None:
                    output.seek(0)
                    said = output.read().decode(errors="replace").strip().splitlines()
                    raise TunnelFailed(said[-1] if said else f"ssh ended with {process.returncode}")
                if clock() > end:
                    raise TunnelFailed(f"ssh did not connect within {seconds:g} s")
                time.sleep(_PAUSE)
            yield Tunnel(target=target, local_port=local, remote_port=remote_port, pid=process.pid)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _stands(port: int, pid: int, proc: Path = Path("/proc")) -> bool:
    """
    :param pid: who must be the one that listens: between our look for a free port and its use, anybody may take it.
    """
    with socket.socket() as probe:
        probe.settimeout(_PAUSE)
        return probe.connect_ex(("127.0.0.1", port)) == 0 and _listens(port, pid, proc) is not False


def _listens(port: int, pid: int, proc: Path) -> bool | None:
    """
    Whether a process has a listening socket on a port of this machine, by ``proc(5)``.

    :return: ``None`` where that cannot be told, as on other systems than Linux.
    """
    try:
        rows = [line.split() for line in (proc / "net" / "tcp").read_text("ascii").splitlines()[1:]]
    except OSError:
        return None
    try:
        descriptors = list((proc / str(pid) / "fd").iterdir())
    except PermissionError:
        return None
    except OSError:
        # It has ended.
        return False
    has = set()
    for one in descriptors:
        # What it closes meanwhile is not what listens.
        with suppress(OSError):
            has.add(os.readlink(one))
    wanted = f"{socket.htonl(0x7F000001):08X}:{port:04X}"
    return any(row[1] == wanted and row[3] == _LISTEN and f"socket:[{row[9]}]" in has for row in rows)
