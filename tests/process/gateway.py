"""
A gateway that runs as a process of its own, with a home of its own.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from attrs import define, field, frozen

import openclaw

ROOT = Path(openclaw.__file__).resolve().parent.parent
T = TypeVar("T")

TOKEN = "process-test-token-0123456789abcdef"

#: How long anything observed may take, in seconds; a busy machine is slow, and what never comes fails anyway.
LIMIT = 30.0
#: Between two looks at a fact, in seconds.
LOOK = 0.01


class NotSeen(AssertionError):
    """
    What was waited for did not come.
    """


def eventually(look: Callable[[], T], what: str, limit: float = LIMIT) -> T:
    """
    Look until something is there.

    :return: the first result of ``look`` that is true.
    """
    end = time.monotonic() + limit
    while not (seen := look()):
        if time.monotonic() > end:
            raise NotSeen(what)
        time.sleep(LOOK)
    return seen


def free_port() -> int:
    """
    A port of loopback that is free now.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@frozen(kw_only=True)
class Answer:
    """
    What HTTP answered.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


@define(eq=False)
class GatewayProcess:
    """
    ``openclaw gateway``, or another program that runs one.

    :ivar home: of the process; also where commands look for the configuration.
    :ivar config: the configuration file, or ``None`` for none.
    :ivar command: runs the gateway; ``PORT`` in it is replaced.
    """

    home: Path
    config: Mapping[str, Any] | None = field(factory=lambda: configuration())
    command: Sequence[str] = (sys.executable, "-m", "openclaw.cli.main", "gateway", "--port", "PORT")
    port: int = field(factory=free_port)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def state(self) -> Path:
        return self.home / ".openclaw"

    @property
    def url(self) -> str:
        return f"{'wss' if self.encrypted else 'ws'}://127.0.0.1:{self.port}"

    @property
    def encrypted(self) -> bool:
        return bool(((self.config or {}).get("gateway") or {}).get("tls", {}).get("enabled"))

    def tls(self) -> ssl.SSLContext:
        """
        Of a client that trusts its certificate, and no other.
        """
        context = ssl.create_default_context(cafile=str(self.state / "gateway" / "tls" / "gateway-cert.pem"))
        context.check_hostname = False
        return context

    @property
    def output(self) -> str:
        """
        What all its processes have printed.
        """
        path = self.home / "output"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def environ(self) -> dict[str, str]:
        """
        The environment of the gateway and of its commands: nothing of the person who runs the tests gets through.
        """
        return {
            "HOME": str(self.home),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "OPENCLAW_STATE_DIR": str(self.state),
            "OPENCLAW_GATEWAY_PORT": str(self.port),
            "XDG_RUNTIME_DIR": str(self.home),
            "LANG": "C.UTF-8",
            "OPENCLAW_DISABLE_BONJOUR": "1",
        }

    def start(self, *, ready: bool = True) -> GatewayProcess:
        """
        Start it, and wait until it is ready.
        """
        self.prepare()
        with (self.home / "output").open("ab") as output:
            self._process = subprocess.Popen(
                [argument.replace("PORT", str(self.port)) for argument in self.command],
                cwd=self.home,
                env=self.environ(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        if ready:
            self.wait_ready()
        return self

    def prepare(self) -> None:
        """
        Its state directory, and its configuration.
        """
        self.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.config is not None:
            (self.state / "openclaw.json").write_text(json.dumps(self.config))

    def wait_ready(self) -> None:
        """
        Wait until the gateway can take requests.
        """
        eventually(self._is_ready, "the gateway did not become ready")

    def _is_ready(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            raise NotSeen(f"the gateway ended with {self._process.returncode}: {self.output[-2000:]}")
        try:
            return self.get("/healthz").status == 200 and self.get("/readyz").status == 200
        except OSError:
            return False

    def get(self, path: str, *, headers: Mapping[str, str] | None = None, method: str = "GET") -> Answer:
        """
        One HTTP request.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)
        if self.encrypted:
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=LIMIT, context=self.tls())
        try:
            connection.request(method, path, headers=dict(headers or {}))
            response = connection.getresponse()
            named = {name.lower(): value for name, value in response.getheaders()}
            return Answer(status=response.status, headers=named, body=response.read())
        finally:
            connection.close()

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ended(self, limit: float = LIMIT) -> int:
        """
        Wait for its end.

        :return: the exit code.
        """
        return self.process.wait(limit)

    def stop(self) -> int:
        """
        Ask it to end, and wait for that.
        """
        self.signal(signal.SIGTERM)
        return self.ended()

    def kill(self) -> None:
        """
        End it as a power cut would.
        """
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(LIMIT)

    def openclaw(self, *arguments: str, limit: float = LIMIT) -> subprocess.CompletedProcess[str]:
        """
        Run a command in the same home.
        """
        return subprocess.run(
            [sys.executable, "-m", "openclaw.cli.main", *arguments],
            cwd=self.home,
            env=self.environ(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
        )


def configuration(model: Mapping[str, Any] | None = None, **gateway: Any) -> dict[str, Any]:
    """
    A configuration file.

    :param model: further top-level members, as ``MockModel.configuration`` makes them.
    :param gateway: further members of ``gateway``.
    """
    return {"gateway": {"mode": "local", "auth": {"token": TOKEN}, **gateway}, **(model or {})}
