"""
The words by which requests are counted.
"""

from __future__ import annotations

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.model import Config
from openclaw.config.model_hooks import HooksConfig
from openclaw.web.gate import Gate
from openclaw.web.routes import route_of
from openclaw.web.site import make_site
from tests.web.asking import Line, configured, make_root

HOOKS = evolve(Config(), hooks=HooksConfig(enabled=True, path="/hk/"))

WORDS = {
    "/healthz": "probe",
    "/readyz": "probe",
    "/protocol.json": "document",
    "/openapi.json": "document",
    "/metrics": "metrics",
    "/v1/chat/completions": "chat_completions",
    "/v1/responses": "responses",
    "/v1/models": "models",
    "/v1/models/openclaw:main": "models",
    "/v1/embeddings": "v1",
    "/tools/invoke": "tools_invoke",
    "/hk/wake": "hooks",
    "/__openclaw__/canvas/a.html": "canvas",
    "/__openclaw__/a2ui/": "a2ui",
    "/__openclaw__/ws": "socket",
    "/__openclaw__/cap/x/__openclaw__/a2ui/": "a2ui",
    "/__openclaw__/cap/x/nothing": "canvas",
    "/__openclaw__/nothing": "page",
    "/avatar/main": "avatar",
    "/": "page",
    "/hooks/wake": "page",
    "": "page",
}


class RouteTests(SynchronousTestCase):
    def test_words(self) -> None:
        """
        Each kind of address has its word.
        """
        self.assertEqual({path: route_of(HOOKS, path) for path in WORDS}, WORDS)

    def test_below_a_base_path(self) -> None:
        """
        Avatars are where the page is.
        """
        config = configured(base_path="/ui")
        self.assertEqual([route_of(config, path) for path in ("/ui/avatar/main", "/avatar/main")], ["avatar", "page"])

    @given(st.text())
    def test_no_other_words(self, path: str) -> None:
        """
        Whatever is asked for, there are no more words.
        """
        self.assertIn(route_of(HOOKS, "/" + path), WORDS.values())


class CountingTests(SynchronousTestCase):
    """
    Who counts is told of every answer.
    """

    def setUp(self) -> None:
        self.counted: list[tuple[str, int]] = []

    def say(self, *requests: bytes) -> None:
        root = make_root()
        line = Line(root, make_site(root, Clock(), Gate(), lambda route, status: self.counted.append((route, status))))
        for request in requests:
            line.send(request)
        self.line = line

    def test_answers(self) -> None:
        """
        Those of the routes.
        """
        self.say(
            b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
            b"GET http://127.0.0.1/metrics?a=b HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        )
        self.assertEqual(self.counted, [("probe", 200), ("metrics", 401)])

    def test_refusals(self) -> None:
        """
        Those that come before any route: bodies that are too large, heads that are, requests that do not end.
        """
        self.say(b"POST /v1/models?a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999\r\n\r\n")
        self.say(b"G" * 20_000 + b"\r\n")
        self.say(b"POST /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n1")
        self.line.channel.timeoutConnection()
        self.assertEqual(self.counted, [("models", 413), ("page", 431), ("metrics", 408)])
