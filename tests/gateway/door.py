"""
Rows of the handshake's table, and what runs one against the gateway in memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import field, frozen
from twisted.trial.unittest import SynchronousTestCase

from openclaw.clock import millis
from openclaw.gateway.connection import Connection
from openclaw.store.interfaces import Unit
from openclaw.testing.client import GatewayClient, TestDevice
from openclaw.testing.gateway import TOKEN, MemoryGateway

PASSWORD = "a-password-for-tests-only"
WITH_TOKEN: Mapping[str, Any] = {"auth": {"mode": "token", "token": TOKEN}}
WITH_PASSWORD: Mapping[str, Any] = {"auth": {"mode": "password", "password": PASSWORD}}

APP = {"id": "openclaw-macos", "mode": "ui", "version": "1.0.0", "platform": "darwin"}
CLI = {"id": "cli", "mode": "cli", "version": "1.0.0", "platform": "linux"}
CONTROL_UI = {"id": "openclaw-control-ui", "mode": "webchat", "version": "1.0.0", "platform": "web"}
WEBCHAT = {"id": "webchat-ui", "mode": "webchat", "version": "1.0.0", "platform": "web"}
NODE = {"id": "node-host", "mode": "node", "version": "1.0.0", "platform": "linux"}

ADMIN, READ, WRITE, PAIRING = ("operator.admin", "operator.read", "operator.write", "operator.pairing")
HERE = {"Host": "127.0.0.1:18789"}
ELSEWHERE = "192.0.2.10"
DEVICE_TOKEN = "0123456789abcdef0123456789abcdef"

CODES = {"device identity required": "NOT_PAIRED", "pairing required": "NOT_PAIRED"}


@frozen(kw_only=True)
class Proof:
    """
    How a client proves its device; by default as it should.

    :ivar nonce: ``None`` for version 1, ``...`` for the challenge's own.
    :ivar signed: parameters that only the signature sees.
    :ivar changes: members of ``device`` replaced after signing.
    """

    seed: int = 1
    nonce: Any = ...
    skew_ms: int = 0
    signed: Mapping[str, Any] = field(factory=dict)
    changes: Mapping[str, Any] = field(factory=dict)

    def member(self, params: Mapping[str, Any], client: GatewayClient) -> dict[str, Any]:
        nonce = client.nonce if self.nonce is ... else self.nonce
        at = millis(client.clock) + self.skew_ms
        device = TestDevice(seed=self.seed).sign({**params, **self.signed}, nonce, at)
        return {name: value for name, value in {**device, **self.changes}.items() if value is not None}


@frozen(kw_only=True)
class Paired:
    """
    A device that is known before the row begins.

    :ivar scopes: that it is approved for.
    :ivar key_of: whose key stands in the record, where it is another's.
    :ivar token_scopes: of ``DEVICE_TOKEN``; ``None`` when it has no token.
    """

    seed: int = 1
    key_of: int | None = None
    role: str = "operator"
    scopes: Sequence[str] = (READ,)
    token_scopes: Sequence[str] | None = None
    revoked: bool = False

    def put(self, unit: Unit) -> None:
        device = TestDevice(seed=self.seed)
        proof = TestDevice(seed=self.key_of or self.seed).sign({"client": APP}, None, 0)
        token = {
            "token": DEVICE_TOKEN,
            "role": self.role,
            "createdAtMs": 1,
            **({"revokedAtMs": 2} if self.revoked else {}),
        }
        tokens = {} if self.token_scopes is None else {self.role: {**token, "scopes": list(self.token_scopes)}}
        record = {
            "deviceId": device.id,
            "publicKey": proof["publicKey"],
            "role": self.role,
            "roles": [self.role],
            "scopes": list(self.scopes),
            "tokens": tokens,
            "createdAtMs": 1,
            "approvedAtMs": 1,
        }
        unit.devices.put(device.id, record)


@frozen(kw_only=True)
class In:
    """
    The client is let in.

    :ivar token: whether ``hello-ok`` hands out a device token; a text says which.
    """

    scopes: Sequence[str] = (ADMIN,)
    token: bool | str = False
    role: str = "operator"


@frozen(kw_only=True)
class Out:
    """
    The client is refused, with a response and a close frame at once.
    """

    message: str
    close_code: int = 1008
    details: Any = None

    @property
    def code(self) -> str:
        return CODES.get(self.message, "INVALID_REQUEST")

    @property
    def reason(self) -> str:
        return self.message.encode()[:120].decode(errors="ignore")


#: In ``Out.details``: some request id.
REQUEST_ID = object()
PAIR = Out(message="pairing required", details=REQUEST_ID)


@frozen(kw_only=True)
class Row:
    """
    One case: where the client comes from, what it says, what becomes of it.

    :ivar login: what ``tailscale whois`` has confirmed.
    :ivar then: the same client comes again: what becomes of that.
    """

    name: str
    want: In | Out
    gateway: Mapping[str, Any] = field(factory=lambda: WITH_TOKEN)
    peer: str = "127.0.0.1"
    headers: Mapping[str, str] = field(factory=lambda: HERE)
    client: Mapping[str, Any] = field(factory=lambda: APP)
    auth: Mapping[str, str] | None = field(factory=lambda: {"token": TOKEN})
    role: str | None = None
    scopes: Sequence[str] | None = None
    protocols: tuple[int, int] = (3, 3)
    proof: Proof | None = None
    paired: Paired | None = None
    login: str | None = None
    then: In | Out | None = None

    def params(self) -> dict[str, Any]:
        told = {
            "role": self.role,
            "scopes": None if self.scopes is None else list(self.scopes),
            "auth": self.auth,
        }
        return {
            "minProtocol": self.protocols[0],
            "maxProtocol": self.protocols[1],
            "client": dict(self.client),
            **{name: value for name, value in told.items() if value is not None},
        }


class DoorCase(SynchronousTestCase):
    """
    Runs tables; a failure names its row.
    """

    def check(self, *rows: Row) -> None:
        self.assertEqual(len({row.name for row in rows}), len(rows))
        for row in rows:
            gateway = MemoryGateway(directory=Path(self.mktemp()), config={"gateway": {"mode": "local", **row.gateway}})
            gateway.start()
            try:
                self._check(row, gateway)
            finally:
                gateway.stop()

    def _check(self, row: Row, gateway: MemoryGateway) -> None:
        async def whois(peer: str, headers: Mapping[str, str]) -> str | None:
            return row.login

        gateway.service.clients.whois = whois
        if row.paired is not None:
            gateway.store.write(row.paired.put)
        self.assertEqual(outcome(row, gateway), wanted(row, row.want), row.name)
        if row.then is not None:
            self.assertEqual(outcome(row, gateway), wanted(row, row.then), f"{row.name}, again")


def wanted(row: Row, want: In | Out) -> dict[str, Any]:
    if isinstance(want, In):
        return {"role": want.role, "scopes": sorted(want.scopes), "token": want.token}
    error = {"code": want.code, "message": want.message}
    if want.details is not None:
        error |= {"details": want.details}
    return {"error": error, "close": (want.close_code, want.reason)}


def outcome(row: Row, gateway: MemoryGateway) -> dict[str, Any]:
    """
    What becomes of a client, in the form of :func:`wanted`.
    """
    client = gateway.client(headers=row.headers, peer=row.peer)
    params = row.params()
    if row.proof is not None:
        params["device"] = row.proof.member(params, client)
    client.ask("connect", params)
    gateway.advance_until(lambda: client.answers("r1"), most=3)
    (answer,) = client.answers("r1")
    if not answer["ok"]:
        error = dict(answer["error"])
        if "requestId" in (error.get("details") or {}):
            error["details"] = REQUEST_ID
        return {"error": error, "close": client.closed}
    (connection,) = (each for each in gateway.service.clients.events if isinstance(each, Connection))
    assert connection.context is not None
    caller = connection.context.caller
    told = answer["payload"].get("auth", {}).get("deviceToken")
    known = row.paired is not None and told == DEVICE_TOKEN
    client.close()
    return {"role": caller.role, "scopes": sorted(caller.scopes), "token": told if known else told is not None}
