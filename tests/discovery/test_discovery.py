"""
Tests of ``openclaw.discovery``: what is told, what is believed, and both over the loopback interface.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

from attrs import define, field
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from openclaw.discovery import advertise
from openclaw.discovery.advertise import Advertiser
from openclaw.discovery.beacon import (
    LONGEST_TEXT,
    MOST_TEXTS,
    SERVICE_TYPE,
    Announcement,
    Beacon,
    DiscoveryFailed,
    DiscoveryUnavailable,
)
from openclaw.discovery.browse import MOST_BEACONS, _Heard, beacon_of, browse

FINGERPRINT = "ab" * 32
LOOPBACK = ("127.0.0.1",)


@define
class Info:
    """
    What zeroconf tells of a service.
    """

    name: str = f"Studio (OpenClaw).{SERVICE_TYPE}"
    port: int | None = 18789
    server: str | None = "studio.local."
    properties: dict[bytes, bytes | None] = field(factory=dict)
    addresses: list[str] = field(factory=lambda: ["192.0.2.7"])

    def parsed_addresses(self) -> list[str]:
        return self.addresses


class AnnouncementTests(SynchronousTestCase):
    def test_minimal(self) -> None:
        """
        What a client needs to connect, and nothing more.
        """
        told = Announcement(name="Studio", host="studio", port=18789)
        self.assertEqual(told.instance, "Studio (OpenClaw)")
        self.assertEqual(
            told.texts(),
            {
                "role": "gateway",
                "gatewayPort": "18789",
                "lanHost": "studio.local",
                "displayName": "Studio",
                "transport": "gateway",
            },
        )

    def test_full(self) -> None:
        """
        TLS, canvas, tailnet, and what helps a person to come in by SSH.
        """
        told = Announcement(
            name="Studio",
            host="studio",
            port=18789,
            fingerprint=FINGERPRINT,
            canvas_port=18793,
            tailnet_host="studio.tail1234.ts.net",
            ssh_port=22,
            cli_path="/usr/bin/openclaw",
        ).texts()
        self.assertEqual((told["gatewayTls"], told["gatewayTlsSha256"]), ("1", FINGERPRINT))
        self.assertEqual((told["canvasPort"], told["sshPort"], told["cliPath"]), ("18793", "22", "/usr/bin/openclaw"))
        self.assertEqual(told["tailnetDns"], "studio.tail1234.ts.net")

    def test_long_name(self) -> None:
        """
        DNS takes 63 bytes, and no half characters.
        """
        told = Announcement(name="ü" * 60, host="studio", port=1).instance
        self.assertEqual(told, "ü" * 31)


class BeaconTests(SynchronousTestCase):
    def test_heard(self) -> None:
        """
        What a gateway of ours announces is understood, and keeps its shape.
        """
        texts = Announcement(name="Studio", host="studio", port=18789, fingerprint=FINGERPRINT).texts()
        found = beacon_of(Info(properties={name.encode(): value.encode() for name, value in texts.items()}))
        self.assertEqual(found.url, "wss://192.0.2.7:18789")
        payload = found.payload()
        self.assertEqual(payload["gatewayTlsFingerprintSha256"], FINGERPRINT)
        self.assertEqual((payload["displayName"], payload["lanHost"]), ("Studio", "studio.local"))
        self.assertEqual(payload["txt"], texts)
        json.dumps(payload)

    def test_where(self) -> None:
        """
        Where to connect comes from the service's record, whatever its texts say; IPv6 gets its brackets.
        """
        lies = {b"lanHost": b"evil.test", b"gatewayPort": b"1", b"tailnetDns": b"evil.test"}
        self.assertEqual(beacon_of(Info(properties=dict(lies))).url, "ws://192.0.2.7:18789")
        self.assertEqual(beacon_of(Info(addresses=["2001:db8::1"])).url, "ws://[2001:db8::1]:18789")
        self.assertEqual(beacon_of(Info(addresses=[])).url, "ws://studio.local:18789")
        for hostile in (Info(addresses=[], server="-oProxyCommand=x y"), Info(port=0), Info(addresses=[], server=None)):
            self.assertIsNone(beacon_of(hostile).url, hostile)

    def test_hostile(self) -> None:
        """
        Nothing that was heard moves a cursor, fills the screen, or passes for a port or a fingerprint.
        """
        texts = {"displayName": "\x1b[2Jx\x07", "gatewayTlsSha256": "no", "sshPort": "99999", "\x1b": "y" * 9999}
        found = Beacon.heard("a\nb", None, 1, {**texts, **{f"k{n}": "" for n in range(99)}})
        self.assertEqual((found.instance, found.name), ("a b", " [2Jx "))
        self.assertIsNone(found.fingerprint)
        self.assertIsNone(found.number("sshPort"))
        self.assertEqual(len(found.texts), MOST_TEXTS)
        self.assertEqual(max(map(len, found.texts.values())), LONGEST_TEXT)

    def test_flood(self) -> None:
        """
        A network full of gateways is listened to for so long.
        """

        class Zeroconf:
            def get_service_info(self, kind: str, name: str, limit: int) -> Any:
                return Info(name=name)

        heard = _Heard(enough=lambda beacon: False)
        for number in range(MOST_BEACONS * 2):
            heard.add_service(Zeroconf(), SERVICE_TYPE, f"n{number}.{SERVICE_TYPE}")
        self.assertEqual(len(heard.beacons), MOST_BEACONS)
        heard.remove_service(Zeroconf(), SERVICE_TYPE, f"n0.{SERVICE_TYPE}")
        self.assertEqual(len(heard.beacons), MOST_BEACONS - 1)

    def test_ghosts(self) -> None:
        """
        Names that never tell the rest cost no more than the time that there is: what is left then is not asked.
        """
        asked: list[str] = []

        class Zeroconf:
            def get_service_info(self, kind: str, name: str, limit: int) -> Any:
                asked.append(name)

        heard = _Heard(enough=lambda beacon: False)
        heard.add_service(Zeroconf(), SERVICE_TYPE, f"one.{SERVICE_TYPE}")
        heard.stopped.set()
        heard.add_service(Zeroconf(), SERVICE_TYPE, f"two.{SERVICE_TYPE}")
        self.assertEqual(asked, [f"one.{SERVICE_TYPE}"])

    def test_ghosts_over_the_network(self) -> None:
        """
        The same with zeroconf itself, which waits for all that it has queued.
        """
        try:
            zeroconf = advertise.load()
            sender = zeroconf.Zeroconf(interfaces=list(LOOPBACK))
        except (DiscoveryUnavailable, OSError) as error:
            raise SkipTest(str(error)) from error
        self.addCleanup(sender.close)
        for number in range(12):
            told = zeroconf.DNSOutgoing(0x8400)
            told.add_answer_at_time(zeroconf.DNSPointer(SERVICE_TYPE, 12, 1, 4500, f"g{number}.{SERVICE_TYPE}"), 0)
            self.later(sender.send, told)
        start = time.monotonic()
        browse(0.6, interfaces=LOOPBACK)
        self.assertLess(time.monotonic() - start, 5)

    def later(self, send: Any, told: Any) -> None:
        """
        While it is listened.
        """
        timer = threading.Timer(0.3, send, [told])
        self.addCleanup(timer.join)
        timer.start()


class NetworkTests(SynchronousTestCase):
    """
    With zeroconf itself.
    """

    def test_found(self) -> None:
        """
        What is announced is heard, as long as it is.
        """
        advertiser = Advertiser(interfaces=LOOPBACK)
        announcement = Announcement(name="Test of discovery", host="openclaw-test", port=28789, fingerprint=FINGERPRINT)
        try:
            listed = advertiser.begin(announcement)
        except (DiscoveryFailed, DiscoveryUnavailable) as error:
            raise SkipTest(str(error)) from error
        self.addCleanup(advertiser.end)
        found = browse(20, interfaces=LOOPBACK, enough=lambda beacon: beacon.instance == listed)
        mine = next(beacon for beacon in found if beacon.instance == listed)
        self.assertEqual(mine.url, "wss://127.0.0.1:28789")
        self.assertEqual(mine.texts, announcement.texts())
        advertiser.end()
        self.assertNotIn(listed, [beacon.instance for beacon in browse(0.5, interfaces=LOOPBACK)])

    def test_no_network(self) -> None:
        """
        An interface that is not there.
        """
        try:
            advertise.load()
        except DiscoveryUnavailable as error:
            raise SkipTest(str(error)) from error
        failed = self.assertRaises(DiscoveryFailed, browse, 0.1, interfaces=("192.0.2.250",))
        self.assertIn("mDNS does not work here", str(failed))

    def test_not_installed(self) -> None:
        """
        Without the extra it is told what installs it.
        """
        kept = sys.modules.get("zeroconf")
        sys.modules["zeroconf"] = None  # type: ignore[assignment]
        self.addCleanup(sys.modules.update, {"zeroconf": kept} if kept else {})
        missing = self.assertRaises(DiscoveryUnavailable, advertise.load)
        self.assertIn("pip install 'openclaw[discovery]'", str(missing))
