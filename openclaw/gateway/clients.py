"""
The connected clients: what one connection may ask of the gateway (``connection.Hub``).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import orjson
from attrs import define, evolve, field
from twisted.internet.defer import Deferred, gatherResults, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from openclaw import __version__
from openclaw.clock import millis
from openclaw.config.auth import ResolvedAuth
from openclaw.config.model import Config
from openclaw.gateway.canvas import CanvasUrls
from openclaw.gateway.connection import Connection, Outlet, State, Upgrade
from openclaw.gateway.events import MAX_BUFFERED_BYTES, EventLog
from openclaw.gateway.handshake import Admission, Examined, Facts, Makers, Refusal, admit, examine, unavailable
from openclaw.gateway.health import Health
from openclaw.gateway.life import Life
from openclaw.gateway.limits import OURSELVES, TOO_MANY, FailureLimiter, counted_address
from openclaw.gateway.nodes import NodeConnections
from openclaw.gateway.tick import TICK_INTERVAL
from openclaw.logs.wslog import WsLog
from openclaw.methods.context import Caller, MethodContext
from openclaw.methods.dispatch import Dispatcher
from openclaw.metrics.meters import OK, Meters
from openclaw.protocol.codes import PROTOCOL_VERSION
from openclaw.protocol.features import EVENTS
from openclaw.protocol.frames import encode_event_body
from openclaw.protocol.scopes import APPROVALS, holds
from openclaw.protocol.types import ABSENT
from openclaw.sessions.keys import default_agent, main_session_key
from openclaw.store.errors import StoreUnavailable
from openclaw.store.interfaces import Store
from openclaw.web.hosts import origin_allowed
from openclaw.web.local import is_local, recorded_address

#: At most this many sockets before ``hello-ok``; the oldest silent one makes room for the newest, and where all others
#: have spoken, the oldest of them.
MOST_PENDING = 256
SERVICE_RESTART = 1012


@define(kw_only=True, eq=False, repr=False)
class Clients:
    """
    All connections, from the open socket to its end.

    :ivar context: what handlers act on; each request gets it with its own caller.
    :ivar canvas: what clients are told of the canvas, if there is one.
    :ivar whois: asks Tailscale whose a peer with these headers is: a login, or ``None``.
    """

    _log = Logger()
    clock: IReactorTime
    life: Life
    store: Store
    events: EventLog
    nodes: NodeConnections
    health: Health
    config: Callable[[], Config]
    auth: ResolvedAuth
    limiter: FailureLimiter
    wslog: WsLog
    meters: Meters
    dispatcher: Dispatcher
    context: MethodContext
    makers: Makers
    machine_names: frozenset[str]
    whois: Callable[[str, Mapping[str, str]], Awaitable[str | None]]
    config_path: Path
    state_dir: Path
    canvas: CanvasUrls | None
    stopping: bool = field(default=False, init=False)
    _pending: dict[int, Connection] = field(factory=dict, init=False)
    _busy: set[Deferred[Any]] = field(factory=set, init=False)

    # From the edge.

    def refuse(self, upgrade: Upgrade) -> HTTPStatus | None:
        """
        Why an upgrade does not go on, if it does not: nothing is checked but a foreign ``Origin`` (``design.md`` 5).
        """
        if self.stopping:
            return HTTPStatus.SERVICE_UNAVAILABLE
        if origin_allowed(upgrade.headers, upgrade.peer, self.config(), self.machine_names):
            return None
        self.meters.handshake("origin")
        return HTTPStatus.FORBIDDEN

    def make(self, outlet: Outlet, upgrade: Upgrade) -> Connection:
        return Connection(
            id=self.makers.make_id(), nonce=self.makers.make_id(), hub=self, outlet=outlet, upgrade=upgrade
        )

    # Hub.

    def opened(self, connection: Connection) -> None:
        self._pending[id(connection)] = connection
        if len(self._pending) > MOST_PENDING:
            self._make_room(connection)
        self.wslog.opened(connection.id, connection.upgrade.peer, connection.upgrade.headers)

    def _make_room(self, newest: Connection) -> None:
        others = [connection for connection in self._pending.values() if connection is not newest]
        leaving = next((other for other in others if other.state is State.PENDING), others[0])
        self._pending.pop(id(leaving))
        self.meters.handshake("evicted")
        leaving.end(SERVICE_RESTART, "")

    def handshake(self, connection: Connection, params: Mapping[str, Any], nonce: str) -> Deferred[Refusal | Admission]:
        return Deferred.fromCoroutine(self._handshake(connection, params, nonce))

    async def _handshake(self, connection: Connection, params: Mapping[str, Any], nonce: str) -> Refusal | Admission:
        upgrade = connection.upgrade
        gateway = self.config().gateway
        local = is_local(upgrade.peer, upgrade.headers, gateway.trusted_proxies)
        login = None
        if self.auth.allow_tailscale and not local:
            login = await self.whois(upgrade.peer, upgrade.headers)
        facts = Facts(
            params=params,
            nonce=nonce,
            now_ms=millis(self.clock),
            local=local,
            remote_ip=recorded_address(upgrade.peer, upgrade.headers, gateway.trusted_proxies),
            auth=self.auth,
            allow_insecure_auth=bool(gateway.control_ui.allow_insecure_auth),
            disable_device_auth=bool(gateway.control_ui.dangerously_disable_device_auth),
            tailscale_login=login,
        )
        examined = examine(facts)
        if isinstance(examined, Refusal):
            return examined
        try:
            decision = await self._admit(examined)
        except StoreUnavailable as error:
            return unavailable(str(error))
        if isinstance(decision, Refusal) and decision.wrong_secret is not None:
            return await self._failed(upgrade, local, decision, decision.wrong_secret)
        return decision

    def _admit(self, examined: Examined) -> Deferred[Refusal | Admission]:
        return self.store.write(lambda unit: admit(unit, examined, self.makers))

    async def _failed(self, upgrade: Upgrade, local: bool, refusal: Refusal, secret: str) -> Refusal:
        """
        Count a wrong secret, and hold its answer back.
        """
        address = counted_address(upgrade.peer, upgrade.headers, self.config().gateway.trusted_proxies)
        if local and "origin" not in upgrade.headers:
            address = OURSELVES
        locked = self.limiter.locked(address)
        self.limiter.failed(address, secret)
        delay = self.limiter.delay(address)
        if delay:
            await deferLater(self.clock, delay)
        if not locked:
            return refusal
        return evolve(
            refusal, message=TOO_MANY, why="rate_limited", retry_after_ms=self.limiter.locked_for_ms(address) or None
        )

    def hello(self, connection: Connection, params: Mapping[str, Any], admission: Admission) -> bytes:
        self._pending.pop(id(connection), None)
        self._announce_pairing(admission)
        connection.context = self._context(connection, admission)
        if connection.client["mode"] != "cli":
            connection.presence_key = self._presence_key(connection, admission)
            self.life.presence.connected(connection.presence_key, self._presence_members(connection, admission))
        if admission.role == "node":
            self.nodes.joined(connection, params, admission, self._remote_ip(connection))
        payload = self._hello_payload(connection, admission)
        self.meters.handshake(OK)
        self.wslog.connected(connection.id, connection.client, admission.auth_method)
        self.wslog.hello(
            methods=len(payload["features"]["methods"]),
            events=len(EVENTS),
            presence=len(payload["snapshot"]["presence"]),
            state_version=self.life.health_version,
            conn=connection.id,
        )
        return orjson.dumps(payload)

    def welcomed(self, connection: Connection) -> None:
        allow_bytes = getattr(connection.outlet, "allow_bytes", None)
        if allow_bytes is not None:
            allow_bytes(self.config().gateway.max_payload)
        if connection.presence_key is not None:
            self.life.presence.announce()
        self.events.subscribe(connection)
        self.health.refresh_soon()
        self._tell_questions(connection)
        if connection.role == "node":
            self.nodes.welcomed(connection)

    def _tell_questions(self, connection: Connection) -> None:
        """
        What waits for a person was told to those who were connected then.
        """
        if connection.role != "operator" or not holds(connection.scopes, APPROVALS):
            return
        for asked in self.context.approvals.pending():
            body = encode_event_body("exec.approval.requested", asked.told())
            connection.send_event("exec.approval.requested", body)

    def request(self, connection: Connection, frame: Mapping[str, Any]) -> None:
        answering = Deferred.fromCoroutine(self._answer(connection, frame))
        if not answering.called:
            self._busy.add(answering)
            answering.addBoth(self._answered, answering)
        answering.addErrback(lambda failure: self._log.failure("A request was not answered.", failure))

    async def _answer(self, connection: Connection, frame: Mapping[str, Any]) -> None:
        started = self.clock.seconds()
        first = True

        def respond(*, ok: bool, payload: Any = ABSENT, error: Any = None) -> None:
            nonlocal first
            connection.answer(frame["id"], ok=ok, payload=payload, error=error)
            elapsed = self.clock.seconds() - started
            if first:
                self.meters.answered(frame["method"], None if error is None else error.code, elapsed)
                first = False
            self.wslog.response(connection.id, frame["id"], frame["method"], ok, int(elapsed * 1000), error)

        self.wslog.request(connection.id, frame["id"], frame["method"])
        assert connection.context is not None
        await self.dispatcher.answer(connection.context, frame, respond)

    def _context(self, connection: Connection, admission: Admission) -> MethodContext:
        caller = Caller(
            connection_id=connection.id,
            role=admission.role,
            scopes=frozenset(admission.scopes),
            client_id=connection.client["id"],
            client_mode=connection.client["mode"],
            device_id=admission.device_id,
            display_name=connection.client.get("displayName"),
        )
        return evolve(self.context, caller=caller)

    def _answered(self, result: Any, answering: Deferred[Any]) -> Any:
        self._busy.discard(answering)
        return result

    def refused(self, connection: Connection, refusal: Refusal) -> None:
        self._pending.pop(id(connection), None)
        self.meters.handshake(refusal.cause)
        if refusal.requested is not None:
            self.events.publish("device.pair.requested", refusal.requested, drop_if_slow=True, scope="operator.pairing")
        self.wslog.refused(
            connection.id, connection.upgrade.peer, connection.client, refusal.cause, refusal.message, refusal.why
        )

    def unreadable(self, connection: Connection, error: str) -> None:
        if connection.state is State.PENDING:
            self.meters.handshake("unreadable")
        self.wslog.parse_error(connection.id, error)

    def lost(self, connection: Connection, code: int | None, reason: str) -> None:
        self._pending.pop(id(connection), None)
        if connection.state in (State.PENDING, State.HANDSHAKING):
            self.meters.handshake("left")
        self.events.unsubscribe(connection)
        if connection.presence_key is not None and connection.state is State.CONNECTED:
            self.life.presence.disconnected(connection.presence_key)
        self.nodes.left(connection)
        if self.canvas is not None:
            self.canvas.left(connection.id)
        elapsed_ms = int((self.clock.seconds() - connection.opened_at) * 1000)
        self.wslog.closed(connection.id, code, reason, elapsed_ms, connection.state.value)

    def load(self) -> tuple[int, int]:
        """
        How many connections have not said hello yet, and how many requests are being answered.
        """
        return len(self._pending), len(self._busy)

    # Shutdown.

    def announce_stop(self, reason: str, restart_expected_ms: int | None) -> None:
        """
        Tell every client. Those who never said hello are closed; the others stay to see the answers that are under way.
        """
        self.stopping = True
        expected = {} if restart_expected_ms is None else {"restartExpectedMs": restart_expected_ms}
        self.events.publish("shutdown", {"reason": reason, **expected})
        for connection in list(self._pending.values()):
            connection.end(SERVICE_RESTART, "service restart")

    def close(self) -> None:
        """
        Close every socket.
        """
        for connection in [*self.events, *self._pending.values()]:
            assert isinstance(connection, Connection)
            connection.end(SERVICE_RESTART, "service restart")

    def drained(self, limit: timedelta) -> Deferred[Any]:
        """
        :return: fires when no request is being answered any more, or when the limit has passed.
        """
        if not self._busy:
            return succeed(None)
        for answering in list(self._busy):
            answering.cancel()
        waiting: Deferred[Any] = gatherResults(
            [answering.addBoth(lambda result: None) for answering in self._busy], consumeErrors=True
        )
        waiting.addTimeout(limit.total_seconds(), self.clock)
        return waiting.addErrback(lambda failure: None)

    # Parts of hello-ok.

    def _announce_pairing(self, admission: Admission) -> None:
        if admission.approved is None:
            return
        resolved = {
            "requestId": admission.approved["requestId"],
            "deviceId": admission.approved["deviceId"],
            "decision": "approved",
            "ts": millis(self.clock),
        }
        self._log.info(
            "device pairing auto-approved device={device} role={role}",
            device=admission.device_id,
            role=admission.role,
        )
        self.events.publish("device.pair.resolved", resolved, drop_if_slow=True, scope="operator.pairing")

    def _presence_key(self, connection: Connection, admission: Admission) -> str:
        return str(admission.device_id or connection.client.get("instanceId") or connection.id)

    def _remote_ip(self, connection: Connection) -> str | None:
        upgrade = connection.upgrade
        return recorded_address(upgrade.peer, upgrade.headers, self.config().gateway.trusted_proxies)

    def _presence_members(self, connection: Connection, admission: Admission) -> Mapping[str, Any]:
        client = connection.client
        members = {
            "host": client.get("displayName") or client["id"],
            "ip": self._remote_ip(connection),
            **{name: client.get(name) for name in ("version", "platform", "deviceFamily", "modelIdentifier", "mode")},
            "deviceId": admission.device_id,
            "roles": [admission.role],
            "scopes": list(admission.scopes),
            "instanceId": client.get("instanceId") or admission.device_id,
        }
        return {name: value for name, value in members.items() if value is not None}

    def _hello_payload(self, connection: Connection, admission: Admission) -> dict[str, Any]:
        config = self.config()
        payload: dict[str, Any] = {
            "type": "hello-ok",
            "protocol": PROTOCOL_VERSION,
            "server": {
                "version": __version__,
                "host": str(self.life.own["host"]),
                "connId": connection.id,
            },
            "features": {"methods": self.dispatcher.advertised(), "events": list(EVENTS)},
            "snapshot": {
                "presence": self.life.presence.listing(),
                "health": self.health.snapshot,
                "stateVersion": dict(self.events.versions()),
                "uptimeMs": self.life.uptime_ms(),
                "configPath": str(self.config_path),
                "stateDir": str(self.state_dir),
                "sessionDefaults": {
                    "defaultAgentId": default_agent(config),
                    "mainKey": "main",
                    "mainSessionKey": main_session_key(config),
                    "scope": config.session.scope,
                },
            },
            "policy": {
                "maxPayload": config.gateway.max_payload,
                "maxBufferedBytes": MAX_BUFFERED_BYTES,
                "tickIntervalMs": int(TICK_INTERVAL.total_seconds() * 1000),
            },
        }
        if self.canvas is not None:
            payload["canvasHostUrl"] = self.canvas.url(connection.id, connection.upgrade)
        if admission.token is not None:
            payload["auth"] = {
                "deviceToken": admission.token["token"],
                "role": admission.role,
                "scopes": list(admission.token["scopes"]),
                "issuedAtMs": admission.token.get("rotatedAtMs", admission.token["createdAtMs"]),
            }
        return payload
