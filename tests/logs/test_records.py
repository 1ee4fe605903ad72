"""
From Twisted's events to records.
"""

from __future__ import annotations

from twisted.logger import Logger
from twisted.trial.unittest import SynchronousTestCase

from openclaw.logs.records import Level, iso_utc, level_of, record_of, subsystem_of
from openclaw.logs.subsystem import SubsystemLogger
from tests.logs.kept import Kept


class RecordTests(SynchronousTestCase):
    """
    What a record takes from an event.
    """

    def setUp(self) -> None:
        self.events = Kept()

    def logger(self, namespace: str) -> Logger:
        return Logger(namespace=namespace, observer=self.events)

    def test_logger_of_a_class(self) -> None:
        """
        The name of a subsystem stays also where a class has the logger, which Twisted's own takes for it.
        """

        class Watch:
            _log = SubsystemLogger(namespace="gateway/reload", observer=self.events)

            def look(self) -> None:
                self._log.info("seen")

        Watch().look()
        self.assertEqual(subsystem_of(self.events[0]["log_namespace"]), "gateway/reload")

    def test_subsystems(self) -> None:
        """
        A namespace is a subsystem, or a module that stands for one.
        """
        for namespace, subsystem in (
            ("gateway/ws", "gateway/ws"),
            ("openclaw.gateway.clients.Clients", "gateway"),
            ("openclaw.gateway.health.Health", "gateway/health"),
            ("openclaw.agent.runtime.Runtime", "agent/embedded"),
            ("openclaw.config.reload", "gateway/reload"),
            ("openclaw.store.writer.Writer", "store"),
            ("openclaw", "openclaw"),
            ("twisted.web.server.Site", "twisted"),
        ):
            self.assertEqual(subsystem_of(namespace), subsystem)

    def test_named_by_the_event(self) -> None:
        """
        An event may name its subsystem and carry metadata.
        """
        self.logger("openclaw.x").warn("{n} of them", n=3, subsystem="gateway/cron", meta={"n": 3})
        record = record_of(self.events[0], level_of(self.events[0]))
        self.assertEqual((record.level, record.subsystem, record.message), (Level.WARN, "gateway/cron", "3 of them"))
        self.assertEqual(record.meta, {"n": 3})

    def test_failures_are_errors(self) -> None:
        """
        A failure that was caught is an error with its traceback; critical without one is fatal.
        """
        log = self.logger("openclaw.x")
        try:
            raise ValueError("broken")
        except ValueError:
            log.failure("It failed.")
        log.critical("The end.")
        self.assertEqual([level_of(event) for event in self.events], [Level.ERROR, Level.FATAL])
        message = record_of(self.events[0], Level.ERROR).message
        self.assertTrue(message.startswith("It failed.\nTraceback"))
        self.assertIn("ValueError: broken", message)

    def test_libraries_are_quiet(self) -> None:
        """
        What libraries tell for information is for debugging; their warnings are warnings.
        """
        log = self.logger("twisted.web.server")
        log.info("Starting factory")
        log.warn("Odd")
        self.logger("gateway").info("Ours")
        self.assertEqual([level_of(event) for event in self.events], [Level.DEBUG, Level.WARN, Level.INFO])

    def test_times(self) -> None:
        """
        Times are UTC with three digits of a second.
        """
        self.assertEqual(iso_utc(0.0), "1970-01-01T00:00:00.000Z")
        self.assertEqual(iso_utc(1795499607.4299), "2026-11-24T05:53:27.429Z")

    def test_names_of_levels(self) -> None:
        """
        Levels are found by the configuration's names.
        """
        self.assertEqual(Level.named("silent"), Level.SILENT)
        self.assertEqual(int(Level.named("info")), 3)
