"""
Requests that need whole conversations wait a while for the import, and are told to come again.
"""

from __future__ import annotations

from pathlib import Path

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.errors import NotReady
from openclaw.gateway.readiness import PATIENCE, Readiness
from openclaw.methods.dispatch import needs_conversations
from openclaw.methods.mapping import refused
from openclaw.sessions.keys import stored_key
from openclaw.store.import_service import ImportService
from openclaw.store.memory import MemoryStore
from openclaw.store.sources import Places


class ReadinessTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.threads: list[Deferred[list[object]]] = []
        self.importer = ImportService(
            places=Places(state_dir=Path(self.mktemp())),
            clock=self.clock,
            key_of=stored_key,
            make_id=lambda: "id",
            in_thread=self.in_thread,
        )
        self.importer.store = MemoryStore()
        self.readiness = Readiness(store=self.importer.store, importer=self.importer, clock=self.clock)

    def in_thread(self, work: object, *arguments: object) -> Deferred[list[object]]:
        self.threads.append(Deferred())
        return self.threads[-1]

    def finish(self) -> None:
        """
        Let every look at the disk find nothing.
        """
        while self.threads:
            self.threads.pop(0).callback([])

    def test_waits(self) -> None:
        """
        A request waits for the import, and goes on as soon as it is done.
        """
        self.importer.startService()
        self.assertEqual(self.readiness.pending(), ["import"])
        waiting = self.readiness.ready()
        self.assertNoResult(waiting)
        self.finish()
        self.successResultOf(waiting)
        self.assertEqual(self.readiness.pending(), [])
        self.successResultOf(self.readiness.ready())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_patience(self) -> None:
        """
        A long import refuses what cannot wait for it, by name and with a time to come again.
        """
        self.importer.startService()
        waiting = self.readiness.ready()
        self.clock.advance(PATIENCE.total_seconds())
        error = self.failureResultOf(waiting, NotReady).value
        answer = refused(error, "chat.send", lambda: "id").error
        self.assertEqual(answer.message, "The gateway is still starting: import.")
        self.assertEqual((answer.code, answer.retryable, answer.retry_after_ms), ("UNAVAILABLE", True, 1_000))
        self.finish()
        self.successResultOf(self.readiness.ready())

    def test_stopping(self) -> None:
        """
        A stop keeps nobody waiting.
        """
        self.importer.startService()
        waiting = self.readiness.ready()
        stopping = self.importer.stopService()
        self.failureResultOf(waiting, CancelledError)
        self.finish()
        self.successResultOf(stopping)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_who_waits(self) -> None:
        """
        What tells of the gateway itself is answered at once.
        """
        names = ("agent", "chat.send", "sessions.list", "health", "status", "agent.identity.get", "device.pair.list")
        self.assertEqual([name for name in names if needs_conversations(name)], ["agent", "chat.send", "sessions.list"])
