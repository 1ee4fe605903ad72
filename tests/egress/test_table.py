"""
What is never connected to, in all the ways in which it can be written.
"""

from __future__ import annotations

import json
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from openclaw.egress.addresses import is_public, unmapped
from tests.egress.network import PUBLIC, EgressCase, Names

CAPTURES = Path(__file__).parent.parent / "fixtures" / "captures"

ADDRESS = "SsrFBlockedError: Blocked: private/internal IP address"
RESOLVED = "SsrFBlockedError: Blocked: resolves to private/internal IP address"
NOT_A_URL = "Error: Invalid URL"

#: Hosts that are addresses: networks first, then ways of writing them.
ADDRESSES = (
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.254",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.7",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    # decimal, octal, hexadecimal, short, mixed
    "2130706433",
    "0x7f000001",
    "0X7F.0X0.0X0.0X1",
    "017700000001",
    "0177.0.0.01",
    "127.1",
    "127.0.1",
    "10.1",
    "0x7f.1",
    "0xA9FEA9FE",
    "2852039166",
    "0251.0376.0251.0376",
    "169.254.43518",
    "0x0a.1",
    "0",
    "0x",
    "00000000000000000000000000000000177.0.0.1",
    "127.0.0.1.",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    "127。0。0。1",
    "１２７.０.０.１",
    "①②⑦.⓪.⓪.①",
    "0\u00adx7f.1",
    # IPv6 of its own
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000::0001]",
    "[100::1]",
    "[2001:2::1]",
    "[2001:20::1]",
    "[2001:db8::1]",
    "[3fff::1]",
    "[5f00::1]",
    "[fc00::1]",
    "[fd00::1]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[FEBF::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[4000::1]",
    "[fe80::1%25eth0]",
    "[fe80::1%eth0]",
    "[2606:4700::1%25eth0]",
    # IPv4 inside IPv6: mapped, compatible, translated, NAT64, 6to4, Teredo, ISATAP
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:FFFF:0A00:0001]",
    "[::ffff:169.254.169.254]",
    "[::ffff:198.18.0.1]",
    "[::127.0.0.1]",
    "[::7f00:1]",
    "[::8.8.8.8]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b::10.0.0.1]",
    "[64:ff9b:1::1]",
    "[64:ff9b:1:a00:0:100::]",
    "[64:ff9b:1::8.8.8.8]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]",
    "[2002:c0a8:101::1]",
    "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
    "[2001:0:7f00:1::]",
    "[2606:4700::5efe:10.0.0.1]",
    "[2606:4700::200:5efe:127.0.0.1]",
    "[2002:808:808::5efe:192.168.0.1]",
)

#: Hosts that are names, and how the refusal writes them.
NAMES = {
    "localhost": "localhost",
    "LOCALHOST": "localhost",
    "localhost.": "localhost.",
    "a.localhost": "a.localhost",
    "a.b.LocalHost.": "a.b.localhost.",
    "metadata.google.internal": "metadata.google.internal",
    "metadata.google.internal.": "metadata.google.internal.",
    "printer.local": "printer.local",
    "a.internal": "a.internal",
    "%6cocalhost": "localhost",
    "ｌｏｃａｌｈｏｓｔ": "localhost",
    "local\u00adhost": "localhost",
    "printer。local": "printer.local",
    "ℓocalhost": "localhost",
}

#: What is not on the web.
PROTOCOLS = {
    "ftp://example.com/x": "ftp",
    "file:///etc/passwd": "file",
    "FILE:///etc/passwd": "file",
    "data:image/png;base64,AAAA": "data",
    "data:," + "A" * 100_000: "data",
    "gopher://127.0.0.1:6379/_x": "gopher",
    "ws://example.com/": "ws",
    "javascript:alert(1)": "javascript",
    "localhost:8080/x": "localhost",
    "\t jar:http://example.com!/": "jar",
}

#: What is no address on the web, or one that could be read in two ways.
NOT_URLS = (
    "",
    "nope",
    "//example.com/x",
    "http:",
    "http://",
    "http:///x",
    "http:example.com",
    "http://:80/",
    "http://example.com:0/",
    "http://example.com:65536/",
    "http://example.com:８０/",
    "http://example.com:80:80/",
    "http://[::1/",
    "http://::1/",
    "http://[::1]x/",
    "http://[127.0.0.1]/",
    "http://[fe80::1%]/",
    "http://[v1.x]/",
    "http://1.2.3.4.5/",
    "http://256.1.1.1/",
    "http://1.2.3.256/",
    "http://08.1.1.1/",
    "http://4294967296/",
    "http://127.0.0.0x100000000/",
    "http://1..1/",
    "http://a.1/",
    "http://0x7f.0x1g.1/",
    "http://" + "9" * 5000 + "/",
    "http://a..b/",
    "http://.a/",
    "http://a b/",
    "http://a%20b/",
    "http://a%00b/",
    "http://a%2fb/",
    "http://a%2531/",
    "http://a\x00b/",
    "http://a<b/",
    "http://a;b/",
    "http://%ff/",
    "http://\ud800/",
    "http://example.com/\ud800",
    "http://℀.com/",
    "http://xn--\u00df\ud83d/",
    "http://" + "a" * 64 + ".com/",
    "http://" + "a." * 127 + "com/",
)


class TableTests(EgressCase):
    """
    Each line is refused before anything is looked up or connected to.
    """

    def setUp(self) -> None:
        super().setUp()
        # Whatever is looked up by mistake is public.
        self.names = Names({name: [[PUBLIC]] for name in [*NAMES, *NAMES.values()]})
        self.egress.resolve = self.names

    def assert_refused(self, url: str, text: str) -> None:
        self.assertEqual(self.why(self.fetch(url)), text, url[:200])
        self.assertEqual((self.names.asked, self.connected()), ([], []), url[:200])

    def test_addresses(self) -> None:
        """
        An address in figures that is not public, however it is written, with and without a port, on both protocols.
        """
        self.assertGreaterEqual(len(set(ADDRESSES)), 60)
        for host in ADDRESSES:
            for url in (f"http://{host}/x", f"https://{host}:8443", f"http:\\\\{host}\\x", f" HTTP://{host}?q"):
                self.assert_refused(url, ADDRESS)

    def test_names(self) -> None:
        """
        Names that mean the inside, whatever their addresses are.
        """
        for host, written in NAMES.items():
            self.assert_refused(f"http://{host}/x", f"SsrFBlockedError: Blocked hostname: {written}")

    def test_protocols(self) -> None:
        """
        Nothing but the web.
        """
        for url, scheme in PROTOCOLS.items():
            self.assert_refused(url, f"Error: Invalid URL protocol: {scheme}:. Only HTTP/HTTPS allowed.")

    def test_not_urls(self) -> None:
        """
        What cannot be read is not guessed at.
        """
        for url in NOT_URLS:
            self.assert_refused(url, NOT_A_URL)

    def test_credentials(self) -> None:
        """
        Credentials in an address are refused, and so is what only looks like an address before them. The text has none.
        """
        for url in ("http://me:secret@example.com/", "http://example.com@127.0.0.1/", "http://@example.com/"):
            self.assert_refused(url, "Error: Invalid URL: it contains credentials")

    def test_long(self) -> None:
        """
        An address may not be of any length.
        """
        self.assert_refused("http://example.com/" + "x" * 20_000, "Error: Invalid URL: it is too long")

    def test_captured(self) -> None:
        """
        The reference's own refusals, as recorded.
        """
        recorded = json.loads((CAPTURES / "http-responses.json").read_text(encoding="utf-8"))["cases"]
        guarded = [case for case in recorded if case["name"].startswith("image_url_guard_")]
        self.assertGreater(len(guarded), 20)
        self.egress.resolve = Names({})
        for case in guarded:
            url = case["request"]["body"]["input"][0]["content"][1]["source"]["url"]
            text = case["response"]["body"]["error"]["message"]
            # A request that has no address at all is refused before, with its place in the request.
            text = text.replace("input.0.content.1.source.url:", "Error:")
            self.assertEqual(self.why(self.fetch(url)), text, url)
        self.assertEqual(self.connected(), [])

    def test_resolved(self) -> None:
        """
        The same addresses behind a name.
        """
        found = {text.strip("[]").replace("%25", "%") for text in ADDRESSES if text.isascii()}
        for text in sorted(found):
            try:
                IPv6Address(text) if ":" in text else IPv4Address(text)
            except ValueError:
                continue
            self.egress.resolve = Names({"example.com": [[PUBLIC, text]]})
            self.assertEqual(self.why(self.fetch("http://example.com/")), RESOLVED, text)
        self.assertEqual(self.connected(), [])


class PublicTests(SynchronousTestCase):
    """
    What is not refused.
    """

    def test_public(self) -> None:
        """
        The neighbours of what is closed are open, and so is public IPv4 where IPv6 reaches it.
        """
        for text in (
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "168.63.129.15",
            "168.63.129.17",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
        ):
            self.assertTrue(is_public(IPv4Address(text)), text)
            for around in ("::ffff:{}", "64:ff9b::{}", "2606:4700::5efe:{}"):
                self.assertTrue(is_public(IPv6Address(around.format(text))), (around, text))
        for text in ("2001:200::1", "2001:4860:4860::8888", "2606:4700::1111", "2a00:1450::1", "2002:808:808::1"):
            self.assertTrue(is_public(IPv6Address(text)), text)

    def test_unmapped(self) -> None:
        """
        A mapped address is the IPv4 address in it; others stay.
        """
        self.assertEqual(unmapped(IPv6Address("::ffff:8.8.8.8")), IPv4Address("8.8.8.8"))
        for text in ("::ffff:8.8.8.8%eth0", "64:ff9b::8.8.8.8", "2606:4700::1"):
            self.assertEqual(unmapped(IPv6Address(text)), IPv6Address(text))
