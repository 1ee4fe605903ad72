"""
The HTTP routes of plugins (``http.md`` 14).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from attrs import define, field, frozen

from openclaw.errors import OpenClawError

#: Called with Twisted's request. What it gives is written: bytes, a text, or nothing, also as a coroutine or a
#: Deferred; ``NOT_DONE_YET`` when it has written, and will finish, itself.
Handler = Callable[[Any], Any]


@frozen
class RouteRefused(OpenClawError):
    """
    It cannot be registered.
    """

    why: str

    def __str__(self) -> str:
        return self.why


@frozen
class Route:
    """
    What answers, and whose it is.
    """

    plugin: str
    handler: Handler


@define(eq=False)
class Routes:
    """
    What the plugins of one gateway have registered.

    :ivar reserved: paths that the gateway answers itself.
    :ivar handlers: asked one after the other for what no exact path has.
    """

    reserved: Collection[str] = ()
    exact: dict[str, Route] = field(factory=dict)
    handlers: list[Route] = field(factory=list)

    def add(self, path: str, route: Route) -> None:
        """
        :param path: compared as clients write it; a slash at its beginning may be missing.
        :raise RouteRefused: somebody has it, or the gateway itself.
        """
        whole = path if path.startswith("/") else f"/{path}"
        if "?" in whole or "#" in whole:
            raise RouteRefused(f"HTTP route is no path: {whole}")
        if whole in self.reserved:
            raise RouteRefused(f"HTTP route is the gateway's own: {whole}")
        if (there := self.exact.get(whole)) is not None:
            raise RouteRefused(f"HTTP route already registered: {whole} (by {there.plugin})")
        self.exact[whole] = route
