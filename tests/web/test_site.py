"""
The one port: probes, upgrades, and what is neither.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.model import Config
from tests.web.asking import ask, configured, make_root

HOST = ("Host", "127.0.0.1:18789")
UPGRADE = (
    HOST,
    ("Connection", "keep-alive, Upgrade"),
    ("Upgrade", "WebSocket"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Version", "13"),
)


def upgrade(**changed: str | None) -> list[tuple[str, str]]:
    """
    A good upgrade with some headers replaced or left out.
    """
    wanted = {name.replace("_", "-").lower(): value for name, value in changed.items()}
    kept = [(name, wanted.pop(name.lower(), value)) for name, value in UPGRADE]
    return [(name, value) for name, value in [*kept, *wanted.items()] if value is not None]


class ProbeTests(SynchronousTestCase):
    """
    ``/healthz`` and ``/readyz``.
    """

    def test_healthz(self) -> None:
        """
        The process answers, whatever is pending, and says nothing else.
        """
        answer = ask(make_root(pending=["store"]), "/healthz")
        self.assertEqual((answer.status, answer.value), (200, {"ok": True}))
        self.assertEqual(answer.headers["content-type"], "application/json; charset=utf-8")
        self.assertEqual(answer.headers["cache-control"], "no-store")
        self.assertNotIn("server", answer.headers)
        self.assertIn("date", answer.headers)

    def test_ready(self) -> None:
        """
        Nothing is pending.
        """
        answer = ask(make_root(), "/readyz")
        self.assertEqual((answer.status, answer.value), (200, {"ok": True}))

    def test_not_ready(self) -> None:
        """
        The parts that are pending are named.
        """
        answer = ask(make_root(pending=["store", "agents"]), "/readyz")
        self.assertEqual((answer.status, answer.value), (503, {"ok": False, "pending": ["store", "agents"]}))

    def test_head(self) -> None:
        """
        HEAD has the status and no body.
        """
        for path, pending, status in (("/healthz", [], 200), ("/readyz", [], 200), ("/readyz", ["store"], 503)):
            answer = ask(make_root(pending=pending), path, method="HEAD")
            self.assertEqual((answer.status, answer.body), (status, b""))

    def test_other_methods(self) -> None:
        """
        A probe is read, not written.
        """
        answer = ask(make_root(), "/healthz", method="POST")
        self.assertEqual((answer.status, answer.headers["allow"]), (405, "GET, HEAD"))

    def test_without_page(self) -> None:
        """
        Probes do not depend on the page.
        """
        self.assertEqual(ask(make_root(configured(enabled=False)), "/healthz").status, 200)

    def test_query(self) -> None:
        """
        A query changes nothing.
        """
        self.assertEqual(ask(make_root(), "/healthz?x=1").status, 200)

    def test_near_names(self) -> None:
        """
        Only these two paths are probes.
        """
        for path in ("/healthz/", "/Healthz", "/health", "/healthz/x"):
            self.assertEqual(ask(make_root(), path).status, 404, path)


class HostTests(SynchronousTestCase):
    """
    The name by which we are called.
    """

    def test_foreign_host(self) -> None:
        """
        Probes and page are not for a hostile page's name.
        """
        for path in ("/healthz", "/readyz", "/", "/app.js", "/nothing", "//nothing"):
            answer = ask(make_root(), path, headers=[("Host", "evil.example")])
            self.assertEqual((answer.status, answer.text), (403, "Forbidden: unknown Host"), path)

    def test_foreign_host_of_a_page(self) -> None:
        """
        A page that has its own name lead here is known by its ``Origin``, also where a secret is asked; programs have
        none.
        """
        named = [("Host", "evil.example")]
        for path in ("/v1/models", "/tools/invoke", "/hooks/wake", "/metrics"):
            answer = ask(make_root(), path, headers=[*named, ("Origin", "http://evil.example")])
            self.assertEqual((answer.status, answer.text), (403, "Forbidden: unknown Host"), path)
        self.assertEqual(ask(make_root(), "/v1/models", headers=named).status, 404)
        answer = ask(make_root(), "/v1/models", headers=[HOST, ("Origin", "http://evil.example")])
        self.assertEqual(answer.status, 404)

    def test_own_names(self) -> None:
        """
        The machine's names pass, and what the configuration allows.
        """
        self.assertEqual(ask(make_root(), "/healthz", headers=[("Host", "workshop:18789")]).status, 200)
        allowed = configured(allowed_origins=("https://gw.example",))
        self.assertEqual(ask(make_root(allowed), "/healthz", headers=[("Host", "gw.example")]).status, 200)

    def test_no_host(self) -> None:
        """
        HTTP/1.1 asks for a Host; HTTP/1.0 does not.
        """
        self.assertEqual(ask(make_root(), "/healthz", headers=[]).status, 400)
        self.assertEqual(ask(make_root(), "/healthz", headers=[], version="HTTP/1.0").status, 200)

    def test_unreadable_host(self) -> None:
        """
        What is no name and no address is a bad request, also for an upgrade.
        """
        for host in ("a b", "a..b", "x" * 64, "http://x", "a@b", "a/b", "[::1", "\xff", "x:y"):
            for headers in ([("Host", host)], [("Host", host), *UPGRADE[1:]]):
                self.assertEqual(ask(make_root(), "/", headers=headers).status, 400, host)

    def test_two_hosts(self) -> None:
        """
        Nobody may show a proxy one name and us another.
        """
        for headers in ([HOST, HOST], [("Host", "127.0.0.1, evil.example")]):
            self.assertEqual(ask(make_root(), "/healthz", headers=headers).status, 400)


class UpgradeTests(SynchronousTestCase):
    """
    What goes to the WebSocket.
    """

    def test_any_path(self) -> None:
        """
        Every path upgrades, with the page or without.
        """
        for path in ("/", "/any/path?x=y", "/healthz", "/v1/chat/completions", "//", "/%zz"):
            for root in (make_root(), make_root(configured(enabled=False))):
                self.assertEqual(ask(root, path, headers=UPGRADE).text, "upgraded", path)

    def test_old_version(self) -> None:
        """
        Version 8 is accepted too.
        """
        self.assertEqual(ask(make_root(), "/", headers=upgrade(sec_websocket_version="8")).text, "upgraded")

    def test_canvas_socket(self) -> None:
        """
        Where there is no live reload its path is as good as any other.
        """
        for path in ("/__openclaw__/ws", "/__openclaw__/ws?x=1"):
            self.assertEqual(ask(make_root(), path, headers=UPGRADE).text, "upgraded")

    def test_bad_upgrades(self) -> None:
        """
        Each bad upgrade has its answer, and the connection ends.
        """
        key = "Missing or invalid Sec-WebSocket-Key header"
        version = "Missing or invalid Sec-WebSocket-Version header"
        for headers, text in (
            (upgrade(upgrade="h2c"), "Invalid Upgrade header"),
            (upgrade(sec_websocket_key=None), key),
            (upgrade(sec_websocket_key="short"), key),
            (upgrade(sec_websocket_version=None), version),
            (upgrade(sec_websocket_version="7"), version),
            (upgrade(sec_websocket_version="13, 8"), version),
            (upgrade(sec_websocket_version="-13"), version),
        ):
            answer = ask(make_root(), "/", headers=headers)
            self.assertEqual((answer.status, answer.text), (400, text))
            self.assertEqual((answer.headers["connection"], answer.ended), ("close", True))
            self.assertEqual(answer.headers.get("sec-websocket-version"), "13, 8" if text == version else None)

    def test_body(self) -> None:
        """
        An upgrade has no body, whose bytes would be taken for frames.
        """
        for header, body in (("Content-Length", b"\x81\x02{}"), ("Transfer-Encoding", b"2\r\n{}\r\n0\r\n\r\n")):
            told = str(len(body)) if header == "Content-Length" else "chunked"
            answer = ask(make_root(), "/", headers=[*UPGRADE, (header, told)], body=body)
            self.assertEqual((answer.status, answer.text, answer.ended), (400, "Unexpected body", True))
        self.assertEqual(ask(make_root(), "/", headers=[*UPGRADE, ("Content-Length", "0")]).text, "upgraded")

    def test_other_methods(self) -> None:
        """
        Only GET upgrades.
        """
        answer = ask(make_root(), "/", method="POST", headers=UPGRADE)
        self.assertEqual((answer.status, answer.text), (405, "Invalid HTTP method"))

    def test_without_connection_header(self) -> None:
        """
        ``Upgrade`` alone is a plain request, which is answered.
        """
        self.assertEqual(ask(make_root(), "/healthz", headers=upgrade(connection=None)).value, {"ok": True})
        self.assertEqual(ask(make_root(), "/healthz", headers=upgrade(connection="close")).value, {"ok": True})


class RestTests(SynchronousTestCase):
    """
    What nothing takes.
    """

    def test_unknown_path(self) -> None:
        """
        404 in plain text.
        """
        answer = ask(make_root(), "/nothing/here")
        self.assertEqual((answer.status, answer.text), (404, "Not Found"))
        self.assertEqual(answer.headers["content-type"], "text/plain; charset=utf-8")

    def test_odd_paths(self) -> None:
        """
        Nor is anything where no rule of the router looks: line breaks, and roads without the slash at their end. The
        name by which we are called is looked at there, too.
        """
        for path in (
            "/nothing%0Ahere",
            "/healthz%0A",
            "/%0A",
            "/v1",
            "/__openclaw__",
            "/__openclaw__/%0A",
            "//",
            "/x/",
        ):
            answer = ask(make_root(), path)
            self.assertEqual((answer.status, answer.text), (404, "Not Found"), path)
            answer = ask(make_root(), path, headers=[("Host", "evil.example")])
            self.assertEqual(answer.status, 403, path)
        answer = ask(make_root(), "/v1/models/a%0Ab")
        self.assertEqual((answer.status, answer.value["error"]["message"]), (404, "Not Found"))

    def test_unknown_method(self) -> None:
        """
        405 while there is a page, 404 without it.
        """
        for method in ("POST", "OPTIONS", "PUT", "DELETE", "BREW"):
            answer = ask(make_root(), "/nothing", method=method)
            self.assertEqual((answer.status, answer.text), (405, "Method Not Allowed"))
            self.assertEqual(answer.headers["allow"], "GET, HEAD")
            self.assertEqual(ask(make_root(configured(enabled=False)), "/nothing", method=method).status, 404)

    def test_unknown_api(self) -> None:
        """
        Programs that speak to ``/v1`` get JSON, not a page.
        """
        answer = ask(make_root(), "/v1/nothing")
        expected = {"error": {"message": "Not Found", "type": "invalid_request_error"}}
        self.assertEqual((answer.status, answer.value), (404, expected))

    def test_bug(self) -> None:
        """
        An exception is logged; the client learns nothing of it.
        """

        class Broken(Exception):
            pass

        def broken() -> Config:
            raise Broken

        from openclaw.web.context import WebContext
        from openclaw.web.site import make_root_resource
        from tests.web.asking import Taken

        root = make_root_resource(Taken(), WebContext(config=broken, pending=list))
        answer = ask(root, "/healthz")
        self.assertEqual((answer.status, answer.text), (500, "Internal Server Error"))
        self.assertEqual(len(self.flushLoggedErrors(Broken)), 1)

    def test_not_utf8(self) -> None:
        """
        A path that is no UTF-8 is a bad request, and nothing is logged as an error.
        """
        for path in ("/%ff%fe", "/\xff", "/healthz/%c3"):
            self.assertEqual(ask(make_root(), path).status, 400, path)
