"""
Loggers of classes that belong to a subsystem of the log.
"""

from __future__ import annotations

from typing import Any

from twisted.logger import Logger


class SubsystemLogger(Logger):
    """
    Keeps its namespace as an attribute of a class, where Twisted's takes the name of the class for it.
    """

    def __get__(self, instance: Any, owner: Any = None) -> Logger:
        return self
