"""
The process is killed, or asked to end, between accepting a message and answering it, again and again on the same state.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from collections.abc import Callable
from typing import Any

from attrs import define, field
from websockets.exceptions import ConnectionClosed

from tests.process.case import ProcessCase
from tests.process.gateway import GatewayProcess, eventually
from tests.process.model import Gate, MockModel, Text
from tests.process.peer import Peer

SOAK = bool(os.environ.get("OPENCLAW_SOAK"))
KILLS = 250 if SOAK else 25
TERMS = 200 if SOAK else 20
#: How long a process that was asked to end waits for an answer, in milliseconds.
DRAIN_MS = 1_000
SEED = 20260130

#: What has been seen when the kill comes. A random moment of at most ``SPREAD`` seconds follows.
STAGES = ("sent", "accepted", "asked", "streaming", "ending")
SPREAD = 0.02

End = Callable[[GatewayProcess, Gate, int], None]

TERMINAL = {"ok", "error", "aborted", "interrupted"}


@define
class Told:
    """
    What the client knows of its messages.

    :ivar sent: run ids in order, with the text as the same.
    :ivar accepted: those that the gateway has confirmed.
    """

    sent: list[str] = field(factory=list)
    accepted: set[str] = field(factory=set)


class EndTests(ProcessCase):
    """
    Every accepted message stands in the history once and every run has one outcome, wherever the end came.
    """

    timeout = 1800 if SOAK else 170

    def test_killed(self) -> None:
        """
        kill -9.
        """

        def kill(gateway: GatewayProcess, gate: Gate, number: int) -> None:
            gateway.kill()
            gate.open()

        self.converse(KILLS, kill)

    def test_terminated(self) -> None:
        """
        SIGTERM: an answer that comes in time is waited for, one that does not is not.
        """

        def terminate(gateway: GatewayProcess, gate: Gate, number: int) -> None:
            gateway.signal(signal.SIGTERM)
            if number % 3:
                gate.open()
            self.assertEqual(gateway.ended(), 0)
            gate.open()

        self.converse(TERMS, terminate, shutdown={"drainMs": DRAIN_MS})

    def converse(self, points: int, end: End, **options: Any) -> None:
        """
        :param end: ends the process, and opens the gate before which the model's answer waits.
        """
        chance = random.Random(SEED)
        model = self.start_model()
        gateway = self.make_gateway(model, **options)
        told = Told()
        for number in range(points):
            stage = STAGES[number % len(STAGES)]
            gateway.start()
            self.settled(gateway)

            def cut(gate: Gate, number: int = number) -> None:
                # Not a wait for anything: the moment itself is what is tried.
                time.sleep(chance.uniform(0, SPREAD))
                end(gateway, gate, number)

            self.end_once(gateway, model, told, f"message-{number}", stage, cut)
        gateway.start()
        peer = self.join(gateway)
        self.settled(gateway)
        self.check(gateway, peer, told)
        self.assert_ended(peer.chat("the last one", "last"), "final")
        asked = model.requests[-1].body["messages"]
        users = [str(message["content"]) for message in asked if message["role"] == "user"]
        for name in told.accepted:
            self.assertEqual(sum(f"{name}\\n" in text or f"{name}'" in text for text in users), 1, name)
        self.assertEqual(gateway.stop(), 0)

    def end_once(
        self, gateway: GatewayProcess, model: MockModel, told: Told, name: str, stage: str, cut: Callable[[Gate], None]
    ) -> None:
        peer, gate = Peer.join(gateway.url), Gate()
        model.plan(Text("half"), gate, Text(" whole"))
        told.sent.append(name)
        request = peer.send("chat.send", {"sessionKey": "main", "message": name, "idempotencyKey": name})
        if stage != "sent":
            self.assertTrue(peer.answer(request)["ok"])
            told.accepted.add(name)
        if stage in ("asked", "streaming", "ending"):
            gate.wait_reached()
        if stage in ("streaming", "ending"):
            peer.wait_chat(name, "delta")
        if stage == "ending":
            gate.open()
        cut(gate)
        self.read_last(peer, request, told, name)
        model.forget_plans()

    def read_last(self, peer: Peer, request: str, told: Told, name: str) -> None:
        """
        An answer that was on its way counts.
        """
        if name in told.accepted:
            return
        try:
            if peer.answer(request)["ok"]:
                told.accepted.add(name)
        except ConnectionClosed:
            return

    def settled(self, gateway: GatewayProcess) -> None:
        """
        Wait until no run is unfinished.
        """
        eventually(lambda: all(state in TERMINAL for _, state, _ in self.runs(gateway)), "a run did not end")

    def runs(self, gateway: GatewayProcess) -> list[tuple[str, str, str | None]]:
        database = sqlite3.connect(f"file:{gateway.state}/openclaw.sqlite3?mode=ro", uri=True, timeout=10)
        try:
            return database.execute("SELECT run_id, state, outcome FROM runs ORDER BY created_at_ms").fetchall()
        finally:
            database.close()

    def check(self, gateway: GatewayProcess, peer: Peer, told: Told) -> None:
        history = peer.history()
        # A note about the aborted run before may stand above what was said.
        said = [text.splitlines()[-1] for role, text in history if role == "user"]
        stood = [name for name in told.sent if name in said]
        self.assertEqual(said, stood, "each once, in the order they were sent")
        self.assertEqual(told.accepted - set(said), set())
        runs = {run: (state, outcome) for run, state, outcome in self.runs(gateway)}
        self.assertEqual(set(runs), set(said))
        for run, (state, outcome) in runs.items():
            self.assertIn(state, TERMINAL, run)
            self.assertIsNotNone(outcome, run)
            status = peer.ask("agent.wait", {"runId": run, "timeoutMs": 1000})["status"]
            self.assertEqual(status, "ok" if state == "ok" else "error", run)
        # Behind each message there is one end, an answer or an error, before the next message.
        for at, (role, _) in enumerate(history):
            self.assertEqual(role, "assistant" if at % 2 else "user", history[at - 1 : at + 2])
        self.assertEqual(len(history), 2 * len(said))
