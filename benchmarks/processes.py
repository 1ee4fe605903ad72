"""
The processes that are measured, and what the system says of them.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.wire import Wire

TOKEN = "benchmark-token-0123456789abcdef"
HIDING = "import sys; sys.modules[{name!r}] = None; from openclaw.cli.main import main; sys.exit(main(sys.argv[1:]))"
TICKS = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """
    A port that is free now.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_seconds(pid: int) -> float:
    """
    CPU time that a process has used, user and system.
    """
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def thread_seconds(pid: int) -> float:
    """
    CPU time of a process's first thread, more exactly.
    """
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def memory_mb(pid: int) -> float:
    """
    Resident memory of a process in MB.
    """
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmRSS")


@contextmanager
def running(
    command: list[str], port: int, environ: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """
    A server process that listens when this enters, and is gone when it leaves.
    """
    process = subprocess.Popen(
        command, env={**os.environ, **(environ or {})}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        wait_for(port, process)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(port: int, process: subprocess.Popen[bytes], limit: float = 20.0) -> None:
    """
    Wait until a port is open.
    """
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if process.poll() is not None:
            assert process.stderr is not None
            raise RuntimeError(process.stderr.read().decode()[-2000:])
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
        except OSError:
            time.sleep(0.005)
        else:
            return
    raise TimeoutError(f"port {port} did not open")


@contextmanager
def echo_server() -> Iterator[tuple[int, int]]:
    """
    The bare echo server.

    :return: its port and process id.
    """
    port = free_port()
    with running([sys.executable, "-m", "benchmarks.echo", str(port)], port) as process:
        yield port, process.pid


@contextmanager
def gateway(
    home: Path, *arguments: str, config: str | None = None, without: str | None = None
) -> Iterator[tuple[int, int]]:
    """
    A gateway with a state directory of its own.

    :param without: a library that it does not find.
    :return: its port and process id.
    """
    port = free_port()
    state = home / ".openclaw"
    state.mkdir(parents=True, exist_ok=True)
    environ = {"HOME": str(home), "OPENCLAW_GATEWAY_TOKEN": TOKEN, "OPENCLAW_STATE_DIR": str(state)}
    environ["OPENCLAW_DISABLE_BONJOUR"] = "1"
    if config is not None:
        (state / "openclaw.json").write_text(config)
    start = ["-m", "openclaw.cli.main"] if without is None else ["-c", HIDING.format(name=without)]
    command = [sys.executable, *start, "gateway", "--port", str(port), "--allow-unconfigured"]
    with running([*command, *arguments], port, environ) as process:
        yield port, process.pid


def connected(port: int, count: int) -> list[Wire]:
    """
    Clients that have said hello with the token.
    """
    wires = []
    for _ in range(count):
        wire = Wire(port)
        wire.connect(TOKEN, mode="cli")
        wires.append(wire)
    return wires
