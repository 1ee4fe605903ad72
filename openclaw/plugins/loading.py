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
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from openclaw.config.model_plugins import GROUP, PluginsConfig
from openclaw.plugins.routes import Handler, Route, RouteRefused, Routes

#: How long all of them may take to load, in seconds. Requests wait for that.
LIMIT: Final = 30.0

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
    _routes: Routes

    def register_http_route(self, path: str, handler: Handler) -> None:
        """
        Answer an exact path, whatever the method is. Who may ask is for the handler to find out.

        A path that somebody has already stays theirs; that is told in the log.
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


def installed() -> Iterable[Loadable]:
    """
    The plugins of the installed packages. Blocks: it reads what is there of all packages.
    """
    from importlib.metadata import entry_points  # not for a start without plugins

    return entry_points(group=GROUP)


@define(kw_only=True, eq=False, repr=False)
class Plugins(Service):
    """
    Loads plugins when the gateway starts. One that is missing or broken is told in the log, and keeps nobody.

    :ivar config: as it was at the start.
    :ivar in_thread: runs something that blocks in a thread.
    """

    _log = Logger(namespace="gateway/plugins")
    config: PluginsConfig
    clock: IReactorTime
    in_thread: Callable[..., Deferred[Any]]
    find: Callable[[], Iterable[Loadable]] = installed
    routes: Routes = field(factory=Routes)
    _loading: Deferred[None] | None = field(default=None, init=False)
    _waiting: list[Deferred[None]] = field(factory=list, init=False)

    def startService(self) -> None:
        super().startService()
        if self.config.wanted:
            self._loading = Deferred.fromCoroutine(self._load())
            self._loading.addTimeout(LIMIT, self.clock, lambda _, seconds: self._too_slow(seconds))
            self._loading.addErrback(self._failed)
            self._loading.addBoth(self._loaded)

    def stopService(self) -> None:
        super().stopService()
        if self._loading is not None:
            self._loading.cancel()

    def pending(self) -> list[str]:
        """
        Why the gateway is not ready.
        """
        return [] if self._loading is None else ["plugins"]

    async def ready(self) -> None:
        """
        Wait until they are loaded, or have taken too long.
        """
        if self._loading is not None:
            waiting: Deferred[None] = Deferred()
            self._waiting.append(waiting)
            await waiting

    def _loaded(self, _: object) -> None:
        self._loading = None
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.callback(None)

    def _failed(self, failure: Failure) -> None:
        # A stop does not wait for them.
        if failure.check(CancelledError) is None:
            self._log.failure("Loading plugins failed.", failure)

    def _too_slow(self, seconds: float) -> None:
        self._log.error("Plugins were not loaded within {seconds} s.", seconds=round(seconds))

    async def _load(self) -> None:
        there = {plugin.name: plugin for plugin in await self.in_thread(lambda: list(self.find()))}
        for name in self.config.wanted:
            plugin = there.get(name)
            if plugin is None:
                self._log.warn("plugin not found: {plugin}", plugin=name)
                continue
            try:
                await self._register(name, await self.in_thread(plugin.load))
            except CancelledError:
                raise
            except Exception:
                # Whatever it is, it is the plugin's, and the gateway goes on.
                self._log.failure("plugin {plugin} could not be loaded", plugin=name)

    async def _register(self, name: str, register: Register) -> None:
        api = PluginApi(
            id=name,
            config=self.config.entries[name].config,
            log=Logger(namespace=f"gateway/plugins/{name}"),
            routes=self.routes,
        )
        await maybeDeferred(register, api)
        self._log.info("plugin {plugin} loaded", plugin=name)
