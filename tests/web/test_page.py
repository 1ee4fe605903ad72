"""
Our own page, as it is served.
"""

from __future__ import annotations

import re
import shutil
import subprocess

from twisted.trial.unittest import SynchronousTestCase

from openclaw.web.page import PLACES, UI
from tests.web.asking import ask, configured, make_root

HOST = ("Host", "localhost:18789")


class ServingTests(SynchronousTestCase):
    """
    ``GET /`` and the files of the page.
    """

    def test_index(self) -> None:
        """
        The page itself, to be asked for anew each time, and its security headers.
        """
        answer = ask(make_root(), "/")
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.headers["content-type"], "text/html; charset=utf-8")
        self.assertEqual(answer.headers["cache-control"], "no-cache")
        self.assertEqual(answer.headers["x-content-type-options"], "nosniff")
        self.assertEqual(answer.headers["referrer-policy"], "no-referrer")
        self.assertEqual(answer.headers["x-frame-options"], "DENY")
        self.assertEqual(
            answer.headers["content-security-policy"],
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
            "base-uri 'none'; frame-ancestors 'none'; form-action 'none'; "
            "require-trusted-types-for 'script'; trusted-types 'none'",
        )

    def test_no_guessing(self) -> None:
        """
        No answer's type is guessed, also of refusals.
        """
        root = make_root()
        etag = ask(root, "/app.js").headers["etag"]
        answers = [
            (200, ask(root, "/style.css")),
            (304, ask(root, "/app.js", headers=[HOST, ("If-None-Match", etag)])),
            (400, ask(root, "/", headers=[("Host", "a b")])),
            (400, ask(root, "/", headers=[HOST, ("Connection", "Upgrade"), ("Upgrade", "websocket")])),
            (401, ask(root, "/protocol.json")),
            (403, ask(root, "/", headers=[("Host", "evil.example")])),
            (404, ask(root, "/nothing")),
            (405, ask(root, "/", method="PUT")),
        ]
        for status, answer in answers:
            self.assertEqual((answer.status, answer.headers["x-content-type-options"]), (status, "nosniff"))

    def test_every_file(self) -> None:
        """
        Each file of the page, with its type.
        """
        types = {".html": "text/html", ".js": "application/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
        for path in UI.iterdir():
            answer = ask(make_root(), f"/{path.name}")
            self.assertEqual((answer.status, answer.body), (200, path.read_bytes()))
            self.assertEqual(answer.headers["content-type"].partition(";")[0], types[path.suffix])

    def test_places(self) -> None:
        """
        Bookmarks into the Control UI open the page, whatever their query.
        """
        for place in ("", *PLACES):
            self.assertIn("<!doctype html>", ask(make_root(), f"/{place}?session=main&token=x").text)

    def test_head(self) -> None:
        """
        HEAD has the head only.
        """
        answer = ask(make_root(), "/", method="HEAD")
        self.assertEqual((answer.status, answer.body), (200, b""))
        self.assertEqual(answer.headers["content-type"], "text/html; charset=utf-8")

    def test_not_modified(self) -> None:
        """
        What the browser has is not sent again.
        """
        etag = ask(make_root(), "/app.js").headers["etag"]
        answer = ask(make_root(), "/app.js", headers=[HOST, ("If-None-Match", etag)])
        self.assertEqual((answer.status, answer.body), (304, b""))
        answer = ask(make_root(), "/app.js", headers=[HOST, ("If-None-Match", '"other"')])
        self.assertEqual(answer.status, 200)

    def test_switched_off(self) -> None:
        """
        ``controlUi.enabled: false``.
        """
        for path in ("/", "/app.js", "/chat", "/avatar/main"):
            self.assertEqual(ask(make_root(configured(enabled=False)), path).status, 404, path)

    def test_base_path(self) -> None:
        """
        Below a base path the page is there and nowhere else; the bare base path leads to it, with its query.
        """
        root = make_root(configured(base_path="openclaw/"))
        answer = ask(root, "/openclaw?token=x&y=%20")
        self.assertEqual((answer.status, answer.headers["location"]), (302, "/openclaw/?token=x&y=%20"))
        for path in ("/openclaw/", "/openclaw/app.js", "/openclaw/chat"):
            self.assertEqual(ask(root, path).status, 200, path)
        for path in ("/", "/app.js", "/chat", "/openclawx", "/openclawx/app.js", "//openclaw/"):
            self.assertEqual(ask(root, path).status, 404, path)
        self.assertEqual(ask(root, "/elsewhere", method="POST").status, 405)
        self.assertEqual(ask(root, "/healthz").status, 200)


class ContentTests(SynchronousTestCase):
    """
    What the page is made of.
    """

    def test_nothing_from_elsewhere(self) -> None:
        """
        No inline script or style, nothing from another server, and every file that is named is there.
        """
        html = (UI / "index.html").read_text(encoding="utf-8")
        self.assertEqual(re.findall(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=", html), [])
        named = re.findall(r'(?:src|href)="([^"#]+)"', html)
        self.assertEqual([name for name in named if not (UI / name).is_file()], [])
        for script in UI.glob("*.js"):
            named = re.findall(r'^import .* from "\./([^"]+)";$', script.read_text(encoding="utf-8"), re.MULTILINE)
            self.assertEqual([name for name in named if not (UI / name).is_file()], [])

    def test_text_stays_text(self) -> None:
        """
        No script can make markup of what comes from outside.
        """
        unsafe = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|srcdoc")
        for script in UI.glob("*.js"):
            self.assertEqual(unsafe.findall(script.read_text(encoding="utf-8")), [], script.name)

    def test_not_only_the_newest_browsers(self) -> None:
        """
        Syntax that made Safari 15 and 16 refuse a whole file.
        """
        for script in UI.glob("*.js"):
            self.assertEqual(re.findall(r"\(\?<[!=]", script.read_text(encoding="utf-8")), [], script.name)
        css = (UI / "style.css").read_text(encoding="utf-8")
        self.assertEqual(re.findall(r"@media[^{]*[<>]", css), [])

    def test_logical_properties(self) -> None:
        """
        The style names no left or right, so that it reads well from either side.
        """
        css = (UI / "style.css").read_text(encoding="utf-8")
        self.assertEqual(re.findall(r"[\w-]*(?:left|right)[\w-]*\s*:|text-align:\s*(?:left|right)", css), [])

    def test_scripts_parse(self) -> None:
        """
        Node reads every script as a module.
        """
        node = shutil.which("node")
        if node is None:
            self.skipTest("node is not installed")
        for script in UI.glob("*.js"):
            done = subprocess.run(
                [node, "--input-type=module", "--check"], input=script.read_bytes(), capture_output=True, check=False
            )
            self.assertEqual(done.returncode, 0, f"{script.name}: {done.stderr.decode()}")
