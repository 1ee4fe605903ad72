"""
Another page in place of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import IResource
from twisted.web.server import Request
from twisted.web.test.requesthelper import DummyChannel

from openclaw.files import open_below
from openclaw.web.bundle import file_name, inject, script_text
from openclaw.web.sending import FileSending
from tests.test_files import SECRET, TRAVERSALS
from tests.web.asking import Answer, ask, configured, make_root

PAGE = b"<!doctype html><html><head><title>Other</title></head><body>other</body></html>"
HOST = ("Host", "localhost")


async def presented(agent_id: str) -> Mapping[str, str]:
    return {"name": f"</script>{agent_id}", "avatar": "L"}


class BundleTests(SynchronousTestCase):
    """
    ``gateway.controlUi.root``.
    """

    def setUp(self) -> None:
        top = Path(self.mktemp()).absolute()
        self.root = top / "bundle"
        (self.root / "assets").mkdir(parents=True)
        (self.root / "docs").mkdir()
        (top / "secret").write_bytes(SECRET)
        (self.root / "index.html").write_bytes(PAGE)
        (self.root / "docs" / "index.html").write_bytes(b"docs")
        (self.root / "assets" / "app.js").write_bytes(b"export {};")
        (self.root / "assets" / "out").symlink_to("../../secret")

    def site(self, **control_ui: Any) -> IResource:
        return make_root(configured(root=str(self.root), **control_ui), presented=presented)

    def ask(self, path: str, **asked: Any) -> Answer:
        return ask(self.site(), path, **asked)

    def test_page(self) -> None:
        """
        The page knows base path, name and avatar before its scripts run, and no text can end the script.
        """
        script = (
            b'<script>window.__OPENCLAW_CONTROL_UI_BASE_PATH__="";'
            b'window.__OPENCLAW_ASSISTANT_NAME__="\\u003c/script\\u003emain";'
            b'window.__OPENCLAW_ASSISTANT_AVATAR__="L";</script>'
        )
        answer = self.ask("/")
        self.assertEqual(answer.body, PAGE.replace(b"</head>", script + b"</head>"))
        self.assertEqual(answer.headers["content-type"], "text/html; charset=utf-8")

    def test_headers(self) -> None:
        """
        It may run its own inline script, and nobody may frame it.
        """
        for path in ("/", "/assets/app.js"):
            headers = self.ask(path).headers
            self.assertEqual(headers["content-security-policy"], "frame-ancestors 'none'")
            self.assertEqual(headers["x-frame-options"], "DENY")
            self.assertEqual(headers["x-content-type-options"], "nosniff")
            self.assertEqual(headers["referrer-policy"], "no-referrer")
            self.assertEqual(headers["cache-control"], "no-cache")

    def test_files(self) -> None:
        """
        A file is a file, and assets are found from every depth.
        """
        for path in ("/assets/app.js", "/a/b/assets/app.js", "/x/../assets/./app.js", "/assets/%2e/app.js"):
            answer = self.ask(path)
            self.assertEqual((answer.status, answer.body), (200, b"export {};"), path)
            self.assertEqual(answer.headers["content-type"], "application/javascript; charset=utf-8")
            self.assertEqual(answer.headers["content-length"], "10")

    def test_directories(self) -> None:
        """
        A path that ends in a slash is its index.
        """
        self.assertTrue(self.ask("/docs/").text.endswith("</script>docs"))

    def test_any_other_path_is_the_page(self) -> None:
        """
        The page's own routes are not known here.
        """
        for path in ("/chat", "/docs", "/a/b/c", "/missing.js", "/health", "/%20"):
            answer = self.ask(path)
            self.assertEqual(answer.status, 200, path)
            self.assertIn("<title>Other</title>", answer.text)
            self.assertEqual(answer.headers["content-type"], "text/html; charset=utf-8")

    def test_missing_asset(self) -> None:
        """
        A missing asset is not the page.
        """
        for path in ("/assets/missing.js", "/a/assets/missing.js", "/assets/"):
            self.assertEqual(self.ask(path).status, 404, path)

    def test_base_path(self) -> None:
        """
        Below a base path.
        """
        site = self.site(base_path="/ui")
        self.assertEqual(ask(site, "/ui").headers["location"], "/ui/")
        self.assertIn('BASE_PATH__="/ui"', ask(site, "/ui/anything").text)
        self.assertEqual(ask(site, "/ui/assets/app.js").body, b"export {};")
        for path in ("/", "/assets/app.js", "/ui/../assets/app.js/../../x/"):
            self.assertIn(ask(site, path).status, (200, 404))
        self.assertEqual(ask(site, "/assets/app.js").status, 404)

    def test_head(self) -> None:
        """
        HEAD has the head only.
        """
        for path in ("/", "/assets/app.js", "/chat"):
            answer = self.ask(path, method="HEAD")
            self.assertEqual((answer.status, answer.body), (200, b""))

    def test_not_modified(self) -> None:
        """
        What the browser has is not sent again, until it changes.
        """
        for path, file in (("/", "index.html"), ("/assets/app.js", "assets/app.js")):
            etag = self.ask(path).headers["etag"]
            self.assertEqual(self.ask(path, headers=[HOST, ("If-None-Match", etag)]).status, 304)
            (self.root / file).write_bytes(b"changed")
            self.assertEqual(self.ask(path, headers=[HOST, ("If-None-Match", etag)]).status, 200)

    def test_no_page(self) -> None:
        """
        Without an index there is nothing to show, and the answer does not tell where it should be.
        """
        (self.root / "index.html").unlink()
        answer = self.ask("/chat")
        self.assertEqual(answer.status, 503)
        self.assertTrue(answer.text.startswith("Control UI assets not found."))
        self.assertNotIn(str(self.root), answer.text)
        self.assertEqual(answer.headers["content-type"], "text/plain; charset=utf-8")

    def test_traversal(self) -> None:
        """
        No path reads the secret beside the bundle, whether from the root or from the assets.
        """
        for name in (
            *TRAVERSALS,
            "assets/out",
            "out",
            "assets/../../secret",
            "%2e%2e/secret",
            "assets/.%2E/.%2e/secret",
        ):
            raw = name.encode().decode("latin-1")
            for path in (f"/{raw}", f"/assets/{raw}", f"/a/assets/{raw}"):
                if any(letter in path for letter in " \r\n\0"):
                    continue
                self.assertNotIn(SECRET, self.ask(path).body, path)

    def test_big_file(self) -> None:
        """
        A file of many pieces arrives whole.
        """
        data = bytes(range(256)) * 3000
        (self.root / "assets" / "big.bin").write_bytes(data)
        answer = self.ask("/assets/big.bin")
        self.assertEqual(answer.body, data)
        self.assertEqual(answer.headers["content-type"], "application/octet-stream")


class NameTests(SynchronousTestCase):
    """
    From path to file.
    """

    def test_names(self) -> None:
        """
        Dots are followed within the base path; nothing is decoded.
        """
        for name, file in (
            ("", "index.html"),
            ("docs/", "docs/index.html"),
            ("a/assets/x.js", "assets/x.js"),
            ("assets/a/assets/x.js", "assets/a/assets/x.js"),
            ("assetsx/x.js", "assetsx/x.js"),
            ("../../x", "x"),
            ("a/%2E%2e/x", "x"),
            ("a%2fb", "a%2fb"),
            ("..", "index.html"),
        ):
            self.assertEqual(file_name(name), file, name)

    def test_page_without_head(self) -> None:
        """
        Without a head the script comes first; a page that knows is left alone.
        """
        self.assertEqual(inject(b"hi", {"a": "b"}), b'<script>window.a="b";</script>hi')
        known = b"<head><script>window.__OPENCLAW_ASSISTANT_NAME__='x'</script></head>"
        self.assertEqual(inject(known, {"a": "b"}), known)

    def test_script_text(self) -> None:
        """
        Quotes, ends of scripts and odd line ends are escaped.
        """
        self.assertEqual(script_text('"</script><!--\u2028'), '"\\"\\u003c/script\\u003e\\u003c!--\\u2028"')


class SendingTests(SynchronousTestCase):
    """
    A file at the pace of its reader.
    """

    def setUp(self) -> None:
        self.directory = Path(self.mktemp())
        self.directory.mkdir()
        (self.directory / "file").write_bytes(b"x" * 300_000)
        self.written: list[bytes] = []
        self.request = Request(DummyChannel(), False)
        self.request.write = self.written.append  # type: ignore[method-assign]  # instead of a transport
        self.request.registerProducer = lambda producer, streaming: None  # type: ignore[method-assign]
        self.request.unregisterProducer = lambda: None  # type: ignore[method-assign]
        self.sending = FileSending(self.request, open_below(self.directory, "file"))

    def test_pause(self) -> None:
        """
        Nothing is read while the client does not take it.
        """

        def write(data: bytes) -> None:
            self.written.append(data)
            self.sending.pauseProducing()

        self.request.write = write  # type: ignore[method-assign]  # instead of a transport
        done: Deferred[None] = self.sending.start()
        self.assertEqual(len(self.written), 1)
        self.assertNoResult(done)
        for _ in range(4):
            self.sending.resumeProducing()
        self.successResultOf(done)
        self.assertEqual(sum(map(len, self.written)), 300_000)

    def test_client_gone(self) -> None:
        """
        The file is closed when the client goes away.
        """
        self.request.write = lambda data: self.sending.pauseProducing()  # type: ignore[method-assign]
        done = self.sending.start()
        self.sending.stopProducing()
        self.assertTrue(self.sending.opened.file.closed)
        done.cancel()
        self.failureResultOf(done)

    def test_file_became_shorter(self) -> None:
        """
        A body that falls short of its promised length ends the connection.
        """
        lost: list[bool] = []
        self.request.loseConnection = lambda: lost.append(True)  # type: ignore[method-assign]
        (self.directory / "file").write_bytes(b"x")
        self.successResultOf(self.sending.start())
        self.assertEqual(lost, [True])
