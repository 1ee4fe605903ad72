"""
One WebSocket life (``protocol.md`` 2)::

    server -> event connect.challenge      at once
    client -> req connect                  the first and only frame before hello-ok; 64 KiB, 10 s
    server -> res hello-ok                 or res ok:false and close
    both      requests, responses, events
    either    close

It knows no transport, only an ``Outlet``; what it may ask of the gateway is ``Hub``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import Enum
from typing import Any, Protocol

from attrs import define, field, frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from openclaw.clock import millis
from openclaw.gateway.handshake import Admission, Refusal
from openclaw.methods.context import MethodContext
from openclaw.protocol.codes import ErrorCode
from openclaw.protocol.connect import ConnectParams
from openclaw.protocol.frames import ErrorShape as WireError
from openclaw.protocol.frames import (
    NotJson,
    RequestFrame,
    answer_id,
    encode_event_body,
    encode_response,
    parse_json,
)
from openclaw.protocol.types import ABSENT
from openclaw.protocol.validate import violations

HANDSHAKE_LIMIT = timedelta(seconds=10)

#: The largest message before ``hello-ok``.
HANDSHAKE_MESSAGE_BYTES = 65_536

FIRST_MUST_BE_CONNECT = "invalid handshake: first request must be connect"

#: Seconds that a peer may take to answer our close frame.
CLOSE_LIMIT = 2.0

#: The same for a slow one, which is to get what was sent to it before.
SLOW_CLOSE_LIMIT = 30.0

NORMAL_CLOSURE = 1000
POLICY_VIOLATION = 1008
INTERNAL_ERROR = 1011


class Outlet(Protocol):
    """
    Where a connection sends.
    """

    def send(self, frame: bytes) -> None: ...

    def close(self, code: int, reason: str, limit: float = CLOSE_LIMIT) -> None:
        """
        :param limit: seconds after which a peer that does not answer the close frame is cut off.
        """
        ...

    def waiting_bytes(self) -> int: ...


@frozen(kw_only=True)
class Upgrade:
    """
    What the HTTP request that opened the socket said.

    :ivar peer: address of the TCP peer, without port.
    :ivar headers: by lower-case name.
    """

    peer: str
    headers: Mapping[str, str]
    secure: bool = False
    server_address: str = "127.0.0.1"
    server_port: int = 0


class Hub(Protocol):
    """
    The gateway as one connection sees it.
    """

    clock: IReactorTime

    def opened(self, connection: Connection) -> None: ...

    def handshake(
        self, connection: Connection, params: Mapping[str, Any], nonce: str
    ) -> Deferred[Refusal | Admission]: ...

    def hello(self, connection: Connection, params: Mapping[str, Any], admission: Admission) -> bytes:
        """
        Register an admitted client.

        :return: the payload of ``hello-ok``, serialised.
        """
        ...

    def welcomed(self, connection: Connection) -> None: ...

    def request(self, connection: Connection, frame: Mapping[str, Any]) -> None: ...

    def refused(self, connection: Connection, refusal: Refusal) -> None: ...

    def unreadable(self, connection: Connection, error: str) -> None: ...

    def lost(self, connection: Connection, code: int | None, reason: str) -> None: ...


class State(Enum):
    """
    Where a connection is in its life.
    """

    PENDING = "pending"
    HANDSHAKING = "handshaking"
    CONNECTED = "connected"
    FAILED = "failed"
    CLOSED = "closed"


@define(kw_only=True, eq=False, repr=False)
class Connection:
    """
    The state of one WebSocket. Inputs are what happened: ``opened``, ``received``, ``lost``.

    :ivar id: the connection id in ``hello-ok`` and in logs.
    :ivar context: what its requests act on, with itself as the caller; made once it is admitted.
    """

    _log = Logger()
    id: str
    nonce: str
    hub: Hub
    outlet: Outlet
    upgrade: Upgrade
    state: State = field(default=State.PENDING, init=False)
    role: str = field(default="operator", init=False)
    scopes: frozenset[str] = field(factory=frozenset, init=False)
    client: Mapping[str, Any] = field(factory=dict, init=False)
    admission: Admission | None = field(default=None, init=False)
    presence_key: str | None = field(default=None, init=False)
    context: MethodContext | None = field(default=None, init=False)
    opened_at: float = field(default=0.0, init=False)
    _limit: IDelayedCall | None = field(default=None, init=False)
    _admitting: Deferred[None] | None = field(default=None, init=False)

    # Inputs.

    def opened(self) -> None:
        """
        The socket is open: say the challenge, start the limit.
        """
        clock = self.hub.clock
        self.opened_at = clock.seconds()
        self._limit = clock.callLater(HANDSHAKE_LIMIT.total_seconds(), self._too_late)
        self.hub.opened(self)
        challenge = {"nonce": self.nonce, "ts": millis(clock)}
        self.outlet.send(encode_event_body("connect.challenge", challenge))

    def received(self, data: bytes) -> None:
        """
        A whole message arrived.
        """
        if self.state is State.CONNECTED:
            self._received_frame(data)
        elif self.state is State.PENDING:
            self._received_first(data)
        elif self.state is State.HANDSHAKING:
            self._received_early(data)

    def lost(self, code: int | None, reason: str) -> None:
        """
        The socket is gone.
        """
        if self.state is State.CLOSED:
            return
        self._stop_limit()
        if self._admitting is not None:
            self._admitting.cancel()
        self.hub.lost(self, code, reason)
        self.state = State.CLOSED

    def end(self, code: int, reason: str) -> None:
        """
        The gateway ends this connection.
        """
        self._stop_limit()
        if self.state in (State.PENDING, State.HANDSHAKING):
            self.state = State.FAILED
        self.outlet.close(code, reason)

    # What the event log asks for.

    def waiting_bytes(self) -> int:
        return self.outlet.waiting_bytes()

    def send_event(self, name: str, frame: bytes) -> None:
        self.outlet.send(frame)

    def slow(self) -> None:
        self.outlet.close(POLICY_VIOLATION, "slow consumer", SLOW_CLOSE_LIMIT)

    def answer(self, id: Any, *, ok: bool, payload: Any = ABSENT, error: WireError | None = None) -> None:
        """
        Send a response, if the client is still there.
        """
        if self.state is State.CONNECTED:
            self.outlet.send(encode_response(id, ok=ok, payload=payload, error=error))

    # The first frame.

    def _received_first(self, data: bytes) -> None:
        try:
            frame = parse_json(data)
        except NotJson as error:
            self.hub.unreadable(self, str(error))
            self.state = State.FAILED
            self._close(NORMAL_CLOSURE, "")
            return
        if violations(RequestFrame, frame) is not None:
            self._fail(Refusal(message="invalid request frame", cause="invalid-handshake"), None)
            return
        if frame["method"] != "connect":
            self._fail(Refusal(message=FIRST_MUST_BE_CONNECT, cause="invalid-handshake"), frame["id"])
            return
        params = frame.get("params")
        wrong = violations(ConnectParams, params)
        if wrong is not None:
            message = f"invalid connect params: {wrong}"
            self._fail(Refusal(message=message, cause="invalid-handshake"), frame["id"])
            return
        self._connect(frame["id"], params)

    def _received_early(self, data: bytes) -> None:
        """
        A frame that did not wait for ``hello-ok``: as another first frame, and never one that may be.
        """
        refusal = Refusal(message=FIRST_MUST_BE_CONNECT, cause="invalid-handshake")
        try:
            frame = parse_json(data)
        except NotJson:
            frame = None
        self._fail(refusal, None if violations(RequestFrame, frame) else frame["id"])

    def _connect(self, id: str, params: Mapping[str, Any]) -> None:
        self.state = State.HANDSHAKING
        self.client = params["client"]
        deciding = self.hub.handshake(self, params, self.nonce)
        self._admitting = deciding.addCallback(self._decided, id, params)
        self._admitting.addErrback(self._undecided)

    def _decided(self, decision: Refusal | Admission, id: str, params: Mapping[str, Any]) -> None:
        self._admitting = None
        if self.state is not State.HANDSHAKING:
            return
        if isinstance(decision, Refusal):
            self._fail(decision, id)
            return
        self._stop_limit()
        self.role = decision.role
        self.scopes = frozenset(decision.scopes)
        self.admission = decision
        hello = self.hub.hello(self, params, decision)
        self.state = State.CONNECTED
        self.outlet.send(hello_frame(id, hello))
        self.hub.welcomed(self)

    def _undecided(self, failure: Failure) -> None:
        self._admitting = None
        if failure.check(CancelledError) is None:
            self._log.failure("The handshake of {connection} failed.", failure, connection=self.id)
            self.state = State.FAILED
            self._close(NORMAL_CLOSURE, "")

    def _fail(self, refusal: Refusal, id: str | None) -> None:
        self.state = State.FAILED
        self.hub.refused(self, refusal)
        if id is not None:
            error = WireError(
                code=refusal.code,
                message=refusal.message,
                details=refusal.details,
                retryable=None if refusal.retry_after_ms is None else True,
                retry_after_ms=refusal.retry_after_ms,
            )
            self.outlet.send(encode_response(id, ok=False, error=error))
        self._close(refusal.close_code, refusal.reason)

    def _too_late(self) -> None:
        self._limit = None
        refusal = Refusal(message="", cause="handshake-timeout", close_code=NORMAL_CLOSURE)
        self._fail(refusal, None)

    # Later frames.

    def _received_frame(self, data: bytes) -> None:
        try:
            frame = parse_json(data)
        except NotJson as unreadable:
            self.hub.unreadable(self, str(unreadable))
            return
        wrong = violations(RequestFrame, frame)
        if wrong is None:
            self.hub.request(self, frame)
            return
        error = WireError(code=ErrorCode.INVALID_REQUEST, message=f"invalid request frame: {wrong}")
        self.answer(answer_id(frame), ok=False, error=error)

    def _close(self, code: int, reason: str) -> None:
        self._stop_limit()
        self.outlet.close(code, reason)

    def _stop_limit(self) -> None:
        if self._limit is not None and self._limit.active():
            self._limit.cancel()
        self._limit = None


def hello_frame(id: str, payload: bytes) -> bytes:
    """
    The response frame around an already serialised payload.
    """
    head = encode_response(id, ok=True)
    return head[:-1] + b',"payload":' + payload + b"}"
