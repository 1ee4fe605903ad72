"""
One connection to a gateway for programs that stay: nodes, dashboards, tests.

It introduces itself with the challenge, comes back after every end (1 s, doubling to 30 s), notices a gateway that has
gone quiet, and says where events are missing (``protocol.md`` 26)::

    gateway -> connect.challenge        service -> connect
    gateway -> hello-ok                 on_hello; requests and events from here on
    gateway -> close, or no tick        requests under way fail; again after a while
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from typing import Any, Protocol, cast
from uuid import uuid4

from attrs import define, field
from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from twisted.application.service import Service
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.interfaces import IDelayedCall, IReactorTime, IStreamClientEndpoint
from twisted.logger import Logger

from openclaw.client.errors import ABNORMAL_CLOSURE, ConnectionClosed, GatewayTimeout, RequestFailed
from openclaw.client.introduction import (
    CHALLENGE_WAIT,
    Credentials,
    Event,
    Persona,
    blames_token,
    connect_params,
    event_of,
    is_accepted,
    keep_token,
    payload_of,
)

FIRST_DELAY = 1.0
LONGEST_DELAY = 30.0
#: How long one attempt to get in may take, in seconds.
HANDSHAKE_LIMIT = 15.0
#: How long a goodbye may take, in seconds.
CLOSE_LIMIT = 5.0
#: The largest message that is taken, in bytes.
MOST_BYTES = 25 * 1024 * 1024

POLICY_VIOLATION = 1008
TICK_TIMEOUT = 4000


class Endpoint(Protocol):
    """
    The part of ``IStreamClientEndpoint`` that is used.
    """

    def connect(self, factory: Any) -> Deferred[Any]: ...


class _Socket(WebSocketClientProtocol):
    """
    Hands on what Autobahn hears.
    """

    owner: GatewayService

    def onOpen(self) -> None:
        self.owner._opened(self)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: N803 - Autobahn names it
        self.owner._received(self, payload)

    def leave(self, code: int, reason: str) -> None:
        """
        Send a close frame. Autobahn's own method takes only codes that programs may choose.
        """
        self.sendCloseFrame(code=code, reasonUtf8=reason.encode(), isReply=False)

    def abort(self) -> None:
        """
        Close the socket without a word.
        """
        transport: Any = self.transport
        transport.abortConnection()

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:  # noqa: N803 - as above
        self.owner._closed(self, code or ABNORMAL_CLOSURE, reason or "")


@define(eq=False)
class _Request:
    answer: Deferred[Any]
    expect_final: bool


@define(kw_only=True, eq=False)
class GatewayService(Service):
    """
    A client that stays connected while it runs.

    :ivar make_endpoint: where the gateway is; asked anew for each attempt.
    :ivar on_hello: told of each ``hello-ok``.
    :ivar on_event: told of each event, in their order.
    :ivar on_gap: told when events are missing: the number before the gap and the one after it.
    :ivar on_refused: told when the gateway does not let us in; it is tried again.
    :ivar check_peer: may refuse the other end once the socket is open, by its transport.
    :ivar hello: the payload of the last ``hello-ok``, ``None`` while there is no connection.
    """

    clock: IReactorTime
    url: str
    make_endpoint: Callable[[], Endpoint | IStreamClientEndpoint]
    credentials: Credentials
    persona: Persona
    on_hello: Callable[[Mapping[str, Any]], object] = lambda hello: None
    on_event: Callable[[Event], object] = lambda event: None
    on_gap: Callable[[int, int], object] = lambda before, after: None
    on_refused: Callable[[RequestFailed], object] = lambda refusal: None
    check_peer: Callable[[Any], None] = lambda transport: None
    make_id: Callable[[], str] = lambda: str(uuid4())
    jitter: Callable[[], float] = random.random
    hello: Mapping[str, Any] | None = field(default=None, init=False)
    _log = Logger()
    _socket: _Socket | None = field(default=None, init=False)
    _attempt: Deferred[Any] | None = field(default=None, init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)
    _delay: float = field(default=FIRST_DELAY, init=False)
    _requests: dict[str, _Request] = field(factory=dict, init=False)
    _connected: list[Deferred[Mapping[str, Any]]] = field(factory=list, init=False)
    _stored: str | None = field(default=None, init=False)
    _introduced: bool = field(default=False, init=False)
    _seq: int | None = field(default=None, init=False)
    _last_tick: float = field(default=0.0, init=False)
    _gone: Deferred[None] | None = field(default=None, init=False)

    # -- life ---------------------------------------------------------------------------------------------------------

    def startService(self) -> None:
        """
        Begin to connect. See ``IService``.
        """
        super().startService()
        self._connect()

    def stopService(self) -> Deferred[None]:
        """
        Leave, and do not come back.

        :return: fires when the socket is closed.
        """
        super().stopService()
        self._stop_timer()
        if self._attempt is not None:
            self._attempt.cancel()
        waiting, self._connected = self._connected, []
        for waiter in waiting:
            waiter.errback(ConnectionClosed(1000, "stopped"))
        if self._socket is None:
            return succeed(None)
        self._gone = Deferred()
        self._leave(1000, "")
        return self._gone

    def when_connected(self) -> Deferred[Mapping[str, Any]]:
        """
        :return: fires with ``hello-ok`` as soon as there is a connection.
        """
        if self.hello is not None:
            return succeed(self.hello)
        waiter: Deferred[Mapping[str, Any]] = Deferred(self._connected.remove)
        self._connected.append(waiter)
        return waiter

    # -- requests -----------------------------------------------------------------------------------------------------

    def call(
        self, method: str, params: Any = None, *, timeout: float | None = 10.0, expect_final: bool = False
    ) -> Deferred[Any]:
        """
        Ask.

        :param timeout: seconds; ``None`` waits for as long as the connection lives.
        :param expect_final: the method answers twice, first ``accepted``; wait for the second answer.
        :return: fires with the payload of the answer. Cancelling it forgets the answer.
        :raise RequestFailed: the gateway said no.
        :raise ConnectionClosed: there is no connection, or it ended before the answer.
        :raise GatewayTimeout: it took too long.
        """
        if self.hello is None:
            return fail(ConnectionClosed(ABNORMAL_CLOSURE, "not connected"))
        return self._ask(method, params, timeout, expect_final)

    def _ask(self, method: str, params: Any, timeout: float | None, expect_final: bool = False) -> Deferred[Any]:
        request_id = self.make_id()
        answer: Deferred[Any] = Deferred(lambda _: self._forget(request_id))
        self._requests[request_id] = _Request(answer, expect_final)
        frame = {"type": "req", "id": request_id, "method": method, "params": {} if params is None else params}
        assert self._socket is not None
        self._socket.sendMessage(json.dumps(frame, separators=(",", ":")).encode())
        if timeout is None:
            return answer

        def late(failure: Any) -> Any:
            failure.trap(DeferredTimeout)
            raise GatewayTimeout(timeout)

        return answer.addTimeout(timeout, self.clock).addErrback(late)

    def _forget(self, request_id: str) -> None:
        self._requests.pop(request_id, None)

    # -- connecting ---------------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        self._timer = None
        factory = WebSocketClientFactory(self.url)
        factory.protocol = self._make_socket  # type: ignore[assignment]  # any callable will do
        factory.setProtocolOptions(
            maxMessagePayloadSize=MOST_BYTES,
            openHandshakeTimeout=0,
            closeHandshakeTimeout=0,
            autoPingInterval=0,
        )
        attempt = cast("Endpoint", self.make_endpoint()).connect(factory)
        self._attempt = attempt
        attempt.addCallbacks(self._joined, self._unreachable)

    def _make_socket(self) -> _Socket:
        socket = _Socket()
        socket.owner = self
        return socket

    def _joined(self, socket: _Socket) -> None:
        # Whoever takes the connection may never answer.
        if self._attempt is not None:
            self._attempt = None
            self._timer = self.clock.callLater(HANDSHAKE_LIMIT, socket.abort)

    def _unreachable(self, failure: Any) -> None:
        self._attempt = None
        if self.running:
            self._log.debug("The gateway cannot be reached: {why}", why=failure.getErrorMessage())
            self._later()

    def _later(self) -> None:
        # Up to a tenth more, so that many clients of one gateway do not come back as one.
        self._timer = self.clock.callLater(self._delay * (1 + self.jitter() / 10), self._connect)
        self._delay = min(LONGEST_DELAY, self._delay * 2)

    def _opened(self, socket: _Socket) -> None:
        self._stop_timer()
        self._attempt, self._socket, self._introduced = None, socket, False
        if not self.running:
            self._leave(1000, "")
            return
        try:
            self.check_peer(socket.transport)
        except Exception as error:
            self._log.error("This is not the gateway that was meant: {error}", error=error)
            self._leave(POLICY_VIOLATION, "connect failed")
            return
        self._timer = self.clock.callLater(CHALLENGE_WAIT, self._introduce, None)

    def _introduce(self, nonce: str | None) -> None:
        self._stop_timer()
        self._introduced = True
        self._stored = self.credentials.stored(self.persona.role)
        now_ms = int(self.clock.seconds() * 1000)
        params = connect_params(self.persona, self.credentials, self._stored, nonce, now_ms)
        self._ask("connect", params, HANDSHAKE_LIMIT).addCallbacks(self._welcome, self._refused)

    def _welcome(self, hello: Mapping[str, Any]) -> None:
        keep_token(hello, self.persona.role, self.credentials.tokens)
        self.hello = hello
        self._delay = FIRST_DELAY
        self._last_tick = self.clock.seconds()
        self._watch()
        self.on_hello(hello)
        waiting, self._connected = self._connected, []
        for waiter in waiting:
            waiter.callback(hello)

    def _refused(self, failure: Any) -> None:
        if self._socket is None or failure.check(ConnectionClosed):
            return
        refusal = failure.value
        if isinstance(refusal, RequestFailed):
            if self._stored and self.credentials.have_secret() and blames_token(refusal.error):
                assert self.credentials.tokens is not None
                self.credentials.tokens.forget(self.persona.role)
            self.on_refused(refusal)
        self._leave(POLICY_VIOLATION, "connect failed")

    # -- connected ----------------------------------------------------------------------------------------------------

    def _received(self, socket: _Socket, data: bytes) -> None:
        if socket is not self._socket or socket.state != socket.STATE_OPEN:
            return
        try:
            frame = json.loads(data)
        except (ValueError, RecursionError):
            self._leave(1002, "frame is not JSON")
            return
        kind = frame.get("type") if isinstance(frame, dict) else None
        if kind == "event":
            self._event(event_of(frame))
        elif kind == "res":
            self._answer(frame)

    def _event(self, event: Event) -> None:
        if event.name == "connect.challenge":
            nonce = event.payload.get("nonce") if isinstance(event.payload, dict) else None
            if not self._introduced:
                self._introduce(nonce if isinstance(nonce, str) else None)
            return
        if event.name == "tick":
            self._last_tick = self.clock.seconds()
        if event.seq is not None:
            # After a reconnect numbers begin anew, and a smaller one is no gap.
            before, self._seq = self._seq, event.seq
            if before is not None and event.seq > before + 1:
                self.on_gap(before, event.seq)
        self.on_event(event)

    def _answer(self, frame: Mapping[str, Any]) -> None:
        request = self._requests.get(str(frame.get("id")))
        if request is None:
            return
        if request.expect_final and frame.get("ok") and is_accepted(frame.get("payload")):
            return
        del self._requests[str(frame["id"])]
        try:
            payload = payload_of(frame)
        except RequestFailed as error:
            request.answer.errback(error)
        else:
            request.answer.callback(payload)

    def _watch(self) -> None:
        assert self.hello is not None
        policy = self.hello.get("policy")
        interval = policy.get("tickIntervalMs") if isinstance(policy, dict) else None
        seconds = max(float(interval) / 1000, 1.0) if isinstance(interval, int | float) else 30.0
        if self.clock.seconds() - self._last_tick > 2 * seconds and self._socket is not None:
            self._leave(TICK_TIMEOUT, "tick timeout")
            return
        self._timer = self.clock.callLater(seconds, self._watch)

    def _leave(self, code: int, reason: str) -> None:
        """
        Say goodbye; a gateway that does not answer it is left without.
        """
        socket = self._socket
        if socket is None:
            return
        self._stop_timer()
        self.hello = None
        socket.leave(code, reason)
        self._timer = self.clock.callLater(CLOSE_LIMIT, socket.abort)

    def _closed(self, socket: _Socket, code: int, reason: str) -> None:
        if socket is not self._socket and self._socket is not None:
            return
        self._socket, self._attempt, self.hello = None, None, None
        self._stop_timer()
        requests, self._requests = self._requests, {}
        for request in requests.values():
            request.answer.errback(ConnectionClosed(code, reason))
        if self._gone is not None:
            gone, self._gone = self._gone, None
            gone.callback(None)
        elif self.running:
            self._later()

    def _stop_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
