"""
What the gateway keeps and shows of its configuration.
"""

from __future__ import annotations

from pathlib import Path

from attrs import evolve
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail
from twisted.internet.testing import StringTransport
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from openclaw.gateway.kept import KeptConfig
from openclaw.testing.gateway import MemoryGateway
from tests.web.asking import Answer, parsed


class KeptTests(SynchronousTestCase):
    def test_kept(self) -> None:
        """
        A gateway that starts keeps its configuration beside the file.
        """
        directory = Path(self.mktemp()).absolute()
        directory.mkdir()
        (directory / "openclaw.json").touch()
        gateway = MemoryGateway(directory=directory).start()
        self.addCleanup(gateway.stop)
        self.assertIn("token", (directory / "openclaw.json.last-good").read_text())

    def test_full_disk(self) -> None:
        """
        What cannot be kept is told, and stops nothing.
        """
        snapshot = MemoryGateway(directory=Path("/home-of-a-test"))._setting().snapshot
        kept = KeptConfig(snapshot=snapshot, in_thread=lambda *_: fail(OSError(28, "No space left on device")))
        with capturedLogs() as told:
            kept.startService()
        self.assertIn("No space left on device", formatEvent(told[-1]))
        self.successResultOf(kept.stopService())

    def test_stop_waits(self) -> None:
        """
        A stop waits for the disk.
        """
        writing: Deferred[None] = Deferred()
        snapshot = MemoryGateway(directory=Path("/home-of-a-test"))._setting().snapshot
        kept = KeptConfig(snapshot=evolve(snapshot), in_thread=lambda *_: writing)
        kept.startService()
        stopping = kept.stopService()
        self.assertNoResult(stopping)
        writing.callback(None)
        self.successResultOf(stopping)


class WebTests(SynchronousTestCase):
    """
    What the pages show of an agent is what ``agent.identity.get`` says.
    """

    def ask(self, gateway: MemoryGateway, path: str) -> Answer:
        factory = gateway.reactor.tcpServers[-1][1]
        channel = factory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 50000))
        assert channel is not None
        transport = StringTransport(peerAddress=IPv4Address("TCP", "127.0.0.1", 50000))
        transport.abortConnection = transport.loseConnection  # type: ignore[method-assign]  # the twin lacks it
        channel.makeConnection(transport)
        channel.dataReceived(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:18789\r\nConnection: close\r\n\r\n".encode())
        gateway.flush()
        return parsed(transport.value())

    def test_identity(self) -> None:
        """
        The avatar that ``IDENTITY.md`` names is served, and a foreign bundle is told name and avatar.
        """
        directory = Path(self.mktemp()).absolute()
        (directory / "work").mkdir(parents=True)
        (directory / "ui").mkdir()
        (directory / "ui" / "index.html").write_text("<html><head></head></html>")
        (directory / "work" / "IDENTITY.md").write_text("- **Name:** Clawd\n- **Avatar:** face.png\n")
        (directory / "work" / "face.png").write_bytes(b"picture")
        config = {
            "agents": {"defaults": {"workspace": str(directory / "work")}},
            "gateway": {
                "mode": "local",
                "auth": {"mode": "token", "token": "a-token-for-tests-only"},
                "controlUi": {"root": str(directory / "ui")},
            },
        }
        gateway = MemoryGateway(directory=directory, config=config).start()
        self.addCleanup(gateway.stop)
        avatar = self.ask(gateway, "/avatar/main")
        self.assertEqual((avatar.status, avatar.body), (200, b"picture"))
        self.assertIn(b'__OPENCLAW_ASSISTANT_NAME__="Clawd"', self.ask(gateway, "/").body)
