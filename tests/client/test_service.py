"""
The client that stays, joined to a gateway in memory.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.trial.unittest import SynchronousTestCase

from openclaw.client.errors import ConnectionClosed, GatewayTimeout, RequestFailed
from openclaw.client.identity import DeviceTokens, Identity
from openclaw.client.introduction import Credentials, Event, Persona
from openclaw.client.service import GatewayService
from openclaw.testing.gateway import TOKEN, MemoryGateway
from openclaw.testing.model import said

IDENTITY = Identity(bytes([7] * 32))


class ServiceCase(SynchronousTestCase):
    """
    With a gateway that can be stopped and started again.
    """

    def setUp(self) -> None:
        self.gateway = MemoryGateway(directory=Path(self.mktemp()), answers=[said("hello")]).start()
        self.addCleanup(lambda: self.gateway.stop() if self.gateway.service.running else None)
        self.hellos: list[Any] = []
        self.events: list[Event] = []
        self.gaps: list[tuple[int, int]] = []
        self.refusals: list[RequestFailed] = []

    def client(self, **members: Any) -> GatewayService:
        """
        A client that leaves at the end of the test, and leaves nothing behind.
        """
        told: dict[str, Any] = {
            "credentials": Credentials(token=TOKEN, identity=IDENTITY),
            "persona": Persona(client_id="gateway-client", mode="backend"),
            **members,
        }
        client = GatewayService(
            clock=self.gateway.reactor,
            url="ws://127.0.0.1:18789/",
            make_endpoint=lambda: self.gateway,
            on_hello=self.hellos.append,
            on_event=self.events.append,
            on_gap=lambda before, after: self.gaps.append((before, after)),
            on_refused=self.refusals.append,
            jitter=lambda: 0.0,
            **told,
        )
        client.startService()
        self.gateway.flush()
        self.addCleanup(self.leave, client)
        return client

    def leave(self, client: GatewayService) -> None:
        if client.running:
            client.stopService()
            self.gateway.flush()
        self.assertIsNone(client._timer)

    def again(self) -> None:
        """
        Start another gateway where the first was, with what it stored.
        """
        old = self.gateway
        self.gateway = MemoryGateway(directory=old.directory, store=old.store, reactor=old.reactor).start()


class RequestTests(ServiceCase):
    def test_answers(self) -> None:
        """
        Requests are answered, also several at once; a refusal is an exception.
        """
        client = self.client()
        health, unknown = client.call("health"), client.call("no.such")
        self.gateway.flush()
        self.assertTrue(self.successResultOf(health)["ok"])
        self.assertEqual(self.failureResultOf(unknown, RequestFailed).value.message, "unknown method: no.such")

    def test_two_stages(self) -> None:
        """
        Who wants the end of a run gets the second answer.
        """
        client = self.client()
        params = {"message": "hi", "sessionKey": "main", "idempotencyKey": "a"}
        first = client.call("agent", params)
        last = client.call("agent", {**params, "idempotencyKey": "b"}, timeout=None, expect_final=True)
        self.gateway.advance(1)
        self.assertEqual(self.successResultOf(first)["status"], "accepted")
        self.assertEqual(self.successResultOf(last)["status"], "ok")

    def test_timeout(self) -> None:
        """
        An answer that comes too late is not waited for, and does no harm when it comes.
        """
        client = self.client()
        late = client.call("agent.wait", {"runId": "none", "timeoutMs": 60_000}, timeout=5)
        self.gateway.flush()
        self.gateway.advance(5)
        self.failureResultOf(late, GatewayTimeout)
        for _ in range(6):
            self.gateway.advance(10)
        self.assertIsNotNone(client.hello)

    def test_cancelled(self) -> None:
        """
        Whoever gives up is told so.
        """
        client = self.client()
        asked = client.call("health")
        asked.cancel()
        self.failureResultOf(asked, CancelledError)
        self.gateway.flush()

    def test_not_connected(self) -> None:
        """
        Before hello-ok and after the end nothing can be asked.
        """
        self.gateway.stop()
        client = self.client()
        self.failureResultOf(client.call("health"), ConnectionClosed)


class ConnectionTests(ServiceCase):
    def test_comes_back(self) -> None:
        """
        After a restart it introduces itself again; requests under way have failed meanwhile.
        """
        client = self.client()
        waiting = client.call("agent.wait", {"runId": "none", "timeoutMs": 60_000}, timeout=None)
        self.gateway.flush()
        self.gateway.stop()
        self.assertEqual(self.failureResultOf(waiting, ConnectionClosed).value.code, 1012)
        self.assertIsNone(client.hello)
        connected = client.when_connected()
        self.gateway.advance(3)
        self.assertNoResult(connected)
        self.again()
        self.gateway.advance(8)
        self.successResultOf(connected)
        self.assertEqual(len(self.hellos), 2)
        # Numbers began anew, and that is no gap.
        self.assertEqual(self.gaps, [])

    def test_backoff(self) -> None:
        """
        Each failure doubles the delay, to half a minute; a success begins anew.
        """
        client = self.client()
        self.gateway.stop()
        attempts: list[float] = []

        class Nowhere:
            def connect(inner, factory: Any) -> Deferred[Any]:  # noqa: N805 - the test is self
                attempts.append(self.gateway.reactor.seconds())
                return fail(ConnectionRefusedError())

        client.make_endpoint = Nowhere
        for _ in range(200):
            self.gateway.reactor.advance(1)
        delays = [round(after - before) for before, after in pairwise(attempts)]
        self.assertEqual(delays[:6], [2, 4, 8, 16, 30, 30])
        client.make_endpoint = lambda: self.gateway
        self.again()
        self.gateway.advance(40)
        self.assertIsNotNone(client.hello)
        self.assertEqual(client._delay, 1.0)

    def test_refused(self) -> None:
        """
        A wrong secret is told, and tried again later.
        """
        client = self.client(credentials=Credentials(token="wrong-token-wrong", identity=IDENTITY))
        self.assertIn("unauthorized", self.refusals[0].message)
        self.assertIsNone(client.hello)
        self.gateway.advance(5)
        self.gateway.advance(5)
        self.assertGreater(len(self.refusals), 1)

    def test_device_token(self) -> None:
        """
        The token that the gateway gives is kept and used; one that it does not know any more is forgotten.
        """
        tokens = DeviceTokens(Path(self.mktemp()) / "device-auth.json", IDENTITY.device_id)
        credentials = Credentials(token=TOKEN, identity=IDENTITY, tokens=tokens)
        self.client(credentials=credentials)
        token = tokens.get("operator")
        self.assertIsNotNone(token)
        alone = self.client(credentials=Credentials(identity=IDENTITY, tokens=tokens))
        self.assertIsNotNone(alone.hello)
        tokens.put("operator", "f" * 32, ["operator.admin"])
        again = self.client(credentials=credentials)
        self.assertIsNone(tokens.get("operator"))
        self.gateway.advance(2)
        self.assertIsNotNone(again.hello)
        self.assertEqual(tokens.get("operator"), token)

    def test_wrong_peer(self) -> None:
        """
        Nothing is said to a gateway that is not the one that was meant.
        """

        def refuse(transport: Any) -> None:
            raise ValueError("another certificate")

        client = self.client(check_peer=refuse)
        self.assertEqual((self.hellos, client.hello), ([], None))
        self.assertEqual(self.events, [])

    def test_stop(self) -> None:
        """
        Stopping closes the socket, tells who waits, and nothing comes back.
        """
        client = self.client()
        self.gateway.stop()
        waiting = client.when_connected()
        self.successResultOf(client.stopService())
        self.failureResultOf(waiting, ConnectionClosed)
        self.assertEqual(self.gateway.reactor.getDelayedCalls(), [])


class EventTests(ServiceCase):
    def test_in_order(self) -> None:
        """
        Events come in their order, without the challenge.
        """
        client = self.client()
        asked = client.call("talk.mode", {"enabled": True})
        self.gateway.flush()
        self.successResultOf(asked)
        self.assertNotIn("connect.challenge", [event.name for event in self.events])
        numbers = [event.seq for event in self.events if event.seq is not None]
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))

    def test_gap(self) -> None:
        """
        A number that is missing is told.
        """
        client = self.client()
        self.gateway.advance(1)
        seen = client._seq
        assert seen is not None
        assert client._socket is not None
        client._received(client._socket, b'{"type":"event","event":"tick","seq":%d}' % (seen + 3))
        self.assertEqual(self.gaps, [(seen, seen + 3)])

    def test_quiet_gateway(self) -> None:
        """
        A gateway that does not tick is left and tried again.
        """
        client = self.client()
        self.gateway.service.clients.events.unsubscribe(next(iter(self.gateway.service.clients.events)))
        for _ in range(4):
            self.gateway.advance(30)
        self.assertEqual(len(self.hellos), 2)
        self.assertIsNotNone(client.hello)

    def test_nonsense(self) -> None:
        """
        What is no frame ends the connection; what we do not know is passed over.
        """
        client = self.client()
        assert client._socket is not None
        client._received(client._socket, b'{"type":"res","id":"unknown","ok":true}')
        client._received(client._socket, b"[]")
        self.assertIsNotNone(client.hello)
        client._received(client._socket, b"{")
        self.gateway.flush()
        self.gateway.advance(2)
        self.assertEqual(len(self.hellos), 2)
