"""
System notes: short texts that wait in memory for the next prompt of a session (``agent.md`` 11).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

MAX_NOTES = 20

#: Notes wait for so many sessions; those of the one that got its first the longest ago make room.
MAX_SESSIONS = 1_000

#: When it came, in seconds, and what it says.
Note = tuple[float, str]

_FILTERED = ("reason periodic", "heartbeat poll", "heartbeat wake")


@define(eq=False)
class Notes:
    """
    The notes of all sessions.
    """

    clock: IReactorTime
    zone: Callable[[], tzinfo]
    _notes: dict[str, deque[Note]] = field(factory=dict)

    def add(self, session_key: str, text: str) -> None:
        """
        Queue a note. One that repeats the last, or says nothing that a model need know, is left out.
        """
        text = text.strip()
        if not text or any(part in text.lower() for part in _FILTERED):
            return
        if session_key not in self._notes and len(self._notes) >= MAX_SESSIONS:
            del self._notes[next(iter(self._notes))]
        notes = self._notes.setdefault(session_key, deque(maxlen=MAX_NOTES))
        if not notes or notes[-1][1] != text:
            notes.append((self.clock.seconds(), text))

    def texts(self, session_key: str) -> Sequence[str]:
        return [text for _, text in self._notes.get(session_key, ())]

    def waiting(self, session_key: str) -> Sequence[Note]:
        """
        The notes of a session that no prompt has told.
        """
        return tuple(self._notes.get(session_key, ()))

    def lines(self, notes: Sequence[Note]) -> list[str]:
        """
        Notes as a prompt tells them.
        """
        zone = self.zone()
        return [f"System: [{stamp(at, zone)}] {text}" for at, text in notes]

    def told(self, session_key: str, notes: Sequence[Note]) -> None:
        """
        These stand in a prompt now; what came meanwhile waits for the next.
        """
        left = [note for note in self._notes.pop(session_key, ()) if note not in notes]
        if left:
            self._notes[session_key] = deque(left, maxlen=MAX_NOTES)


def stamp(at: float, zone: tzinfo) -> str:
    """
    A moment as notes write it.
    """
    return datetime.fromtimestamp(at, zone).strftime("%Y-%m-%d %H:%M:%S %Z")
