"""
Reading and searching the web.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.external import BEGIN, END
from openclaw.config.model import build
from openclaw.egress.errors import BlockedAddress
from openclaw.tools.base import ToolFailed
from openclaw.tools.html import read_page
from openclaw.tools.web import BRAVE, KEPT, Cache
from tests.tools.fakes import FakeWorld

PAGE = b"""<!doctype html><html><head><title> A  page </title><style>p{}</style><script>evil()</script></head>
<body><nav><a href="/home">Home</a></nav><article><h1>Title</h1><p>One <b>two</b>
three.</p><ul><li>a</li><li>b</li></ul><p>See <a href="/x?y=1#z">this</a> and <a href="javascript:x">that</a>.</p>
<pre>code
  more</pre></article><footer>Legal</footer></body></html>"""


def page(html: str, *, markdown: bool = True) -> str:
    return read_page(html, "https://a.example/dir/", markdown=markdown).text


class PageTests(SynchronousTestCase):
    def test_article(self) -> None:
        """
        What is to be read, as Markdown; nothing of what stands around it, and no script.
        """
        read = read_page(PAGE.decode(), "https://a.example/dir/", markdown=True)
        self.assertEqual(read.title, "A page")
        expected = (
            "# Title\n\nOne two three.\n\n- a\n- b\n\nSee [this](https://a.example/x?y=1#z) and that.\n\n"
            "```\ncode\nmore\n```"
        )
        self.assertEqual(read.text, expected)
        self.assertNotIn("[", page(PAGE.decode(), markdown=False))

    def test_without_main_part(self) -> None:
        """
        A page that is only what stands around others is read whole.
        """
        self.assertEqual(page("<nav>all there is</nav>"), "all there is")
        self.assertEqual(page("<nav>menu</nav><p>the text</p>"), "the text")
        self.assertEqual(page("plain & simple"), "plain & simple")
        self.assertEqual(page("<p>a<br>b</p></div></p>c"), "a\nb\n\nc")

    @settings(max_examples=300, deadline=None)
    @given(st.lists(st.sampled_from(["<p>", "</p>", "<a href='", "'>", "<", ">", "&#", "x", "<!--", "]]>", "<pre>"])))
    def test_any(self, pieces: list[str]) -> None:
        self.assertIsInstance(page("".join(pieces)), str)

    def test_deep(self) -> None:
        """
        Elements inside of each other cost no more than others.
        """
        began = time.perf_counter()
        text = page("<div>" * 200_000 + "x" + "</div>" * 200_000)
        self.assertEqual(text, "x")
        self.assertLess(time.perf_counter() - began, 20)


class FetchTests(SynchronousTestCase):
    def world(self, pages: Any, tools: Any = None) -> FakeWorld:
        return FakeWorld(Path(self.mktemp()), pages=pages, config=build({"tools": {"web": tools or {}}}))

    def test_page(self) -> None:
        world = self.world({"https://a.example/": (200, "text/html; charset=utf-8", PAGE)})
        told = self.successResultOf(world.perform("web_fetch", url="https://a.example/"))
        details = told.details
        self.assertTrue(told.foreign)
        self.assertEqual((details["title"], details["extractor"], details["truncated"]), ("A page", "html", False))
        self.assertEqual((details["text"].count(BEGIN), details["text"].count(END)), (1, 1))
        self.assertIn("# Title", details["text"])
        self.assertEqual((world.fetched[0][2].max_redirects, world.fetched[0][2].seconds), (3, 30))

    def test_kinds(self) -> None:
        """
        JSON is made readable; what is no text is only told of.
        """
        world = self.world(
            {
                "https://a/j": (200, "application/json", b'{"a":[1]}'),
                "https://a/b": (200, "image/png", b"\x89PNG"),
                "https://a/t": (200, "text/plain", b"x" * 1000),
                "https://a/l": (200, "text/plain; charset=iso-8859-1", b"caf\xe9"),
            }
        )
        text = {}
        for name in "jbl":
            text[name] = self.successResultOf(world.perform("web_fetch", url=f"https://a/{name}")).details["text"]
        self.assertIn('{\n  "a": [\n    1\n  ]\n}', text["j"])
        self.assertIn("[4 bytes of image/png]", text["b"])
        self.assertIn("café", text["l"])
        cut = self.successResultOf(world.perform("web_fetch", url="https://a/t", maxChars=100)).details
        self.assertEqual((cut["length"], cut["truncated"]), (100, True))

    def test_odd_json(self) -> None:
        """
        A stranger's JSON, whatever it is made of, gives a text that can be stored; numbers keep all their digits.
        """
        world = self.world(
            {
                "https://a/half": (
                    200,
                    "application/json",
                    b'["x\\ud83d", "\\ud83d\\ude00", 123456789012345678901234567890]',
                ),
                "https://a/deep": (200, "application/json", b"[" * 200_000),
                "https://a/deep2": (200, "application/json", b"[" * 950 + b"]" * 950),
            }
        )
        text = self.successResultOf(world.perform("web_fetch", url="https://a/half")).details["text"]
        self.assertIn('"x\ufffd",\n  "\U0001f600",\n  123456789012345678901234567890', text)
        for name in ("deep", "deep2"):
            told = self.successResultOf(world.perform("web_fetch", url=f"https://a/{name}")).details
            self.assertIn("[", told["text"])

    def test_refused(self) -> None:
        world = self.world({"http://a/": BlockedAddress(), "http://b/": (404, "text/html", b"<p>gone</p>")})
        failure = self.failureResultOf(world.perform("web_fetch", url="http://a/"), ToolFailed)
        self.assertEqual(str(failure.value), "Blocked: private/internal IP address")
        failure = self.failureResultOf(world.perform("web_fetch", url="http://b/"), ToolFailed)
        self.assertIn("Web fetch failed (404): ", str(failure.value))
        told = self.successResultOf(world.run("web_fetch", url="http://b/"))
        self.assertEqual((told.is_error, told.foreign), (True, True))
        off = self.world({}, {"fetch": {"enabled": False}})
        self.failureResultOf(off.perform("web_fetch", url="http://a/"), ToolFailed)

    def test_kept(self) -> None:
        """
        For a quarter of an hour; then the page is fetched again.
        """
        world = self.world({"http://a/": (200, "text/plain", b"x")})
        for expected in (1, 1):
            self.successResultOf(world.perform("web_fetch", url="http://a/"))
            self.assertEqual(len(world.fetched), expected)
        world.clock.advance(15 * 60)
        self.successResultOf(world.perform("web_fetch", url="http://a/"))
        self.assertEqual(len(world.fetched), 2)

    def test_bounded(self) -> None:
        cache = Cache(lambda: 0.0)
        for number in range(KEPT + 5):
            cache.put(str(number), number, 1)
        self.assertIsNone(cache.get("4"))
        self.assertEqual(cache.get("5"), 5)
        cache.put("none", 1, 0)
        self.assertIsNone(cache.get("none"))


class SearchTests(SynchronousTestCase):
    def world(self, body: Any, status: int = 200, environ: Any = None) -> FakeWorld:
        pages = {BRAVE: (status, "application/json", json.dumps(body).encode())}
        return FakeWorld(Path(self.mktemp()), pages=pages, environ=environ or {})

    def test_brave(self) -> None:
        """
        The key goes to Brave and nowhere else; what was found is marked as foreign.
        """
        first = {"title": "T", "url": "https://t/", "description": "d", "age": "1 day"}
        rows = [first, "odd", {"profile": {"name": "S"}}]
        world = self.world({"web": {"results": rows}}, environ={"BRAVE_API_KEY": "k-1"})
        told = self.successResultOf(world.perform("web_search", query="a b", count=3, country="DE", freshness="pd"))
        url, headers, limits = world.fetched[0]
        self.assertEqual(url, f"{BRAVE}?q=a+b&count=3&country=DE&freshness=pd")
        self.assertEqual((headers["x-subscription-token"], limits.max_redirects), ("k-1", 0))
        self.assertEqual((told.details["count"], told.foreign), (2, True))
        self.assertEqual(told.details["results"][0]["published"], "1 day")
        self.assertIn(BEGIN, told.details["results"][0]["description"])
        self.successResultOf(world.perform("web_search", query="a b", count=3, country="DE", freshness="pd"))
        self.assertEqual(len(world.fetched), 1)

    def test_without_key(self) -> None:
        told = self.successResultOf(self.world({}).perform("web_search", query="x"))
        self.assertEqual(told.details["error"], "missing_brave_api_key")

    def test_refused(self) -> None:
        keys = {"BRAVE_API_KEY": "k"}
        failure = self.failureResultOf(self.world("no", 429, keys).perform("web_search", query="x"), ToolFailed)
        self.assertIn("Brave Search API error (429)", str(failure.value))
        failure = self.failureResultOf(self.world([1], 200, keys).perform("web_search", query="x"), ToolFailed)
        self.assertIn("cannot be read", str(failure.value))
        failure = self.failureResultOf(self.world({}).perform("web_search"), ToolFailed)
        self.assertEqual(str(failure.value), "query required")
