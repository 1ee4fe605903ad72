"""
The canvas in a whole gateway: its own port, its directory, and the address that clients are told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from twisted.internet.error import CannotListenError, ConnectionDone
from twisted.logger import capturedLogs, formatEvent
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from openclaw.gateway.canvas import used_authority
from openclaw.gateway.connection import Upgrade
from openclaw.testing.client import GatewayClient
from openclaw.testing.gateway import TOKEN, MemoryGateway, MemoryReactor, make_reactor
from tests.web.asking import Answer, Line, parsed

OWN = 18793
SHARED = 18789
CANVAS = "/__openclaw__/canvas/"
CAPABILITY = "/__openclaw__/cap/"
LAN = {"Host": "192.0.2.1:18789"}


class CanvasCase(SynchronousTestCase):
    def start(
        self, *, reactor: MemoryReactor | None = None, environ: Mapping[str, str] | None = None, **config: Any
    ) -> MemoryGateway:
        directory = Path(self.mktemp()).absolute()
        directory.mkdir()
        gateway = MemoryGateway(
            directory=directory, canvas=True, config=config, environ=environ or {}, reactor=reactor or make_reactor()
        )
        self.addCleanup(gateway.stop)
        return gateway.start()

    def root(self, gateway: MemoryGateway) -> Path:
        return gateway.directory / ".openclaw" / "workspace" / "canvas"

    def ports(self, gateway: MemoryGateway) -> list[int]:
        return [server[0] for server in gateway.reactor.tcpServers]

    def ask(
        self,
        gateway: MemoryGateway,
        port: int,
        path: str,
        *,
        method: str = "GET",
        peer: str = "127.0.0.1",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        site: Any = next(server[1] for server in gateway.reactor.tcpServers if server[0] == port)
        line = Line(site.resource, site, peer=peer)
        told = {"Host": f"127.0.0.1:{port}", **(headers or {})}
        head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        line.send(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode())
        return parsed(line.transport.value())

    def told(
        self,
        gateway: MemoryGateway,
        *,
        peer: str = "127.0.0.1",
        secure: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> str:
        """
        What a client is told that comes like that.
        """
        urls = gateway.service.clients.canvas
        assert urls is not None
        told = headers or {"host": "127.0.0.1:18789"}
        return urls.url("one", Upgrade(peer=peer, headers=told, secure=secure, server_port=SHARED))

    def hello(self, gateway: MemoryGateway, **told: Any) -> tuple[GatewayClient, dict[str, Any]]:
        client = gateway.client(**told)
        answer = client.connect(token=TOKEN)
        self.assertTrue(answer["ok"], answer)
        return client, answer["payload"]


class PortTests(CanvasCase):
    def test_both_ports(self) -> None:
        """
        The same page, made at the start, is on the canvas port and on the gateway's.
        """
        gateway = self.start()
        self.assertEqual(self.ports(gateway), [OWN, SHARED])
        self.assertTrue((self.root(gateway) / "index.html").exists())
        answers = [self.ask(gateway, port, CANVAS) for port in (OWN, SHARED)]
        self.assertEqual([answer.status for answer in answers], [200, 200])
        self.assertEqual(answers[0].body, answers[1].body)

    def test_nothing_else(self) -> None:
        """
        The canvas port has no page, no probe and no endpoint.
        """
        gateway = self.start()
        for path in ("/", "/healthz", "/v1/models", "/favicon.ico", "/protocol.json", "/__openclaw__/"):
            for method in ("GET", "POST", "OPTIONS"):
                answer = self.ask(gateway, OWN, path, method=method)
                self.assertEqual((answer.status, answer.text), (404, "Not Found"), path)

    def test_body(self) -> None:
        """
        Nobody is asked for the secret there, also before a body has come; one that is too large is refused.
        """
        gateway = self.start()
        site: Any = gateway.reactor.tcpServers[0][1]
        line = Line(site.resource, site)
        line.send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n")
        gateway.advance(0)
        self.assertEqual(line.taken(), b"")
        line.send(b"{}")
        self.assertEqual(parsed(line.taken()).status, 404)
        line.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n")
        self.assertEqual(parsed(line.taken()).status, 413)

    def test_large_file(self) -> None:
        """
        A file of several pieces arrives whole from either port.
        """
        gateway = self.start()
        data = bytes(range(256)) * 1000
        (self.root(gateway) / "large.bin").write_bytes(data)
        for port in (OWN, SHARED):
            site: Any = next(server[1] for server in gateway.reactor.tcpServers if server[0] == port)
            line = Line(site.resource, site)
            line.send(f"GET {CANVAS}large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            whole = b""
            while more := line.taken():
                whole += more
            self.assertEqual(parsed(whole).body, data)

    def test_client_leaves(self) -> None:
        """
        Nothing is sent to who is gone, and the file is not kept open.
        """
        gateway = self.start()
        (self.root(gateway) / "large.bin").write_bytes(b"x" * 1_000_000)
        site: Any = gateway.reactor.tcpServers[0][1]
        line = Line(site.resource, site)
        line.send(f"GET {CANVAS}large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        request = line.channel.requests[0]
        producer = request.channel._requestProducer
        self.assertFalse(producer.opened.file.closed)
        line.channel.connectionLost(Failure(ConnectionDone()))
        self.assertTrue(producer.opened.file.closed)

    def test_other_upgrade(self) -> None:
        """
        Who wants another WebSocket on the canvas port gets no answer at all.
        """
        gateway = self.start()
        site: Any = gateway.reactor.tcpServers[0][1]
        upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        line = Line(site.resource, site)
        line.send(f"GET / HTTP/1.1\r\nHost: localhost\r\n{upgrade}{key}\r\n".encode())
        self.assertEqual((line.transport.value(), line.ended), (b"", True))
        line = Line(site.resource, site)
        line.send(f"GET /__openclaw__/ws HTTP/1.1\r\nHost: localhost\r\n{upgrade}{key}\r\n".encode())
        self.assertTrue(line.taken().startswith(b"HTTP/1.1 101 "))

    def test_configured(self) -> None:
        """
        Port and root are what the configuration says; the environment says the port before it.
        """
        root = Path(self.mktemp()).absolute()
        gateway = self.start(canvasHost={"port": 9001, "root": str(root)})
        self.assertEqual(self.ports(gateway), [9001, SHARED])
        self.assertTrue((root / "index.html").exists())
        told = self.start(canvasHost={"port": 9001}, environ={"OPENCLAW_CANVAS_HOST_PORT": "9002"})
        self.assertEqual(self.ports(told), [9002, SHARED])
        odd = self.start(environ={"OPENCLAW_CANVAS_HOST_PORT": "-1"})
        self.assertEqual(self.ports(odd), [OWN, SHARED])

    def test_workspace(self) -> None:
        """
        The canvas is in the workspace of the default agent.
        """
        workspace = Path(self.mktemp()).absolute()
        self.start(agents={"defaults": {"workspace": str(workspace)}})
        self.assertTrue((workspace / "canvas" / "index.html").exists())

    def test_off(self) -> None:
        """
        Switched off, it is on neither port, and clients are told of none.
        """
        for told in ({"canvasHost": {"enabled": False}}, {"environ": {"OPENCLAW_SKIP_CANVAS_HOST": "1"}}):
            gateway = self.start(**told)
            self.assertEqual(self.ports(gateway), [SHARED])
            self.assertEqual(self.ask(gateway, SHARED, CANVAS).status, 404)
            self.assertFalse(self.root(gateway).exists())
            self.assertNotIn("canvasHostUrl", self.hello(gateway)[1])

    def test_port_taken(self) -> None:
        """
        Without its port the canvas is on the gateway's, which starts all the same and says what is missing.
        """

        class Taken(MemoryReactor):
            def listenTCP(self, port: int, *arguments: Any, **named: Any) -> Any:
                if port == OWN:
                    raise CannotListenError("127.0.0.1", port, OSError(98, "Address already in use"))
                return super().listenTCP(port, *arguments, **named)

        reactor = Taken()
        reactor.advance(1_800_000_000.0)
        with capturedLogs() as events:
            gateway = self.start(reactor=reactor)
        self.assertIn(
            "failed to start on 127.0.0.1:18793: [Errno 98] Address already in use",
            [formatEvent(event) for event in events],
        )
        self.assertEqual(self.ports(gateway), [SHARED])
        self.assertEqual(self.ask(gateway, SHARED, CANVAS).status, 200)
        self.assertEqual(self.told(gateway), "http://127.0.0.1:18789")
        self.assertEqual(self.told(gateway, secure=True), "https://127.0.0.1:18789")

    def test_no_directory(self) -> None:
        """
        Without its directory there is nothing to see, and the gateway goes on.
        """
        file = Path(self.mktemp()).absolute()
        file.write_text("in the way")
        with capturedLogs() as events:
            gateway = self.start(canvasHost={"root": str(file / "canvas")})
        self.assertTrue(any("no canvas in" in (formatEvent(event) or "") for event in events))
        self.assertEqual(self.ask(gateway, SHARED, f"{CANVAS}a.txt").status, 404)

    def test_reload(self) -> None:
        """
        A change in the directory reaches the pages on both ports.
        """
        gateway = self.start()
        upgrade = (
            "Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        lines = []
        sites: list[Any] = [server[1] for server in gateway.reactor.tcpServers]
        for site in sites:
            line = Line(site.resource, site)
            line.send(f"GET /__openclaw__/ws HTTP/1.1\r\n{upgrade}".encode())
            lines.append(line)
        for line in lines:
            self.assertTrue(line.taken().startswith(b"HTTP/1.1 101 "))
        gateway.advance(1)
        (self.root(gateway) / "new.txt").write_text("new")
        gateway.reactor.pump([0.05] * 10)
        self.assertEqual([line.taken() for line in lines], [b"\x81\x06reload"] * 2)


class UrlTests(CanvasCase):
    """
    ``canvasHostUrl`` in ``hello-ok``.
    """

    def test_local(self) -> None:
        """
        A client of this machine is told the canvas port, by the name that it used.
        """
        gateway = self.start()
        for host, url in (
            ("127.0.0.1:18789", "http://127.0.0.1:18793"),
            ("localhost:18789", "http://localhost:18793"),
        ):
            self.assertEqual(self.hello(gateway, headers={"Host": host})[1]["canvasHostUrl"], url)
        self.assertEqual(self.told(gateway, peer="::1", headers={"host": "[::1]:18789"}), "http://[::1]:18793")
        proxied = {"host": "localhost", "x-forwarded-proto": "https"}
        self.assertEqual(self.told(gateway, headers=proxied), "https://localhost:18793")

    def test_foreign(self) -> None:
        """
        Others are told the way by which they came, and what lets them in: on both ports, until they go.
        """
        gateway = self.start()
        client, hello = self.hello(gateway, peer="192.0.2.7", headers=LAN)
        url = hello["canvasHostUrl"]
        self.assertTrue(url.startswith(f"http://192.0.2.1:18789{CAPABILITY}"))
        path = url.removeprefix("http://192.0.2.1:18789")
        for port in (OWN, SHARED):
            host = {"Host": f"192.0.2.1:{port}"}
            self.assertEqual(self.ask(gateway, port, path + CANVAS, peer="192.0.2.7", headers=host).status, 200)
            self.assertEqual(self.ask(gateway, port, CANVAS, peer="192.0.2.7", headers=host).status, 403)
        other, told = self.hello(gateway, peer="192.0.2.8", headers=LAN)
        self.assertNotEqual(told["canvasHostUrl"], url)
        client.close()
        gateway.flush()
        self.assertEqual(self.ask(gateway, SHARED, path + CANVAS, headers=LAN).status, 403)
        kept = told["canvasHostUrl"].removeprefix("http://192.0.2.1:18789")
        self.assertEqual(self.ask(gateway, SHARED, kept + CANVAS, headers=LAN).status, 200)
        other.close()

    def test_tunnel(self) -> None:
        """
        Behind a proxy it is the proxy's name, and https where the proxy says so.
        """
        gateway = self.start()
        headers = {"Host": "gw.example.ts.net", "X-Forwarded-For": "100.64.0.7", "X-Forwarded-Proto": "https"}
        url = self.told(gateway, headers={name.lower(): value for name, value in headers.items()})
        self.assertTrue(url.startswith(f"https://gw.example.ts.net{CAPABILITY}"), url)
        path = url.removeprefix("https://gw.example.ts.net")
        self.assertEqual(self.ask(gateway, SHARED, path + CANVAS, headers=headers).status, 200)

    def test_ipv6(self) -> None:
        """
        An IPv6 address stands in one pair of brackets.
        """
        gateway = self.start()
        url = self.told(gateway, peer="2001:db8::7", headers={"host": "[2001:db8::1]:18789"})
        self.assertTrue(url.startswith(f"http://[2001:db8::1]:18789{CAPABILITY}"), url)
        path = url.removeprefix("http://[2001:db8::1]:18789")
        asked = self.ask(gateway, SHARED, path + CANVAS, peer="2001:db8::7", headers={"Host": "[2001:db8::1]:18789"})
        self.assertEqual(asked.status, 200)

    def test_authority(self) -> None:
        """
        Only a trusted proxy says by what name it was called; what is no name is not told on.
        """
        headers = {"host": "inside:1", "x-forwarded-host": "gw.example:8443, other"}
        upgrade = Upgrade(peer="10.0.0.1", headers=headers, server_address="::1", server_port=5)
        self.assertEqual(used_authority(upgrade, trusted=True), "gw.example:8443")
        self.assertEqual(used_authority(upgrade, trusted=False), "inside:1")
        odd = Upgrade(peer="10.0.0.1", headers={"host": "a/b"}, server_address="::1", server_port=5)
        self.assertEqual(used_authority(odd, trusted=False), "[::1]:5")

    def test_refused(self) -> None:
        """
        Who is not let in is told nothing.
        """
        gateway = self.start()
        client = gateway.client(peer="192.0.2.7", headers=LAN)
        answer = client.connect(token="wrong")
        self.assertFalse(answer["ok"])
        self.assertNotIn("__openclaw__", str(client.frames))


class OrderTests(CanvasCase):
    def note(self, ended: list[str], name: str, stop: Callable[[], Any]) -> Any:
        ended.append(name)
        return stop()

    def test_closed_first(self) -> None:
        """
        At the end the canvas port is closed before the gateway's.
        """
        gateway = self.start()
        ended: list[str] = []
        for name, service in (("canvas", gateway.service.fronts[-1]), ("gateway", gateway.service.listener)):
            self.patch(service, "stopService", partial(self.note, ended, name, service.stopService))
        gateway.stop()
        self.assertEqual(ended[:2], ["canvas", "gateway"])
