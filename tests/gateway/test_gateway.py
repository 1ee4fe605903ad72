"""
The whole gateway in memory, through real WebSockets.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

import openclaw
from openclaw.gateway.life import Life
from openclaw.protocol.features import EVENT_ORDER
from openclaw.store.interfaces import Unit
from openclaw.store.memory import MemoryStore
from openclaw.testing.client import TestDevice
from openclaw.testing.gateway import TOKEN, MemoryGateway
from openclaw.testing.model import said


class GatewayTestCase(SynchronousTestCase):
    config: dict[str, Any] = {}  # noqa: RUF012 - tests replace it

    def setUp(self) -> None:
        self.gateway = MemoryGateway(directory=Path(self.mktemp()), config=self.config).start()
        self.addCleanup(self.finish)

    def finish(self) -> None:
        if self.gateway.service.running or not self.gateway.service.clients.stopping:
            self.gateway.stop()
        self.gateway.advance(5)
        self.assertEqual(self.gateway.reactor.getDelayedCalls(), [])


@define(eq=False)
class SlowStore(MemoryStore):
    """
    A store whose writes wait until they are let go.
    """

    waiting: list[Deferred[None]] = field(factory=list)

    def write(self, work: Callable[[Unit], Any]) -> Deferred[Any]:
        gate: Deferred[None] = Deferred()
        self.waiting.append(gate)
        done = super().write
        return gate.addCallback(lambda _: done(work))

    def let_go(self) -> None:
        gates, self.waiting = self.waiting, []
        for gate in gates:
            if not gate.called:
                gate.callback(None)


def published() -> list[str]:
    """
    The events that the program publishes, by its source, in the order that clients know.
    """
    found = set()
    for path in Path(openclaw.__file__).parent.rglob("*.py"):
        found |= set(PUBLISHING.findall(path.read_text(encoding="utf-8")))
    return [name for name in EVENT_ORDER if name in found]


PUBLISHING = re.compile(r"""\b(?:publish|broadcast|encode_event_body|link\.send)\(\s*"([a-z.]+)\"""")


class HandshakeTests(GatewayTestCase):
    def test_hello(self) -> None:
        """
        ``hello-ok`` has exactly the members that clients know; a health event follows.
        """
        client = self.gateway.client()
        answer = client.connect(token=TOKEN, device=TestDevice())
        payload = answer["payload"]
        self.assertEqual(sorted(payload), ["auth", "features", "policy", "protocol", "server", "snapshot", "type"])
        self.assertEqual(
            payload["policy"], {"maxPayload": 524288, "maxBufferedBytes": 1572864, "tickIntervalMs": 30000}
        )
        self.assertEqual(payload["snapshot"]["sessionDefaults"]["mainSessionKey"], "agent:main:main")
        self.assertEqual(payload["features"]["events"], published())
        self.gateway.advance(1)
        self.assertEqual(len(client.events("health")), 1)
        self.assertEqual([frame["seq"] for frame in client.frames if "seq" in frame], [1])

    def test_silence(self) -> None:
        """
        A client that says nothing for ten seconds is closed with 1000 and no reason.
        """
        client = self.gateway.client()
        self.gateway.advance(9.9)
        self.assertIsNone(client.closed)
        self.gateway.advance(0.2)
        self.assertEqual((client.closed, len(client.frames)), ((1000, ""), 1))

    def test_second_frame_before_hello(self) -> None:
        """
        A pipelined frame is refused, and the client is never registered.
        """
        store = SlowStore()
        gateway = MemoryGateway(directory=Path(self.mktemp()), store=store).start()
        self.addCleanup(gateway.stop)
        client = gateway.client()
        frame = {"type": "req", "id": "x", "method": "last-heartbeat"}
        client.ask("connect", {"minProtocol": 3, "maxProtocol": 3, "auth": {"token": TOKEN}, "client": CLIENT})
        client.send(frame)
        refusal = "invalid handshake: first request must be connect"
        (answer,) = client.answers("x")
        self.assertEqual(answer["error"], {"code": "INVALID_REQUEST", "message": refusal})
        self.assertEqual(client.closed, (1008, refusal))
        store.let_go()
        gateway.flush()
        self.assertEqual(len(gateway.service.clients.events), 0)

    def test_no_frame_before_hello(self) -> None:
        """
        What is no request gets no answer either when it comes too early.
        """
        for data in (b"not json", b"[]", b'{"type":"req","id":"","method":"x"}'):
            gateway = MemoryGateway(directory=Path(self.mktemp()), store=SlowStore()).start()
            client = gateway.client()
            client.ask("connect", {"minProtocol": 3, "maxProtocol": 3, "auth": {"token": TOKEN}, "client": CLIENT})
            client.send(data)
            self.assertEqual(len(client.frames), 1)
            self.assertEqual(client.closed, (1008, "invalid handshake: first request must be connect"))
            gateway.stop()

    def test_too_big(self) -> None:
        """
        Before hello a message may have 64 KiB, after it 512 KiB to the byte.
        """
        early = self.gateway.client()
        early.send(b" " * 65_537)
        self.assertEqual(early.closed, (1009, ""))
        client = self.gateway.connected()
        client.send(b" " * 524_288)
        self.assertIsNone(client.closed)
        client.send(b" " * 524_289)
        self.assertEqual(client.closed, (1009, ""))

    def test_foreign_origin(self) -> None:
        """
        A page from elsewhere cannot open a socket; our own and a native app can.
        """
        refused = self.gateway.client(headers={"Host": "127.0.0.1:18789", "Origin": "https://evil.example"})
        self.assertEqual(refused.frames, [])
        allowed = self.gateway.client(headers={"Host": "127.0.0.1:18789", "Origin": "http://127.0.0.1:18789"})
        self.assertEqual(allowed.frames[0]["event"], "connect.challenge")

    def test_any_path_and_first_subprotocol(self) -> None:
        """
        Every path is a WebSocket path.
        """
        client = self.gateway.client(url="ws://127.0.0.1:18789/any/path?x=y")
        self.assertEqual(client.frames[0]["event"], "connect.challenge")


CLIENT = {"id": "gateway-client", "version": "1.0.0", "platform": "linux", "mode": "backend"}


class EventTests(GatewayTestCase):
    def test_tick(self) -> None:
        """
        A tick comes every thirty seconds.
        """
        client = self.gateway.connected()
        self.gateway.advance(30)
        self.gateway.advance(30)
        self.assertEqual(len(client.events("tick")), 2)

    def test_presence_is_pushed(self) -> None:
        """
        Others learn of a client when it comes and when it goes; a command line is not listed.
        """
        watcher = self.gateway.connected()
        before = len(watcher.events("presence"))
        other = self.gateway.connected(device=TestDevice(seed=2))
        self.assertEqual(len(watcher.events("presence")), before + 1)
        other.close()
        self.gateway.advance(1)
        latest = watcher.events("presence")[-1]
        reasons = {entry.get("deviceId"): entry["reason"] for entry in latest["payload"]["presence"]}
        self.assertEqual(reasons[TestDevice(seed=2).id], "disconnect")
        self.assertEqual(len(watcher.events("presence")), before + 2)
        self.gateway.connected(client={**CLIENT, "id": "cli", "mode": "cli"})
        self.assertEqual(len(watcher.events("presence")), before + 2)


class ShutdownTests(GatewayTestCase):
    def test_everybody_is_told(self) -> None:
        """
        Clients get the event and then 1012; a socket that never spoke is closed too and delays nothing.
        """
        client = self.gateway.connected()
        silent = self.gateway.client()
        before = self.gateway.reactor.seconds()
        self.gateway.stop()
        self.assertEqual(client.events("shutdown")[0]["payload"], {"reason": "gateway stopping"})
        self.assertEqual((client.closed, silent.closed), ((1012, "service restart"), (1012, "service restart")))
        self.assertLess(self.gateway.reactor.seconds() - before, 3)

    def test_running_answer(self) -> None:
        """
        Who waits for an answer sees its end before 1012; nobody new comes in meanwhile, and nothing new is taken.
        """
        gateway = MemoryGateway(directory=Path(self.mktemp()), answers=[[2.0, *said("the answer")]]).start()
        client = gateway.connected()
        silent = gateway.client()
        client.call("chat.send", {"sessionKey": "main", "message": "hi", "idempotencyKey": "r1"})
        stopped = gateway.service.stopService()
        gateway.flush()
        self.assertEqual(len(client.events("shutdown")), 1)
        self.assertEqual((client.closed, silent.closed), (None, (1012, "service restart")))
        late = client.call("chat.send", {"sessionKey": "main", "message": "more", "idempotencyKey": "r2"})
        self.assertEqual(late["error"]["code"], "UNAVAILABLE")
        gateway.advance(2)
        self.assertEqual([event["payload"]["state"] for event in client.events("chat")][-1], "final")
        self.assertEqual(client.closed, (1012, "service restart"))
        gateway.advance(2)
        self.successResultOf(stopped)

    def test_answer_that_takes_too_long(self) -> None:
        """
        After ``gateway.shutdown.drainMs`` the stop goes on, whatever still runs.
        """
        gateway = MemoryGateway(
            directory=Path(self.mktemp()),
            config={"gateway": {"shutdown": {"drainMs": 3000}}},
            answers=[[60.0, *said("the answer")]],
        ).start()
        client = gateway.connected()
        client.call("chat.send", {"sessionKey": "main", "message": "hi", "idempotencyKey": "r1"})
        stopped = gateway.service.stopService()
        gateway.advance(2.9)
        self.assertIsNone(client.closed)
        gateway.advance(0.1)
        self.assertEqual(client.closed, (1012, "service restart"))
        gateway.advance(2)
        self.successResultOf(stopped)
        self.assertEqual(gateway.reactor.getDelayedCalls(), [])

    def test_build_again(self) -> None:
        """
        A second tree in the same process goes on with the same life.
        """
        client = self.gateway.connected(device=TestDevice())
        self.gateway.advance(60)
        self.gateway.stop()
        life: Life | None = self.gateway.life
        again = MemoryGateway(
            directory=self.gateway.directory, store=self.gateway.store, reactor=self.gateway.reactor, life=life
        ).start()
        hello = again.client().connect(token=TOKEN, device=TestDevice())["payload"]
        self.assertGreaterEqual(hello["snapshot"]["uptimeMs"], 60_000)
        self.assertGreater(hello["snapshot"]["stateVersion"]["health"], 1)
        self.assertIsNotNone(client.closed)
        again.stop()
