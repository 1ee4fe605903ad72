"""
What Prometheus is told when it asks: what has been counted, and how much there is at the moment.
"""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from attrs import define
from twisted.internet.defer import Deferred

from openclaw import __version__
from openclaw.agent.load import Load
from openclaw.errors import OpenClawError
from openclaw.gateway.clients import Clients
from openclaw.gateway.connection import Connection
from openclaw.gateway.events import EventLog
from openclaw.metrics.exposition import render
from openclaw.metrics.families import Family, single
from openclaw.metrics.meters import Counts, NoMeters
from openclaw.store.interfaces import Store
from openclaw.store.sqlite import SqliteStore

#: The lanes that are told apart; whoever asks for a run may name others.
LANES = ("main", "subagent", "cron")
OTHER_LANES = "other"
DOING = ("waiting", "running", "paused")


@define(kw_only=True, eq=False)
class Scrape:
    """
    Reads all that is measured.

    :ivar meters: what has counted, if anything has.
    :ivar runs: how many runs there are.
    """

    meters: Counts | NoMeters
    clients: Clients
    events: EventLog
    runs: Callable[[], Load]
    store: Store
    in_thread: Callable[..., Deferred[Any]]

    async def text(self) -> bytes | None:
        """
        :return: everything in Prometheus's text format, or ``None`` where nothing is counted.
        """
        if isinstance(self.meters, NoMeters):
            return None
        outbox = await self._outbox()
        # From here on nothing happens between two numbers.
        families = [_build(), *self._now(), *outbox, *self.meters.families()]
        text: bytes = await self.in_thread(render, families)
        return text

    async def _outbox(self) -> list[Family]:
        if not self.store.is_ready:
            return []
        try:
            waiting = await self.store.read(lambda unit: unit.outbox.count())
        except OpenClawError:
            # It stops; the rest can still be told.
            return []
        return [single("gauge", "openclaw_outbox_waiting", "What is written down and not delivered yet.", waiting)]

    def _now(self) -> Iterator[Family]:
        connected: Counter[tuple[str, ...]] = Counter(_kind(connection) for connection in self.events)
        yield Family("gauge", "openclaw_connections", "Clients that are in.", ("role", "mode"), connected)
        pending, answering = self.clients.load()
        yield single("gauge", "openclaw_connections_pending", "WebSockets that have not said hello yet.", pending)
        yield single("gauge", "openclaw_requests_in_flight", "Requests that are being answered.", answering)
        yield Family(
            "gauge", "openclaw_runs_active", "Runs in memory, by what they do.", ("lane", "state"), _lanes(self.runs())
        )
        if isinstance(self.store, SqliteStore):
            writes, reads = self.store.waiting
            yield single("gauge", "openclaw_store_writes_waiting", "Writes that the store has not begun.", writes)
            yield single("gauge", "openclaw_store_reads_waiting", "Reads that the store has not begun.", reads)


def _build() -> Family:
    told: dict[tuple[str, ...], int] = {(__version__, platform.python_version()): 1}
    return Family("gauge", "openclaw_build_info", "What runs here.", ("version", "python"), told)


def _kind(connection: object) -> tuple[str, ...]:
    assert isinstance(connection, Connection)
    return connection.role, connection.client["mode"]


def _lanes(runs: Load) -> dict[tuple[str, ...], int]:
    rows: dict[tuple[str, ...], int] = {(lane, doing): 0 for lane in (*LANES, OTHER_LANES) for doing in DOING}
    for (lane, doing), count in runs.items():
        rows[lane if lane in LANES else OTHER_LANES, doing] += count
    return rows
