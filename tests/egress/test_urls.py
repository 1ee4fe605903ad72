"""
Addresses on the web, read and joined.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from openclaw.egress.addresses import NOT_PUBLIC_4, Address, is_public, unmapped
from openclaw.egress.errors import FetchFailed, InvalidUrl, UnsupportedProtocol
from openclaw.egress.urls import Url, parse_url

#: What we close and ``ipaddress`` calls global: all of 192.0.0.0/24, relays of 6to4, the host under a virtual machine.
OURS = [network for network in NOT_PUBLIC_4 if str(network) in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32")]

FULL_WIDTH = str.maketrans("0123456789abcdefxABCDEFX.", "０１２３４５６７８９ａｂｃｄｅｆｘＡＢＣＤＥＦＸ．")

numbers = st.one_of(
    st.integers(0, 2**32 - 1),
    st.sampled_from([network.network_address for network in NOT_PUBLIC_4]).map(int),
    st.sampled_from([network.broadcast_address for network in NOT_PUBLIC_4]).map(int),
)


@st.composite
def figures(draw: st.DrawFn, number: int) -> str:
    """
    One number in some base.
    """
    text = draw(st.sampled_from(["{:d}", "0{:o}", "000{:o}", "0x{:x}", "0X{:X}", "0x00{:x}"])).format(number)
    return text if text != "0x0" else draw(st.sampled_from(["0x", "0x0"]))


@st.composite
def ipv4_texts(draw: st.DrawFn, number: int) -> str:
    """
    One IPv4 address in some of the forms that C libraries take, written in some of the ways that browsers take.
    """
    count = draw(st.integers(1, 4))
    packed = number.to_bytes(4)
    parts = [*packed[: count - 1], int.from_bytes(packed[count - 1 :])]
    text = ".".join(draw(figures(part)) for part in parts) + draw(st.sampled_from(["", "."]))
    if draw(st.booleans()):
        return text.translate(FULL_WIDTH)
    escaped = draw(st.sets(st.integers(0, len(text) - 1), max_size=4))
    return "".join(f"%{ord(letter):02x}" if place in escaped else letter for place, letter in enumerate(text))


def standard(number: int) -> bool:
    """
    What the standard library says of an IPv4 address.
    """
    address = IPv4Address(number)
    return address.is_global and not (address.is_multicast or address.is_reserved)


class FigureTests(SynchronousTestCase):
    """
    Any IPv4 address in any form.
    """

    @settings(max_examples=100, derandomize=True, deadline=None)
    @given(st.data(), numbers)
    def test_forms(self, data: st.DataObject, number: int) -> None:
        """
        The form makes no difference, and an address is public when the standard library says so, but for those that we
        close besides.
        """
        url = parse_url(f"http://{data.draw(ipv4_texts(number))}:8080/")
        address = IPv4Address(number)
        self.assertEqual((url.address, url.authority), (address, f"{address}:8080"))
        closed = any(address in network for network in OURS)
        self.assertEqual(is_public(address), standard(number) and not closed)

    @settings(max_examples=100, derandomize=True, deadline=None)
    @given(numbers, st.sampled_from(["::ffff:0:0", "64:ff9b::"]), st.sampled_from([str.lower, str.upper]))
    def test_inside_ipv6(self, number: int, prefix: str, case: object) -> None:
        """
        The same address inside IPv6 is as public as it is alone.
        """
        address = IPv6Address(int(IPv6Address(prefix)) + number)
        for text in (str(address), address.exploded, f"{prefix.removesuffix('0:0')}{IPv4Address(number)}"):
            read = parse_url(f"http://[{text.upper() if case is str.upper else text}]/").address
            assert read is not None
            self.assertEqual(is_public(unmapped(read)), is_public(IPv4Address(number)))
        tunnelled = IPv6Address(int(IPv6Address("2002::")) + (number << 80))
        self.assertEqual(is_public(tunnelled), is_public(IPv4Address(number)))

    @settings(max_examples=100, derandomize=True, deadline=None)
    @given(st.integers(0, 2**128 - 1).map(IPv6Address))
    @example(IPv6Address("64:ff9b:1::808:808"))
    def test_ipv6(self, address: IPv6Address) -> None:
        """
        Nothing is public that the standard library knows not to be.
        """
        if is_public(address):
            closed = (address.is_private, address.is_multicast, address.is_link_local, address.is_site_local)
            self.assertEqual(closed, (False,) * 4)


class ParseTests(SynchronousTestCase):
    """
    One form for all that mean the same.
    """

    def assert_read(self, text: str, expected: str, address: Address | None = None) -> Url:
        url = parse_url(text)
        self.assertEqual((str(url), url.address), (expected, address), text)
        self.assertEqual(parse_url(str(url)), url)
        return url

    def test_forms(self) -> None:
        """
        Case, default ports, fragments, backslashes and what surrounds an address make no difference.
        """
        for text in (
            "http://example.com/",
            "HTTP://EXAMPLE.com",
            "http://example.com:80/",
            "http://example.com:/",
            "http:\\\\example.com\\",
            " \t\nhttp://exam\nple.com/#fragment\\x \n",
            "http://ｅｘａｍｐｌｅ．ｃｏｍ/",
            "http://%65xample.com#?",
        ):
            self.assert_read(text, "http://example.com/")
        self.assert_read("https://example.com:443/a?b#c", "https://example.com/a?b")
        self.assert_read("https://example.com:80", "https://example.com:80/")
        self.assert_read("http://example.com.:8080/", "http://example.com.:8080/")
        self.assert_read("http://a_b-c.example/", "http://a_b-c.example/")

    def test_escapes(self) -> None:
        """
        What cannot be sent as it is, is escaped; what is escaped already, stays.
        """
        self.assert_read(
            'http://example.com/a b/ü/%zz/%20/"<>`{}^|[]?q=a b&ü=\'"<>\\`{}',
            "http://example.com/a%20b/%C3%BC/%zz/%20/%22%3C%3E%60%7B%7D^|[]?q=a%20b&%C3%BC=%27%22%3C%3E\\`{}",
        )

    def test_names(self) -> None:
        """
        Names of other alphabets are encoded as the DNS has them.
        """
        for text in ("http://bücher.example/", "http://BÜCHER.example", "http://xn--bcher-kva.example/"):
            self.assert_read(text, "http://xn--bcher-kva.example/")

    def test_addresses(self) -> None:
        """
        Addresses have one form, in which they are sent.
        """
        self.assert_read("http://134744072/", "http://8.8.8.8/", IPv4Address("8.8.8.8"))
        url = self.assert_read(
            "http://[2606:4700:0:0::1111]:80/", "http://[2606:4700::1111]/", IPv6Address("2606:4700::1111")
        )
        self.assertEqual((url.host, url.authority), ("2606:4700::1111", "[2606:4700::1111]"))

    @settings(max_examples=100, derandomize=True, deadline=None)
    @given(st.text(), st.sampled_from(["", "http://", "https://", "http://example.com", "http://[", "//"]))
    def test_junk(self, text: str, start: str) -> None:
        """
        Any text is an address in a form that can be sent, or refused.
        """
        base = parse_url("https://example.com/a")
        for read in (parse_url, base.join):
            try:
                url = read(start + text)
            except FetchFailed as error:
                self.assertIsInstance(error, InvalidUrl | UnsupportedProtocol)
            else:
                self.assertRegex(str(url), r"^https?://[][a-z0-9._:-]+/[!-~]*$")
                self.assertEqual(parse_url(str(url)), url)


class JoinTests(SynchronousTestCase):
    """
    Where a redirect leads.
    """

    def test_join(self) -> None:
        """
        As browsers do it.
        """
        base = parse_url("https://example.com:8443/a/b?c")
        for location, expected in {
            "d": "https://example.com:8443/a/d",
            "/d?e#f": "https://example.com:8443/d?e",
            "../../../d": "https://example.com:8443/d",
            "?e": "https://example.com:8443/a/b?e",
            "//other.example/x": "https://other.example/x",
            "\\\\other.example\\x": "https://other.example/x",
            "/\\other.example/x": "https://other.example/x",
            "http://other.example": "http://other.example/",
            "/ü x": "https://example.com:8443/%C3%BC%20x",
        }.items():
            self.assertEqual(str(base.join(location)), expected, location)

    def test_refused(self) -> None:
        """
        A redirect out of the web, or with credentials, leads nowhere.
        """
        base = parse_url("https://example.com/")
        self.assertRaises(UnsupportedProtocol, base.join, "file:///etc/passwd")
        for location in ("//me:secret@example.com/", "http://[::1", "//1.2.3.4.5/", "http://a\x00b/"):
            self.assertRaises(InvalidUrl, base.join, location)
