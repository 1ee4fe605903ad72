"""
What plugins answer over HTTP: before whom, and what becomes of it.
"""

from __future__ import annotations

from operator import methodcaller
from typing import Any

from attrs import evolve
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.server import NOT_DONE_YET

from openclaw.config.model import Config
from openclaw.config.model_hooks import HooksConfig
from openclaw.plugins.loading import Plugins
from openclaw.plugins.routes import Handler, Route
from openclaw.web.gate import Gate
from openclaw.web.plugins import PluginCalls
from openclaw.web.site import make_site
from tests.web.asking import Answer, Line, ask, make_root, parsed

HEAD = b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def giving(answer: Any) -> Handler:
    return lambda request: answer


class PluginCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.plugins = Plugins(config=Config().plugins, reactor=Clock(), in_thread=self.fail, spawn=self.fail)
        self.calls = PluginCalls(self.plugins)

    def route(self, path: str, handler: Handler) -> None:
        self.plugins.routes.add(path, Route("mine", handler))

    def ask(self, path: str, **told: Any) -> Answer:
        return ask(make_root(plugins=self.calls), path, **told)


class OrderTests(PluginCase):
    def test_exact(self) -> None:
        """
        A path is compared as it is written, and has all methods; what nobody has is the page's.
        """
        self.route("/mine", lambda request: request.method + b" " + request.content.read())
        for method in ("GET", "POST", "DELETE"):
            answer = self.ask("/mine?x=1", method=method, headers=[("Host", "x"), ("Content-Length", "2")], body=b"hi")
            self.assertEqual((answer.status, answer.body), (200, f"{method} hi".encode()))
        for path in ("/mine/", "/Mine", "/min%65"):
            self.assertEqual(self.ask(path, method="POST").status, 405, path)

    def test_before_ours(self) -> None:
        """
        They come before the page, the canvas and ``/v1``; not before the probes, nor what calls tools.
        """
        for path in ("/", "/v1/chat/completions", "/v1/own", "/__openclaw__/canvas/", "/healthz", "/tools/invoke"):
            self.route(path, lambda request: "of a plugin")
        for path in ("/", "/v1/chat/completions", "/v1/own", "/__openclaw__/canvas/"):
            self.assertEqual(self.ask(path).text, "of a plugin")
        self.assertEqual(self.ask("/healthz").value, {"ok": True})
        self.assertEqual(self.ask("/tools/invoke").status, 404)

    def test_after_hooks(self) -> None:
        """
        Hooks come first.
        """

        class Hooks:
            def render(self, request: Any) -> bytes:
                return b"hooks"

        self.route("/hooks/x", lambda request: b"of a plugin")
        root = make_root(plugins=self.calls, hooks=lambda: HooksConfig(enabled=True, token="t"), hook_calls=Hooks)
        self.assertEqual(ask(root, "/hooks/x").body, b"hooks")

    def test_handlers(self) -> None:
        """
        They are asked one after the other, after the exact paths; who gives ``False`` passes on.
        """
        asked: list[str] = []

        def handler(name: str, answer: Any) -> None:
            def answers(request: Any) -> Any:
                asked.append(name)
                return answer if request.path == b"/some" else False

            self.plugins.routes.handlers.append(Route(name, answers))

        handler("one", False)
        handler("two", b"two")
        handler("three", b"three")
        self.route("/exact", lambda request: None)
        self.assertEqual((self.ask("/some").body, asked), (b"two", ["one", "two"]))
        self.assertEqual((self.ask("/exact").body, len(asked)), (b"", 2))
        self.assertEqual((self.ask("/other", method="POST").status, asked[2:]), (405, ["one", "two", "three"]))
        self.assertEqual(self.ask("/__openclaw__/other", method="POST").status, 405)
        self.assertEqual(len(asked), 8, "each is asked once")

    def test_passed_on_whole(self) -> None:
        """
        Who passes a request on leaves no trace: neither in what is read of it, nor in what is answered.
        """

        def looks(request: Any) -> bool:
            request.content.read()
            request.setResponseCode(299)
            request.setHeader("x-left", "1")
            request.addCookie("left", "1")
            return False

        self.plugins.routes.handlers.append(Route("looks", looks))
        self.plugins.routes.handlers.append(Route("reads", lambda request: request.content.read()))
        answer = self.ask("/x", method="POST", headers=[("Host", "x"), ("Content-Length", "2")], body=b"hi")
        self.assertEqual((answer.status, answer.body), (200, b"hi"))
        self.assertFalse({"x-left", "set-cookie"} & set(answer.headers))

    def test_own_secret(self) -> None:
        """
        The body of a path that a plugin has taken over is read, whoever sends it.
        """
        self.route("/v1/chat/completions", lambda request: request.content.read())
        root = make_root(plugins=self.calls)
        gate = evolve(Gate(), plugin_path=self.calls.takes)
        line = Line(root, gate=gate)
        line.send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi")
        self.assertEqual(parsed(line.taken()).body, b"hi")


class AnswerTests(PluginCase):
    def test_head(self) -> None:
        """
        A length, and a type that no browser takes for a page, where the handler says nothing; else what it says.
        """
        self.route("/plain", lambda request: "é")
        answer = self.ask("/plain")
        self.assertEqual((answer.text, answer.headers["content-length"]), ("é", "2"))
        self.assertEqual(answer.headers["content-type"], "text/plain; charset=utf-8")

        def told(request: Any) -> bytes:
            request.setResponseCode(202)
            request.setHeader("content-type", "application/json")
            return b"{}"

        self.route("/told", told)
        answer = self.ask("/told")
        self.assertEqual((answer.status, answer.headers["content-type"]), (202, "application/json"))
        self.assertEqual(self.ask("/told", method="HEAD").body, b"")

    def test_later(self) -> None:
        """
        A coroutine, a Deferred, and one that writes and finishes by itself.
        """
        waits: Deferred[bytes] = Deferred()
        requests: list[Any] = []

        async def coroutine(request: Any) -> bytes:
            return await waits

        def alone(request: Any) -> Any:
            requests.append(request)
            request.write(b"part")
            return NOT_DONE_YET

        self.route("/coroutine", coroutine)
        self.route("/alone", alone)
        line = Line(make_root(plugins=self.calls))
        line.send(HEAD % b"/coroutine")
        self.assertEqual(line.taken(), b"")
        waits.callback(b"at last")
        self.assertEqual(parsed(line.taken()).body, b"at last")
        line.send(HEAD % b"/alone")
        self.assertNotIn(b"\r\n0\r\n", line.taken())
        requests[0].write(b"more")
        requests[0].finish()
        self.assertIn(b"more\r\n0\r\n", line.taken())
        line.send(HEAD % b"/healthz")
        self.assertEqual(parsed(line.taken()).value, {"ok": True})

    def test_failed(self) -> None:
        """
        500 and a line in the log; where something was sent already, the connection ends.
        """

        def fails(request: Any) -> None:
            raise ValueError("a secret")

        def fails_late(request: Any) -> None:
            request.write(b"part")
            raise ValueError("a secret")

        self.route("/fails", fails)
        self.route("/late", fails_late)
        answer = self.ask("/fails")
        self.assertEqual((answer.status, answer.text), (500, "Internal Server Error"))
        line = Line(make_root(plugins=self.calls))
        line.send(HEAD % b"/late")
        self.assertTrue(line.ended)
        self.assertNotIn(b"\r\n0\r\n", line.taken())
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 2)

    def test_wrong_results(self) -> None:
        """
        What is no answer is a failure of the plugin, and so is what looks like a stop or an end of the process.
        """

        def raises(error: BaseException) -> Handler:
            def fails(request: Any) -> None:
                raise error

            return fails

        handlers = [giving(wrong) for wrong in ({"a": 1}, True, False, 1.5)]
        for number, handler in enumerate([*handlers, raises(CancelledError()), raises(SystemExit(1))]):
            self.route(f"/{number}", handler)
            answer = self.ask(f"/{number}")
            self.assertEqual((answer.status, answer.text), (500, "Internal Server Error"), number)
        self.assertEqual(len(self.flushLoggedErrors(TypeError, CancelledError, SystemExit)), 6)

    def test_wrong_end(self) -> None:
        """
        A part and then no answer, or the next handler's, is told by the end of the connection.
        """

        def part(request: Any) -> bool:
            request.write(b"part")
            return False

        self.plugins.routes.handlers.append(Route("mine", part))
        line = Line(make_root(plugins=self.calls))
        line.send(HEAD % b"/x")
        self.assertTrue(line.ended)
        self.assertNotIn(b"\r\n0\r\n", line.taken())
        self.assertEqual(len(self.flushLoggedErrors(TypeError)), 1)

    def test_no_content(self) -> None:
        """
        204 and 304 have no length, since they have no body.
        """
        for status in (204, 304):
            self.route(f"/{status}", methodcaller("setResponseCode", status))
            answer = self.ask(f"/{status}")
            self.assertEqual((answer.status, answer.body), (status, b""))
            self.assertFalse({"content-length", "content-type"} & set(answer.headers))

    def test_gone(self) -> None:
        """
        A client that leaves ends the handler, and that is nobody's failure.
        """
        ended: list[str] = []

        async def waits(request: Any) -> None:
            try:
                await Deferred()
            finally:
                ended.append("ended")

        self.route("/waits", waits)
        line = Line(make_root(plugins=self.calls))
        line.send(HEAD % b"/waits")
        line.channel.connectionLost(self.lost())
        self.assertEqual(ended, ["ended"])

    def lost(self) -> Any:
        from twisted.internet.error import ConnectionDone
        from twisted.python.failure import Failure

        return Failure(ConnectionDone())

    def test_counted(self) -> None:
        """
        By one word, whatever its path is.
        """
        self.route("/v1/own", lambda request: b"")
        counted: list[Any] = []
        root = make_root(plugins=self.calls)
        site = make_site(root, Clock(), Gate(), lambda *told: counted.append(told))
        for path in (b"/v1/own", b"/other"):
            Line(root, site).send(HEAD % path)
        self.assertEqual([route for route, _ in counted], ["plugin", "page"])
