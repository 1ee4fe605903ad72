"""
Plugins: which are loaded, and what becomes of those that are missing, broken or slow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.model import build
from openclaw.plugins.loading import LIMIT, PluginApi, Plugins


@frozen
class Entry:
    """
    Stands for an entry point.
    """

    name: str
    function: Callable[[PluginApi], Any] | Exception

    def load(self) -> Callable[[PluginApi], Any]:
        if isinstance(self.function, Exception):
            raise self.function
        return self.function


class PluginsTests(SynchronousTestCase):
    def make(self, config: Mapping[str, Any], *entries: Entry, in_thread: Any = maybeDeferred) -> Plugins:
        self.clock = Clock()
        plugins = Plugins(
            config=build({"plugins": config}).plugins, clock=self.clock, in_thread=in_thread, find=lambda: entries
        )
        self.addCleanup(plugins.stopService)
        return plugins

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
                "b: HTTP route already registered: /x (by a)",
                "b: HTTP route is no path: /y?z",
            ],
        )
        self.assertEqual(plugins.routes.exact["/x"].plugin, "a")

    def test_waited_for(self) -> None:
        """
        Whoever asks meanwhile waits, but not for ever.
        """
        threads: list[Deferred[Any]] = []

        def in_thread(*call: Any) -> Deferred[Any]:
            threads.append(Deferred())
            return threads[-1]

        plugins = self.make({"entries": {"a": {"enabled": True}}}, in_thread=in_thread)
        plugins.startService()
        self.assertEqual(plugins.pending(), ["plugins"])
        waits = [Deferred.fromCoroutine(plugins.ready()) for _ in range(2)]
        waits[0].cancel()
        self.failureResultOf(waits[0])
        self.clock.advance(LIMIT - 1)
        self.assertNoResult(waits[1])
        with capturedLogs() as events:
            self.clock.advance(1)
        self.successResultOf(waits[1])
        self.assertEqual([formatEvent(event) for event in events], ["Plugins were not loaded within 30 s."])
        self.assertEqual(plugins.pending(), [])

    def test_stopped(self) -> None:
        """
        A stop does not wait for them, and is no failure.
        """
        plugins = self.make({"entries": {"a": {"enabled": True}}}, in_thread=lambda *call: Deferred())
        plugins.startService()
        with capturedLogs() as events:
            plugins.stopService()
        self.assertEqual(events, [])
        self.assertEqual(self.clock.getDelayedCalls(), [])
