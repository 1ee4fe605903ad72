"""
Whatever happens in whatever order, every accepted message has exactly one end.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.providers.base import TextDelta
from openclaw.agent.providers.errors import ProviderRefused
from openclaw.testing.model import Step
from tests.agent.fakes import House, SlowStore, said

SESSIONS = ("agent:main:main", "agent:main:other")

SCRIPTS: Sequence[Sequence[Step]] = (
    [0.3, *said("after", " a while")],
    said("at once"),
    [TextDelta("half"), 0.5, *said(" whole")],
    [0.2, ProviderRefused("no", status=400)],
    [ProviderRefused("busy", status=500)],
    [TextDelta("for ever"), 1e6],
)

Action = tuple[str, int, float]

ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(
            ["post"] * 4 + ["go"] * 2 + ["send", "expiring", "stop", "abort", "again", "new", "wait", "crash", "slow"]
        ),
        st.integers(0, 3),
        st.sampled_from([0.0, 0.0, 0.05, 0.3, 1.1]),
    ),
    max_size=25,
)


class World:
    """
    A house whose world is shaken.
    """

    def __init__(self) -> None:
        self.house = House(Path("unused"), list(SCRIPTS), {"agents": {"defaults": {"timeoutSeconds": 40}}})
        self.sent: list[tuple[str, str]] = []
        self.accepted: set[str] = set()
        self.events: dict[str, list[str]] = {}

    def act(self, action: Action) -> None:
        name, number, pause = action
        key = SESSIONS[number % 2]
        run_id = f"run-{len(self.sent)}"
        if name in ("send", "post", "expiring", "new"):
            self.sent.append((run_id, key))
            text = "/new begin" if name == "new" else f"message {number}"
            members = {"lastChannel": "telegram", "lastTo": "7"}
            more: dict[str, dict[str, Any]] = {
                "post": {"origin": "channel", "members": members},
                "expiring": {"expires": timedelta(seconds=1)},
            }
            sending = self.house.send(text, run_id, session_key=key, **more.get(name, {}))
            sending.addCallback(lambda accepted: self.accepted.add(accepted.run_id))
        elif name == "again" and self.sent:
            old, old_key = self.sent[number % len(self.sent)]
            self.house.send("again", old, session_key=old_key)
        elif name == "stop":
            self.house.runtime.abort(key, reason="stop")
        elif name == "abort" and self.sent:
            old, old_key = self.sent[number % len(self.sent)]
            self.house.runtime.abort(old_key, run_id=old)
        elif name == "slow":
            self.store.slow = True
        elif name == "go":
            self.store.go()
        elif name == "crash":
            self.collect()
            self.house.crash(list(SCRIPTS[number % 5 :]) or list(SCRIPTS))
        self.house.clock.advance(pause)

    def collect(self) -> None:
        """
        Keep what clients have heard from a process that is about to die.
        """
        for event, payload in self.house.events:
            if event == "chat" and payload["state"] != "delta":
                self.events.setdefault(payload["runId"], []).append(payload["state"])

    def settle(self) -> None:
        """
        Let everything come to its end.
        """
        while self.store.slow:
            self.store.go()
            self.house.clock.advance(0)
            self.store.slow = bool(self.store.waiting)
        for _ in range(400):
            self.house.clock.advance(1)
        self.collect()

    @property
    def store(self) -> SlowStore:
        store = self.house.store
        assert isinstance(store, SlowStore)
        return store


class InterleavingTests(SynchronousTestCase):
    @settings(max_examples=50, derandomize=True, deadline=None)
    @given(ACTIONS)
    def test_one_end_each(self, actions: list[Action]) -> None:
        """
        Each accepted run has one stored outcome and at most one terminal event for each process, its numbers rise,
        nothing follows its end, and nothing of it is left.
        """
        world = World()
        for action in actions:
            world.act(action)
        world.settle()
        house = world.house
        for run_id, key in world.sent:
            record = house.run_record(run_id)
            if record is None:
                # The process died before it was stored, and nobody was told that it was.
                self.assertNotIn(run_id, world.accepted)
                continue
            self.assertIn(record.state, ("ok", "error", "aborted", "interrupted"), (run_id, actions))
            self.assertEqual(len(world.events.get(run_id, ())), 1, (run_id, world.events, actions))
            self.assertEqual(list(house.runtime.active(key)), [])
            self.assert_in_order(house, run_id)
        self.assertEqual(house.clock.getDelayedCalls(), [])

    def assert_in_order(self, house: House, run_id: str) -> None:
        events = [payload for event, payload in house.events if payload["runId"] == run_id]
        numbers = [payload["seq"] for payload in events if "stream" in payload]
        self.assertEqual(numbers, sorted(set(numbers)), run_id)
        ends = [
            index for index, payload in enumerate(events) if payload.get("data", {}).get("phase") in ("end", "error")
        ]
        ends += [index for index, payload in enumerate(events) if payload.get("state") in ("final", "error", "aborted")]
        if ends:
            # The lifecycle's end and the chat's stand side by side at the end.
            self.assertGreaterEqual(min(ends), len(events) - 2, (run_id, events))
