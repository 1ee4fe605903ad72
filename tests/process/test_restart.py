"""
The gateway restarts in place while clients talk to it.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable

from attrs import define, field
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from tests.process.case import ProcessCase
from tests.process.gateway import GatewayProcess, eventually
from tests.process.model import Gate, MockModel, Text
from tests.process.peer import Peer

RESTARTS = 100 if os.environ.get("OPENCLAW_SOAK") else 10


@define(eq=False)
class Talker:
    """
    Somebody who sends one message after the other in a session, and connects again whenever the gateway has left.

    :ivar accepted: what the gateway has confirmed, in order.
    :ivar wrong: what nobody should see.
    """

    url: str
    session: str
    enough: threading.Event
    accepted: list[str] = field(factory=list)
    wrong: list[str] = field(factory=list)

    def run(self) -> None:
        number = 0
        peer: Peer | None = None
        while not self.enough.is_set():
            name = f"{self.session}-{number}"
            try:
                peer = peer or Peer.join(self.url)
                params = {"sessionKey": self.session, "message": name, "idempotencyKey": name}
                answer = peer.answer(peer.send("chat.send", params))
                if not answer["ok"] and answer["error"].get("retryable"):
                    continue
                if not answer["ok"]:
                    self.wrong.append(json.dumps(answer))
                    return
                self.accepted.append(name)
                number += 1
            except (ConnectionClosed, WebSocketException):
                # Whether it was accepted is not known: it is sent again under the same name.
                peer = None
            except OSError as error:
                self.wrong.append(repr(error))
                return
        if peer is not None:
            peer.close()


def knock(port: int, enough: threading.Event, refused: list[str]) -> None:
    """
    Connect again and again.
    """
    while not enough.is_set():
        try:
            socket.create_connection(("127.0.0.1", port), timeout=30).close()
        except OSError as error:
            refused.append(repr(error))
        time.sleep(0.002)


class RestartTests(ProcessCase):
    def gateway(self, model: MockModel) -> GatewayProcess:
        gateway = self.make_gateway(model)
        assert gateway.config is not None
        gateway.config = {**gateway.config, "commands": {"restart": True}}
        return gateway.start()

    def started(self, gateway: GatewayProcess, times: int) -> None:
        eventually(lambda: gateway.output.count("listening on ws://127.0.0.1") == times, "no restart")

    def gets_on(self, talker: Talker) -> None:
        """
        Wait until one more message is accepted, or something is wrong.
        """
        before = len(talker.accepted)
        eventually(lambda: talker.wrong or len(talker.accepted) > before, "nobody got through")

    def in_thread(self, work: Callable[..., None], *arguments: object) -> threading.Thread:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        thread.start()
        return thread

    def test_under_load(self) -> None:
        """
        No connection is refused, and each message that was accepted stands in its session once, with one answer.
        """
        gateway = self.gateway(self.start_model())
        pid, enough, refused = gateway.process.pid, threading.Event(), list[str]()
        talkers = [Talker(gateway.url, session, enough) for session in ("one", "two")]
        threads = [self.in_thread(talker.run) for talker in talkers]
        threads.append(self.in_thread(knock, gateway.port, enough, refused))
        for number in range(RESTARTS):
            gateway.signal(signal.SIGUSR1)
            self.started(gateway, number + 2)
            for talker in talkers:
                self.gets_on(talker)
        enough.set()
        for thread in threads:
            thread.join(60)
        self.assertEqual(([talker.wrong for talker in talkers], refused), ([[], []], []))
        self.assertEqual((gateway.process.pid, gateway.process.poll()), (pid, None))
        peer = self.join(gateway)
        for talker in talkers:
            for name in talker.accepted:
                status = peer.ask("agent.wait", {"runId": name, "timeoutMs": 30_000})["status"]
                self.assertEqual(status, "ok", name)
            history = peer.ask("chat.history", {"sessionKey": talker.session, "limit": 1000})["messages"]
            said = [_text(message) for message in history if message["role"] == "user"]
            self.assertEqual(said, talker.accepted[-len(said) :])
            self.assertEqual(len(history), 2 * len(said))
        self.assertEqual(gateway.stop(), 0)

    def test_told(self) -> None:
        """
        Clients are told that it is a restart; one that is not allowed does not happen.
        """
        gateway = self.gateway(self.start_model())
        peer = self.join(gateway)
        gateway.signal(signal.SIGUSR1)
        self.assertEqual(peer.wait_closed(), (1012, "service restart"))
        told = {"reason": "gateway restarting", "restartExpectedMs": 1500}
        self.assertEqual((peer.events[-1]["event"], peer.events[-1]["payload"]), ("shutdown", told))
        other = self.start_gateway()
        other.signal(signal.SIGUSR1)
        eventually(lambda: "SIGUSR1 restart ignored" in other.output, "nothing was told")
        self.assertEqual(other.get("/healthz").status, 200)

    def test_while_runs_end(self) -> None:
        """
        While a restart waits for a run the gateway still answers: it lives, is not ready, takes no new work, and the
        run's client sees its end. A connection that a proxy keeps does not lead to the old gateway afterwards.
        """
        model = self.start_model()
        gate = Gate()
        model.on("slow", Text("it "), gate, Text("ends"))
        gateway = self.gateway(model)
        kept = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
        self.addCleanup(kept.close)

        def ask(path: str) -> int:
            kept.request("GET", path)
            answer = kept.getresponse()
            answer.read()
            return answer.status

        self.assertEqual(ask("/readyz"), 200)
        peer = self.join(gateway)
        peer.ask("chat.send", {"sessionKey": "main", "message": "slow", "idempotencyKey": "slow"})
        peer.wait_chat("slow", "delta")
        gateway.signal(signal.SIGUSR1)
        peer.wait_event(lambda event: event["event"] == "shutdown")
        self.assertEqual((ask("/healthz"), ask("/readyz")), (200, 503))
        self.assertEqual(gateway.get("/healthz").status, 200)
        self.assertRaises(InvalidStatus, Peer.join, gateway.url)
        gate.open()
        self.assert_ended(peer.wait_chat("slow", "final", "error", "aborted"), "final")
        self.assertEqual(peer.wait_closed(), (1012, "service restart"))
        self.started(gateway, 2)
        gateway.wait_ready()
        self.assertRaises(ConnectionError, ask, "/readyz")

    def test_configuration(self) -> None:
        """
        A change that needs a restart gets one, once, and the session that made it is told afterwards.
        """
        gateway = self.gateway(self.start_model())
        peer = self.join(gateway)
        config = peer.ask("config.get")
        change = {"raw": "{gateway: {maxPayload: 70000}}", "baseHash": config["hash"], "restartDelayMs": 1000}
        answer = peer.ask("config.patch", {**change, "note": "larger", "sessionKey": "main"})
        self.assertEqual((answer["restart"]["ok"], answer["restart"]["delayMs"]), (True, 1000))
        self.assertEqual(peer.wait_closed(), (1012, "service restart"))
        self.started(gateway, 2)
        gateway.wait_ready()
        again = self.join(gateway)
        self.assertEqual(again.hello["policy"]["maxPayload"], 70000)
        self.assert_ended(again.chat("what happened?", "asked"), "final")
        self.assertFalse((gateway.state / "restart-sentinel.json").exists())
        self.assertEqual(gateway.output.count("restarting ("), 1)


def _text(message: dict[str, object]) -> str:
    content = message["content"]
    found = content if isinstance(content, str) else content[0]["text"]  # type: ignore[index]
    return str(found).splitlines()[-1]
