"""
Plugins: which are loaded, and what becomes of those that are missing, broken or slow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.model import build
from openclaw.plugins.loading import LIMIT, PATIENCE, PluginApi, Plugins
from openclaw.plugins.routes import Routes


@frozen
class Entry:
    """
    Stands for an entry point.
    """

    name: str
    function: Callable[[PluginApi], Any] | BaseException

    def load(self) -> Callable[[PluginApi], Any]:
        if isinstance(self.function, BaseException):
            raise self.function
        return self.function


class Threads(Clock):
    """
    A clock that threads may tell something.
    """

    def callFromThread(self, call: Callable[..., object], *arguments: Any) -> None:
        call(*arguments)


class PluginsTests(SynchronousTestCase):
    def make(self, config: Mapping[str, Any], *entries: Entry, in_thread: Any = maybeDeferred) -> Plugins:
        self.clock = Threads()
        self.hung: list[Callable[[], None]] = []
        plugins = Plugins(
            config=build({"plugins": config}).plugins,
            reactor=self.clock,
            in_thread=in_thread,
            spawn=self.spawn,
            routes=Routes(reserved={"/healthz"}),
            find=lambda: entries,
        )
        self.addCleanup(plugins.stopService)
        return plugins

    def spawn(self, work: Callable[[], None]) -> None:
        work() if not self.hangs else self.hung.append(work)

    #: Whether threads never end.
    hangs = False

    def loaded(self, config: Mapping[str, Any]) -> list[str]:
        """
        :return: which of three are loaded.
        """
        found: list[str] = []
        entries = [Entry(name, lambda api: found.append(api.id)) for name in ("a", "b", "c")]
        self.make(config, *entries).startService()
        return found

    def test_wanted(self) -> None:
        """
        Being installed is not enough; a list of those who may and one of those who may not are looked at, too.
        """
        on = {"enabled": True}
        entries = {"a": on, "b": on, "c": {"enabled": False}}
        self.assertEqual(self.loaded({}), [])
        self.assertEqual(self.loaded({"entries": entries}), ["a", "b"])
        self.assertEqual(self.loaded({"entries": {"a": {"config": {}}}}), [])
        self.assertEqual(self.loaded({"entries": entries, "deny": ["a"]}), ["b"])
        self.assertEqual(self.loaded({"entries": entries, "allow": ["a", "c"]}), ["a"])
        self.assertEqual(self.loaded({"entries": entries, "enabled": False}), [])

    def test_nothing_wanted(self) -> None:
        """
        Where none is configured, nobody looks for any.
        """
        plugins = self.make({}, in_thread=self.fail)
        plugins.startService()
        self.assertEqual(plugins.pending(), [])
        self.successResultOf(Deferred.fromCoroutine(plugins.ready()))

    def test_own_config(self) -> None:
        """
        Each has its own part of the configuration, which is not shown.
        """
        seen: list[PluginApi] = []
        config = {"entries": {"a": {"enabled": True, "config": {"secret": "of this test"}}}}
        self.make(config, Entry("a", seen.append)).startService()
        (api,) = seen
        self.assertEqual(api.config["secret"], "of this test")
        self.assertNotIn("of this test", repr(api))

    def test_broken(self) -> None:
        """
        One that is missing, one that cannot be imported and one that fails are told; the next one works.
        """

        def fails(api: PluginApi) -> None:
            raise ValueError("no")

        async def works(api: PluginApi) -> None:
            api.register_http_route("works", lambda request: b"")

        config = {"entries": {name: {"enabled": True} for name in ("missing", "broken", "fails", "works")}}
        plugins = self.make(config, Entry("broken", ImportError("no")), Entry("fails", fails), Entry("works", works))
        with capturedLogs() as events:
            plugins.startService()
        told = [formatEvent(event) for event in events]
        self.assertEqual(
            told,
            [
                "plugin not found: missing",
                "plugin broken could not be loaded",
                "plugin fails could not be loaded",
                "plugin works loaded",
            ],
        )
        self.assertEqual(len(self.flushLoggedErrors(ImportError, ValueError)), 2)
        self.assertEqual(list(plugins.routes.exact), ["/works"])

    def test_path_taken(self) -> None:
        """
        The first keeps it, and the second is loaded all the same.
        """

        def register(api: PluginApi) -> None:
            api.register_http_route("/x", lambda request: api.id.encode())
            api.register_http_route("/y?z", lambda request: b"")
            api.register_http_route("healthz", lambda request: b"")

        plugins = self.make(
            {"entries": {"a": {"enabled": True}, "b": {"enabled": True}}}, *map(Entry, "ab", [register] * 2)
        )
        with capturedLogs() as events:
            plugins.startService()
        told = [formatEvent(event) for event in events if event["log_level"].name == "error"]
        self.assertEqual(
            told,
            [
                "a: HTTP route is no path: /y?z",
                "a: HTTP route is the gateway's own: /healthz",
                "b: HTTP route already registered: /x (by a)",
                "b: HTTP route is no path: /y?z",
                "b: HTTP route is the gateway's own: /healthz",
            ],
        )
        self.assertEqual(plugins.routes.exact["/x"].plugin, "a")

    def test_endless(self) -> None:
        """
        One that is never imported, and one that never registers, are left after a while; the next one works, and
        requests wait a moment only.
        """
        config = {"entries": {name: {"enabled": True} for name in ("import", "register", "works")}}
        works = Entry("works", lambda api: api.register_http_route("/works", lambda request: b""))
        plugins = self.make(config, Entry("import", print), Entry("register", lambda api: Deferred()), works)
        self.hangs = True
        plugins.startService()
        waits = [Deferred.fromCoroutine(plugins.ready()) for _ in range(2)]
        waits[0].cancel()
        self.failureResultOf(waits[0])
        self.clock.advance(PATIENCE)
        self.successResultOf(waits[1])
        self.assertEqual(plugins.pending(), ["plugins"])
        self.hangs = False
        with capturedLogs() as events:
            self.clock.advance(LIMIT - PATIENCE)
            self.clock.advance(LIMIT)
        told = [formatEvent(event) for event in events]
        limit = "was not loaded within 10 s"
        self.assertEqual(told, [f"plugin import {limit}", f"plugin register {limit}", "plugin works loaded"])
        self.assertEqual((plugins.pending(), list(plugins.routes.exact)), ([], ["/works"]))
        self.hung[0]()  # at last, when nobody waits

    def test_hostile(self) -> None:
        """
        One that ends the process, and one that fails as if it were stopped, are failures like others.
        """

        def leaves(api: PluginApi) -> None:
            raise SystemExit(1)

        def is_cancelled(api: PluginApi) -> None:
            raise CancelledError()

        config = {"entries": {name: {"enabled": True} for name in ("exits", "leaves", "cancelled", "works")}}
        entries = [Entry("exits", SystemExit(1)), Entry("leaves", leaves), Entry("cancelled", is_cancelled)]
        plugins = self.make(config, *entries, Entry("works", lambda api: None))
        with capturedLogs() as events:
            plugins.startService()
        told = [formatEvent(event) for event in events]
        failed = [f"plugin {name} could not be loaded" for name in ("exits", "leaves", "cancelled")]
        self.assertEqual(told, [*failed, "plugin works loaded"])
        self.assertEqual(len(self.flushLoggedErrors(SystemExit, CancelledError)), 3)

    def test_ended(self) -> None:
        """
        What was begun ends with the gateway, the last first; one that fails or never ends keeps nobody.
        """
        ended: list[str] = []

        def register(api: PluginApi) -> None:
            api.on_stop(lambda: ended.append("first"))
            api.on_stop(Deferred)
            api.on_stop(lambda: ended.append(str(1 / 0)))
            api.on_stop(lambda: ended.append("last"))

        plugins = self.make({"entries": {"a": {"enabled": True}}}, Entry("a", register))
        plugins.startService()
        stopping = plugins.stopService()
        self.assertEqual(ended, ["last"])
        self.clock.advance(2)
        self.successResultOf(stopping)
        self.assertEqual(ended, ["last", "first"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError, DeferredTimeout)), 2)

    def test_stopped(self) -> None:
        """
        A stop does not wait for them, and is no failure.
        """
        plugins = self.make({"entries": {"a": {"enabled": True}}}, in_thread=lambda *call: Deferred())
        plugins.startService()
        with capturedLogs() as events:
            self.successResultOf(plugins.stopService())
        self.assertEqual(events, [])
        self.assertEqual(self.clock.getDelayedCalls(), [])
