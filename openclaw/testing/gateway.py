"""
A whole gateway in memory: the real service tree on a clock that tests move, without sockets, files or sleeping.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import orjson
from attrs import define, field
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.test.iosim import FakeTransport, IOPump, connect

from openclaw.agent.providers.base import Model, ResolvedModel
from openclaw.agent.tools import Tool
from openclaw.config.auth import ResolvedAuth, resolve_auth
from openclaw.config.loader import evaluate
from openclaw.egress.errors import NameNotFound
from openclaw.egress.fetch import Egress
from openclaw.egress.resolving import Resolve
from openclaw.gateway.assembly import build
from openclaw.gateway.life import Life
from openclaw.gateway.service import Gateway
from openclaw.gateway.setting import Setting
from openclaw.store.interfaces import Store
from openclaw.store.memory import MemoryStore
from openclaw.testing.client import GatewayClient, make_protocol
from openclaw.testing.model import PlayedModel, Step, scripted

TOKEN = "a-token-for-tests-only"  # noqa: S105 - it opens nothing but gateways in memory
START = 1_800_000_000.0
OWN = {"host": "gateway", "version": "0", "platform": "linux", "mode": "gateway", "reason": "self", "text": "Gateway"}

#: Numbers for what tests say: a gateway that goes on with another's store knows what was said there.
_NUMBERS = count(1)


class AtOnce:
    """
    In place of a thread pool: the work is done before the call returns.
    """

    def callInThreadWithCallback(  # noqa: N802 - Twisted calls it
        self, told: Callable[[bool, Any], object] | None, work: Any, *args: Any, **named: Any
    ) -> None:
        try:
            result = work(*args, **named)
        except Exception:
            succeeded, result = False, Failure()
        else:
            succeeded = True
        if told is not None:
            told(succeeded, result)


class MemoryReactor(MemoryReactorClock):
    """
    A reactor in memory without threads of its own.
    """

    def getThreadPool(self) -> AtOnce:  # noqa: N802 - Twisted calls it
        return AtOnce()

    def callFromThread(self, work: Callable[..., object], *args: Any, **named: Any) -> None:  # noqa: N802 - as above
        work(*args, **named)


async def no_name(host: str) -> Sequence[str]:
    """
    A network without names.
    """
    raise NameNotFound(host)


def make_reactor(start: float = START) -> MemoryReactor:
    """
    A reactor in memory whose clock stands at a fixed time.

    :param start: seconds since the epoch.
    """
    reactor = MemoryReactor()
    reactor.advance(start)
    return reactor


@define(kw_only=True, eq=False)
class MemoryGateway:
    """
    A gateway that runs until ``stop``.

    :ivar config: the configuration file's value; a token is added when it has no ``gateway.auth``.
    :ivar answers: what the model says, a script for each request; the last one repeats. Without one the model is that
        of the program, which in memory is ``builtin/echo``.
    :ivar make_model: gives the model for each request, in place of ``answers``.
    :ivar tools: what the agent can do; ``None`` for the gateway's own tools.
    :ivar resolve: the addresses of a name on the web; without one there is no name.
    :ivar canvas: whether the canvas is on; it makes its directory at the start.
    :ivar directory: state directory and home; nothing is written there unless a run makes its workspace.
    """

    directory: Path
    config: Mapping[str, Any] = field(factory=dict)
    environ: Mapping[str, str] = field(factory=dict)
    store: Store = field(factory=MemoryStore)
    reactor: MemoryReactorClock = field(factory=make_reactor)
    life: Life | None = None
    answers: Sequence[Sequence[Step]] = ()
    make_model: Callable[[ResolvedModel], Model] | None = None
    tools: Sequence[Tool] | None = ()
    resolve: Resolve = no_name
    canvas: bool = False
    service: Gateway = field(init=False)
    model: PlayedModel = field(init=False)
    _pumps: list[IOPump] = field(factory=list, init=False)
    _clients: list[GatewayClient] = field(factory=list, init=False)

    def __enter__(self) -> MemoryGateway:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> MemoryGateway:
        """
        Build the tree and start it.
        """
        if self.life is None:
            self.life = Life(clock=self.reactor, make_id=_ids(), own=OWN)
        if self.answers and self.make_model is None:
            self.model = scripted(self.reactor, self.answers)
            self.make_model = lambda _: self.model
        self.service = build(self._setting(), self.reactor, self.life, self.store)
        self.service.startService()
        return self

    def _setting(self) -> Setting:
        token = {"mode": "local", "auth": {"mode": "token", "token": TOKEN}}
        value = {**self.config, "gateway": {**token, **self.config.get("gateway", {})}}
        # Nothing of a test is announced to whoever shares the network.
        environ = {"OPENCLAW_DISABLE_BONJOUR": "1", **self.environ}
        environ |= {} if self.canvas else {"OPENCLAW_SKIP_CANVAS_HOST": "1"}
        text = orjson.dumps(value).decode()
        snapshot = evaluate(text, self.directory / "openclaw.json", environ, self.directory)
        config = snapshot.require()
        auth: ResolvedAuth = resolve_auth(config, environ)
        return Setting(
            snapshot=snapshot,
            config=config,
            auth=auth,
            hosts=("127.0.0.1",),
            port=18789,
            state_dir=self.directory,
            home=self.directory,
            environ=environ,
            logs=False,
            watched=False,
            follows=False,
            make_model=self.make_model,
            tools=self.tools,
            egress=Egress(self.reactor, resolve=self.resolve),
            spawn=lambda work: work(),
        )

    def client(
        self,
        *,
        headers: Mapping[str, str] | None = None,
        url: str | None = None,
        peer: str = "127.0.0.1",
        protocols: Sequence[str] = (),
    ) -> GatewayClient:
        """
        Join a new client; its upgrade has happened when this returns.

        :param peer: the address that it comes from.
        :param protocols: WebSocket subprotocols that it offers.
        """
        client = GatewayClient(clock=self.reactor, flush=self.flush)
        client.protocol = make_protocol(client, url or "ws://127.0.0.1:18789/", headers or {}, protocols)
        self._clients.append(client)
        self._join(client.protocol, peer)
        self.flush()
        return client

    def connect(self, factory: Any) -> Deferred[Any]:
        """
        Join the protocol of a client factory, as an endpoint does: for ``openclaw.client.service``.

        :return: fires with the protocol; fails when the gateway does not listen.
        """
        if not self.service.running:
            return fail(ConnectionRefusedError())
        protocol = factory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 18789))
        self._join(protocol, "127.0.0.1")
        return succeed(protocol)

    def _join(self, protocol: Any, peer: str) -> None:
        factory = self.reactor.tcpServers[-1][1]
        address = IPv4Address("TCP", peer, 50000)
        server = factory.buildProtocol(address)
        here = IPv4Address("TCP", "127.0.0.1", 18789)
        ours = FakeTransport(server, isServer=True, hostAddress=here, peerAddress=address)
        self._pumps.append(connect(server, ours, protocol, FakeTransport(protocol, isServer=False), greet=False))

    def channels(self) -> Sequence[Any]:
        """
        The gateway's sides of all connections, in the order in which they were made.
        """
        return [pump.server for pump in self._pumps]

    def connected(self, **arguments: Any) -> GatewayClient:
        """
        A new client that has said hello with the token.
        """
        client = self.client()
        answer = client.connect(**{"token": TOKEN, **arguments})
        assert answer["ok"], answer
        return client

    def say(self, text: str, *, session_key: str = "main", most: float = 60.0) -> str:
        """
        Say something to the agent as a chat client does, and wait for its whole answer.

        :param most: seconds after which it is given up.
        """
        run_id = f"said-{next(_NUMBERS)}"
        client = self.connected()
        answer = client.call("chat.send", {"sessionKey": session_key, "message": text, "idempotencyKey": run_id})
        assert answer["ok"], answer

        def ends() -> list[dict[str, Any]]:
            told = [event["payload"] for event in client.events("chat")]
            return [one for one in told if one["runId"] == run_id and one["state"] != "delta"]

        self.advance_until(ends, most)
        (end,) = ends()
        client.close()
        assert end["state"] == "final", end
        content = end.get("message", {}).get("content", ())
        return "".join(block["text"] for block in content if block["type"] == "text")

    def flush(self) -> None:
        """
        Move bytes until everybody is quiet, without moving time beyond what is due now.

        :raise AssertionError: the gateway said something that is not as the protocol's documents say.
        """
        for _ in range(50):
            self.reactor.advance(0)
            if not any([pump.flush() for pump in self._pumps]):  # noqa: C419 - every pump has to move
                break
        for client in self._clients:
            client.check()

    def advance(self, seconds: float) -> None:
        """
        Let time pass, then move bytes.
        """
        self.reactor.advance(seconds)
        self.flush()

    def advance_until(self, holds: Callable[[], object], most: float = 60.0, step: float = 0.05) -> None:
        """
        Let time pass in small steps until something holds.

        :param most: seconds after which it is given up.
        """
        left = most
        while not holds():
            assert left > 0, f"still not after {most} seconds"
            self.advance(step)
            left -= step

    def stop(self) -> None:
        """
        Stop the tree and wait for it, moving time as far as the stop itself asks for.
        """
        ended: list[Any] = []
        self.service.stopService().addBoth(ended.append)
        for _ in range(100):
            self.flush()
            if ended:
                break
            self.advance(0.5)
        assert ended, "the gateway did not stop"
        if isinstance(ended[0], Failure):
            ended[0].raiseException()


def _ids() -> Any:
    numbers = iter(range(1, 1_000_000))
    return lambda: f"00000000-0000-4000-8000-{next(numbers):012d}"
