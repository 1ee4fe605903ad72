"""
Service trees that follow one another in one process, on a real database.
"""

from __future__ import annotations

from pathlib import Path

from attrs import evolve
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from openclaw.gateway.assembly import build, make_life
from openclaw.gateway.life import Life
from openclaw.gateway.service import Gateway
from openclaw.gateway.setting import Setting
from openclaw.store.errors import StoreTooNew
from openclaw.store.lock import AlreadyRunning
from openclaw.store.schema import open_writer
from openclaw.testing.gateway import MemoryGateway
from tests.store.state import DEVICE, PAIRED, everything, make_state


class TreeTests(TestCase):
    def setUp(self) -> None:
        self.state = Path(self.mktemp()).absolute()
        self.state.mkdir()

    def setting(self) -> Setting:
        # Imported jobs may be due at any time of the day, and are not what these tests are about.
        gateway = MemoryGateway(directory=self.state, environ={"OPENCLAW_SKIP_CRON": "1"})
        return evolve(gateway._setting(), port=0, hosts=("127.0.0.1",))

    def start(self, life: Life | None = None) -> Gateway:
        gateway = build(self.setting(), reactor, life)
        gateway.startService()
        self.addCleanup(gateway.stopService)
        return gateway

    async def ready(self, gateway: Gateway) -> None:
        """
        Wait until nothing is pending.
        """
        while gateway.pending():
            pause: Deferred[None] = Deferred()
            reactor.callLater(0.01, pause.callback, None)
            await pause

    async def test_one_after_another(self) -> None:
        """
        A tree that was stopped leaves room for another; one that runs does not.
        """
        first = self.start()
        await self.ready(first)
        second = build(self.setting(), reactor)
        self.assertRaises(AlreadyRunning, second.startService)
        await first.stopService()
        await self.ready(self.start())

    async def test_restart(self) -> None:
        """
        A restart in place keeps the lock between two trees.
        """
        life = make_life(reactor)
        first = self.start(life)
        await self.ready(first)
        first.restarting = True
        await first.stopService()
        assert life.lock is not None
        self.assertTrue(life.lock.is_held)
        second = self.start(life)
        await self.ready(second)
        self.assertIs(second.clients.limiter, first.clients.limiter, "who was locked out still is")
        await second.stopService()
        self.assertFalse(life.lock.is_held)

    async def test_import(self) -> None:
        """
        A gateway that is started on a reference's state directory says that the import is pending until it is done.
        """
        make_state(self.state)
        before = everything(self.state)
        gateway = self.start()
        self.assertEqual(gateway.pending(), ["store", "import"])
        # Also who asks before anything is open finds the devices that were paired.
        devices = gateway.clients.store.read(lambda unit: unit.devices.get(DEVICE))
        self.assertEqual(await devices, PAIRED)
        await self.ready(gateway)
        health = await gateway.health.refresh()
        self.assertEqual(health["sessions"]["count"], 12)
        await gateway.stopService()
        after = everything(self.state)
        self.assertEqual({name: after[name] for name in before}, before)
        self.assertEqual(set(after) - set(before), {"gateway.lock", "openclaw.sqlite3"})

    async def test_unusable(self) -> None:
        """
        A database that cannot be used ends the process, once.
        """
        connection = open_writer(self.state / "openclaw.sqlite3")
        connection.execute("PRAGMA user_version=9999")
        connection.close()
        life = make_life(reactor)
        ended: Deferred[None] = Deferred()
        life.on_fatal = lambda: ended.callback(None)
        self.start(life)
        await ended
        self.assertIsInstance(life.fatal, StoreTooNew)
        self.assertEqual(life.exit_code, 1)
