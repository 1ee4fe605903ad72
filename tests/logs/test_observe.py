"""
The observers together, on a publisher of the test's own.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

from attrs import evolve
from twisted.internet.task import Clock
from twisted.logger import LogBeginner, Logger, LogPublisher, formatEvent
from twisted.trial.unittest import SynchronousTestCase

import openclaw
from openclaw.config.model import LoggingConfig
from openclaw.logs.observe import MOST_MESSAGE, Logging, start_logging
from tests.logs.kept import Kept

TAC = """
from pathlib import Path
from twisted.application.service import Application, Service
from twisted.internet import reactor
from twisted.logger import Logger
from openclaw.config.model import LoggingConfig
from openclaw.logs.observe import start_logging

class Speaks(Service):
    def startService(self):
        self.logging = start_logging(LoggingConfig(), Path.cwd(), clock=reactor, stdout=None, stderr=None, environ={},
                                     beginner=None)
        self.logging.redactor.add("swordfish-9")
        Logger(namespace="gateway").info("The word is {word}", word="swordfish-9")
        reactor.callLater(0, reactor.stop)

    def stopService(self):
        self.logging.stop()

application = Application("speaks")
Speaks().setServiceParent(application)
"""


class LoggingTests(SynchronousTestCase):
    """
    From a ``Logger`` to the console and the file.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.state = Path(self.mktemp())
        self.environ: dict[str, str] = {}
        self.publisher = LogPublisher()
        self.out, self.err = io.StringIO(), io.StringIO()
        self.log = Logger(namespace="openclaw.gateway.x", observer=self.publisher)

    def tearDown(self) -> None:
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def start(self, config: LoggingConfig | None = None, *, verbose: bool = False) -> Logging:
        logging = start_logging(
            config or LoggingConfig(),
            self.state,
            clock=self.clock,
            stdout=self.out,
            stderr=self.err,
            environ=self.environ,
            verbose=verbose,
            publisher=self.publisher,
            beginner=None,
        )
        self.addCleanup(logging.stop)
        return logging

    def filed(self) -> list[str]:
        lines = [line for path in sorted((self.state / "logs").glob("*.log")) for line in path.read_text().splitlines()]
        return [json.loads(line)["1"] for line in lines]

    def shown(self) -> list[str]:
        return [line.split("] ", 1)[1] for line in (self.out.getvalue() + self.err.getvalue()).splitlines()]

    def test_both_sinks(self) -> None:
        """
        A line goes to the console and to the file, debugging to neither.
        """
        self.start()
        self.log.info("Listening on {port}", port=1)
        self.log.debug("Detail")
        self.assertEqual(self.shown(), ["Listening on 1"])
        self.assertEqual(self.filed(), ["Listening on 1"])

    def test_verbose(self) -> None:
        """
        ``--verbose`` shows debugging on the console and leaves the file alone, also when the configuration changes.
        """
        logging = self.start(verbose=True)
        logging.apply(LoggingConfig(console_level="error"))
        self.log.debug("Detail")
        self.assertEqual(self.shown(), ["Detail"])
        self.assertFalse((self.state / "logs").exists())

    def test_every_level(self) -> None:
        """
        Each level lets pass what is at least as severe, which the reference's file got wrong.
        """
        logging = self.start(LoggingConfig(console_level="silent"))
        for level, expected in (
            ("silent", ""),
            ("fatal", "f"),
            ("error", "fe"),
            ("warn", "few"),
            ("info", "fewi"),
            ("debug", "fewid"),
            ("trace", "fewid"),
        ):
            logging.set_level(level)
            before = len(self.filed()) if (self.state / "logs").exists() else 0
            self.log.critical("f {at}", at=level)
            self.log.error("e {at}", at=level)
            self.log.warn("w {at}", at=level)
            self.log.info("i {at}", at=level)
            self.log.debug("d {at}", at=level)
            written = self.filed()[before:] if (self.state / "logs").exists() else []
            self.assertEqual("".join(line[0] for line in written), expected, level)
        self.assertEqual(self.shown(), [])

    def test_console_level_changes(self) -> None:
        """
        The console's level changes while running.
        """
        logging = self.start()
        logging.set_console_level("warn")
        self.log.info("no")
        logging.apply(LoggingConfig(console_level="debug"))
        self.log.debug("yes")
        self.assertEqual(self.shown(), ["yes"])

    def test_redaction(self) -> None:
        """
        Neither sink gets a secret, in the message, in a traceback or in metadata.
        """
        logging = self.start()
        logging.redactor.add("swordfish-9")
        try:
            raise ValueError("the word is swordfish-9")
        except ValueError:
            self.log.failure("It broke")
        self.log.info("password=hunter22", meta={"token": "abc", "n": 4, "text": "swordfish-9"})
        written = "".join(path.read_text() for path in (self.state / "logs").iterdir())
        for text in (written, self.out.getvalue(), self.err.getvalue()):
            for secret in ("swordfish", "hunter22", "abc"):
                self.assertNotIn(secret, text)
        self.assertIn('"n":4', written)

    def test_known_secrets(self) -> None:
        """
        The secrets of the environment and of the configuration are known without their shape.
        """
        self.environ = {"FISH_API_KEY": "swordfish-9", "DEBUG_TOKEN": "1", "PLAIN": "ordinary"}
        logging = self.start()
        logging.hide({"gateway": {"auth": {"token": "dogfish-10", "mode": "token"}}})
        self.log.info("swordfish-9 dogfish-10 ordinary token 1")
        self.assertEqual(self.filed(), ["*** *** ordinary token 1"])

    def test_redaction_off(self) -> None:
        """
        With ``redactSensitive: off`` shapes stay; what is known to be a secret does not.
        """
        logging = self.start(LoggingConfig(redact_sensitive="off"))
        logging.redactor.add("swordfish-9")
        self.log.info("token=abc swordfish-9")
        self.assertEqual(self.filed(), ["token=abc ***"])

    def test_patterns(self) -> None:
        """
        A bad pattern is a warning, and the built-in ones hold; a good one masks.
        """
        logging = self.start(LoggingConfig(redact_patterns=("(",)))
        self.log.info("token=abc PIN-1")
        logging.apply(LoggingConfig(redact_patterns=("PIN-(\\d+)",)))
        self.log.info("token=abc PIN-1")
        self.assertIn("logging.redactPatterns", self.filed()[0])
        self.assertEqual(self.filed()[1:], ["token=*** PIN-1", "token=*** PIN-***"])

    def test_long_messages(self) -> None:
        """
        A message is bounded, and a secret at the cut does not show in part.
        """
        logging = self.start()
        logging.redactor.add("swordfish-9")
        self.log.info("{text}", text="x" * (MOST_MESSAGE - 4) + "swordfish-9" + "y" * 100_000)
        self.assertLess(len(self.filed()[0]), MOST_MESSAGE + 100)
        self.assertNotIn("sword", self.filed()[0])

    def test_repeats(self) -> None:
        """
        A line that repeats is written once, and its count when logging stops.
        """
        logging = self.start()
        for _ in range(1000):
            self.log.info("Again")
        logging.stop()
        self.assertEqual(self.shown(), ["Again", "the last message came 999 times more"])

    def test_another_file(self) -> None:
        """
        A new ``logging.file`` is written to from then on.
        """
        logging = self.start()
        self.log.info("one")
        mine = self.state / "mine.log"
        logging.apply(LoggingConfig(file=str(mine)))
        self.log.info("two")
        self.assertEqual(self.filed(), ["one"])
        self.assertEqual(logging.path, mine)
        self.assertIn('"two"', mine.read_text())

    def test_no_file(self) -> None:
        """
        When the file cannot be written, the console says so once and goes on.
        """
        self.state.write_text("not a directory")
        self.start()
        self.log.info("one")
        self.log.info("two")
        self.assertIn("The log file cannot be written", self.err.getvalue())
        self.assertEqual(self.err.getvalue().count("\n"), 1)
        self.assertEqual(len(self.out.getvalue().splitlines()), 2)

    def test_stop(self) -> None:
        """
        After the end nothing is written, and logging can be started again in the same process.
        """
        self.start().stop()
        self.log.info("lost")
        self.start()
        self.log.info("found")
        self.assertEqual(self.filed(), ["found"])


class OwnershipTests(SynchronousTestCase):
    """
    Who begins logging.
    """

    def test_twistd(self) -> None:
        """
        Observers that were there before get the same events without secrets, and are given back at the end.
        """
        events = Kept()
        publisher = LogPublisher(events)
        logging = start_logging(
            LoggingConfig(),
            Path(self.mktemp()),
            clock=Clock(),
            stdout=None,
            stderr=None,
            environ={},
            publisher=publisher,
            beginner=None,
        )
        logging.redactor.add("swordfish-9")
        log = Logger(namespace="openclaw.gateway", observer=publisher)
        log.warn("The word is {word}", word="swordfish-9")
        self.assertEqual(formatEvent(events[0]), "The word is ***")
        self.assertNotIn("swordfish", repr(events[0]))
        self.assertEqual(events[0]["log_namespace"], "openclaw.gateway")
        logging.stop()
        log.warn("Plain")
        self.assertEqual(formatEvent(events[1]), "Plain")

    def test_real_twistd(self) -> None:
        """
        Under a real twistd its own log file gets our lines without their secrets, and our file is beside it.
        """
        directory = Path(self.mktemp()).absolute()
        directory.mkdir()
        (directory / "app.tac").write_text(TAC)
        command = [sys.executable, "-c", "from twisted.scripts.twistd import run; run()"]
        command += ["--nodaemon", "--pidfile=", "--logfile=twistd.log", "--python=app.tac"]
        environ = {**os.environ, "PYTHONPATH": str(Path(openclaw.__file__).parent.parent)}
        done = subprocess.run(command, cwd=directory, env=environ, capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        theirs = (directory / "twistd.log").read_text()
        self.assertIn("[gateway#info] The word is ***", theirs)
        self.assertIn("Server Shut Down", theirs)
        self.assertNotIn("swordfish", theirs)
        ours = [json.loads(line)["1"] for path in directory.glob("logs/*.log") for line in path.open()]
        self.assertEqual(ours, ["The word is ***"])

    def test_begun_here(self) -> None:
        """
        What was logged before the beginning is written too, and the standard streams stay.
        """
        publisher = LogPublisher()
        streams = SimpleNamespace(stdout=object(), stderr=object())
        fake = SimpleNamespace(showwarning=warnings.showwarning)
        beginner = LogBeginner(publisher, io.StringIO(), streams, fake)
        Logger(namespace="openclaw.gateway", observer=publisher).info("Early")
        out, kept = io.StringIO(), streams.stdout
        logging = start_logging(
            evolve(LoggingConfig(), level="silent"),
            Path(self.mktemp()),
            clock=Clock(),
            stdout=out,
            stderr=io.StringIO(),
            environ={},
            publisher=publisher,
            beginner=beginner,
        )
        logging.stop()
        self.assertTrue(out.getvalue().endswith("[gateway] Early\n"))
        self.assertIs(streams.stdout, kept)
