"""
A process that writes until it is killed: ``python crashing.py <database> <first number> <seed>``.

Each write puts an entry, a run, an outbox item and the session, all with one number, which is printed once the write is
acknowledged. Some fail on purpose, some have bodies that are files of their own.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults

from openclaw.store.interfaces import Entry, OutboxItem, Run, Session, Unit
from openclaw.store.sqlite import SqliteStore

FAILING = 7
LARGE = 40


class OnPurpose(Exception):
    """
    A write that must leave nothing behind.
    """


def entry_id(number: int) -> str:
    return f"{number:08x}"


def write(number: int, unit: Unit) -> None:
    """
    Everything with one number.
    """
    text = "x" * (300_000 + number if number % LARGE == 0 else 200)
    leaf = unit.entries.leaf("s")
    unit.entries.append(
        Entry(
            id=entry_id(number),
            session_id="s",
            parent_id=None if leaf is None else leaf.id,
            type="message",
            timestamp_ms=number,
            body={"message": {"role": "user", "content": text}},
        )
    )
    unit.runs.put(
        Run(
            run_id=str(number),
            session_key="agent:main:main",
            session_id="s",
            state="accepted",
            origin="chat",
            dedupe_key=str(number),
            inbound={"number": number},
            created_at_ms=number,
        )
    )
    unit.outbox.put(
        OutboxItem(
            id=str(number),
            session_key="agent:main:main",
            run_id=str(number),
            channel="webchat",
            payload={},
            created_at_ms=number,
        )
    )
    unit.sessions.put(Session(key="agent:main:main", agent_id="main", session_id="s", updated_at_ms=number))
    if number % FAILING == 0:
        raise OnPurpose


async def go(store: SqliteStore, number: int, chance: random.Random) -> None:
    """
    Write in groups of different sizes, as busy gateways do.
    """
    while True:
        group = range(number, number + chance.randint(1, 30))
        number = group.stop
        await gatherResults([one(store, member) for member in group])


def one(store: SqliteStore, number: int) -> Deferred[Any]:
    def acknowledged(result: Any) -> None:
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()

    writing = store.write(lambda unit: write(number, unit))
    writing.addCallbacks(acknowledged, lambda failure: failure.trap(OnPurpose))
    return writing


def main() -> None:
    store = SqliteStore(path=Path(sys.argv[1]), reactor=reactor)
    store.startService()
    Deferred.fromCoroutine(go(store, int(sys.argv[2]), random.Random(int(sys.argv[3]))))
    reactor.run()


if __name__ == "__main__":
    main()
