"""
The canvas host on the gateway's port: what it serves, to whom, and nothing else.
"""

from __future__ import annotations

import os
from itertools import product
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.model import Config
from openclaw.web.canvas.host import CanvasHost
from openclaw.web.canvas.injecting import inject
from openclaw.web.canvas.opening import BadPath, decode
from openclaw.web.canvas.places import Place, place_of, resolve
from openclaw.web.canvas.port import CanvasPort
from openclaw.web.canvas.sockets import ReloadSockets
from openclaw.web.canvas.starter import prepare
from tests.test_files import SECRET, TRAVERSALS
from tests.web.asking import Answer, ask, make_root

CANVAS = "/__openclaw__/canvas"

#: Dots and slashes as they were written on other servers.
DOTS = ("..", "%2e%2e", ".%2e", "%2E.", "%252e%252e", "..;", "...", "%c0%ae%c0%ae", "%uff0e%uff0e", "..%00")
SLASHES = ("/", "%2f", "%2F", "%252f", "\\", "%5c", "%c0%af", "//", "/./", "%2f%2f")
NAMES = ("secret", "etc/passwd")
ALL_TRAVERSALS = (
    *(name for name in TRAVERSALS if not any(letter in name for letter in " \r\n\0")),
    *(dots + slash + name for dots, slash, name in product(DOTS, SLASHES, NAMES)),
    *(f"sub/{dots}{slash}{dots}{slash}secret" for dots, slash in product(DOTS[:5], SLASHES[:6])),
)


class CanvasCase(SynchronousTestCase):
    """
    A canvas with a secret beside it.
    """

    def setUp(self) -> None:
        top = Path(self.mktemp()).absolute()
        self.root = top / "canvas"
        (self.root / "sub").mkdir(parents=True)
        (top / "secret").write_bytes(SECRET)
        (self.root / "index.html").write_bytes(b"<body>first</body>")
        (self.root / "sub" / "a.txt").write_bytes(b"a")
        self.host = self.make_host()

    def make_host(self, *, live_reload: bool = True) -> CanvasHost:
        sockets = ReloadSockets(clock=Clock()) if live_reload else None
        return CanvasHost(root=self.root, config=Config, names=frozenset({"workshop"}), sockets=sockets)

    def ask(self, path: str, **asked: Any) -> Answer:
        return ask(make_root(canvas=self.host), path, **asked)


class ServingTests(CanvasCase):
    def test_headers(self) -> None:
        """
        Nothing is kept, the address is told to nobody, and no other site shows it in a frame.
        """
        headers = self.ask(f"{CANVAS}/").headers
        self.assertEqual(headers["cache-control"], "no-store")
        self.assertEqual(headers["referrer-policy"], "no-referrer")
        self.assertEqual(headers["x-frame-options"], "SAMEORIGIN")
        self.assertEqual(headers["x-content-type-options"], "nosniff")
        self.assertEqual(headers["cross-origin-resource-policy"], "same-site")

    def test_without_live_reload(self) -> None:
        """
        Pages are sent as they are, and the socket's path is nothing.
        """
        self.host = self.make_host(live_reload=False)
        self.assertEqual(self.ask(f"{CANVAS}/").body, b"<body>first</body>")
        answer = self.ask("/__openclaw__/ws")
        self.assertEqual((answer.status, answer.text), (404, "not found"))

    def test_off(self) -> None:
        """
        Without a canvas host there is neither canvas nor A2UI.
        """
        for path in (CANVAS, f"{CANVAS}/", "/__openclaw__/a2ui/", "/__openclaw__/cap/x/__openclaw__/canvas/"):
            self.assertEqual(ask(make_root(), path).status, 404, path)

    def test_hidden(self) -> None:
        """
        Hidden files, and what is in hidden directories, are not there.
        """
        (self.root / ".git").mkdir()
        (self.root / ".git" / "config").write_bytes(SECRET)
        (self.root / "sub" / ".env").write_bytes(SECRET)
        for name in (".git/config", "sub/.env", "%2egit/config", ".git/", "sub/%2Eenv"):
            self.assertEqual(self.ask(f"{CANVAS}/{name}").status, 404, name)

    def test_no_file(self) -> None:
        """
        What is no regular file is not there, and nobody waits for it.
        """
        os.mkfifo(self.root / "fifo")
        self.assertEqual(self.ask(f"{CANVAS}/fifo").status, 404)

    def test_large_page(self) -> None:
        """
        A page too large to put the script into is sent as it is.
        """
        page = b"<body>" + b"x" * (4 * 1024 * 1024)
        (self.root / "large.html").write_bytes(page)
        answer = self.ask(f"{CANVAS}/large.html")
        self.assertEqual((answer.status, answer.body == page), (200, True))

    def test_methods(self) -> None:
        """
        What can be done is told.
        """
        self.assertEqual(self.ask(f"{CANVAS}/", method="POST").headers["allow"], "GET, HEAD")


class WhoTests(CanvasCase):
    """
    Clients of this machine, and those who bring a capability.
    """

    paths = (f"{CANVAS}/", f"{CANVAS}/sub/a.txt", "/__openclaw__/a2ui/", "/__openclaw__/ws")

    def assert_refused(self, path: str, **asked: Any) -> None:
        answer = self.ask(path, **asked)
        self.assertEqual((answer.status, answer.text), (403, "Forbidden"), (path, asked))

    def test_foreign(self) -> None:
        """
        Another machine, a proxy, a foreign or a machine's own name for us: no.
        """
        host = ("Host", "127.0.0.1:18789")
        for path in self.paths:
            self.assert_refused(path, peer="192.0.2.7", headers=[("Host", "192.0.2.1:18789")])
            self.assert_refused(path, peer="192.0.2.7", headers=[host])
            self.assert_refused(path, headers=[host, ("X-Forwarded-For", "192.0.2.7")])
            self.assert_refused(path, headers=[("Host", "evil.example")])
            self.assert_refused(path, headers=[("Host", "workshop:18789")])

    def test_capability(self) -> None:
        """
        Who brings one is let in from anywhere, by any name.
        """
        capability = self.host.capabilities.issue("one")
        for path, status in zip(self.paths, (200, 200, 200, 426), strict=True):
            asked = self.ask(
                f"/__openclaw__/cap/{capability}{path}",
                peer="192.0.2.7",
                headers=[("Host", "gw.example"), ("X-Forwarded-For", "198.51.100.1")],
            )
            self.assertEqual(asked.status, status, path)

    def test_wrong_capability(self) -> None:
        """
        None, a part of one, another case, an old one: no, also on this machine.
        """
        capability = self.host.capabilities.issue("one")
        old = self.host.capabilities.issue("two")
        self.host.capabilities.revoke("two")
        for wrong in ("", "x", capability[:-1], capability + "x", capability.swapcase(), old, f"{capability}%20"):
            for path in self.paths:
                self.assert_refused(f"/__openclaw__/cap/{wrong}{path}")

    def test_own(self) -> None:
        """
        Each connection has its own, and only its own end takes it away.
        """
        capabilities = self.host.capabilities
        one, other = capabilities.issue("one"), capabilities.issue("other")
        self.assertNotEqual(one, other)
        self.assertEqual(capabilities.issue("one"), one)
        self.assertGreaterEqual(len(one), 22)
        capabilities.revoke("one")
        capabilities.revoke("never seen")
        self.assertEqual((capabilities.holds(one), capabilities.holds(other)), (False, True))
        self.assertNotEqual(capabilities.issue("one"), one)

    def test_nothing_else(self) -> None:
        """
        A capability is for canvas and A2UI only.
        """
        capability = self.host.capabilities.issue("one")
        for rest in ("", "/", "/healthz", "/canvas/", "/v1/models", "/__openclaw__/", "/__openclaw__/cap/x/"):
            self.assertEqual(self.ask(f"/__openclaw__/cap/{capability}{rest}").status, 404, rest)


class TraversalTests(CanvasCase):
    def test_names(self) -> None:
        """
        Of all the ways out that were tried elsewhere none leads out, on either port.
        """
        self.assertGreaterEqual(len(set(ALL_TRAVERSALS)), 200)
        capability = self.host.capabilities.issue("one")
        roots = (make_root(canvas=self.host), CanvasPort(self.host))
        for name in ALL_TRAVERSALS:
            for base in (CANVAS, "/__openclaw__/a2ui", f"/__openclaw__/cap/{capability}{CANVAS}"):
                path = f"{base}/{name}".encode().decode("latin-1")
                for root in roots:
                    answer = ask(root, path)
                    self.assertIn(answer.status, (200, 400, 403, 404), path)
                    self.assertNotIn(SECRET, answer.body, path)
                    self.assertNotIn(b"root:", answer.body, path)

    def test_swapped(self) -> None:
        """
        A directory that becomes a link out while it is walked through leads nowhere, whenever that happens.
        """
        outside = self.root.parent / "outside"
        outside.mkdir()
        (outside / "a.txt").write_bytes(SECRET)
        real = os.open
        left = 0

        def swapping(*arguments: Any, **named: Any) -> int:
            nonlocal left
            left -= 1
            if left == 0:
                (self.root / "sub").rename(self.root / "was")
                (self.root / "sub").symlink_to(outside)
            return real(*arguments, **named)

        self.patch(os, "open", swapping)
        seen = set()
        for when in range(1, 5):
            left = when
            answer = self.ask(f"{CANVAS}/sub/a.txt")
            self.assertNotIn(SECRET, answer.body)
            seen.add(answer.status)
            if (self.root / "was").exists():
                (self.root / "sub").unlink()
                (self.root / "was").rename(self.root / "sub")
        self.assertEqual(seen, {200, 404})

    def test_link_in_place(self) -> None:
        """
        The same for the file itself.
        """
        real = os.open

        def swapping(path: Any, *arguments: Any, **named: Any) -> int:
            if path == "a.txt":
                (self.root / "sub" / "a.txt").unlink(missing_ok=True)
                (self.root / "sub" / "a.txt").symlink_to("../../secret")
            return real(path, *arguments, **named)

        self.patch(os, "open", swapping)
        answer = self.ask(f"{CANVAS}/sub/a.txt")
        self.assertEqual((answer.status, answer.text), (404, "not found"))


class PlaceTests(SynchronousTestCase):
    """
    What a path means.
    """

    def test_places(self) -> None:
        """
        Parts are whole segments, and only what a URL resolves is resolved.
        """
        for path, place in (
            (CANVAS, Place(part="canvas")),
            (f"{CANVAS}/a/b", Place(part="canvas", name="/a/b")),
            (f"{CANVAS}/../a2ui/x", Place(part="a2ui", name="/x")),
            (f"{CANVAS}/%2E%2e/ws", Place(part="socket")),
            (f"{CANVAS}/..%2fws", Place(part="canvas", name="/..%2fws")),
            ("/__openclaw__/ws", Place(part="socket")),
            ("/__openclaw__/ws/", None),
            (f"{CANVAS}X", None),
            ("/__OpenClaw__/canvas/", None),
            ("/__openclaw__/", None),
            (f"/__openclaw__/cap/k{CANVAS}/a", Place(part="canvas", name="/a", capability="k")),
            ("/__openclaw__/cap/k/__openclaw__/ws", Place(part="socket", capability="k")),
            ("/__openclaw__/cap/k", Place(part=None, capability="k")),
            ("/__openclaw__/cap/k/../../canvas", Place(part="canvas")),
        ):
            self.assertEqual(place_of(path), place, path)

    def test_resolve(self) -> None:
        """
        As browsers do it.
        """
        for path, resolved in (
            ("/a/b/..", "/a/"),
            ("/a/b/.", "/a/b/"),
            ("/a//b", "/a//b"),
            ("/../../a", "/a"),
            ("/a/./b/../c", "/a/c"),
            ("/a/...", "/a/..."),
        ):
            self.assertEqual(resolve(path), resolved, path)

    @settings(deadline=None)
    @given(st.text(st.sampled_from("./%2eaE5cf\\\u00e9\0"), max_size=20))
    def test_any_path(self, tail: str) -> None:
        """
        No path is a bug: it has segments without dots, or is refused.
        """
        path = f"{CANVAS}/{tail}".encode().decode("latin-1")
        place = place_of(path)
        if place is None or place.part != "canvas":
            return
        try:
            segments = decode(place.name)
        except BadPath:
            return
        self.assertFalse({"", "."} & set(segments))


class InjectingTests(SynchronousTestCase):
    def test_last_body(self) -> None:
        """
        The script goes before the last end of a body, however that is written.
        """
        before, _, after = inject(b"<body>x = '</body>'</BODY></html>").partition(b"\n<script>")
        self.assertEqual(before, b"<body>x = '</body>'")
        self.assertTrue(after.endswith(b"</script>\n</BODY></html>"))

    def test_one_script(self) -> None:
        """
        Nothing in the script ends it.
        """
        self.assertEqual(inject(b"").count(b"</"), 1)


class StarterTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.root = Path(self.mktemp()).absolute() / "workspace" / "canvas"

    def test_made(self) -> None:
        """
        The directory is made, with a page that says what it is.
        """
        prepare(self.root)
        text = (self.root / "index.html").read_text()
        self.assertIn("<title>OpenClaw Canvas</title>", text)
        for name in ("hello", "time", "photo", "dalek"):
            self.assertIn(f'data-name="{name}"', text)

    def test_kept(self) -> None:
        """
        What is there stays, even a link to nothing.
        """
        self.root.mkdir(parents=True)
        (self.root / "index.html").symlink_to("nothing")
        prepare(self.root)
        self.assertFalse((self.root / "nothing").exists())
        (self.root / "index.html").unlink()
        (self.root / "index.html").write_text("mine")
        prepare(self.root)
        self.assertEqual((self.root / "index.html").read_text(), "mine")


class LogTests(CanvasCase):
    def test_capability(self) -> None:
        """
        What lets a client in is not written down.
        """
        capability = self.host.capabilities.issue("one")
        with capturedLogs() as events:
            self.ask(f"/__openclaw__/cap/{capability}{CANVAS}/sub/a.txt")
        (told,) = [text for event in events if "/__openclaw__/cap/" in (text := formatEvent(event) or "")]
        self.assertIn(f"/__openclaw__/cap/*{CANVAS}/sub/a.txt 200", told)
