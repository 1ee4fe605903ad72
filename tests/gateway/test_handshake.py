"""
The handshake's order of checks, as a table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from attrs import define, evolve, field
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.auth import ResolvedAuth
from openclaw.devices.identity import Claim, device_id, encode_base64url
from openclaw.devices.pairing import approve
from openclaw.gateway.handshake import Admission, Facts, Makers, Refusal, admit, examine
from openclaw.store.interfaces import Unit

NOW = 1_800_000_000_000
TOKEN = "a-token-of-a-decent-length"
AUTH = ResolvedAuth(mode="token", token=TOKEN, password=None, allow_tailscale=False)
SCOPES = ["operator.admin", "operator.approvals", "operator.pairing"]


@define
class Records:
    """
    A dict as a table of records.
    """

    rows: dict[str, Mapping[str, Any]] = field(factory=dict)

    def get(self, id: str) -> Mapping[str, Any] | None:
        return self.rows.get(id)

    def put(self, id: str, record: Mapping[str, Any]) -> None:
        self.rows[id] = record

    def delete(self, id: str) -> bool:
        return self.rows.pop(id, None) is not None

    def all(self) -> Iterable[tuple[str, Mapping[str, Any]]]:
        return list(self.rows.items())


@define
class DeviceUnit:
    """
    The part of a unit that a handshake touches.
    """

    devices: Records = field(factory=Records)
    device_requests: Records = field(factory=Records)


def makers() -> Makers:
    counter = iter(range(1000))
    return Makers(
        make_id=lambda: f"00000000-0000-4000-8000-{next(counter):012d}",
        make_token=lambda: f"{next(counter):032x}",
    )


def params(**changes: Any) -> dict[str, Any]:
    client = {"id": "openclaw-macos", "mode": "ui", "version": "1.0.0", "platform": "darwin"}
    return {"minProtocol": 3, "maxProtocol": 3, "client": client, "scopes": SCOPES, **changes}


def signed(given: dict[str, Any], *, nonce: str | None = "nonce", seed: int = 1, skew_ms: int = 0) -> dict[str, Any]:
    key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    raw = key.public_key().public_bytes_raw()
    claim = Claim(
        device_id=device_id(raw),
        client_id=given["client"]["id"],
        client_mode=given["client"]["mode"],
        role=given.get("role", "operator"),
        scopes=given.get("scopes", []),
        signed_at_ms=NOW + skew_ms,
        token=given.get("auth", {}).get("token", ""),
        nonce=nonce,
    )
    device = {
        "id": claim.device_id,
        "publicKey": encode_base64url(raw),
        "signature": encode_base64url(key.sign(claim.payload())),
        "signedAt": NOW + skew_ms,
    }
    return {**given, "device": device | ({} if nonce is None else {"nonce": nonce})}


def facts(given: Mapping[str, Any], **changes: Any) -> Facts:
    plain = Facts(params=given, nonce="nonce", now_ms=NOW, local=True, remote_ip=None, auth=AUTH)
    return evolve(plain, **changes)


def decide(given: Mapping[str, Any], unit: DeviceUnit | None = None, **changes: Any) -> Refusal | Admission:
    examined = examine(facts(given, **changes))
    if isinstance(examined, Refusal):
        return examined
    return admit(cast(Unit, unit or DeviceUnit()), examined, makers())


class RefusalTests(SynchronousTestCase):
    def assert_refused(self, given: Mapping[str, Any], message: str, **changes: Any) -> Refusal:
        decision = decide(given, **changes)
        assert isinstance(decision, Refusal), decision
        self.assertEqual(decision.message, message)
        return decision

    def test_protocol(self) -> None:
        """
        A range without 3 is refused with close code 1002 and the expected protocol.
        """
        refusal = self.assert_refused(params(minProtocol=4, maxProtocol=5), "protocol mismatch")
        self.assertEqual((refusal.close_code, refusal.details), (1002, {"expectedProtocol": 3}))

    def test_role(self) -> None:
        """
        Roles other than operator and node do not exist.
        """
        self.assert_refused(params(role="admin"), "invalid role")

    def test_control_ui_without_device(self) -> None:
        """
        The Control UI needs a device identity even with the right token.
        """
        client = {"id": "openclaw-control-ui", "mode": "webchat", "version": "1", "platform": "web"}
        given = params(client=client, auth={"token": TOKEN})
        self.assert_refused(given, "control ui requires HTTPS or localhost (secure context)")

    def test_no_identity(self) -> None:
        """
        Without a device and without a token there is nothing to check.
        """
        for auth in ({}, {"token": ""}, {"password": "x"}):
            refusal = self.assert_refused(params(auth=auth), "device identity required")
            self.assertEqual(refusal.code, "NOT_PAIRED")

    def test_device_proofs(self) -> None:
        """
        Each flaw of a device proof has its own text.
        """
        good = signed(params(auth={"token": TOKEN}))
        other = signed(params(auth={"token": TOKEN}), seed=2)["device"]
        table = [
            ({**good, "device": {**good["device"], "id": other["id"]}}, "device identity mismatch", True),
            (signed(params(auth={"token": TOKEN}), skew_ms=600_001), "device signature expired", True),
            (signed(params(auth={"token": TOKEN}), nonce=None), "device nonce required", False),
            (signed(params(auth={"token": TOKEN}), nonce="other"), "device nonce mismatch", True),
            ({**good, "scopes": ["operator.read"]}, "device signature invalid", True),
            ({**good, "device": {**good["device"], "signature": "%%%"}}, "device signature invalid", True),
        ]
        for given, message, local in table:
            self.assert_refused(given, message, local=local)

    def test_wrong_token(self) -> None:
        """
        A wrong token is told with the hint for this client, and counted; another length of bytes is just wrong.
        """
        for wrong in ("wrong", "é" * len(TOKEN)):
            refusal = self.assert_refused(
                params(auth={"token": wrong}), "unauthorized: gateway token mismatch (provide gateway auth token)"
            )
            self.assertEqual(refusal.wrong_secret, wrong)

    def test_password_never_replaces_identity(self) -> None:
        """
        In password mode any token must not stand in for a device.
        """
        auth = ResolvedAuth(mode="password", token=None, password="a-password-of-length", allow_tailscale=False)
        given = params(auth={"token": "anything", "password": "a-password-of-length"})
        self.assert_refused(given, "device identity required", auth=auth)

    def test_tailscale_never_stands_in_locally(self) -> None:
        """
        A login that somehow came with a local connection opens nothing.
        """
        message = "unauthorized: gateway token missing (provide gateway auth token)"
        self.assert_refused(signed(params()), message, tailscale_login="alice@example.com")

    def test_remote_device_waits(self) -> None:
        """
        An unknown remote device gets the same request id until somebody decides.
        """
        unit = DeviceUnit()
        given = signed(params(auth={"token": TOKEN}))
        first = decide(given, unit, local=False)
        again = decide(given, unit, local=False)
        assert isinstance(first, Refusal)
        assert isinstance(again, Refusal)
        self.assertEqual((first.code, first.message), ("NOT_PAIRED", "pairing required"))
        self.assertEqual(first.details, again.details)
        self.assertIsNotNone(first.requested)
        self.assertIsNone(again.requested)

    def test_reason_fits_a_close_frame(self) -> None:
        """
        Close reasons are cut to 120 bytes without breaking a character.
        """
        self.assertEqual(Refusal(message="é" * 100, cause="").reason, "é" * 60)


class AdmissionTests(SynchronousTestCase):
    def assert_admitted(self, decision: Refusal | Admission) -> Admission:
        assert isinstance(decision, Admission), decision
        return decision

    def test_token_without_device(self) -> None:
        """
        The shared token lets a client in without an identity, and it gets no device token.
        """
        admission = self.assert_admitted(decide(params(auth={"token": TOKEN}, scopes=[])))
        self.assertEqual((admission.scopes, admission.token), (("operator.admin",), None))

    def test_local_device_is_approved(self) -> None:
        """
        A local device pairs by itself and gets a token with exactly its scopes.
        """
        unit = DeviceUnit()
        admission = self.assert_admitted(decide(signed(params(auth={"token": TOKEN})), unit))
        assert admission.token is not None
        self.assertEqual(admission.token["scopes"], sorted(SCOPES))
        self.assertIsNotNone(admission.approved)
        again = self.assert_admitted(decide(signed(params(auth={"token": TOKEN})), unit))
        self.assertEqual((again.token, again.approved), (admission.token, None))

    def test_version_1_on_loopback(self) -> None:
        """
        A signature without nonce is good enough for a local connection.
        """
        self.assert_admitted(decide(signed(params(auth={"token": TOKEN}), nonce=None)))

    def test_device_token(self) -> None:
        """
        A device token opens the door for its own device and scopes; without scopes it grants its own, never admin.
        """
        unit = DeviceUnit()
        narrow = params(auth={"token": TOKEN}, scopes=["operator.read"])
        first = self.assert_admitted(decide(signed(narrow), unit))
        assert first.token is not None
        token = {"token": first.token["token"]}
        by_token = self.assert_admitted(decide(signed(params(auth=token, scopes=[])), unit))
        self.assertEqual((by_token.auth_method, by_token.scopes), ("device-token", ("operator.read",)))
        wider = decide(signed(params(auth=token)), unit)
        self.assertIsInstance(wider, Refusal)
        stolen = decide(signed(params(auth=token, scopes=[]), seed=2), unit)
        self.assertIsInstance(stolen, Refusal)

    def test_approval_lets_a_remote_device_in(self) -> None:
        """
        After an approval the same remote device comes in.
        """
        unit = DeviceUnit()
        given = signed(params(auth={"token": TOKEN}))
        refused = decide(given, unit, local=False)
        assert isinstance(refused, Refusal)
        assert refused.details is not None
        approve(cast(Unit, unit), refused.details["requestId"], now_ms=NOW, make_token=lambda: "f" * 32)
        self.assert_admitted(decide(given, unit, local=False))
