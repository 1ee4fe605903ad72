"""
Tests of ``openclaw.gateway.advertising``, with an advertiser that only keeps what it was told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.model import MdnsConfig
from openclaw.discovery.beacon import Announcement, DiscoveryFailed, DiscoveryUnavailable
from openclaw.gateway.advertising import Advertising


@define
class Notes:
    """
    :ivar told: what was announced, and ``None`` for each end.
    """

    told: list[Announcement | None] = field(factory=list)
    failure: Exception | None = None

    def begin(self, announcement: Announcement) -> str:
        if self.failure is not None:
            raise self.failure
        self.told.append(announcement)
        return announcement.instance

    def end(self) -> None:
        self.told.append(None)


class AdvertisingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.notes = Notes()
        self.environ = {"OPENCLAW_MDNS_HOSTNAME": "Studio Mac"}

    def advertising(self, mode: Any = "minimal", **members: Any) -> Advertising:
        return Advertising(
            config=MdnsConfig(mode=mode),
            environ=self.environ,
            port=lambda: 18789,
            advertiser=self.notes,
            **{"in_thread": maybeDeferred, **members},
        )

    def told(self, advertising: Advertising) -> list[str]:
        with capturedLogs() as events:
            advertising.startService()
        return [str(formatEvent(event)) for event in events]

    def test_announced(self) -> None:
        """
        Once it listens, and taken back before it does not.
        """
        advertising = self.advertising(fingerprint="ab" * 32, canvas_port=18793)
        self.assertEqual(self.told(advertising), ["announced in the local network as 'Studio Mac (OpenClaw)'"])
        (told,) = self.notes.told
        assert told is not None
        self.assertEqual((told.host, told.port, told.canvas_port), ("Studio-Mac", 18789, 18793))
        self.assertIsNone(told.ssh_port)
        self.successResultOf(advertising.stopService() or succeed(None))
        self.assertEqual(self.notes.told[-1], None)
        self.told(advertising)
        self.assertEqual(len(self.notes.told), 3)

    def test_full(self) -> None:
        """
        What helps to come in by SSH is told only when that was asked for; the variables win.
        """
        self.environ |= {
            "OPENCLAW_SSH_PORT": "2222",
            "OPENCLAW_CLI_PATH": "/opt/openclaw",
            "OPENCLAW_TAILNET_DNS": "a.ts.net",
        }
        self.told(self.advertising("full"))
        (told,) = self.notes.told
        assert told is not None
        self.assertEqual((told.ssh_port, told.cli_path, told.tailnet_host), (2222, "/opt/openclaw", "a.ts.net"))

    def test_tailnet(self) -> None:
        """
        A gateway that is published in a tailnet says where.
        """

        async def host() -> str:
            return "gw.tail1234.ts.net"

        self.told(self.advertising(tailnet_host=host))
        self.assertEqual([one and one.tailnet_host for one in self.notes.told], ["gw.tail1234.ts.net"])

    def test_off(self) -> None:
        """
        By configuration or variable, nothing is told.
        """
        self.assertEqual(self.told(self.advertising("off")), [])
        self.environ["OPENCLAW_DISABLE_BONJOUR"] = "1"
        advertising = self.advertising()
        self.assertEqual(self.told(advertising), [])
        self.assertIsNone(advertising.stopService())
        self.assertEqual(self.notes.told, [])

    def test_failed(self) -> None:
        """
        A network without multicast is told, a missing extra is none of anybody's business; the gateway runs anyway.
        """
        self.notes.failure = DiscoveryFailed("no interface")
        self.assertEqual(self.told(self.advertising()), ["Not announced: mDNS does not work here: no interface"])
        self.notes.failure = DiscoveryUnavailable()
        self.assertIn("openclaw[discovery]", self.told(self.advertising())[0])

    def test_stopped_meanwhile(self) -> None:
        """
        A stop while it is being announced waits for that, and takes it back.
        """
        begun: Deferred[str] = Deferred()

        def in_thread(work: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
            return begun if arguments else maybeDeferred(work)

        advertising = self.advertising(in_thread=in_thread)
        self.told(advertising)
        stopping = advertising.stopService()
        assert stopping is not None
        self.assertNoResult(stopping)
        begun.callback("x")
        self.successResultOf(stopping)
        self.assertEqual(self.notes.told, [None])
