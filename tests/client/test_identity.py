"""
The key of this device and the tokens it was given.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from twisted.trial.unittest import SynchronousTestCase

from openclaw.client.identity import DeviceTokens, Identity, IdentityUnusable, load_identity

SEED = bytes([1] * 32)
DEVICE_ID = "34750f98bd59fcfc946da45aaabe933be154a4b5094e1c4abf42866505f3c97e"
NONCE = "6f1d2c3b-4a59-4e68-8776-95a4b3c2d1e0"
SCOPES = ("operator.admin", "operator.approvals", "operator.pairing")


class ClaimTests(SynchronousTestCase):
    """
    The vectors of ``protocol.md`` 8.
    """

    def claim(self, nonce: str | None) -> dict[str, object]:
        """
        The claim of the vectors.
        """
        return Identity(SEED).claim(
            client_id="openclaw-macos",
            mode="ui",
            role="operator",
            scopes=SCOPES,
            signed_at_ms=1767225600000,
            token="placeholder-gateway-token",
            nonce=nonce,
        )

    def test_second_version(self) -> None:
        """
        With a nonce the second form is signed.
        """
        self.assertEqual(
            self.claim(NONCE),
            {
                "id": DEVICE_ID,
                "publicKey": "iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w",
                "signature": "CGA2ZsV1tclhTdGqeQ1JAtgh61lBLAVCsVX1USU9PVndBLfRtIG890z9e8Kjx_2GcyRysAFTyOAHMsdtVrOPDw",
                "signedAt": 1767225600000,
                "nonce": NONCE,
            },
        )

    def test_first_version(self) -> None:
        """
        Without one the first.
        """
        claim = self.claim(None)
        self.assertEqual(
            claim["signature"],
            "Omo9XY0dYZBG8n8cfAyXVYtYhyxq4WWjPoCB6QiYLPyHac_pCdIGNmsVSKlzvF4gj8ymh7UTV6h1Mc8RJhqwBA",
        )
        self.assertNotIn("nonce", claim)


class FileTests(SynchronousTestCase):
    """
    ``identity/device.json``.
    """

    def setUp(self) -> None:
        self.path = Path(self.mktemp()) / "identity" / "device.json"

    def test_first_use(self) -> None:
        """
        The first use makes a key that only its owner reads, in the shape that other clients know.
        """
        identity = load_identity(self.path, now=lambda: 1.5, make_seed=lambda size: SEED)
        self.assertEqual(identity.device_id, DEVICE_ID)
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)
        record = json.loads(self.path.read_text())
        key = Ed25519PrivateKey.from_private_bytes(SEED)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        self.assertEqual(
            record,
            {
                "version": 1,
                "deviceId": DEVICE_ID,
                "publicKeyPem": public,
                "privateKeyPem": private,
                "createdAtMs": 1500,
            },
        )
        self.assertEqual(os.listdir(self.path.parent), ["device.json"])

    def test_second_use(self) -> None:
        """
        The second use finds the same key.
        """
        first = load_identity(self.path)
        self.assertEqual(load_identity(self.path), first)

    def test_not_a_key(self) -> None:
        """
        A file that is no key is not replaced: the user is told.
        """
        self.path.parent.mkdir(parents=True)
        for text in ("", "[]", "{}", '{"privateKeyPem": "nonsense"}', '{"privateKeyPem": 1}'):
            self.path.write_text(text)
            error = self.assertRaises(IdentityUnusable, load_identity, self.path)
            self.assertIn(str(self.path), str(error))
            self.assertEqual(self.path.read_text(), text)


class TokenTests(SynchronousTestCase):
    """
    ``identity/device-auth.json``.
    """

    def setUp(self) -> None:
        self.path = Path(self.mktemp()) / "identity" / "device-auth.json"
        self.tokens = DeviceTokens(self.path, DEVICE_ID, lambda: 2.0)

    def test_life(self) -> None:
        """
        A token is kept until it is forgotten, in the shape that other clients know.
        """
        self.assertIsNone(self.tokens.get("operator"))
        self.tokens.put("operator", "secret", ["operator.admin"])
        self.assertEqual(self.tokens.get("operator"), "secret")
        entry = {"token": "secret", "role": "operator", "scopes": ["operator.admin"], "updatedAtMs": 2000}
        expected = {"version": 1, "deviceId": DEVICE_ID, "tokens": {"operator": entry}}
        self.assertEqual(json.loads(self.path.read_text()), expected)
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)
        self.tokens.forget("operator")
        self.assertIsNone(self.tokens.get("operator"))

    def test_same_token_again(self) -> None:
        """
        The file is left alone when the gateway gives the token that is there.
        """
        self.tokens.put("operator", "secret", [])
        before = self.path.stat()
        DeviceTokens(self.path, DEVICE_ID, lambda: 9.0).put("operator", "secret", [])
        self.assertEqual(self.path.stat().st_mtime_ns, before.st_mtime_ns)

    def test_other_device(self) -> None:
        """
        Tokens of another key are not used, and broken files count as empty.
        """
        self.tokens.put("operator", "secret", [])
        self.assertIsNone(DeviceTokens(self.path, "other").get("operator"))
        for text in ("", "[]", json.dumps({"deviceId": DEVICE_ID, "tokens": []})):
            self.path.write_text(text)
            self.assertIsNone(self.tokens.get("operator"))
