"""
What lets clients from elsewhere see the canvas: an unguessable part of the path, told in ``hello-ok`` and good for as
long as the connection to which it was told (``design.md`` 5).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from attrs import define, field


def new_capability() -> str:
    """
    128 bits that fit into a path.
    """
    return secrets.token_urlsafe(16)


@define(kw_only=True, eq=False, repr=False)
class Capabilities:
    """
    The capabilities of the connections that are there; each has its own.

    :ivar on_revoked: told each one that holds no more.
    """

    make: Callable[[], str] = new_capability
    on_revoked: Callable[[str], None] = lambda capability: None
    _by_connection: dict[str, str] = field(factory=dict, init=False)
    _known: set[str] = field(factory=set, init=False)

    def issue(self, connection_id: str) -> str:
        """
        The capability of a connection.
        """
        found = self._by_connection.get(connection_id)
        if found is None:
            found = self._by_connection[connection_id] = self.make()
            self._known.add(found)
        return found

    def revoke(self, connection_id: str) -> None:
        """
        A connection is gone.
        """
        capability = self._by_connection.pop(connection_id, None)
        if capability is not None:
            self._known.discard(capability)
            self.on_revoked(capability)

    def holds(self, capability: str) -> bool:
        return capability in self._known
