"""
Who is local: the table of the protocol, row by row.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from openclaw.web.local import client_address, host_name, is_local, plain_address, recorded_address

LOOPBACK = "127.0.0.1"
NONE: tuple[str, ...] = ()
TRUSTED = (LOOPBACK,)
PORT = 18789


class TableTests(SynchronousTestCase):
    """
    The peer is 127.0.0.1; each row without and with that peer as a trusted proxy.
    """

    def check(
        self, headers: dict[str, str], *, untrusted: bool, trusted: bool, recorded: tuple[str | None, str | None]
    ) -> None:
        for proxies, local, address in ((NONE, untrusted, recorded[0]), (TRUSTED, trusted, recorded[1])):
            told = f"{headers} behind {proxies}"
            self.assertEqual(is_local(LOOPBACK, headers, proxies), local, told)
            self.assertEqual(recorded_address(LOOPBACK, headers, proxies), address, told)

    def test_local_hosts(self) -> None:
        """
        Without proxy headers, the local names are local.
        """
        for host in (f"127.0.0.1:{PORT}", f"localhost:{PORT}", f"[::1]:{PORT}", "LOCALHOST", "box.tail1.ts.net"):
            self.check({"host": host}, untrusted=True, trusted=True, recorded=(None, None))

    def test_other_hosts(self) -> None:
        """
        Without proxy headers, another name is remote.
        """
        for host in ("gateway.example", f"192.168.1.5:{PORT}", "localhost.evil.example", "evilts.net", ""):
            self.check({"host": host}, untrusted=False, trusted=False, recorded=(None, None))

    def test_no_host(self) -> None:
        """
        A request that names no host is not local.
        """
        self.check({}, untrusted=False, trusted=False, recorded=(None, None))

    def test_forwarded_for_loopback(self) -> None:
        """
        A proxy's word that the client is on this machine counts if the proxy is trusted.
        """
        headers = {"host": f"localhost:{PORT}", "x-forwarded-for": LOOPBACK}
        self.check(headers, untrusted=False, trusted=True, recorded=(None, None))

    def test_forwarded_for_loopback_under_another_name(self) -> None:
        """
        Nor is such a client local under a name that is not.
        """
        headers = {"host": "gw.example", "x-forwarded-for": LOOPBACK}
        self.check(headers, untrusted=False, trusted=False, recorded=(None, None))

    def test_forwarded_for_remote(self) -> None:
        """
        The first address counts, without its port.
        """
        headers = {"host": f"localhost:{PORT}", "x-forwarded-for": "203.0.113.7:5555, 10.0.0.1"}
        self.check(headers, untrusted=False, trusted=False, recorded=(None, "203.0.113.7"))

    def test_real_ip(self) -> None:
        """
        Without ``X-Forwarded-For`` it is ``X-Real-IP``.
        """
        headers = {"host": f"localhost:{PORT}", "x-real-ip": "198.51.100.4"}
        self.check(headers, untrusted=False, trusted=False, recorded=(None, "198.51.100.4"))

    def test_forwarded_host_only(self) -> None:
        """
        ``X-Forwarded-Host`` alone marks a request as proxied.
        """
        headers = {"host": f"localhost:{PORT}", "x-forwarded-host": "gw.example"}
        self.check(headers, untrusted=False, trusted=True, recorded=(None, None))

    def test_marks_that_do_not_count(self) -> None:
        """
        ``X-Forwarded-Proto`` and ``Forwarded`` are not looked at.
        """
        headers = {"host": "localhost", "x-forwarded-proto": "https", "forwarded": "for=203.0.113.9"}
        self.check(headers, untrusted=True, trusted=True, recorded=(None, None))

    def test_spoofed_first_hop(self) -> None:
        """
        A client cannot become local by writing the first address itself before an appending proxy adds the real one.
        """
        headers = {"host": "localhost", "x-forwarded-for": "127.0.0.1, 203.0.113.7"}
        self.check(headers, untrusted=False, trusted=False, recorded=(None, None))


class PeerTests(SynchronousTestCase):
    """
    Peers elsewhere.
    """

    def test_remote_peer(self) -> None:
        """
        A peer on the network is remote under any name, and its address is recorded.
        """
        for host in ("localhost", "192.168.1.5", "box.ts.net"):
            self.assertFalse(is_local("192.168.1.9", {"host": host}, NONE))
            self.assertEqual(recorded_address("192.168.1.9", {"host": host}, NONE), "192.168.1.9")

    def test_loopback_forms(self) -> None:
        """
        All of 127/8, ``::1`` and mapped addresses are loopback.
        """
        for peer in ("127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", "::FFFF:127.0.0.1"):
            self.assertTrue(is_local(peer, {"host": "localhost"}, NONE), peer)

    def test_trusted_remote_proxy(self) -> None:
        """
        The proxy's own address is never recorded for a client behind it.
        """
        headers = {"host": "gw.example", "x-forwarded-for": "[2001:DB8::7]:443"}
        self.assertEqual(client_address("10.0.0.2", headers, ("10.0.0.2",)), "2001:db8::7")
        self.assertEqual(recorded_address("10.0.0.2", headers, ("10.0.0.2",)), "2001:db8::7")
        self.assertEqual(client_address("10.0.0.3", headers, ("10.0.0.2",)), "10.0.0.3")

    def test_proxies_are_exact_addresses(self) -> None:
        """
        A network in the list trusts nobody.
        """
        headers = {"host": "localhost", "x-forwarded-for": "127.0.0.1"}
        self.assertFalse(is_local("127.0.0.1", headers, ("127.0.0.0/8",)))

    def test_trusted_mapped_peer(self) -> None:
        """
        A dual-stack socket shows the same proxy as a mapped address.
        """
        headers = {"host": "localhost", "x-real-ip": "198.51.100.4"}
        self.assertEqual(recorded_address("::ffff:127.0.0.1", headers, TRUSTED), "198.51.100.4")

    def test_empty_headers_fall_through(self) -> None:
        """
        An empty ``X-Forwarded-For`` says nothing.
        """
        headers = {"host": "gw.example", "x-forwarded-for": " ", "x-real-ip": "198.51.100.4"}
        self.assertEqual(client_address(LOOPBACK, headers, TRUSTED), "198.51.100.4")
        self.assertEqual(client_address(LOOPBACK, {"x-forwarded-for": ""}, TRUSTED), LOOPBACK)


class FormTests(SynchronousTestCase):
    """
    Addresses and names as we compare them.
    """

    def test_addresses(self) -> None:
        """
        Ports, brackets and the mapped prefix go, case goes.
        """
        for text, plain in (
            (" 203.0.113.7:5555 ", "203.0.113.7"),
            ("[2001:DB8::1]:80", "2001:db8::1"),
            ("[::1]", "::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("::ffff:10.0.0.1", "10.0.0.1"),
            ("", ""),
        ):
            self.assertEqual(plain_address(text), plain)

    def test_host_names(self) -> None:
        """
        The same for the name in ``Host``.
        """
        for text, name in (
            ("Example.org:80", "example.org"),
            ("[::1]:18789", "::1"),
            ("::1", "::1"),
            ("box", "box"),
            ("", ""),
            (None, ""),
        ):
            self.assertEqual(host_name(text), name)
