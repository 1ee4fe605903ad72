"""
Imports as a new process does them.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet.defer import maybeDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from openclaw.sessions.keys import stored_key
from openclaw.store.import_service import ImportService
from openclaw.store.interfaces import Entry, Unit
from openclaw.store.memory import MemoryStore
from openclaw.store.sources import Places
from tests.store.state import NOW, write

T = TypeVar("T")


def make_service(store: Any, places: Places | Path, **changes: Any) -> ImportService:
    ids = count(1)
    clock = Clock()
    clock.advance(NOW / 1000)
    given = {
        "places": places if isinstance(places, Places) else Places(state_dir=places),
        "clock": clock,
        "key_of": stored_key,
        "make_id": lambda: f"made-{next(ids)}",
        "in_thread": maybeDeferred,
        **changes,
    }
    service = ImportService(**given)
    service.store = store
    return service


class ImportTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.root = Path(self.mktemp())
        self.root.mkdir()
        self.store = MemoryStore()

    def run_import(self, places: Places | None = None) -> ImportService:
        """
        A whole import, as a new process does it.
        """
        service = make_service(self.store, places or self.root)
        self.successResultOf(self.store.write(service.pairing))
        service.startService()
        self.assertTrue(service.is_done)
        self.successResultOf(service.stopService())
        return service

    def read(self, work: Callable[[Unit], T]) -> T:
        return self.successResultOf(self.store.read(work))

    def path_of(self, session_id: str) -> list[Entry]:
        return list(self.read(lambda unit: unit.entries.path(session_id)))

    def sessions_json(self, value: Any, agent: str = "main") -> None:
        write(self.root / "agents" / agent / "sessions" / "sessions.json", value)

    def transcript(self, name: str, text: str) -> None:
        write(self.root / "agents" / "main" / "sessions" / name, text)


LINE = '{"type":"message","id":"%s","parentId":%s,"timestamp":"2026-11-23T06:36:24.%03dZ","message":%s}\n'
HEADER = '{"type":"session","version":3,"id":"s","timestamp":"2026-11-23T06:36:24.000Z","cwd":"/w"}\n'


def line(id: str, parent: str | None, number: int = 0, text: str = "hi", role: str = "user") -> str:
    message = f'{{"role":"{role}","content":[{{"type":"text","text":"{text}"}}]}}'
    return LINE % (id, "null" if parent is None else f'"{parent}"', number, message)
