"""
Finding plugins among the installed packages, and loading those that the configuration names.

A plugin is an entry point of the group ``openclaw.plugins``: a function that is called with a ``PluginApi``. Nothing is
loaded from a workspace or from a path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Protocol

from attrs import define, field, frozen
from twisted.application.service import Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.logger import Logger

from openclaw.config.model_plugins import GROUP, PluginsConfig
from openclaw.logs.subsystem import SubsystemLogger
from openclaw.plugins.routes import Handler, Route, RouteRefused, Routes
from openclaw.processes import Spawn, in_own_thread

#: How long one may take to be imported, and to register, in seconds.
LIMIT: Final = 10.0
#: How long requests wait for plugins that are still loaded, in seconds.
PATIENCE: Final = 2.0
#: How long one may take to come to its end, in seconds.
END_LIMIT: Final = 2.0

#: What an entry point names.
Register = Callable[["PluginApi"], Any]


class Loadable(Protocol):
    """
    What of an entry point is used.
    """

    @property
    def name(self) -> str: ...

    def load(self) -> Any: ...


@frozen(kw_only=True)
class PluginApi:
    """
    What a plugin is given.

    :ivar id: its name in ``plugins.entries``.
    :ivar config: its ``plugins.entries.<id>.config``.
    :ivar log: lines of the gateway's log.
    """

    id: str
    config: Mapping[str, Any] = field(repr=False)
    log: Logger
    _routes: Routes = field(repr=False)
    _endings: list[tuple[str, Callable[[], Any]]] = field(repr=False)

    def register_http_route(self, path: str, handler: Handler) -> None:
        """
        Answer an exact path, whatever the method is. Who may ask is for the handler to find out.

        A path that is the gateway's, or another plugin's, stays theirs; that is told in the log.
        """
        try:
            self._routes.add(path, Route(self.id, handler))
        except RouteRefused as error:
            self.log.error("{plugin}: {why}", plugin=self.id, why=str(error))

    def register_http_handler(self, handler: Handler) -> None:
        """
        Answer what no exact path has; a handler that gives ``False`` leaves the request to the next one.
        """
        self._routes.handlers.append(Route(self.id, handler))

    def on_stop(self, ending: Callable[[], Any]) -> None:
        """
        Have something called when the gateway ends or restarts, the last first; it may be a coroutine function.
        """
        self._endings.append((self.id, ending))


def installed() -> Iterable[Loadable]:
    """
    The plugins of the installed packages. Blocks: it reads what is there of all packages.
    """
    from importlib.metadata import entry_points  # not for a start without plugins

    return entry_points(group=GROUP)


@define(kw_only=True, eq=False, repr=False)
class Plugins(Service):
    """
    Loads plugins when the gateway starts, one after the other. One that is missing, broken or slow is told in the log,
    and keeps nobody.

    :ivar config: as it was at the start.
    :ivar reactor: tells the time, and is told from threads.
    :ivar in_thread: runs something that blocks in a thread.
    :ivar spawn: runs work of others in a thread of its own that does not keep the process from ending.
    """

    _log = SubsystemLogger(namespace="gateway/plugins")
    config: PluginsConfig
    reactor: Any
    in_thread: Callable[..., Deferred[Any]]
    spawn: Spawn
    routes: Routes = field(factory=Routes)
    find: Callable[[], Iterable[Loadable]] = installed
    _loading: Deferred[None] | None = field(default=None, init=False)
    _waiting: list[Deferred[None]] = field(factory=list, init=False)
    _endings: list[tuple[str, Callable[[], Any]]] = field(factory=list, init=False)

    def startService(self) -> None:
        super().startService()
        if self.config.wanted:
            self._loading = Deferred.fromCoroutine(self._load())
            self._loading.addErrback(self._failed)
            self._loading.addBoth(self._loaded)

    def stopService(self) -> Deferred[None]:
        super().stopService()
        if self._loading is not None:
            self._loading.cancel()
        return Deferred.fromCoroutine(self._end())

    async def _end(self) -> None:
        while self._endings:
            name, ending = self._endings.pop()
            try:
                await maybeDeferred(ending).addTimeout(END_LIMIT, self.reactor)
            except (Exception, SystemExit):
                self._log.failure("plugin {plugin} could not be ended", plugin=name)

    def pending(self) -> list[str]:
        """
        Why the gateway is not ready.
        """
        return [] if self._loading is None else ["plugins"]

    async def ready(self) -> None:
        """
        Wait a moment for those that are still loaded.
        """
        if self._loading is not None:
            waiting: Deferred[None] = Deferred()
            self._waiting.append(waiting)
            await waiting.addTimeout(PATIENCE, self.reactor, lambda *_: None)

    def _loaded(self, _: object) -> None:
        self._loading = None
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.callback(None)

    def _failed(self, failure: Any) -> None:
        # A stop does not wait for them.
        if self.running:
            self._log.failure("Plugins could not be loaded.", failure)

    async def _load(self) -> None:
        there = {plugin.name: plugin for plugin in await self.in_thread(lambda: list(self.find()))}
        for name in self.config.wanted:
            plugin = there.get(name)
            if plugin is None:
                self._log.warn("plugin not found: {plugin}", plugin=name)
                continue
            try:
                await self._register(plugin)
            except DeferredTimeout:
                self._log.error("plugin {plugin} was not loaded within {seconds} s", plugin=name, seconds=round(LIMIT))
            except (Exception, SystemExit):
                if not self.running:
                    return
                # Whatever it is, it is the plugin's, and the gateway goes on.
                self._log.failure("plugin {plugin} could not be loaded", plugin=name)
            else:
                self._log.info("plugin {plugin} loaded", plugin=name)

    async def _register(self, plugin: Loadable) -> None:
        """
        :raise DeferredTimeout: it takes too long.
        """
        loading = in_own_thread(self.reactor, self.spawn, plugin.load)
        register: Register = await loading.addTimeout(LIMIT, self.reactor)
        api = PluginApi(
            id=plugin.name,
            config=self.config.entries[plugin.name].config,
            log=Logger(namespace=f"gateway/plugins/{plugin.name}"),
            routes=self.routes,
            endings=self._endings,
        )
        await maybeDeferred(register, api).addTimeout(LIMIT, self.reactor)
