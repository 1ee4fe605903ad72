"""
Observers start here and nowhere else.

Who owns what:

* ``openclaw gateway``: this module owns all of it. Twisted's logging is begun with our one observer, which writes the
  console and the log file. The standard streams stay as they are.
* ``twistd openclaw-gateway``: twistd's observer, for its ``--logfile``, ``--syslog`` or ``--logger``, is twistd's, and
  so is that file with its rotation; ``logging.consoleLevel`` and ``consoleStyle`` do not apply. We add the JSON log
  file beside it, and put the redactor in front of what twistd installed, so that its file holds no secrets either.
  Start it in ``startService``, without streams and beginner: when ``makeService`` runs, twistd has neither begun
  logging nor become the user and the process that it will be.
* Tests: trial owns the observers; give a publisher of your own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

from attrs import define, evolve, field, frozen
from twisted.internet.interfaces import IReactorTime
from twisted.logger import (
    ILogObserver,
    LogBeginner,
    LogEvent,
    Logger,
    LogPublisher,
    globalLogBeginner,
    globalLogPublisher,
)
from zope.interface import implementer

from openclaw.config.model import LoggingConfig
from openclaw.config.redact import secret_values
from openclaw.logs.collapse import Collapse
from openclaw.logs.console import Console, make_console
from openclaw.logs.file import LogFile, json_line, make_file
from openclaw.logs.records import Level, Record, level_of, record_of
from openclaw.logs.redact import BadPattern, Redactor

#: Longer messages are cut: one line must not stop the process, nor fill the file.
MOST_MESSAGE = 32 * 1024
# Cut later than that before redaction, so that no secret is cut into something that is not recognised.
_SLACK = 8 * 1024

# The keys of providers, mostly. Shorter values under such names are switches.
_SECRET_VARIABLE = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|PASSWD)$", re.IGNORECASE)
_SHORTEST_VARIABLE = 8


@implementer(ILogObserver)
@define(kw_only=True, eq=False)
class Sink:
    """
    The observer: filters, redacts and collapses events, and writes them to the console and the file.
    """

    redactor: Redactor
    collapse: Collapse = field(init=False)
    clock: IReactorTime
    file: LogFile | None
    console: Console | None
    file_level: Level
    console_level: Level

    def __attrs_post_init__(self) -> None:
        self.collapse = Collapse(clock=self.clock, write=self._write)

    def __call__(self, event: LogEvent) -> None:
        level = level_of(event)
        if level < self.file_level and level < self.console_level:
            return
        self.collapse.record(self._redacted(record_of(event, level)))

    def _redacted(self, record: Record) -> Record:
        message = self.redactor(record.message[: MOST_MESSAGE + _SLACK])
        if len(message) > MOST_MESSAGE:
            message = f"{message[:MOST_MESSAGE]}… ({len(record.message)} characters)"
        meta = {name: self._redacted_value(name, value) for name, value in record.meta.items()}
        return evolve(record, message=message, meta=meta)

    def _redacted_value(self, name: str, value: object) -> object:
        if value is None or isinstance(value, bool | int | float):
            return value
        # The name belongs to the shape: a member called "token" is one.
        prefix = f"{name}="
        text = self.redactor(f"{prefix}{value}"[: MOST_MESSAGE + _SLACK])[:MOST_MESSAGE]
        return text.removeprefix(prefix)

    def _write(self, record: Record) -> None:
        if self.file is not None and record.level >= self.file_level:
            self.file.append(record.time, json_line(record))
        if self.console is not None and record.level >= self.console_level:
            self.console.write(record)


@implementer(ILogObserver)
@frozen(eq=False)
class Redacted:
    """
    Puts the redactor in front of an observer that is not ours.
    """

    redactor: Redactor
    observer: ILogObserver

    def __call__(self, event: LogEvent) -> None:
        text = self.redactor(record_of(event, level_of(event)).message)
        kept = {name: value for name, value in event.items() if name in _KEPT}
        self.observer({**kept, "log_format": "{redacted}", "redacted": text})


# What formatters and filters of Twisted read besides the text; "format", "message" and the rest are about the text.
_KEPT = ("log_level", "log_namespace", "log_system", "log_time", "log_trace", "time", "isError", "system")


@define(kw_only=True, eq=False)
class Logging:
    """
    Logging that has been started.

    :ivar redactor: register secrets here as they are read or made.
    """

    redactor: Redactor
    _sink: Sink
    _publisher: LogPublisher
    _state_dir: Path
    _verbose: bool
    _configured: LoggingConfig
    _foreign: list[Redacted] = field(factory=list)

    @property
    def path(self) -> Path | None:
        """
        The file of now, which ``logs.tail`` reads; ``None`` without one.
        """
        file = self._sink.file
        return None if file is None else file.path(self._sink.clock.seconds())

    def set_level(self, level: str) -> None:
        """
        Write records from this level on to the file; ``silent`` for none.
        """
        self._sink.file_level = Level.named(level)

    def set_console_level(self, level: str) -> None:
        """
        Show records from this level on.
        """
        self._sink.console_level = Level.named(level) if self._sink.console is not None else Level.SILENT

    def apply(self, config: LoggingConfig) -> None:
        """
        Take a new ``logging`` block while running. ``--verbose`` keeps the console at ``debug``.
        """
        self.redactor.shapes = config.redact_sensitive != "off"
        try:
            self.redactor.use_patterns(config.redact_patterns)
        except BadPattern as error:
            log = Logger(namespace="openclaw.logs", observer=self._publisher)
            log.warn("{error}; the built-in patterns are used", error=error)
            self.redactor.use_patterns(())
        self.set_level(config.level)
        self.set_console_level("debug" if self._verbose else config.console_level or "info")
        console = self._sink.console
        if console is not None and config.console_style is not None:
            console.style = config.console_style
        if self._sink.file is not None and config.file != self._configured.file:
            self._sink.file.close()
            self._sink.file = make_file(config.file, self._state_dir, self._sink.file.failed)
        self._configured = config

    def hide(self, effective: Mapping[str, Any]) -> None:
        """
        Never show the secrets of a configuration (``Config.effective``); also after the next one has replaced it.
        """
        for _, secret in secret_values(effective):
            self.redactor.add(secret)

    def stop(self) -> None:
        """
        Write what waits, take our observers out and close the file. What is logged later is lost.
        """
        self._sink.collapse.flush()
        self._publisher.removeObserver(self._sink)
        for redacted in self._foreign:
            self._publisher.removeObserver(redacted)
            self._publisher.addObserver(redacted.observer)
        if self._sink.file is not None:
            self._sink.file.close()


def start_logging(
    config: LoggingConfig,
    state_dir: Path,
    *,
    clock: IReactorTime,
    stdout: TextIO | None,
    stderr: TextIO | None,
    environ: Mapping[str, str],
    verbose: bool = False,
    redactor: Redactor | None = None,
    publisher: LogPublisher = globalLogPublisher,
    beginner: LogBeginner | None = globalLogBeginner,
) -> Logging:
    """
    Start the observers, once in a process: logging outlives a restart in place, as the sockets do.

    What was logged before is written too, where logging is begun here.

    :param stdout: with ``stderr``, where the console is; without them there is none (twistd has its own).
    :param environ: tells of colours and the journal; variables named as secrets are registered as such.
    :param verbose: the console shows ``debug``, whatever the configuration says.
    :param redactor: one that already knows secrets.
    :param beginner: begins Twisted's logging; ``None`` where somebody else has begun it: twistd, trial.
    """
    redactor = redactor or Redactor()
    for name, value in environ.items():
        if _SECRET_VARIABLE.search(name) and len(value) >= _SHORTEST_VARIABLE:
            redactor.add(value)
    console = None
    if stdout is not None and stderr is not None:
        console = make_console(stdout, stderr, environ, config.console_style, noise=verbose)
    sink = Sink(
        redactor=redactor,
        clock=clock,
        file=None,
        console=console,
        file_level=Level.INFO,
        console_level=Level.INFO,
    )
    sink.file = make_file(config.file, state_dir, _complain_to(publisher))
    logging = Logging(
        redactor=redactor,
        sink=sink,
        publisher=publisher,
        state_dir=state_dir,
        verbose=verbose,
        configured=config,
    )
    if beginner is None:
        logging._foreign = _redact_others(publisher, redactor)
        publisher.addObserver(sink)
    # Before it begins: what was logged until now is written at these levels, and with these patterns.
    logging.apply(config)
    if beginner is not None:
        beginner.beginLoggingTo([sink], redirectStandardIO=False)
    return logging


def _redact_others(publisher: LogPublisher, redactor: Redactor) -> list[Redacted]:
    """
    Put the redactor in front of the observers that are there. The publisher does not list them in public.
    """
    wrapped = [Redacted(redactor, observer) for observer in publisher._observers]
    for redacted in wrapped:
        publisher.removeObserver(redacted.observer)
        publisher.addObserver(redacted)
    return wrapped


def _complain_to(publisher: LogPublisher) -> Callable[[OSError], None]:
    """
    Say on the console that the file does not work; the file itself tells its failure only once.
    """
    log = Logger(namespace="openclaw.logs", observer=publisher)

    def complain(error: OSError) -> None:
        log.error("The log file cannot be written: {error}", error=error)

    return complain
