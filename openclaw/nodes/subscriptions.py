"""
Which sessions nodes follow (``methods.md`` 4).
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field

#: A connection follows at most so many sessions; beyond that the oldest makes room.
MOST_SESSIONS = 256


@define(eq=False)
class Subscriptions:
    """
    Connections by the canonical key of the session that they follow. All of it ends with the connection.
    """

    _followers: dict[str, dict[str, None]] = field(factory=dict, init=False)
    _followed: dict[str, dict[str, None]] = field(factory=dict, init=False)

    def follow(self, connection_id: str, session_key: str) -> None:
        followed = self._followed.setdefault(connection_id, {})
        if session_key not in followed and len(followed) >= MOST_SESSIONS:
            self.leave(connection_id, next(iter(followed)))
            followed = self._followed.setdefault(connection_id, {})
        followed[session_key] = None
        self._followers.setdefault(session_key, {})[connection_id] = None

    def leave(self, connection_id: str, session_key: str) -> None:
        _drop(self._followed, connection_id, session_key)
        _drop(self._followers, session_key, connection_id)

    def end(self, connection_id: str) -> None:
        """
        The connection has ended.
        """
        for session_key in list(self._followed.get(connection_id, ())):
            self.leave(connection_id, session_key)

    def followers(self, session_key: str) -> Sequence[str]:
        """
        The connections that follow a session.
        """
        return tuple(self._followers.get(session_key, ()))

    def connections(self) -> Sequence[str]:
        """
        The connections that follow anything.
        """
        return tuple(self._followed)


def _drop(table: dict[str, dict[str, None]], key: str, member: str) -> None:
    members = table.get(key)
    if members is not None:
        members.pop(member, None)
        if not members:
            del table[key]
