"""
The handshake's table: protocol, role, and the proof of a device (``protocol.md`` 3, rows 1 to 14).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from openclaw.devices.identity import encode_base64url
from openclaw.testing.client import TestDevice
from openclaw.testing.gateway import TOKEN, MemoryGateway
from tests.gateway.door import (
    ADMIN,
    APP,
    CONTROL_UI,
    ELSEWHERE,
    NODE,
    PAIR,
    READ,
    DoorCase,
    In,
    Out,
    Proof,
    Row,
)

MISMATCH = Out(message="device identity mismatch")
EXPIRED = Out(message="device signature expired")
NO_NONCE = Out(message="device nonce required")
OTHER_NONCE = Out(message="device nonce mismatch")
UNSIGNED = Out(message="device signature invalid")
REQUIRED = Out(message="device identity required")
PROTOCOL = Out(message="protocol mismatch", close_code=1002, details={"expectedProtocol": 3})
INSECURE = Out(message="control ui requires HTTPS or localhost (secure context)")
FIRST = "invalid handshake: first request must be connect"


class FirstFrameTests(DoorCase):
    """
    What is not even ``connect``.
    """

    def test_first_frames(self) -> None:
        """
        Rows 1 to 4: how each first frame that is no good ``connect`` ends.
        """
        request = {"type": "req", "id": "x"}
        good = {"minProtocol": 3, "maxProtocol": 3, "client": APP, "auth": {"token": TOKEN}}
        frame = (1008, "invalid request frame")
        table: tuple[tuple[object, bool, tuple[int, str]], ...] = (
            (b"", False, (1000, "")),
            (b"{", False, (1000, "")),
            (b"\xff\xfe", False, (1000, "")),
            ([], False, frame),
            ("connect", False, frame),
            (b"null", False, frame),
            ({**request, "type": "event", "method": "connect"}, False, frame),
            ({**request, "method": "connect", "more": 1}, False, frame),
            ({**request, "method": ""}, False, frame),
            ({**request, "id": "", "method": "connect"}, False, frame),
            ({**request, "id": 1, "method": "connect"}, False, frame),
            ({**request, "method": "health"}, True, (1008, FIRST)),
            ({**request, "method": "no.such"}, True, (1008, FIRST)),
        )
        for data, answered, closed in table:
            self.check_frame(data, answered, closed)
        for wrong in (
            {"role": ""},
            {"role": None},
            {"minProtocol": 0},
            {"minProtocol": "3"},
            {"more": 1},
            {"scopes": [""]},
            {"client": {**APP, "id": "mallory"}},
            {"client": {**APP, "mode": "god"}},
            {"client": {**APP, "more": 1}},
            {"auth": {"token": None}},
            {"auth": {"token": TOKEN, "more": 1}},
            {"device": {"id": "x"}},
        ):
            self.check_frame({**request, "method": "connect", "params": {**good, **wrong}}, True, None)
        self.check_frame({**request, "method": "connect"}, True, None)

    def check_frame(self, data: object, answered: bool, closed: tuple[int, str] | None) -> None:
        """
        :param closed: ``None`` for what row 4 says.
        """
        gateway = MemoryGateway(directory=Path(self.mktemp())).start()
        try:
            client = gateway.client()
            client.send(data if isinstance(data, bytes) else orjson.dumps(data))
            errors = [answer["error"] for answer in client.answers("x")]
            self.assertEqual(len(errors), int(answered), data)
            if closed is None:
                self.assertTrue(errors[0]["message"].startswith("invalid connect params: "), (data, errors))
                closed = (1008, errors[0]["message"].encode()[:120].decode(errors="ignore"))
            self.assertEqual(client.closed, closed, data)
        finally:
            gateway.stop()


class ProtocolTests(DoorCase):
    """
    Rows 5 to 8.
    """

    def test_protocol_and_role(self) -> None:
        """
        The range must hold 3; the role must be one of two; the first flaw is the one that is told.
        """
        self.check(
            Row(name="3 to 3", want=In()),
            Row(name="1 to 9", protocols=(1, 9), want=In()),
            Row(name="too old", protocols=(1, 2), want=PROTOCOL),
            Row(name="too new", protocols=(4, 5), want=PROTOCOL),
            Row(name="upside down", protocols=(4, 2), want=PROTOCOL),
            Row(name="other role", role="admin", want=Out(message="invalid role")),
            Row(name="role in capitals", role="Operator", want=Out(message="invalid role")),
            Row(name="named role", role="operator", want=In()),
            Row(name="protocol before role", protocols=(4, 5), role="admin", want=PROTOCOL),
            Row(name="role before identity", role="admin", auth=None, want=Out(message="invalid role")),
            Row(name="role before page", role="admin", client=CONTROL_UI, want=Out(message="invalid role")),
        )

    def test_without_device(self) -> None:
        """
        Without a device only the right shared token opens; the page needs a device even then.
        """
        self.check(
            Row(name="no auth", auth=None, want=REQUIRED),
            Row(name="empty token", auth={"token": ""}, want=REQUIRED),
            Row(name="password only", auth={"password": "x"}, want=REQUIRED),
            Row(name="remote, right token", peer=ELSEWHERE, want=In()),
            Row(name="node, right token", role="node", client=NODE, want=In(role="node", scopes=())),
            Row(name="page, right token", client=CONTROL_UI, want=INSECURE),
            Row(name="page, nothing", client=CONTROL_UI, auth=None, want=INSECURE),
            Row(name="page, wrong token", client=CONTROL_UI, auth={"token": "wrong"}, want=INSECURE),
        )


class ProofTests(DoorCase):
    """
    Rows 9 to 14.
    """

    def test_version_2(self) -> None:
        """
        A proof over the nonce of the challenge, near and far.
        """
        white = {"nonce": None}
        self.check(
            Row(name="good", proof=Proof(), want=In(token=True)),
            Row(name="good with scopes", proof=Proof(), scopes=(READ,), want=In(scopes=(READ,), token=True)),
            Row(name="wrong nonce", proof=Proof(nonce="other"), want=OTHER_NONCE),
            Row(name="wrong nonce, remote", peer=ELSEWHERE, proof=Proof(nonce="other"), want=OTHER_NONCE),
            Row(name="good, remote", peer=ELSEWHERE, proof=Proof(), want=PAIR),
            Row(name="signed but not sent, remote", peer=ELSEWHERE, proof=Proof(changes=white), want=NO_NONCE),
            Row(name="signed but not sent", proof=Proof(changes=white), want=UNSIGNED),
            Row(name="blank nonce, remote", peer=ELSEWHERE, proof=Proof(changes={"nonce": " "}), want=NO_NONCE),
        )

    def test_version_1(self) -> None:
        """
        A proof without a nonce is good enough for a local connection only.
        """
        v1 = Proof(nonce=None)
        self.check(
            Row(name="local", proof=v1, want=In(token=True)),
            Row(name="by address", peer=ELSEWHERE, proof=v1, want=NO_NONCE),
            Row(
                name="by proxy", headers={"Host": "localhost", "X-Forwarded-For": "127.0.0.1"}, proof=v1, want=NO_NONCE
            ),
            Row(name="by foreign host", headers={"Host": "gateway.example"}, proof=v1, want=NO_NONCE),
            Row(name="scopes changed", scopes=(ADMIN,), proof=Proof(nonce=None, signed={"scopes": []}), want=UNSIGNED),
        )

    def test_time(self) -> None:
        """
        Ten minutes to either side, to the millisecond.
        """
        rows = ((-600_000, In(token=True)), (600_000, In(token=True)), (-600_001, EXPIRED), (600_001, EXPIRED))
        self.check(*(Row(name=f"skew {skew}", proof=Proof(skew_ms=skew), want=want) for skew, want in rows))

    def test_what_is_signed(self) -> None:
        """
        Every member that the signature covers, changed after signing, and keys of somebody else.
        """
        foreign = TestDevice(seed=2).sign({"client": APP}, None, 0)
        changed: dict[str, dict[str, Any]] = {
            "client id": {"client": {**APP, "id": "openclaw-ios"}},
            "client mode": {"client": {**APP, "mode": "backend"}},
            "role": {"role": "node"},
            "scopes": {"scopes": [READ]},
            "token": {"auth": {"token": "other"}},
        }
        flaws = {
            "foreign id": ({"id": foreign["id"]}, MISMATCH),
            "foreign key": ({"publicKey": foreign["publicKey"]}, MISMATCH),
            "foreign id and key": ({"id": foreign["id"], "publicKey": foreign["publicKey"]}, UNSIGNED),
            "id in capitals": ({"id": TestDevice().id.upper()}, MISMATCH),
            "no key": ({"publicKey": "%%%"}, MISMATCH),
            "short key": ({"publicKey": encode_base64url(b"x" * 31)}, MISMATCH),
            "foreign signature": ({"signature": foreign["signature"]}, UNSIGNED),
            "no base64": ({"signature": "%%%"}, UNSIGNED),
            "short signature": ({"signature": encode_base64url(b"x" * 63)}, UNSIGNED),
        }
        self.check(
            *(Row(name=name, proof=Proof(signed=signed), want=UNSIGNED) for name, signed in changed.items()),
            *(Row(name=name, proof=Proof(changes=changes), want=want) for name, (changes, want) in flaws.items()),
        )

    def test_order(self) -> None:
        """
        Of several flaws the first in the table is told, and the secret comes last.
        """
        wrong = {"token": "wrong"}
        other = {"id": "f" * 64}
        self.check(
            Row(name="id before time", proof=Proof(changes=other, skew_ms=700_000), want=MISMATCH),
            Row(name="time before nonce", peer=ELSEWHERE, proof=Proof(nonce=None, skew_ms=700_000), want=EXPIRED),
            Row(name="nonce before signature", proof=Proof(nonce="other", signed={"scopes": [READ]}), want=OTHER_NONCE),
            Row(name="signature before secret", auth=wrong, proof=Proof(signed={"scopes": [READ]}), want=UNSIGNED),
            Row(name="time before secret", auth=wrong, proof=Proof(skew_ms=700_000), want=EXPIRED),
        )
