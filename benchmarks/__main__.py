"""
Runs every measurement and prints one table. Read the figures as ratios: the machine drifts.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.http import asked_per_second
from benchmarks.load import deliveries, round_trips
from benchmarks.processes import (
    TOKEN,
    connected,
    cpu_seconds,
    echo_server,
    free_port,
    gateway,
    memory_mb,
    running,
    thread_seconds,
)
from benchmarks.size import ASKED, LONG_KEY, MESSAGES, SESSIONS, fill
from benchmarks.wire import Wire, request_frame, text_frame

ROUNDS = 5


class Table:
    """
    Rows of what was measured beside what was aimed at.
    """

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, str]] = []

    def add(self, what: str, value: str, budget: str = "") -> None:
        self.rows.append((what, value, budget))
        print(f"{what:58} {value:>26}   {budget}", flush=True)


def median(measure: Callable[[], float], rounds: int = ROUNDS) -> float:
    return statistics.median(measure() for _ in range(rounds))


def start_and_memory(table: Table, home: Path) -> None:
    with gateway(home) as (port, pid):
        wire = Wire(port)
        wire.connect(TOKEN)
        table.add("start to first hello-ok, warm, CPU seconds", f"{cpu_seconds(pid):.2f}", "<= 1.0")
        time.sleep(1)
        idle = memory_mb(pid)
        table.add("memory idle after start", f"{idle:.0f} MB", "<= 90 MB")
        clients = connected(port, 1000)
        time.sleep(1)
        each = (memory_mb(pid) - idle) * 1024 / len(clients)
        table.add("memory for each idle client (1,000)", f"{each:.1f} KB", "<= 40 KB")


def command_line(table: Table, home: Path) -> None:
    with gateway(home) as (port, _):
        environ = {
            "HOME": str(home),
            "PATH": "/usr/bin:/bin",
            "OPENCLAW_GATEWAY_TOKEN": TOKEN,
            "OPENCLAW_GATEWAY_PORT": str(port),
        }
        for arguments, budget in ((["--version"], "<= 0.10 s, 25 MB"), (["health", "--json"], "<= 0.25 s, 45 MB")):
            command = [sys.executable, "-m", "openclaw.cli.main", *arguments]

            def once(command: list[str] = command) -> float:
                started = time.perf_counter()
                subprocess.run(command, env=environ, check=True, capture_output=True)
                return time.perf_counter() - started

            once()
            usage = (
                "import resource,subprocess,sys;subprocess.run(sys.argv[1:],check=True,capture_output=True);"
                "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
            )
            peak = subprocess.run(
                [sys.executable, "-c", usage, *command], env=environ, check=True, capture_output=True
            ).stdout
            table.add(f"openclaw {' '.join(arguments)}", f"{median(once):.3f} s, {int(peak) / 1024:.0f} MB", budget)


def handshakes(table: Table, port: int) -> None:
    key = Ed25519PrivateKey.from_private_bytes(b"\1" * 32)

    def once() -> float:
        started = time.perf_counter()
        for _ in range(20):
            wires = [Wire(port) for _ in range(16)]
            for wire in wires:
                wire.say_hello(TOKEN, device=key, mode="cli")
            for wire in wires:
                wire.welcomed()
                wire.close()
        return 320 / (time.perf_counter() - started)

    table.add("handshakes/s, signed, 16 at once", f"{median(once):,.0f}", ">= 3x reference (230-330)")


def requests(table: Table, port: int, echo_port: int) -> None:
    def rate(port: int, frame: bytes, count: int, depth: int, total: int, echo: bool = False) -> float:
        wires = [Wire(port) for _ in range(count)] if echo else connected(port, count)
        time.sleep(0.3)
        for wire in wires:
            wire.count()
        rates = median(lambda: round_trips(wires, frame, depth=depth, total=total), 3)
        for wire in wires:
            wire.close()
        return rates

    frame = request_frame("r", "system-presence")
    payload = text_frame(b"x" * 400)
    for depth, total, budget in ((1, 20_000, ">= 0.6 E"), (16, 60_000, ">= 0.7 E")):
        bare = rate(echo_port, payload, 16, depth, total, echo=True)
        ours = rate(port, frame, 16, depth, total)
        table.add(f"system-presence/s, 16 x {depth}", f"{ours:,.0f} ({ours / bare:.2f} E)", f"{budget}; E {bare:,.0f}")
    for method in ("status", "health"):
        for count in (16, 256):
            ours = rate(port, request_frame("r", method), count, 1, 5_000)
            table.add(f"{method}/s, {count} connections", f"{ours:,.0f}", ">= 3x reference")


def fan_out(table: Table, port: int, pid: int) -> None:
    wires = connected(port, 1000)
    speaker = wires.pop()
    time.sleep(1)
    for wire in wires:
        wire.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            wire._more()
        wire.count()
    frame = request_frame("e", "system-event", {"text": "bench", "deviceId": "bench"})
    before = cpu_seconds(pid)
    rate, last = deliveries(wires, lambda: speaker.socket.sendall(frame), name=b'"event":"presence"', times=40)
    each = (cpu_seconds(pid) - before) / (40 * len(wires))
    table.add(
        "fan-out to 1,000 clients, deliveries/s",
        f"{rate:,.0f} ({each * 1e6:.0f} us CPU each)",
        f">= 3x reference (60,000); last after {last * 1000:.0f} ms",
    )
    for wire in [*wires, speaker]:
        wire.close()


def flood(table: Table, port: int) -> None:
    attacker, innocent = connected(port, 2)
    junk = text_frame(b'{"type":"req","id":"' + b"x" * 200 + b'","method":1,"zzz":[' + b"1," * 200 + b"1]}") * 200
    worst = 0.0
    attacker.socket.settimeout(0.5)
    for _ in range(20):
        attacker.socket.sendall(junk)
        started = time.perf_counter()
        innocent.call("last-heartbeat")
        worst = max(worst, time.perf_counter() - started)
        for _ in range(200):
            try:
                attacker.receive()
            except TimeoutError:
                break
    table.add("flood of malformed frames: longest wait of another", f"{worst * 1000:.0f} ms", "<= 100 ms")


@contextlib.contextmanager
def with_model(home: Path) -> Iterator[int]:
    """
    A gateway with a model that answers at once.

    :return: its port.
    """
    model_port = free_port()
    provider = {
        "baseUrl": f"http://127.0.0.1:{model_port}/v1",
        "apiKey": "bench-key-0123456789",
        "api": "openai-completions",
        "models": [{"id": "m", "name": "m"}],
    }
    config = {
        "gateway": {"mode": "local"},
        "models": {"providers": {"bench": provider}},
        "agents": {"defaults": {"model": {"primary": "bench/m"}, "maxConcurrent": 16}},
    }
    with (
        running([sys.executable, "-m", "benchmarks.model", str(model_port)], model_port),
        gateway(home, config=json.dumps(config)) as (port, _),
    ):
        yield port


def size(table: Table, home: Path) -> None:
    """
    The same with little and with much in the state directory.
    """
    took: list[dict[str, float]] = []
    for name, sessions, messages in (("few", 100, 100), ("many", SESSIONS, MESSAGES)):
        fill(home / name / ".openclaw", sessions, messages)
        with with_model(home / name) as port:
            took.append(asked(port))
    for what, few in took[0].items():
        many = took[1][what]
        budget = "<= 30 ms; " if what.startswith("sessions.list") else ""
        table.add(what, f"{many * 1000:.1f} ms ({many / few:.1f} x)", f"{budget}x: with 100 {few * 1000:.1f} ms")


def asked(port: int) -> dict[str, float]:
    """
    What each of ``ASKED`` takes at most in 99 of 100 cases, and a message in the long session until its first token
    at the median; in seconds.
    """
    wire = connected(port, 1)[0]
    took: dict[str, float] = {}
    for what, (method, params) in ASKED.items():
        times = []
        for _ in range(200):
            started = time.perf_counter()
            answer = wire.call(method, params)
            times.append(time.perf_counter() - started)
            assert answer["ok"], answer
        took[f"{what}, p99"] = statistics.quantiles(times, n=100)[-1]
    first_tokens = [first_token(wire, f"size-{number}", LONG_KEY) for number in range(30)]
    took["chat.send to first token, in the long session"] = statistics.median(first_tokens)
    return took


def runs(table: Table, home: Path) -> None:
    with with_model(home) as port:
        wire = connected(port, 1)[0]
        first_tokens = [first_token(wire, f"first-{number}") for number in range(30)]
        table.add(
            "chat.send to first token, instant model", f"{statistics.median(first_tokens) * 1000:.1f} ms", "<= 10 ms"
        )
        table.add("runs/s, 16 sessions at once, durable", f"{many_runs(port, 16, 20, ''):,.0f}", ">= 100")
        started = time.perf_counter()
        many_runs(port, 16, 1, "tokens:2000 ")
        table.add(
            "relay, 16 runs of 2,000 tokens", f"{32_000 / (time.perf_counter() - started):,.0f} tokens/s", ">= 10,000"
        )


def http(table: Table, home: Path) -> None:
    chat = {"model": "openclaw", "messages": [{"role": "user", "content": "hi"}]}
    tool = {"tool": "agents_list"}
    with with_model(home) as port:
        asked_per_second(port, "/v1/chat/completions", chat, clients=2, each=2)
        for what, path, body, budget in (
            ("/v1/chat/completions, 8 clients", "/v1/chat/completions", chat, ">= 80"),
            ("/tools/invoke, 8 clients", "/tools/invoke", tool, ""),
        ):
            table.add(f"{what}, a second", f"{asked_per_second(port, path, body, clients=8, each=40):,.0f}", budget)


def first_token(wire: Wire, id: str, key: str = "bench") -> float:
    started = time.perf_counter()
    params = {"sessionKey": key, "message": "hi", "idempotencyKey": id}
    wire.socket.sendall(request_frame(id, "chat.send", params))
    took = 0.0
    while True:
        frame = json.loads(wire.receive())
        payload = frame.get("payload") or {}
        if (
            frame.get("event") == "agent"
            and payload.get("runId") == id
            and payload["stream"] == "assistant"
            and not took
        ):
            took = time.perf_counter() - started
        if frame.get("event") == "chat" and payload.get("runId") == id and payload["state"] != "delta":
            return took or time.perf_counter() - started


def many_runs(port: int, sessions: int, each: int, message: str) -> float:
    wire = connected(port, 1)[0]
    stamp = time.time_ns()
    started = time.perf_counter()
    left = dict.fromkeys(range(sessions), each)

    def send(number: int) -> None:
        left[number] -= 1
        params = {
            "sessionKey": f"agent:main:bench{number}",
            "message": f"{message}hi",
            "idempotencyKey": f"{stamp}-{number}-{left[number]}",
        }
        wire.socket.sendall(request_frame("s", "chat.send", params))

    for number in range(sessions):
        send(number)
    done = 0
    while done < sessions * each:
        frame = json.loads(wire.receive())
        payload = frame.get("payload") or {}
        if frame.get("event") != "chat" or payload["state"] == "delta":
            continue
        assert payload["state"] == "final", payload
        done += 1
        number = int(payload["runId"].split("-")[1])
        if left[number]:
            send(number)
    wire.close()
    return done / (time.perf_counter() - started)


def over_the_wire(table: Table, home: Path) -> None:
    with echo_server() as (echo_port, _), gateway(home) as (port, pid):
        handshakes(table, port)
        requests(table, port, echo_port)
        fan_out(table, port, pid)
        flood(table, port)


def metrics(table: Table, home: Path) -> None:
    """
    What counting costs: the same requests to a gateway that counts and to one that does not, in many short turns, of
    which the middle one of the ratios counts. It is less than what other programs on the machine do to a rate.
    """
    frame, total = request_frame("r", "system-presence"), 4_000
    with (
        gateway(home / "with") as (counting, counting_pid),
        gateway(home / "without", without="prometheus_client") as (plain, plain_pid),
    ):
        sides = [(connected(port, 16), pid) for port, pid in ((counting, counting_pid), (plain, plain_pid))]
        time.sleep(0.5)

        def each(wires: list[Wire], pid: int) -> float:
            for wire in wires:
                wire.socket.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    wire._more()
                wire.count()
            before = thread_seconds(pid)
            round_trips(wires, frame, depth=16, total=total)
            return (thread_seconds(pid) - before) / total

        pairs = [[each(*side) for side in sides] for _ in range(60)]
    ratio = statistics.median(counted / bare for counted, bare in pairs)
    bare = statistics.median(bare for _, bare in pairs)
    table.add("system-presence counted for metrics, CPU", f"{ratio:.3f} x ({bare * 1e6:.1f} us without)", "<= 1.05")


PARTS: dict[str, Callable[[Table, Path], None]] = {
    "start": start_and_memory,
    "cli": command_line,
    "wire": over_the_wire,
    "runs": runs,
    "http": http,
    "size": size,
    "metrics": metrics,
}


def main(names: list[str]) -> None:
    table = Table()
    print(f"{'what':58} {'measured':>26}   budget")
    with tempfile.TemporaryDirectory() as folder:
        for name in names or PARTS:
            PARTS[name](table, Path(folder) / name)


if __name__ == "__main__":
    main(sys.argv[1:])
