"""
A blocking client of the gateway, without Twisted: connect, prove who you are, ask, leave.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from attrs import define, field, frozen

from openclaw.client.connection import Connection
from openclaw.client.errors import (
    BadAddress,
    ConnectionClosed,
    GatewayTimeout,
    ProtocolViolation,
    RequestFailed,
)
from openclaw.client.identity import DeviceTokens, Identity
from openclaw.client.introduction import (
    CHALLENGE_WAIT,
    OPERATOR_SCOPES,
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

#: How long a gateway that refused us has to say goodbye, in seconds.
_GOODBYE_WAIT = 1.0
#: Events that nobody has asked for yet; the oldest make room.
_KEPT_EVENTS = 1000


@frozen
class HandshakeRefused(ConnectionClosed):
    """
    The gateway does not let us in.

    :ivar error: the error object of its answer; ``details`` may say what to do.
    """

    error: dict[str, Any] = field(factory=dict)


@define(eq=False)
class GatewayClient:
    """
    A connection that ``hello-ok`` has opened.

    :ivar hello: the payload of ``hello-ok``.
    """

    connection: Connection
    hello: dict[str, Any] = field(factory=dict)
    _answers: dict[str, deque[dict[str, Any]]] = field(factory=dict, init=False)
    _events: deque[Event] = field(factory=lambda: deque(maxlen=_KEPT_EVENTS), init=False)
    _last_id: int = field(default=0, init=False)

    @classmethod
    def connect(
        cls,
        url: str,
        *,
        token: str | None = None,
        password: str | None = None,
        identity: Identity | None = None,
        tokens: DeviceTokens | None = None,
        client_id: str = "cli",
        mode: str = "cli",
        scopes: Sequence[str] = OPERATOR_SCOPES,
        timeout: float = 10.0,
        fingerprint: str | None = None,
        now: Callable[[], float] = time.time,
    ) -> GatewayClient:
        """
        Open a connection and be let in. A stored device token is offered first; when it is refused it is forgotten,
        and the shared secret is tried on a new connection.

        :param timeout: seconds for all of it.
        :param now: seconds since the epoch, for signatures.
        :raise HandshakeRefused: the gateway does not want us.
        :raise ConnectionClosed: there is no gateway, or it left.
        :raise GatewayTimeout: it took too long.
        """
        credentials = Credentials(token=token, password=password, identity=identity, tokens=tokens)
        persona = Persona(client_id=client_id, mode=mode, scopes=tuple(scopes))
        attempt = _Attempt(url, credentials, persona, timeout, fingerprint, now)
        stored = tokens.get(persona.role) if tokens is not None and identity is not None else None
        try:
            return attempt.run(stored)
        except HandshakeRefused as refusal:
            if tokens is None or stored is None or not (token or password) or not blames_token(refusal.error):
                raise
        tokens.forget(persona.role)
        return attempt.run(None)

    def call(self, method: str, params: Any = None, *, timeout: float | None = 10.0, expect_final: bool = False) -> Any:
        """
        Ask, and wait for the answer.

        :param timeout: seconds; ``None`` waits for as long as the connection lives.
        :param expect_final: the method answers twice, first ``accepted``; wait for the second answer.
        :return: the answer's payload.
        :raise RequestFailed: the gateway said no.
        :raise ConnectionClosed: it left before it answered.
        :raise GatewayTimeout: it took too long.
        """
        return self.result(self.ask(method, params), timeout=timeout, expect_final=expect_final)

    def ask(self, method: str, params: Any = None) -> str:
        """
        Send a request; several may be under way at once.

        :return: its id, for :meth:`result`.
        """
        self._last_id += 1
        request_id = f"r{self._last_id}"
        self._answers[request_id] = deque()
        frame = {"type": "req", "id": request_id, "method": method, "params": {} if params is None else params}
        self.connection.send(json.dumps(frame, separators=(",", ":"), ensure_ascii=False))
        return request_id

    def result(self, request_id: str, *, timeout: float | None = 10.0, expect_final: bool = False) -> Any:
        """
        Wait for the answer of a request; see :meth:`call`.
        """
        answers = self._answers[request_id]
        clock = self.connection.clock
        deadline = None if timeout is None else clock() + timeout
        while True:
            while not answers:
                self._receive(None if deadline is None else deadline - clock(), timeout)
            answer = answers.popleft()
            payload = answer.get("payload")
            if not (expect_final and answer.get("ok") and is_accepted(payload)):
                del self._answers[request_id]
                return payload_of(answer)

    def events(self, timeout: float | None = None) -> Iterator[Event]:
        """
        What the gateway tells, in its order, also what came while waiting for answers.

        :param timeout: seconds to wait for each; ``None`` waits for as long as the connection lives.
        :raise ConnectionClosed: it ended.
        :raise GatewayTimeout: nothing came in time.
        """
        while True:
            while not self._events:
                self._receive(timeout, timeout)
            yield self._events.popleft()

    def close(self, code: int = 1000, reason: str = "") -> None:
        """
        Leave.
        """
        self.connection.close(code, reason)

    def __enter__(self) -> GatewayClient:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _receive(self, remaining: float | None, whole: float | None) -> None:
        try:
            # Of what has arrived already everything is read; more of it only within the time limit.
            frame = _parse(self.connection.receive(None if remaining is None else max(remaining, 0.0)))
        except GatewayTimeout as error:
            raise GatewayTimeout(whole or 0.0) from error
        except ProtocolViolation as error:
            self.connection.close(error.close_code, error.message)
            raise
        if frame.get("type") == "event":
            self._events.append(event_of(frame))
        elif frame.get("type") == "res" and (waiting := self._answers.get(str(frame.get("id")))) is not None:
            waiting.append(frame)


@frozen
class _Attempt:
    """
    One way of getting in, which may be tried twice.
    """

    url: str
    credentials: Credentials
    persona: Persona
    timeout: float
    fingerprint: str | None
    now: Callable[[], float]

    def run(self, stored: str | None) -> GatewayClient:
        """
        :param stored: the device token to offer.
        """
        clock = time.monotonic
        deadline = clock() + self.timeout
        connection = Connection.open(self.url, timeout=self.timeout, fingerprint=self.fingerprint)
        client = GatewayClient(connection)
        try:
            nonce = self._challenge(client, deadline - clock())
            hello = self._introduce(client, stored, nonce, deadline - clock())
            if not isinstance(hello, dict):
                raise ProtocolViolation("hello-ok is not an object")
            client.hello = hello
        except GatewayTimeout as error:
            connection.close()
            raise GatewayTimeout(self.timeout) from error
        except BaseException:
            connection.close()
            raise
        keep_token(client.hello, self.persona.role, self.credentials.tokens)
        return client

    def _challenge(self, client: GatewayClient, remaining: float) -> str | None:
        wait = min(CHALLENGE_WAIT, remaining)
        try:
            event = next(client.events(wait))
        except GatewayTimeout:
            if wait < CHALLENGE_WAIT:
                raise
            return None
        payload = event.payload if event.name == "connect.challenge" else None
        nonce = payload.get("nonce") if isinstance(payload, dict) else None
        return nonce if isinstance(nonce, str) else None

    def _introduce(self, client: GatewayClient, stored: str | None, nonce: str | None, remaining: float) -> Any:
        try:
            return client.call(
                "connect",
                connect_params(self.persona, self.credentials, stored, nonce, int(self.now() * 1000)),
                timeout=remaining,
            )
        except RequestFailed as failure:
            code, reason = 1008, failure.message
            leave = client.connection.clock() + _GOODBYE_WAIT
            try:
                while True:
                    client.connection.receive(max(leave - client.connection.clock(), 0.0))
                    if leave <= client.connection.clock():
                        raise GatewayTimeout(_GOODBYE_WAIT)
            except ConnectionClosed as closed:
                code, reason = closed.code, closed.reason or reason
            except GatewayTimeout:
                client.connection.close(1008, "connect failed")
            raise HandshakeRefused(code, reason, None, failure.error) from failure


def _parse(text: str) -> dict[str, Any]:
    try:
        frame = json.loads(text)
    except ValueError as error:
        raise ProtocolViolation("frame is not JSON") from error
    except RecursionError as error:
        raise ProtocolViolation("frame is nested too deeply") from error
    if not isinstance(frame, dict):
        raise ProtocolViolation("frame is not an object")
    return frame


__all__ = [
    "OPERATOR_SCOPES",
    "BadAddress",
    "Connection",
    "ConnectionClosed",
    "Credentials",
    "Event",
    "GatewayClient",
    "GatewayTimeout",
    "HandshakeRefused",
    "Persona",
    "ProtocolViolation",
    "RequestFailed",
]
