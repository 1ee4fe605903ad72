"""
Redirects: every step is checked like the first.
"""

from __future__ import annotations

from attrs import evolve
from twisted.internet.error import ConnectionAborted

from tests.egress.network import LIMITS, PUBLIC, EgressCase, Names, plain

SECRETS = {"Authorization": "Bearer secret", "Cookie": "a=secret", "X-Api-Key": "secret", "Accept": "text/html"}


class RedirectTests(EgressCase):
    """
    Where they lead.
    """

    def setUp(self) -> None:
        super().setUp()
        here, there, inside = [[PUBLIC]], [["8.8.8.8"]], [["10.0.0.1"]]
        known = {"example.com": here, "example.com.": here, "other.example": there, "inside.example": inside}
        self.egress.resolve = Names(known)

    def test_followed(self) -> None:
        """
        Each kind is followed with GET, its body is not waited for, and the end is told.
        """
        for status in (301, 302, 303, 307, 308):
            fetching = self.fetch("https://example.com/a/b")
            self.assertEqual(self.connected()[-1], (PUBLIC, 443))
            fetching.cancel()
            self.failureResultOf(fetching)
            fetching = self.fetch("http://example.com/a/b")
            self.redirected("../c?d", status)
            peer = self.accept()
            self.assertEqual(peer.value().split(b"\r\n")[0], b"GET /c?d HTTP/1.1")
            peer.answer(plain(b"there"))
            fetched = self.successResultOf(fetching)
            self.assertEqual((fetched.url, fetched.body), ("http://example.com/c?d", b"there"))

    def test_inside(self) -> None:
        """
        A redirect to the inside is refused as if it had been asked for, in every form.
        """
        for location, why in {
            "http://127.0.0.1/": "Blocked: private/internal IP address",
            "http://0x7f.1:8080/": "Blocked: private/internal IP address",
            "//169.254.169.254/latest": "Blocked: private/internal IP address",
            "\\\\[::ffff:10.0.0.1]/": "Blocked: private/internal IP address",
            "http://localhost/": "Blocked hostname: localhost",
            "http://metadata.google.internal/": "Blocked hostname: metadata.google.internal",
            "https://inside.example/": "Blocked: resolves to private/internal IP address",
        }.items():
            before = len(self.connected())
            fetching = self.fetch("http://example.com/")
            self.redirected(location)
            self.assertEqual(self.why(fetching), f"SsrFBlockedError: {why}", location)
            self.assertEqual(len(self.connected()), before + 1)

    def test_elsewhere(self) -> None:
        """
        A redirect out of the web, to nowhere, or with credentials.
        """
        for location, why in {
            "file:///etc/passwd": "Invalid URL protocol: file:. Only HTTP/HTTPS allowed.",
            "gopher://127.0.0.1:6379/": "Invalid URL protocol: gopher:. Only HTTP/HTTPS allowed.",
            "http://[::1": "Invalid URL",
            "http://me:secret@other.example/": "Invalid URL: it contains credentials",
            "": "Redirect missing location header (302)",
        }.items():
            fetching = self.fetch("http://example.com/")
            self.redirected(location)
            self.assertEqual(self.why(fetching), f"Error: {why}")

    def test_no_location(self) -> None:
        """
        A redirect has to say where.
        """
        fetching = self.fetch("http://example.com/", any_status=True)
        peer = self.accept()
        peer.answer(b"HTTP/1.1 307 Temporary Redirect\r\n\r\n")
        self.assertEqual(self.why(fetching), "Error: Redirect missing location header (307)")
        self.assertIs(peer.ended, ConnectionAborted)

    def test_characters(self) -> None:
        """
        A place that is not written in ASCII is read as UTF-8, or else as what it must be.
        """
        for place in ("/ü".encode(), "/ü".encode("latin-1")):
            fetching = self.fetch("http://example.com/")
            self.accept().answer(b"HTTP/1.1 302 Found\r\nLocation: " + place + b"\r\nContent-Length: 0\r\n\r\n")
            peer = self.accept()
            self.assertEqual(peer.value().split(b"\r\n")[0], b"GET /%C3%BC HTTP/1.1")
            peer.answer(plain(b"x"))
            self.successResultOf(fetching)

    def test_too_many(self) -> None:
        """
        As many as the limit says are followed.
        """
        for limit in (0, 1, 3):
            fetching = self.fetch("http://example.com/", evolve(LIMITS, max_redirects=limit))
            for _ in range(limit + 1):
                self.assertNoResult(fetching)
                self.redirected("/")
            self.assertEqual(self.why(fetching), f"Error: Too many redirects (limit: {limit})")

    def test_secrets(self) -> None:
        """
        What a caller sends stays with the origin that it was meant for: another name, port or protocol gets none of it,
        and neither does the way back.
        """
        for location in ("http://other.example/", "http://example.com:8080/", "//example.com.:80/"):
            fetching = self.fetch("http://example.com/", headers=SECRETS)
            for where in ("/same", location):
                self.assertEqual(self.redirected(where).count(b"secret"), 3)
            request = self.redirected("http://example.com/")
            self.assertNotIn(b"secret", request)
            self.assertIn(b"\r\nAccept: text/html\r\n", request)
            peer = self.accept()
            self.assertNotIn(b"secret", peer.value())
            peer.answer(plain(b"x"))
            self.successResultOf(fetching)
