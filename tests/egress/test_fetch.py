"""
Fetching over a network in memory.
"""

from __future__ import annotations

import os
from ipaddress import IPv4Address

from attrs import evolve
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionAborted

from openclaw.egress.addresses import Address, is_public
from openclaw.egress.errors import BlockedResolution, FetchFailed
from openclaw.egress.fetch import AT_ONCE, Fetched
from openclaw.egress.pinned import PinnedReactor
from tests.egress.network import LIMITS, PUBLIC, PUBLIC_6, EgressCase, Names, plain

RESOLVED = "SsrFBlockedError: Blocked: resolves to private/internal IP address"


class FetchTests(EgressCase):
    """
    One request, one answer.
    """

    def test_fetched(self) -> None:
        """
        The request says who asks for what; the answer is handed on with what belongs to it, and the connection ends.
        """
        fetching = self.fetch("http://Example.com:8080/pic?a=b#c")
        self.assertEqual(self.connected(), [(PUBLIC, 8080)])
        peer = self.accept()
        first, *lines = peer.value().decode().split("\r\n")
        self.assertEqual(first, "GET /pic?a=b HTTP/1.1")
        self.assertEqual(
            sorted(line.lower() for line in lines if line),
            [
                "accept-encoding: identity",
                "accept: */*",
                "connection: close",
                "host: example.com:8080",
                "user-agent: openclaw-gateway/1.0",
            ],
        )
        peer.answer(plain(b"picture", "Content-Type: Image/PNG; x=Y", "X-A: 1", "x-a: 2"))
        fetched = self.successResultOf(fetching)
        self.assertEqual((fetched.url, fetched.status), ("http://example.com:8080/pic?a=b", 200))
        self.assertEqual((fetched.reason, fetched.body), ("OK", b"picture"))
        self.assertEqual((fetched.content_type, fetched.mime), ("Image/PNG; x=Y", "image/png"))
        self.assertEqual(fetched.headers["x-a"], "1, 2")
        self.assertIsNotNone(peer.ended)

    def test_headers(self) -> None:
        """
        A caller's headers are sent, but for those that say whom we mean and what we can read.
        """
        sent = {"User-Agent": "Other", "X-Key": "k\r\nX-Evil: 1", "Host": "inside", "Accept-Encoding": "gzip"}
        self.fetch("http://example.com/", headers=sent).addErrback(lambda _: None)
        request = self.accept().value().lower()
        for line in (b"user-agent: other", b"host: example.com", b"accept-encoding: identity"):
            self.assertIn(b"\r\n" + line + b"\r\n", request)
        for text in (b"inside", b"gzip", b"\r\nx-evil", b"openclaw"):
            self.assertNotIn(text, request)
        self.reactor.advance(LIMITS.seconds)

    def test_no_type(self) -> None:
        """
        A server need not say what it sends, nor how much.
        """
        fetching = self.fetch("http://example.com/")
        peer = self.accept()
        peer.answer(b"HTTP/1.0 200\r\n\r\nsome ")
        peer.answer(b"thing")
        peer.hang_up()
        fetched = self.successResultOf(fetching)
        self.assertEqual((fetched.mime, fetched.content_type, fetched.reason), ("", "", ""))
        self.assertEqual(fetched.body, b"some thing")

    def test_status(self) -> None:
        """
        A refusal is told with its reason, without its body, unless the caller wants that.
        """
        answer = b"HTTP/1.1 404 Not \x1b[31mFound\r\nContent-Length: 4\r\n\r\ngone"
        fetching = self.fetch("http://example.com/")
        peer = self.accept()
        peer.answer(answer)
        self.assertEqual(self.why(fetching), "Error: Failed to fetch: 404 Not  [31mFound")
        self.assertIs(peer.ended, ConnectionAborted)
        fetching = self.fetch("http://example.com/", any_status=True)
        self.accept().answer(answer)
        fetched = self.successResultOf(fetching)
        self.assertEqual((fetched.status, fetched.body), (404, b"gone"))

    def test_not_modified(self) -> None:
        """
        What is neither there nor elsewhere is a refusal.
        """
        fetching = self.fetch("http://example.com/")
        self.accept().answer(b"HTTP/1.1 304 Not Modified\r\n\r\n")
        self.assertEqual(self.why(fetching), "Error: Failed to fetch: 304 Not Modified")

    def test_encoded(self) -> None:
        """
        What is compressed all the same is not unpacked, and not taken for what it is not.
        """
        for encoding in ("gzip", "identity, br", "deflate"):
            fetching = self.fetch("http://example.com/")
            peer = self.accept()
            peer.answer(plain(b"\x1f\x8b", f"Content-Encoding: {encoding}"))
            self.assertEqual(self.why(fetching), f"Error: Failed to fetch: unsupported content encoding: {encoding}")
            self.assertIs(peer.ended, ConnectionAborted)
        fetching = self.fetch("http://example.com/")
        self.accept().answer(plain(b"x", "Content-Encoding: identity"))
        self.assertEqual(self.successResultOf(fetching).body, b"x")

    def test_broken(self) -> None:
        """
        An answer that is none, or ends too early, is not taken for a whole one.
        """
        for answer in (
            b"220 mail.example.com ESMTP\r\n" + b"\r\n" * 2,
            b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
            b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nx",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nab\r\n",
            b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
            b"HTTP/1.1 200",
        ):
            fetching = self.fetch("http://example.com/")
            peer = self.accept()
            peer.answer(answer)
            peer.hang_up()
            self.assertIn("Error: Failed to fetch: example.com did not answer properly: ", self.why(fetching), answer)

    def test_silent(self) -> None:
        """
        A server that hangs up is told from one that sends nonsense.
        """
        fetching = self.fetch("http://example.com/")
        self.accept().hang_up()
        self.assertIn("Error: Failed to fetch: cannot connect to example.com: ", self.why(fetching))

    def test_environment(self) -> None:
        """
        A proxy of the environment is not asked.
        """
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            self.patch(os, "environ", {**os.environ, name: "http://127.0.0.1:3128"})
        fetching = self.fetch("http://example.com/")
        self.assertEqual(self.connected(), [(PUBLIC, 80)])
        self.accept().answer(plain(b""))
        self.assertEqual(self.successResultOf(fetching).body, b"")


class NameTests(EgressCase):
    """
    Names, looked up once.
    """

    def test_rebinding(self) -> None:
        """
        A name that is public when it is checked and private afterwards is asked for once, and what was checked is
        connected to. A redirect asks again, and checks again.
        """
        self.egress.resolve = names = Names({"example.com": [[PUBLIC], ["127.0.0.1"]]})
        fetching = self.fetch("http://example.com/")
        self.assertEqual((names.asked, self.connected()), (["example.com"], [(PUBLIC, 80)]))
        self.redirected("/again")
        self.assertEqual(self.why(fetching), RESOLVED)
        self.assertEqual((names.asked, self.connected()), (["example.com"] * 2, [(PUBLIC, 80)]))

    def test_mixed(self) -> None:
        """
        One private address among public ones is enough.
        """
        for answers in ([PUBLIC, "10.0.0.1"], ["10.0.0.1", PUBLIC], [PUBLIC_6, "::1"], [PUBLIC, "::ffff:10.0.0.1"]):
            self.egress.resolve = Names({"example.com": [answers]})
            self.assertEqual(self.why(self.fetch("http://example.com/")), RESOLVED)
        self.assertEqual(self.connected(), [])

    def test_checked_again(self) -> None:
        """
        An address is checked again in the moment of connecting.
        """
        seen: list[Address] = []

        def once(address: Address) -> bool:
            seen.append(address)
            return len(seen) == 1

        self.allowed = once
        fetching = self.fetch("http://example.com/")
        # The next address would have its turn now.
        self.reactor.advance(0.3)
        self.assertEqual(self.why(fetching), RESOLVED)
        self.assertEqual((len(seen), self.connected()), (2, []))

    def test_pinned(self) -> None:
        """
        Whoever has the pinned reactor can connect to nothing else, public or not, and look nothing up.
        """
        pinned = PinnedReactor(self.reactor, (IPv4Address(PUBLIC),), is_public)
        for host, error in (("8.8.8.8", BlockedResolution), ("127.0.0.1", BlockedResolution), ("name", ValueError)):
            self.assertRaises(error, pinned.connectTCP, host, 80, None)
        self.assertEqual(self.connected(), [])

    def test_unknown(self) -> None:
        """
        A name without addresses.
        """
        self.egress.resolve = Names({"empty.example": [[]]})
        for host in ("does-not-exist.invalid", "empty.example"):
            self.assertEqual(self.why(self.fetch(f"http://{host}/x")), f"Error: getaddrinfo ENOTFOUND {host}")

    def test_several(self) -> None:
        """
        When one address does not answer, the next is tried, soon or at once, and the first to answer is the one.
        """
        self.egress.resolve = Names({"example.com": [[PUBLIC_6, PUBLIC, "8.8.8.8", PUBLIC]]})
        fetching = self.fetch("https://example.com/")
        self.assertEqual(self.connected(), [(PUBLIC_6, 443)])
        self.refuse()
        self.reactor.advance(0.3)
        self.assertEqual(self.connected(), [(PUBLIC_6, 443), (PUBLIC, 443)])
        self.reactor.advance(0.3)
        self.assertEqual(self.connected(), [(PUBLIC_6, 443), (PUBLIC, 443), ("8.8.8.8", 443)])
        self.refuse(1)
        self.refuse(2)
        self.reactor.advance(0.3)
        self.assertIn(
            "Error: Failed to fetch: cannot connect to example.com: Connection was refused", self.why(fetching)
        )

    def test_many(self) -> None:
        """
        Of a name with any number of addresses only the first few are tried, and all are checked.
        """
        many = [f"8.8.8.{last}" for last in range(100)]
        self.egress.resolve = Names({"example.com": [many], "example.net": [[*many, "10.0.0.1"]]})
        self.assertEqual(self.why(self.fetch("http://example.net/")), RESOLVED)
        fetching = self.fetch("http://example.com/")
        for _ in range(20):
            self.reactor.advance(0.3)
        self.assertEqual(len(self.connected()), 8)
        self.reactor.advance(LIMITS.seconds)
        self.assertEqual(self.why(fetching), "Error: Fetch timed out after 10 s")

    def test_figures(self) -> None:
        """
        An address in figures is not looked up; the one inside a mapped address is connected to.
        """
        for url, host, authority in (
            ("http://134744072/", "8.8.8.8", b"8.8.8.8"),
            ("http://[::ffff:8.8.8.8]:81/", "8.8.8.8", b"[::ffff:"),
            ("http://[2606:4700::1111]/", "2606:4700::1111", b"[2606:4700::1111]"),
        ):
            fetching = self.fetch(url)
            peer = self.accept()
            self.assertEqual(self.connected()[-1][0], host)
            self.assertIn(b"\r\nHost: " + authority, peer.value())
            peer.answer(plain(b"x"))
            self.successResultOf(fetching)
        self.assertEqual(self.names.asked, [])


class TimeTests(EgressCase):
    """
    Slow servers, and callers that leave.
    """

    def assert_timed_out(self, fetching: Deferred[Fetched]) -> None:
        error = self.failureResultOf(fetching, FetchFailed).value
        self.assertEqual(str(error), "Fetch timed out after 10 s")
        self.assertEqual(error.name, "Error")

    def test_phases(self) -> None:
        """
        Time runs while a name is looked up, while nobody answers, before the head, and in the body; whatever there is
        of a connection ends.
        """
        cancelled: list[object] = []

        async def never(host: str) -> list[str]:
            await Deferred(cancelled.append)
            return []

        known, self.egress.resolve = self.egress.resolve, never
        fetching = self.fetch("http://example.com/")
        self.reactor.advance(9.9)
        self.assertNoResult(fetching)
        self.reactor.advance(0.1)
        self.assert_timed_out(fetching)
        self.assertEqual(len(cancelled), 1)
        self.egress.resolve = known
        fetching = self.fetch("http://example.com/")
        self.reactor.advance(10)
        self.assert_timed_out(fetching)
        self.assertEqual(self.reactor.connectors[-1].stoppedConnecting, True)
        for said in (b"", b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"):
            fetching = self.fetch("http://example.com/")
            peer = self.accept()
            peer.answer(said)
            self.reactor.advance(10)
            self.assert_timed_out(fetching)
            self.assertIs(peer.ended, ConnectionAborted)

    def test_drops(self) -> None:
        """
        Something every second does not make the time longer.
        """
        fetching = self.fetch("http://example.com/")
        peer = self.accept()
        peer.answer(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(10):
            self.assertNoResult(fetching)
            peer.answer(b".")
            self.reactor.advance(1)
        self.assert_timed_out(fetching)

    def test_redirects(self) -> None:
        """
        Nor do redirects.
        """
        fetching = self.fetch("http://example.com/")
        for _ in range(2):
            self.reactor.advance(4)
            self.redirected("/again")
        self.assertNoResult(fetching)
        self.reactor.advance(2)
        self.assert_timed_out(fetching)

    def test_cancelled(self) -> None:
        """
        Who leaves takes the connection along, at any time.
        """
        fetching = self.fetch("http://example.com/")
        fetching.cancel()
        self.failureResultOf(fetching, CancelledError)
        self.assertEqual(self.reactor.connectors[-1].stoppedConnecting, True)
        for said in (b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"):
            fetching = self.fetch("http://example.com/")
            peer = self.accept()
            peer.answer(said)
            fetching.cancel()
            self.failureResultOf(fetching, CancelledError)
            self.assertIs(peer.ended, ConnectionAborted)

    def test_turns(self) -> None:
        """
        Only so many at once; the time of those who wait runs, and a place that comes free is taken.
        """
        going = [self.fetch(f"http://example.com/{number}") for number in range(AT_ONCE)]
        patient = self.fetch("http://example.com/last", evolve(LIMITS, seconds=100))
        hasty = self.fetch("http://example.com/never", evolve(LIMITS, seconds=1))
        self.assertEqual(len(self.connected()), AT_ONCE)
        self.reactor.advance(1)
        self.assertEqual(self.why(hasty), "Error: Fetch timed out after 1 s")
        self.accept(0).answer(plain(b"x"))
        self.successResultOf(going[0])
        self.accept().answer(plain(b"last"))
        self.assertEqual(self.successResultOf(patient).body, b"last")
        self.assertEqual(len(self.connected()), AT_ONCE + 1)
        self.reactor.advance(LIMITS.seconds)
        for fetching in going[1:]:
            self.assert_timed_out(fetching)
