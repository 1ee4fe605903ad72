"""
Who a device is: an Ed25519 key, its id, and the signature it makes for one connection (``protocol.md`` 8).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence

from attrs import frozen
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from openclaw.errors import OpenClawError

#: How far a signature's time may be from ours, in milliseconds, past or future.
SIGNATURE_SKEW_MS = 600_000


@frozen
class BadPublicKey(OpenClawError):
    """
    A public key is neither in base64 nor a PEM text.
    """

    def __str__(self) -> str:
        return "device public key invalid"


def decode_base64(text: str) -> bytes:
    """
    Decode base64 in either alphabet, padded or not.

    :raise ValueError: it is neither.
    """
    plain = text.strip().rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error


def encode_base64url(raw: bytes) -> str:
    """
    Base64url without padding, the form in which keys and signatures travel.
    """
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def raw_public_key(text: str) -> bytes:
    """
    The bytes of a public key as a client wrote it. No signature holds under them unless they are 32.

    :raise BadPublicKey: it is in no form we know.
    """
    if "BEGIN" in text:
        try:
            key = load_pem_public_key(text.encode("utf-8"))
        except ValueError as error:
            raise BadPublicKey from error
        if not isinstance(key, Ed25519PublicKey):
            raise BadPublicKey
        return key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    try:
        return decode_base64(text)
    except ValueError as error:
        raise BadPublicKey from error


def device_id(raw_key: bytes) -> str:
    """
    :return: lower-case hexadecimal SHA-256 of the raw key.
    """
    return hashlib.sha256(raw_key).hexdigest()


@frozen(kw_only=True)
class Claim:
    """
    What a device signs. ``nonce`` absent means version 1 of the payload.

    :ivar scopes: exactly as requested, in the order sent.
    :ivar signed_at_ms: milliseconds since the epoch, by the device's clock.
    """

    device_id: str
    client_id: str
    client_mode: str
    role: str
    scopes: Sequence[str]
    signed_at_ms: int
    token: str
    nonce: str | None

    def payload(self) -> bytes:
        """
        The bytes that are signed.
        """
        parts = [
            "v1" if self.nonce is None else "v2",
            self.device_id,
            self.client_id,
            self.client_mode,
            self.role,
            ",".join(self.scopes),
            str(self.signed_at_ms),
            self.token,
        ]
        if self.nonce is not None:
            parts.append(self.nonce)
        return "|".join(parts).encode("utf-8")


def signature_holds(raw_key: bytes, signature: str, claim: Claim) -> bool:
    """
    Whether a signature was made by a key over a claim.
    """
    try:
        Ed25519PublicKey.from_public_bytes(raw_key).verify(decode_base64(signature), claim.payload())
    except (ValueError, InvalidSignature):
        return False
    return True
