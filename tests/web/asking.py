"""
Ask the gateway's port in memory, byte by byte, so that paths and heads arrive as written.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson
from attrs import evolve, frozen
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.web.resource import IResource, Resource
from twisted.web.server import Request, Site

from openclaw.config.model import Config
from openclaw.config.model_gateway import ControlUiConfig, GatewayConfig
from openclaw.web.context import WebContext
from openclaw.web.gate import Gate, Nobody
from openclaw.web.site import make_root_resource, make_site


class Taken(Resource):
    """
    Stands for Autobahn: says that it got the request.
    """

    isLeaf = True

    def render(self, request: Request) -> bytes:
        return b"upgraded"


@frozen(kw_only=True)
class Answer:
    """
    What came back.

    :ivar ended: whether the connection is closed after it.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    ended: bool = False

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def value(self) -> Any:
        return orjson.loads(self.body)


def configured(**control_ui: Any) -> Config:
    """
    The default configuration with these members of ``gateway.controlUi``.
    """
    return evolve(Config(), gateway=GatewayConfig(control_ui=ControlUiConfig(**control_ui)))


def make_root(
    config: Config | None = None, *, pending: Sequence[str] = (), websocket: Any = None, **context: Any
) -> IResource:
    """
    The root resource over a given configuration.
    """
    held = config or Config()
    make_context: Callable[..., WebContext] = WebContext
    told = make_context(config=lambda: held, pending=lambda: list(pending), names=frozenset({"workshop"}), **context)
    return make_root_resource(websocket or Taken(), told)


def ask(
    root: IResource,
    path: str,
    *,
    method: str = "GET",
    headers: Sequence[tuple[str, str]] = (("Host", "127.0.0.1:18789"),),
    body: bytes = b"",
    version: str = "HTTP/1.1",
    peer: str = "127.0.0.1",
) -> Answer:
    """
    One request on a connection of its own.

    :param path: goes onto the request line as it is.
    :param peer: the address that it comes from.
    """
    head = f"{method} {path} {version}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers)
    return ask_bytes(root, head.encode("latin-1") + b"\r\n" + body, peer)


def ask_bytes(root: IResource, request: bytes, peer: str = "127.0.0.1") -> Answer:
    """
    One request as it stands.
    """
    line = Line(root, peer=peer)
    line.transport.most = sys.maxsize
    line.send(request)
    return evolve(parsed(line.transport.value()), ended=line.ended)


class Everybody(Nobody):
    """
    Everybody has the secret.
    """

    def lacks(self, peer: str, headers: Mapping[str, str]) -> bool:
        return False

    async def admits(self, peer: str, headers: Mapping[str, str]) -> bool:
        return True


class Taking(StringTransport):
    """
    A transport whose other side may stop taking anything.

    :ivar most: bytes that it holds before it asks to pause.
    """

    most = 64 * 1024
    aborted = False
    half_closed = False
    #: Whoever took over the connection.
    protocol: Any = None

    def setTcpNoDelay(self, enabled: bool) -> None:
        """
        Nothing waits here.
        """

    def loseWriteConnection(self) -> None:
        self.half_closed = True

    def write(self, data: bytes) -> None:
        super().write(data)
        if self.producer is not None and self.streaming and len(self.value()) > self.most:
            self.producer.pauseProducing()

    def writeSequence(self, data: Iterable[bytes]) -> None:
        self.write(b"".join(data))

    def abortConnection(self) -> None:
        self.aborted = True
        self.loseConnection()


class Line:
    """
    One connection that stays, on a clock of its own.

    :param site: the port that it goes to, else one of its own.
    """

    def __init__(
        self, root: IResource, site: Site | None = None, gate: Gate | None = None, peer: str = "127.0.0.1"
    ) -> None:
        self.clock = Clock()
        address = IPv4Address("TCP", peer, 50000)
        self.transport = Taking(peerAddress=address)
        channel = (site or make_site(root, self.clock, gate)).buildProtocol(address)
        assert channel is not None
        self.channel: Any = channel
        self.transport.protocol = channel
        self.channel.makeConnection(self.transport)

    @property
    def ended(self) -> bool:
        return bool(self.transport.disconnecting or self.transport.half_closed)

    def send(self, data: bytes) -> None:
        self.transport.protocol.dataReceived(data)

    def taken(self) -> bytes:
        """
        Take what waits, as a client does; more may come then.
        """
        data = self.transport.value()
        self.transport.clear()
        if self.transport.producer is not None:
            self.transport.producer.resumeProducing()
        return bytes(data)


def parsed(data: bytes) -> Answer:
    """
    An answer from its bytes, chunks put together.
    """
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if headers.get("transfer-encoding") == "chunked":
        body = dechunked(body)
    return Answer(status=int(first.split(" ")[1]), headers=headers, body=body)


def dechunked(body: bytes) -> bytes:
    whole = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        whole += rest[:length]
        body = rest[length + 2 :] if length else b""
    return whole
