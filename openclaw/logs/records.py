"""
Log records: what is left of Twisted's log events when the sinks get them.

Subsystems are the names of ``service.md`` 7.7. They come from the event's ``subsystem``, from a namespace that is one
(``Logger(namespace="gateway/ws")``), or from the module that holds the ``Logger``. An event's ``meta`` (a mapping)
becomes the record's metadata object.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

from attrs import field, frozen
from twisted.logger import LogEvent, LogLevel, formatEvent


class Level(IntEnum):
    """
    Severities as the log file numbers them; as a threshold, ``SILENT`` lets nothing pass.
    """

    TRACE = 1
    DEBUG = 2
    INFO = 3
    WARN = 4
    ERROR = 5
    FATAL = 6
    SILENT = 7

    @classmethod
    def named(cls, name: str) -> Level:
        """
        The level that the configuration calls ``name``.
        """
        return cls[name.upper()]


@frozen(kw_only=True)
class Record:
    """
    One line to be.

    :param time: seconds since the epoch.
    :param meta: structured details beside the message; may be empty.
    """

    time: float
    level: Level
    subsystem: str
    message: str
    meta: Mapping[str, Any] = field(factory=dict)


_LEVELS = {
    LogLevel.debug: Level.DEBUG,
    LogLevel.info: Level.INFO,
    LogLevel.warn: Level.WARN,
    LogLevel.error: Level.ERROR,
    LogLevel.critical: Level.FATAL,
}

#: Module prefix to subsystem, the longest match first; what is not named here is called after its package.
_SUBSYSTEMS = (
    ("gateway.heartbeat", "gateway/heartbeat"),
    ("gateway.health", "gateway/health"),
    ("gateway.websocket", "gateway/ws"),
    ("gateway.connection", "gateway/ws"),
    ("agent", "agent/embedded"),
    ("approvals", "gateway/exec-approvals"),
    ("gateway.canvas", "gateway/canvas"),
    ("web.canvas", "gateway/canvas"),
    ("channels", "gateway/channels"),
    ("config", "gateway/reload"),
    ("cron", "gateway/cron"),
    ("discovery", "gateway/discovery"),
    ("tailscale", "gateway/tailscale"),
    ("tls", "gateway/tls"),
    ("methods", "gateway"),
    ("web", "gateway"),
)


#: Subsystems of one word (``service.md`` 7.7), which as a namespace could be a library's.
_ONE_WORD = frozenset({"gateway", "browser", "memory", "plugins", "skills", "diagnostic", "env", "gmail-watcher"})


def subsystem_of(namespace: str) -> str:
    """
    The subsystem that a logger's namespace stands for.
    """
    if "/" in namespace:
        return namespace
    head, _, rest = namespace.partition(".")
    if head != "openclaw" or not rest:
        return head
    for prefix, subsystem in _SUBSYSTEMS:
        if rest == prefix or rest.startswith(prefix + "."):
            return subsystem
    return rest.partition(".")[0]


def level_of(event: LogEvent) -> Level:
    """
    How severe an event is.

    What libraries tell for information is for debugging here, and ``Logger.failure()``, critical by default, is an
    error: fatal is what ends the process.
    """
    level = _LEVELS.get(event.get("log_level"), Level.INFO)
    if level is Level.FATAL and "log_failure" in event:
        return Level.ERROR
    if level is Level.INFO and not _is_ours(event):
        return Level.DEBUG
    return level


def _is_ours(event: LogEvent) -> bool:
    namespace = event.get("log_namespace") or ""
    return namespace.startswith("openclaw") or "/" in namespace or namespace in _ONE_WORD or "subsystem" in event


def record_of(event: LogEvent, level: Level) -> Record:
    """
    The record of an event; its failure's traceback is part of the message.
    """
    message = formatEvent(event)
    failure = event.get("log_failure")
    if failure is not None:
        message = f"{message}\n{failure.getTraceback()}".strip()
    return Record(
        time=event.get("log_time", 0.0),
        level=level,
        subsystem=event.get("subsystem") or subsystem_of(event.get("log_namespace") or "openclaw"),
        message=message,
        meta=event.get("meta") or {},
    )


def iso_utc(seconds: float) -> str:
    """
    A time as the log writes it: UTC with milliseconds.
    """
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
