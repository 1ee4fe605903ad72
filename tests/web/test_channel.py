"""
Requests that are wrong, late, too large, or of which the answers are not taken.
"""

from __future__ import annotations

import os
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.logger import LogLevel, capturedLogs
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from openclaw.web.channel import BODY_SECONDS, IDLE_SECONDS, MOST_WAITING
from openclaw.web.gate import MOST_BODY_BYTES
from openclaw.web.site import make_site
from tests.web.asking import Everybody, Line, ask, ask_bytes, configured, make_root, parsed

HOST = b"Host: 127.0.0.1:18789\r\n"
PROBE = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
POST = b"POST /healthz HTTP/1.1\r\n" + HOST

#: First lines that are none.
NO_FIRST_LINES = (
    b"GET",
    b"GET /",
    b"GET  /healthz HTTP/1.1",
    b"GET /healthz HTTP/1.1 x",
    b"GET /healthz HTTP/2.0",
    b"GET /healthz FOO/1.1",
    b"GET /\0 HTTP/1.1",
    b"GET /\t HTTP/1.1",
    b"GET /a\nb HTTP/1.1",
    b"G(T / HTTP/1.1",
    b"PRI * HTTP/2.0",
    b"\0\xff",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
)

#: Heads that a proxy before us could read otherwise.
NO_HEADS = (
    b"NoColon\r\n",
    b": y\r\n",
    b"X : y\r\n",
    b"X(): y\r\n",
    b"X: a\0b\r\n",
    b"X: a\nY: b\r\n",
    b"X: a\rb\r\n",
    b"Content-Length: -1\r\n",
    b"Content-Length: +1\r\n",
    b"Content-Length: 1, 1\r\n",
    b"Content-Length: x\r\n",
    b"Content-Length: 1\r\nContent-Length: 2\r\n",
    b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip\r\n",
    b"Transfer-Encoding: xchunked\r\n",
    b"Transfer-Encoding: chunked, chunked\r\n",
    b"".join(b"X-%d: y\r\n" % number for number in range(600)),
    b"".join(b"X-%d: %s\r\n" % (number, b"y" * 1_000) for number in range(20)),
)


class WrongTests(SynchronousTestCase):
    """
    What is no request is refused, the connection ends, and the log has no error.
    """

    def refused(self, request: bytes, status: int) -> None:
        with capturedLogs() as told:
            answer = ask_bytes(make_root(), request)
        self.assertEqual((answer.status, answer.ended), (status, True), request[:80])
        self.assertEqual([event for event in told if event["log_level"] >= LogLevel.warn], [])

    def test_first_lines(self) -> None:
        for line in NO_FIRST_LINES:
            self.refused(line + b"\r\n" + HOST + b"\r\n", 400)

    def test_heads(self) -> None:
        for head in NO_HEADS:
            self.refused(POST + head + b"\r\n", 400)

    def test_long_lines(self) -> None:
        """
        A line without end is not waited for.
        """
        self.refused(b"G" * 17_000, 431)
        self.refused(b"GET /" + b"a" * 17_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 431)
        self.refused(POST + b"X: " + b"y" * 17_000 + b"\r\n\r\n", 431)

    def test_chunks(self) -> None:
        chunked = POST + b"Transfer-Encoding: chunked\r\n\r\n"
        for body in (b"zz\r\n", b"-1\r\n", b"1" * 5_000, b"1;" + b"x" * 50_000, b"1\r\nab\r\n"):
            self.refused(chunked + body, 400)

    def test_nothing_after_a_refusal(self) -> None:
        """
        What comes behind a request that was refused is not read.
        """
        line = Line(make_root())
        for _ in range(3):
            line.send(b"G" * 20_000 + b"\r\n" + PROBE)
        self.assertEqual(line.transport.value().count(b"HTTP/1.1"), 1)


class TargetTests(SynchronousTestCase):
    """
    Paths as they are written.
    """

    def test_no_way_out(self) -> None:
        """
        No spelling of a path leaves what is served, or finds something under another name.
        """
        root = Path(self.mktemp()).absolute()
        (root / "page").mkdir(parents=True)
        (root / "page/index.html").write_text("<head></head>the page")
        (root / "secret").write_text("hidden text")
        for site in (make_root(), make_root(configured(root=str(root / "page")))):
            for path in (
                *("/../secret", "/%2e%2e/secret", "/..%2fsecret", "/%2e%2e%2fsecret", "/x/../../secret", "/..;/secret"),
                *("/\\..\\secret", "/..%5csecret", "/%5c..%5csecret", "/.../secret", "/..%00/secret", "/secret%00"),
                *("/..%252fsecret", "/avatar/..%2f..%2fsecret", "/avatar/%2e%2e", f"/{root}/secret", "/%2e/../secret"),
                *("/healthz/", "/healthz//", "/healthz;x", "/healthz%3f", "healthz"),
            ):
                answer = ask(site, path)
                self.assertNotIn(b"hidden text", answer.body, path)
                self.assertNotIn(b"true", answer.body, path)

    def test_dots(self) -> None:
        """
        Segments of dots lead where clients that know addresses say they do, before anything is decided of a path; what
        is only nearly one is a name like others.
        """
        root = make_root()
        for path in ("/./healthz", "/x/../healthz", "/x/%2e%2E/healthz", "/../healthz?x=/../y", "/.%2e/x/./../healthz"):
            self.assertEqual(ask(root, path).body, b'{"ok":true}', path)
        for path in ("/x/..", "/x/.", "/x/../", "/%2e"):
            self.assertNotEqual(ask(root, path).body, b'{"ok":true}', path)
        for target in (b"/x/../v1/chat/completions", b"/v1/./chat/completions"):
            # The body is not waited for where nobody brings a secret, by that name either.
            line = Line(root)
            line.send(b"POST " + target + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n")
            line.clock.advance(1)
            self.assertEqual(parsed(line.taken()).status, 401)

    def test_secret_first(self) -> None:
        """
        Who brings no secret is told that, however much comes.
        """
        line = Line(make_root())
        line.send(b"POST /tools/invoke HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
        line.clock.advance(1)
        self.assertEqual(parsed(line.taken()).status, 401)

    def test_not_utf8(self) -> None:
        """
        Long forms of dots and slashes are none.
        """
        for path in ("/%c0%ae%c0%ae/", "/%c0%af", "/%e0%80%af"):
            self.assertEqual(ask(make_root(), path).status, 400, path)

    def test_whole_address(self) -> None:
        """
        As proxies are asked: the path counts, and ``Host`` is looked at as ever.
        """
        for address in ("http://127.0.0.1:18789/healthz", "HTTP://elsewhere.example/healthz", "https://x/healthz?y"):
            self.assertEqual(ask(make_root(), address).value, {"ok": True}, address)
        self.assertEqual(ask(make_root(), "http://127.0.0.1").status, 200)
        self.assertEqual(ask(make_root(), "http://127.0.0.1/healthz", headers=[("Host", "evil.example")]).status, 403)

    def test_star(self) -> None:
        """
        ``OPTIONS *`` is answered like any other request, and does not say what answers.
        """
        answer = ask(make_root(), "*", method="OPTIONS")
        self.assertEqual((answer.status, answer.headers["allow"]), (405, "GET, HEAD"))
        self.assertNotIn("server", answer.headers)
        self.assertEqual(ask(make_root(), "*", method="OPTIONS", headers=[("Host", "evil.example")]).status, 403)

    def test_connect(self) -> None:
        """
        We are no proxy.
        """
        for method, path in (("CONNECT", "other.example:80"), ("TRACE", "/"), ("PUT", "http://other.example/")):
            self.assertEqual(ask(make_root(), path, method=method).status, 405, method)

    def test_head(self) -> None:
        """
        HEAD has the head of GET and no body, so that what follows is understood.
        """
        for path in ("/", "/app.js", "/healthz", "/nothing", "//", "/protocol.json", "/avatar/main"):
            line = Line(make_root())
            line.send(f"HEAD {path} HTTP/1.1\r\n".encode() + HOST + b"\r\n" + PROBE)
            first, _, rest = line.transport.value().partition(b"\r\n\r\n")
            self.assertEqual(parsed(first + b"\r\n\r\n").status, ask(make_root(), path).status, path)
            self.assertTrue(rest.startswith(b"HTTP/1.1 200 OK\r\n"), path)


class BodyTests(SynchronousTestCase):
    """
    Bodies that nobody asked for.
    """

    def test_read_to_its_end(self) -> None:
        """
        A body is passed over, and the next request is found behind it.
        """
        for body in (
            b"Content-Length: 5\r\n\r\nGET /",
            b"Transfer-Encoding: chunked\r\n\r\n5\r\nGET /\r\n0\r\n\r\n",
            b"Content-Length: %d\r\n\r\n" % MOST_BODY_BYTES + b"x" * MOST_BODY_BYTES,
        ):
            line = Line(make_root())
            line.send(POST + body + PROBE)
            told = line.transport.value()
            self.assertTrue(told.startswith(b"HTTP/1.1 405 "))
            self.assertTrue(told.endswith(b'{"ok":true}'))

    def test_too_large(self) -> None:
        """
        One that is too large is refused before it is sent.
        """
        for expect in (b"", b"Expect: 100-continue\r\n"):
            for length in (MOST_BODY_BYTES + 1, 10**30):
                line = Line(make_root())
                line.send(POST + expect + b"Content-Length: %d\r\n\r\n" % length)
                line.send(b"x" * 1_000)
                self.assertTrue(line.transport.value().startswith(b"HTTP/1.1 413 "))
                self.assertEqual((line.transport.value().count(b"HTTP/1.1"), line.ended), (1, True))

    def test_too_many_chunks(self) -> None:
        """
        One whose length nobody said is refused where it becomes too large, also if it ends in the same packet.
        """
        chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        line = Line(make_root())
        line.send(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(MOST_BODY_BYTES // 0x10000):
            line.send(chunk)
        self.assertEqual((line.transport.value(), line.ended), (b"", False))
        line.send(b"1\r\nx\r\n" + chunk + b"0\r\n\r\n" + PROBE)
        self.assertTrue(line.transport.value().startswith(b"HTTP/1.1 413 "))
        self.assertEqual((line.transport.value().count(b"HTTP/1.1"), line.ended), (1, True))

    def test_continue(self) -> None:
        """
        Who asks whether to send it is told to.
        """
        line = Line(make_root())
        line.send(POST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        self.assertEqual(line.taken(), b"HTTP/1.1 100 Continue\r\n\r\n")
        line.send(b"abc")
        self.assertEqual(parsed(line.taken()).status, 405)


class LateTests(SynchronousTestCase):
    """
    What does not come.
    """

    def sent_slowly(self, line: Line, data: bytes, pause: float) -> float:
        """
        One byte at a time until the connection ends.

        :return: seconds.
        """
        for number in range(len(data)):
            if line.ended:
                return number * pause
            line.send(data[number : number + 1])
            line.clock.advance(pause)
        return len(data) * pause

    def test_nothing(self) -> None:
        """
        A connection on which nothing is said is closed, and cut where closing does not help.
        """
        line = Line(make_root())
        line.clock.advance(IDLE_SECONDS)
        self.assertEqual((line.transport.value(), line.ended, line.transport.aborted), (b"", True, False))
        line.clock.advance(15)
        self.assertTrue(line.transport.aborted)

    def test_slow_head(self) -> None:
        """
        A byte now and then does not keep a head waiting for ever.
        """
        line = Line(make_root())
        line.send(b"GET /healthz HTTP/1.1\r\n")
        self.assertEqual(self.sent_slowly(line, b"X: " + b"y" * 1_000, 7.0), 63.0)
        self.assertTrue(line.transport.value().startswith(b"HTTP/1.1 408 "))
        self.assertEqual(self.sent_slowly(Line(make_root()), b"G" * 1_000, 7.0), 63.0)

    def test_slow_body(self) -> None:
        """
        Nor does it keep a body.
        """
        line = Line(make_root())
        line.send(POST + b"Content-Length: 1000\r\n\r\n")
        self.assertEqual(self.sent_slowly(line, b"x" * 999, 50.0), BODY_SECONDS)
        self.assertTrue(line.transport.value().startswith(b"HTTP/1.1 408 "))

    def test_between_requests(self) -> None:
        """
        Each request has its own time, and the pause between two is no longer after one with a body.
        """
        line = Line(make_root())
        for _ in range(5):
            line.send(PROBE)
            line.clock.advance(IDLE_SECONDS - 1)
        self.assertFalse(line.ended)
        line.send(POST + b"Content-Length: 3\r\n\r\n")
        line.clock.advance(BODY_SECONDS - 1)
        line.send(b"abc")
        line.clock.advance(IDLE_SECONDS - 1)
        self.assertFalse(line.ended)
        line.clock.advance(1)
        self.assertEqual((line.transport.value().count(b"HTTP/1.1"), line.ended), (6, True))

    def test_nothing_is_left(self) -> None:
        """
        With the connection goes its clock.
        """
        for sent in (b"", b"GET", PROBE, PROBE + b"GET", POST + b"Content-Length: 3\r\n\r\n"):
            line = Line(make_root())
            line.send(sent)
            line.channel.connectionLost(Failure(ConnectionDone()))
            self.assertEqual(line.clock.getDelayedCalls(), [], sent)


class ManyTests(SynchronousTestCase):
    """
    Connections that only wait.
    """

    def test_oldest_goes(self) -> None:
        """
        Where too many wait the one that has waited longest goes; one that has just been answered is the newest.
        """
        root = make_root()
        site = make_site(root, Clock())
        lines = [Line(root, site) for _ in range(MOST_WAITING)]
        lines[0].send(PROBE)
        lines[1].channel.connectionLost(Failure(ConnectionDone()))
        more = [Line(root, site) for _ in range(3)]
        cut = [number for number, line in enumerate([*lines, *more]) if line.transport.aborted]
        self.assertEqual(cut, [2, 3])
        more[-1].send(PROBE)
        self.assertEqual(parsed(more[-1].taken()).value, {"ok": True})

    def test_asked_for(self) -> None:
        """
        A connection whose request is being answered does not wait, however many others do.
        """
        answers: Deferred[bytes] = Deferred()
        site = make_site(make_root(secrets=Everybody(), protocol=lambda: answers), Clock())
        root = make_root()
        asked = Line(root, site)
        asked.send(b"GET /protocol.json HTTP/1.1\r\n" + HOST + b"\r\n")
        lines = [Line(root, site) for _ in range(MOST_WAITING + 1)]
        self.assertEqual([line.transport.aborted for line in (asked, *lines[:2])], [False, True, False])
        answers.callback(b"{}")
        self.assertEqual(parsed(asked.taken()).body, b"{}")


class EndTests(SynchronousTestCase):
    """
    A port that is given up.
    """

    def test_idle(self) -> None:
        """
        Who keeps a connection for the next request is sent away; who has not asked yet may ask once.
        """
        root = make_root()
        site = make_site(root, Clock())
        served, fresh, begun = (Line(root, site) for _ in range(3))
        served.send(PROBE)
        served.taken()
        begun.send(PROBE[:20])
        site.stopFactory()
        self.assertEqual([line.ended for line in (served, fresh, begun)], [True, False, False])
        fresh.send(PROBE)
        begun.send(PROBE[20:])
        for line in (fresh, begun):
            self.assertIn(b"\r\nConnection: close\r\n", line.taken())
            self.assertTrue(line.ended)

    def test_answering(self) -> None:
        """
        What is being answered is answered to its end.
        """
        answers: Deferred[bytes] = Deferred()
        root = make_root(secrets=Everybody(), protocol=lambda: answers)
        site = make_site(root, Clock())
        asked = Line(root, site)
        asked.send(b"GET /protocol.json HTTP/1.1\r\n" + HOST + b"\r\n")
        site.stopFactory()
        self.assertFalse(asked.ended)
        answers.callback(b"{}")
        self.assertEqual(parsed(asked.taken()).body, b"{}")
        self.assertTrue(asked.ended)


class PipelineTests(SynchronousTestCase):
    """
    Many requests at once.
    """

    def test_in_order(self) -> None:
        line = Line(make_root())
        line.send(PROBE * 3 + b"GET /nothing HTTP/1.1\r\n" + HOST + b"\r\n" + PROBE)
        told = line.transport.value()
        self.assertEqual([told[at + 9 : at + 12] for at in starts(told)], [b"200", b"200", b"200", b"404", b"200"])

    def test_last_one(self) -> None:
        """
        Nothing is answered behind the request that is to be the last.
        """
        line = Line(make_root())
        line.send(PROBE[:-2] + b"Connection: close\r\n\r\n" + PROBE)
        self.assertEqual((len(starts(line.transport.value())), line.ended), (1, True))

    def test_answers_that_nobody_takes(self) -> None:
        """
        Who asks and asks without taking the answers gets as many as the socket holds, the rest as it takes them.
        """
        asked = 1_000
        line = Line(make_root())
        line.send((b"GET /app.js HTTP/1.1\r\n" + HOST + b"\r\n") * asked)
        self.assertLess(len(line.transport.value()), line.transport.most + 20_000)
        self.assertEqual(line.transport.producerState, "paused")
        answers = 0
        for _ in range(asked):
            answers += len(starts(line.taken()))
        self.assertEqual((answers, line.transport.producerState), (asked, "producing"))

    def test_cut(self) -> None:
        """
        Who takes nothing for a minute is cut off, also in the middle of an answer or at the last one.
        """
        root = Path(self.mktemp()).absolute()
        root.mkdir()
        (root / "large.bin").write_bytes(os.urandom(300_000))
        page = b"GET /large.bin HTTP/1.1\r\n" + HOST
        for request in (page + b"\r\n", page + b"Connection: close\r\n\r\n", page + b"\r\n" + PROBE):
            line = Line(make_root(configured(root=str(root))))
            line.send(request)
            self.assertEqual(len(starts(line.transport.value())), 1)
            line.clock.advance(IDLE_SECONDS - 1)
            line.taken()
            line.clock.advance(IDLE_SECONDS - 1)
            self.assertFalse(line.ended)
            line.clock.advance(1)
            self.assertTrue(line.ended)
            line.clock.advance(15)
            self.assertTrue(line.transport.aborted)
            line.channel.connectionLost(Failure(ConnectionDone()))
            self.assertEqual(line.clock.getDelayedCalls(), [])


def starts(told: bytes) -> list[int]:
    """
    Where answers begin.
    """
    return [at for at in range(len(told)) if told.startswith(b"HTTP/1.1 ", at)]
