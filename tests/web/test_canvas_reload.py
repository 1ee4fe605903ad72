"""
Live reload: what is seen of a tree, when pages are told, and the sockets over which they are.
"""

from __future__ import annotations

import os
from pathlib import Path

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.model import Config
from openclaw.web.canvas import watching
from openclaw.web.canvas.host import CanvasHost
from openclaw.web.canvas.sockets import MOST_SOCKETS, ReloadSockets
from openclaw.web.canvas.watching import LINGER, LOOK_EVERY, QUIET, Seen, TooManyFiles, Watching, look
from tests.web.asking import Line, make_root
from tests.web.test_site import upgrade

SOCKET = "/__openclaw__/ws"
RELOAD = b"\x81\x06reload"


class LookTests(SynchronousTestCase):
    """
    A tree on disk, below a directory that would be passed over.
    """

    def setUp(self) -> None:
        self.root = Path(self.mktemp()).absolute() / ".openclaw" / "node_modules" / "canvas"
        (self.root / "a" / "b").mkdir(parents=True)
        (self.root / "a" / "b" / "c.txt").write_text("c")

    def test_changes(self) -> None:
        """
        A file written, made, renamed or removed is seen, at any depth, and so is a directory.
        """
        seen = [look(self.root)]

        def changed() -> bool:
            seen.append(look(self.root))
            return seen[-1] != seen[-2]

        self.assertFalse(changed())
        (self.root / "a" / "b" / "c.txt").write_text("cc")
        self.assertTrue(changed())
        os.utime(self.root / "a" / "b" / "c.txt", (1, 1))
        self.assertTrue(changed())
        (self.root / "a" / "new").write_text("")
        self.assertTrue(changed())
        (self.root / "a" / "new").rename(self.root / "a" / "newer")
        self.assertTrue(changed())
        (self.root / "a" / "newer").unlink()
        self.assertTrue(changed())
        (self.root / "d").mkdir()
        self.assertTrue(changed())
        (self.root / "d").rmdir()
        self.assertTrue(changed())

    def test_ignored(self) -> None:
        """
        Hidden entries and ``node_modules`` are passed over, with what is in them; the way to the root does not count.
        """
        before = look(self.root)
        self.assertIn("a/b/c.txt", before)
        for name in (".git/HEAD", "a/.hidden", "node_modules/x/y.js", "a/node_modules/z.js"):
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text("x")
        self.assertEqual(look(self.root), before)

    def test_links(self) -> None:
        """
        A link is an entry of its own: nothing behind it is looked at, and no circle is walked.
        """
        (self.root / "self").symlink_to(".")
        (self.root / "out").symlink_to("/etc")
        self.assertEqual(set(look(self.root)), {"a", "a/b", "a/b/c.txt", "self", "out"})

    def test_too_many(self) -> None:
        """
        A tree that is too large is given up.
        """
        self.patch(watching, "MOST_ENTRIES", 2)
        self.assertRaises(TooManyFiles, look, self.root)

    def test_no_root(self) -> None:
        """
        Without the directory there is nothing to look at.
        """
        self.assertRaises(OSError, look, self.root / "nothing")


class WatchingTests(SynchronousTestCase):
    """
    Under a clock, with a tree that tests say.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.seen: Seen = {}
        self.looks = 0
        self.told: list[float] = []
        self.audience = 1
        self.watching = Watching(
            clock=self.clock,
            look=self.look,
            tell=lambda: self.told.append(self.clock.seconds()),
            audience=lambda: self.audience,
        )

    def look(self) -> Deferred[Seen]:
        self.looks += 1
        return succeed(self.seen)

    def change(self) -> None:
        self.seen = {"a": (len(self.seen), int(self.clock.seconds() * 1000))}

    def advance(self, seconds: float) -> None:
        self.clock.pump([0.01] * round(seconds / 0.01))

    def test_one_change(self) -> None:
        """
        A change is told once, after it has been quiet for a moment.
        """
        self.watching.wake()
        self.advance(1)
        self.assertEqual(self.told, [])
        self.change()
        self.advance(1)
        (at,) = self.told
        self.assertGreaterEqual(at, 1 + QUIET)
        self.assertLess(at, 1 + QUIET + 3 * LOOK_EVERY)

    def test_burst(self) -> None:
        """
        Changes that follow one another are told once, when the last is over.
        """
        self.watching.wake()
        for _ in range(10):
            self.change()
            self.advance(0.1)
        self.assertEqual(self.told, [])
        self.advance(1)
        self.assertEqual(len(self.told), 1)
        self.change()
        self.advance(1)
        self.assertEqual(len(self.told), 2)

    def test_nobody(self) -> None:
        """
        Nothing is looked at for nobody, but for a while after the last page went, as pages do that load again.
        """
        self.advance(1)
        self.assertEqual(self.looks, 0)
        self.watching.wake()
        self.audience = 0
        self.advance(1)
        self.audience = 1
        self.change()
        self.advance(1)
        self.assertEqual(len(self.told), 1)
        self.audience = 0
        self.advance(LINGER + 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.change()
        self.audience = 1
        self.watching.wake()
        self.advance(1)
        self.assertEqual(len(self.told), 1)

    def test_one_at_a_time(self) -> None:
        """
        While a look takes its time no other begins, and a slow one is followed by a longer pause.
        """
        slow: Deferred[Seen] = Deferred()
        self.patch(self.watching, "look", lambda: slow)
        self.watching.wake()
        self.watching.wake()
        self.advance(0.1)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        slow.callback({})
        (call,) = self.clock.getDelayedCalls()
        self.assertAlmostEqual(call.getTime() - self.clock.seconds(), 2.0)
        self.watching.stop()

    def test_failure(self) -> None:
        """
        What cannot be watched is said once, and no more is tried.
        """
        for error, text in ((TooManyFiles(), "there are more than"), (PermissionError("no"), "no")):
            self.setUp()
            self.patch(self.watching, "look", lambda error=error: fail(error))
            with capturedLogs() as events:
                self.watching.wake()
                self.watching.wake()
                self.advance(1)
            (told,) = [formatEvent(event) for event in events]
            self.assertIn(f"live reload is off: {text}", told or "")
            self.assertEqual((self.watching.failed, self.clock.getDelayedCalls()), (True, []))

    def test_stop(self) -> None:
        """
        A stop waits for the look that is under way, and nothing follows it.
        """
        slow: Deferred[Seen] = Deferred()
        self.patch(self.watching, "look", lambda: slow)
        self.watching.wake()
        stopped = self.watching.stop()
        self.assertNoResult(stopped)
        slow.callback({})
        self.successResultOf(stopped)
        self.watching.wake()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop_while_waiting(self) -> None:
        """
        A stop between two looks is over at once.
        """
        self.watching.wake()
        self.successResultOf(self.watching.stop())
        self.assertEqual(self.clock.getDelayedCalls(), [])


class SocketTests(SynchronousTestCase):
    """
    On the gateway's port, byte by byte.
    """

    def setUp(self) -> None:
        self.opened = 0
        self.sockets = ReloadSockets(clock=Clock(), on_opened=self.count)
        self.host = CanvasHost(root=Path("nothing"), config=Config, names=frozenset({"workshop"}), sockets=self.sockets)
        self.host.capabilities.on_revoked = self.sockets.revoked
        self.root = make_root(canvas=self.host)

    def count(self) -> None:
        self.opened += 1

    def connect(self, path: str = SOCKET, peer: str = "127.0.0.1", **headers: str | None) -> Line:
        line = Line(self.root, peer=peer)
        told = "".join(f"{name}: {value}\r\n" for name, value in upgrade(**headers))
        line.send(f"GET {path} HTTP/1.1\r\n{told}\r\n".encode())
        return line

    def assert_upgraded(self, line: Line) -> None:
        self.assertTrue(line.taken().startswith(b"HTTP/1.1 101 "))

    def assert_status(self, line: Line, status: int) -> None:
        self.assertEqual(line.taken()[:12], f"HTTP/1.1 {status}".encode())

    def test_reload(self) -> None:
        """
        Nothing is said at first; then every page is told.
        """
        lines = [self.connect(), self.connect(f"{SOCKET}?x=1")]
        for line in lines:
            self.assert_upgraded(line)
        self.assertEqual((len(self.sockets), self.opened), (2, 2))
        self.sockets.reload()
        self.assertEqual([line.taken() for line in lines], [RELOAD, RELOAD])

    def test_what_pages_say(self) -> None:
        """
        Messages are passed over; a ping is answered.
        """
        line = self.connect()
        line.taken()
        line.send(b"\x81\x82\0\0\0\0hi" + b"\x89\x81\0\0\0\0p")
        self.assertEqual(line.taken(), b"\x8a\x01p")
        self.assertEqual(len(self.sockets), 1)

    def test_too_large(self) -> None:
        """
        Who sends a lot is cut off.
        """
        line = self.connect()
        line.taken()
        line.send(b"\x81\xff" + (1 << 20).to_bytes(8, "big") + b"\0\0\0\0" + b"x" * 100)
        self.assertTrue(line.ended)

    def test_gone(self) -> None:
        """
        A page that is gone is told nothing.
        """
        line = self.connect()
        line.transport.protocol.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(len(self.sockets), 0)
        self.sockets.reload()

    def test_most(self) -> None:
        """
        Of too many the oldest goes.
        """
        lines = [self.connect() for _ in range(MOST_SOCKETS + 1)]
        self.assertEqual([line.ended for line in lines], [True] + [False] * MOST_SOCKETS)

    def test_foreign(self) -> None:
        """
        Neither another machine nor the page of another site gets one.
        """
        self.assert_status(self.connect(peer="192.0.2.7"), 403)
        self.assert_status(self.connect(host="evil.example"), 403)
        self.assert_status(self.connect(origin="https://evil.example"), 403)
        self.assert_status(self.connect(origin="null"), 403)
        self.assert_upgraded(self.connect(origin="http://127.0.0.1:18793"))

    def test_capability(self) -> None:
        """
        With a capability it is for anybody, and ends with it; others stay.
        """
        base = "/__openclaw__/cap/"
        one, other = (self.host.capabilities.issue(name) for name in ("one", "other"))
        told = {"peer": "192.0.2.7", "host": "gw.example", "origin": "https://gw.example"}
        line = self.connect(f"{base}{one}{SOCKET}", **told)
        stays = self.connect(f"{base}{other}{SOCKET}", **told)
        self.assert_upgraded(line)
        self.assert_upgraded(stays)
        self.host.capabilities.revoke("one")
        self.assertEqual((line.ended, stays.ended), (True, False))
        self.sockets.reload()
        self.assertEqual(stays.taken(), RELOAD)
        self.assert_status(self.connect(f"{base}{one}{SOCKET}", **told), 403)

    def test_bad_upgrade(self) -> None:
        """
        A bad upgrade is answered as everywhere.
        """
        self.assert_status(self.connect(sec_websocket_key=None), 400)
        self.assert_status(self.connect(sec_websocket_version="7"), 400)

    def test_subprotocol(self) -> None:
        """
        The first subprotocol that is offered is taken.
        """
        line = self.connect(sec_websocket_protocol="a, b")
        self.assertIn(b"Sec-WebSocket-Protocol: a\r\n", line.taken())

    def test_close(self) -> None:
        """
        The end of the gateway is the end of all.
        """
        line = self.connect()
        line.taken()
        self.sockets.close()
        self.assertEqual((line.taken(), line.ended), (b"\x88\x02\x03\xe9", True))
