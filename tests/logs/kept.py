"""
An observer that keeps what it sees.
"""

from __future__ import annotations

from twisted.logger import ILogObserver, LogEvent
from zope.interface import implementer


@implementer(ILogObserver)
class Kept(list[LogEvent]):
    """
    A list that is an observer.
    """

    def __call__(self, event: LogEvent) -> None:
        self.append(event)
