"""
The handshake: every check in order, as one table of steps over plain facts (``protocol.md`` 3; ``design.md`` 5).

``examine`` looks at what needs no store; ``admit`` runs inside one store transaction and ends in a refusal or an
admission.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import frozen

from openclaw.config.auth import ResolvedAuth
from openclaw.devices import pairing, tokens
from openclaw.devices.identity import (
    SIGNATURE_SKEW_MS,
    BadPublicKey,
    Claim,
    device_id,
    encode_base64url,
    raw_public_key,
    signature_holds,
)
from openclaw.gateway.authenticate import SharedResult, check_shared, failure_text
from openclaw.protocol.codes import PROTOCOL_VERSION, ErrorCode
from openclaw.protocol.scopes import ADMIN
from openclaw.store.interfaces import Unit

CONTROL_UI = "openclaw-control-ui"

#: A close code (RFC 6455, registry), and how long before it makes sense, in milliseconds.
TRY_AGAIN_LATER = 1013
AGAIN_MS = 5_000


@frozen(kw_only=True)
class Refusal:
    """
    How a handshake failed.

    :ivar cause: the word for the log (``protocol.md`` 30).
    :ivar why: the word behind the cause, as ``token_mismatch``; ``None`` where the message says it.
    :ivar retry_after_ms: how long it is of no use to try again.
    :ivar wrong_secret: counted against the address.
    :ivar requested: a pairing request that this handshake made, to be announced.
    """

    message: str
    cause: str
    why: str | None = None
    code: str = "INVALID_REQUEST"
    close_code: int = 1008
    close_reason: str | None = None
    details: Mapping[str, Any] | None = None
    retry_after_ms: int | None = None
    wrong_secret: str | None = None
    requested: Mapping[str, Any] | None = None

    @property
    def reason(self) -> str:
        """
        The close reason: the message cut to 120 bytes of UTF-8.
        """
        text = self.message if self.close_reason is None else self.close_reason
        return text.encode("utf-8")[:120].decode("utf-8", "ignore")


def unavailable(message: str) -> Refusal:
    """
    The refusal where nobody can be let in just now, for no reason of theirs.
    """
    return Refusal(
        message=message,
        cause="store-unavailable",
        code=ErrorCode.UNAVAILABLE.value,
        close_code=TRY_AGAIN_LATER,
        retry_after_ms=AGAIN_MS,
    )


@frozen(kw_only=True)
class Facts:
    """
    What is known when a valid ``connect`` has arrived.

    :ivar params: checked parameters, as sent.
    :ivar local: ``protocol.md`` 7.
    :ivar remote_ip: the recorded address, for remote connections only.
    :ivar tailscale_login: a login that ``tailscale whois`` confirmed.
    """

    params: Mapping[str, Any]
    nonce: str
    now_ms: int
    local: bool
    remote_ip: str | None
    auth: ResolvedAuth
    allow_insecure_auth: bool = False
    disable_device_auth: bool = False
    tailscale_login: str | None = None

    @property
    def client(self) -> Mapping[str, Any]:
        client: Mapping[str, Any] = self.params["client"]
        return client

    @property
    def role(self) -> str:
        return str(self.params.get("role", "operator"))

    @property
    def requested_scopes(self) -> Sequence[str]:
        scopes: Sequence[str] = self.params.get("scopes", ())
        return scopes

    @property
    def scopes(self) -> tuple[str, ...]:
        """
        The effective scopes: what was asked for, else all for an operator and none for a node.
        """
        if self.requested_scopes:
            return tuple(self.requested_scopes)
        return (ADMIN,) if self.role == "operator" else ()

    @property
    def given(self) -> Mapping[str, Any]:
        given: Mapping[str, Any] = self.params.get("auth", {})
        return given

    @property
    def control_ui_bypass(self) -> bool:
        return self.client["id"] == CONTROL_UI and (self.allow_insecure_auth or self.disable_device_auth)

    @property
    def device(self) -> Mapping[str, Any] | None:
        if self.client["id"] == CONTROL_UI and self.disable_device_auth:
            return None
        return self.params.get("device")


@frozen(kw_only=True)
class Examined:
    """
    A handshake that passed every check that needs no store.

    :ivar public_key: unpadded base64url, ``None`` without a device.
    """

    facts: Facts
    shared: SharedResult
    public_key: str | None


@frozen(kw_only=True)
class Admission:
    """
    A client that is in.

    :ivar auth_method: ``token``, ``password``, ``tailscale`` or ``device-token``.
    :ivar token: the device token record to hand out, ``None`` without a paired device.
    :ivar approved: the pairing that this handshake approved by itself, to be announced.
    """

    role: str
    scopes: tuple[str, ...]
    device_id: str | None
    auth_method: str
    token: Mapping[str, Any] | None = None
    approved: Mapping[str, Any] | None = None


def examine(facts: Facts) -> Refusal | Examined:
    """
    Checks 5 to 14, and the comparison of the shared secret.
    """
    params = facts.params
    if not params["minProtocol"] <= PROTOCOL_VERSION <= params["maxProtocol"]:
        return Refusal(
            message="protocol mismatch",
            cause="protocol-mismatch",
            close_code=1002,
            details={"expectedProtocol": PROTOCOL_VERSION},
        )
    if facts.role not in ("operator", "node"):
        return Refusal(message="invalid role", cause="invalid-role")
    shared = check_shared(facts.auth, facts.given)
    if facts.device is None:
        return _without_device(facts, shared) or Examined(facts=facts, shared=shared, public_key=None)
    return _with_device(facts, facts.device, shared)


def _without_device(facts: Facts, shared: SharedResult) -> Refusal | None:
    if facts.client["id"] == CONTROL_UI and not facts.control_ui_bypass:
        return Refusal(
            message="control ui requires HTTPS or localhost (secure context)", cause="control-ui-insecure-auth"
        )
    given = bool(facts.given.get("token")) or (facts.control_ui_bypass and bool(facts.given.get("password")))
    if not given:
        return _device_required()
    return None


def _device_required() -> Refusal:
    return Refusal(message="device identity required", cause="device-required", code="NOT_PAIRED")


def _with_device(facts: Facts, device: Mapping[str, Any], shared: SharedResult) -> Refusal | Examined:
    def invalid(what: str) -> Refusal:
        return Refusal(message=f"device {what}", cause="device-auth-invalid")

    try:
        raw = raw_public_key(device["publicKey"])
    except BadPublicKey:
        return invalid("identity mismatch")
    if device_id(raw) != device["id"]:
        return invalid("identity mismatch")
    if abs(device["signedAt"] - facts.now_ms) > SIGNATURE_SKEW_MS:
        return invalid("signature expired")
    nonce = device.get("nonce", "").strip() or None
    if nonce is None and not facts.local:
        return invalid("nonce required")
    if nonce is not None and nonce != facts.nonce:
        return invalid("nonce mismatch")
    claim = Claim(
        device_id=device["id"],
        client_id=facts.client["id"],
        client_mode=facts.client["mode"],
        role=facts.role,
        scopes=facts.requested_scopes,
        signed_at_ms=int(device["signedAt"]),
        token=facts.given.get("token", ""),
        nonce=nonce,
    )
    if not signature_holds(raw, device["signature"], claim):
        return invalid("signature invalid")
    return Examined(facts=facts, shared=shared, public_key=encode_base64url(raw))


@frozen(kw_only=True)
class Makers:
    """
    Where ids and tokens come from.
    """

    make_id: Callable[[], str]
    make_token: Callable[[], str]


def admit(unit: Unit, examined: Examined, makers: Makers) -> Refusal | Admission:
    """
    Checks 15 and 16: the secret or a device token, then pairing. Runs in one transaction.
    """
    facts = examined.facts
    device = facts.device
    record = unit.devices.get(device["id"]) if device is not None and examined.public_key is not None else None
    method = _method(facts, examined, record)
    if method is None:
        reason = examined.shared.reason
        assert reason is not None
        return Refusal(
            message=failure_text(reason, facts.client),
            cause="unauthorized",
            why=reason,
            wrong_secret=examined.shared.wrong,
        )
    if device is None and method != "token" and not facts.control_ui_bypass:
        return _device_required()
    if device is None or (facts.control_ui_bypass and facts.allow_insecure_auth and method in ("token", "password")):
        return Admission(
            role=facts.role,
            scopes=facts.scopes,
            device_id=device["id"] if device is not None else None,
            auth_method=method,
        )
    scopes = facts.scopes
    if method == "device-token" and not facts.requested_scopes:
        assert record is not None
        scopes = tokens.granted(record, facts.role)
    return _paired(unit, examined, record, method, scopes, makers)


def _method(facts: Facts, examined: Examined, record: Mapping[str, Any] | None) -> str | None:
    if facts.tailscale_login is not None and not facts.local:
        return "tailscale"
    if examined.shared.method is not None:
        return examined.shared.method
    token = facts.given.get("token")
    known = record is not None and record.get("publicKey") == examined.public_key
    if token and known and tokens.accepts(record, role=facts.role, scopes=facts.requested_scopes, token=token):
        return "device-token"
    return None


def _paired(
    unit: Unit,
    examined: Examined,
    record: Mapping[str, Any] | None,
    method: str,
    scopes: tuple[str, ...],
    makers: Makers,
) -> Refusal | Admission:
    facts = examined.facts
    assert examined.public_key is not None
    assert facts.device is not None
    claim = pairing.DeviceClaim(
        device_id=facts.device["id"],
        public_key=examined.public_key,
        role=facts.role,
        scopes=scopes,
        client_id=facts.client["id"],
        client_mode=facts.client["mode"],
        platform=facts.client["platform"],
        display_name=facts.client.get("displayName"),
        remote_ip=facts.remote_ip,
    )
    approved = None
    if pairing.needs_pairing(record, claim):
        asked = pairing.request(unit, claim, silent=facts.local, now_ms=facts.now_ms, make_id=makers.make_id)
        if not facts.local:
            return Refusal(
                message="pairing required",
                cause="pairing-required",
                code="NOT_PAIRED",
                details={"requestId": asked.record["requestId"]},
                requested=asked.record if asked.created else None,
            )
        approved = asked.record
        if not asked.record["silent"]:
            # A local connection may settle what waits for this device, but with what it asks for itself.
            pairing.reject(unit, asked.record["requestId"], now_ms=facts.now_ms)
            approved = pairing.request(unit, claim, silent=True, now_ms=facts.now_ms, make_id=makers.make_id).record
        record = pairing.approve(unit, approved["requestId"], now_ms=facts.now_ms, make_token=makers.make_token)
    else:
        assert record is not None
        record = pairing.refresh(unit, record, claim)
    token = tokens.ensure(
        unit,
        record,
        role=facts.role,
        scopes=scopes,
        used=method == "device-token",
        now_ms=facts.now_ms,
        make_token=makers.make_token,
    )
    return Admission(
        role=facts.role,
        scopes=scopes,
        device_id=claim.device_id,
        auth_method=method,
        token=token,
        approved=approved,
    )
