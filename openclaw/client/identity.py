"""
Who this client is: an Ed25519 key of its own, and the device tokens that gateways gave it.

Both are files of the user (``protocol.md`` 13): ``identity/device.json`` and ``identity/device-auth.json``.
``cryptography`` is imported only to make or use a key, and only its smallest part: a key's PEM text is a fixed
prefix and 32 bytes, so nothing of it is needed to read one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from openclaw.client.errors import ClientError

#: DER of an Ed25519 key up to the key itself (RFC 8410).
_PRIVATE_PREFIX = bytes.fromhex("302e020100300506032b657004220420")
_PUBLIC_PREFIX = bytes.fromhex("302a300506032b6570032100")


@frozen
class IdentityUnusable(ClientError):
    """
    The key file exists, and is not a key.
    """

    path: Path
    reason: str

    def __str__(self) -> str:
        return f"device identity {self.path} cannot be used: {self.reason}"


def base64url(raw: bytes) -> str:
    """
    Base64url without padding, the form in which keys and signatures travel.
    """
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _pem(kind: str, der: bytes) -> str:
    body = base64.b64encode(der).decode("ascii")
    return f"-----BEGIN {kind} KEY-----\n{body}\n-----END {kind} KEY-----\n"


def _seed(pem: str) -> bytes:
    """
    The 32 bytes of a PKCS#8 private key.

    :raise ValueError: it is no Ed25519 key.
    """
    try:
        der = base64.b64decode("".join(line for line in pem.split("\n") if not line.startswith("-----")))
    except binascii.Error as error:
        raise ValueError("no PEM text") from error
    if der.startswith(_PRIVATE_PREFIX) and len(der) == len(_PRIVATE_PREFIX) + 32:
        return der[-32:]
    # Other tools write attributes or the public key behind the private one.
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(pem.encode(), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("not an Ed25519 key")
    return key.private_bytes_raw()


@frozen
class Identity:
    """
    The key pair of a device.

    :ivar seed: the private key's 32 bytes.
    """

    seed: bytes = field(repr=False)
    _key: Any = field(init=False, repr=False, eq=False)
    public: bytes = field(init=False, eq=False)

    @_key.default
    def _load(self) -> Any:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self.seed)

    @public.default
    def _public(self) -> bytes:
        raw: bytes = self._key.public_key().public_bytes_raw()
        return raw

    @property
    def device_id(self) -> str:
        """
        Lower-case hexadecimal SHA-256 of the raw public key.
        """
        return hashlib.sha256(self.public).hexdigest()

    def claim(
        self,
        *,
        client_id: str,
        mode: str,
        role: str,
        scopes: Sequence[str],
        signed_at_ms: int,
        token: str,
        nonce: str | None,
    ) -> dict[str, object]:
        """
        The ``device`` member of ``connect``, signed for one connection.

        :param token: ``auth.token`` as it will be sent; empty for none.
        :param nonce: of the gateway's challenge; without one the older form is signed, which only local gateways take.
        """
        parts = [
            "v1" if nonce is None else "v2",
            self.device_id,
            client_id,
            mode,
            role,
            ",".join(scopes),
            str(signed_at_ms),
            token,
        ]
        if nonce is not None:
            parts.append(nonce)
        signature: bytes = self._key.sign("|".join(parts).encode())
        claim: dict[str, object] = {
            "id": self.device_id,
            "publicKey": base64url(self.public),
            "signature": base64url(signature),
            "signedAt": signed_at_ms,
        }
        return claim if nonce is None else {**claim, "nonce": nonce}


def load_identity(
    path: Path, *, now: Callable[[], float] = time.time, make_seed: Callable[[int], bytes] = os.urandom
) -> Identity:
    """
    This device's key; made and written, for its owner only, when there is none yet.

    :raise IdentityUnusable: the file is there, and is no key.
    """
    try:
        stored = json.loads(path.read_text("utf-8"))
        return Identity(_seed(str(stored["privateKeyPem"])))
    except FileNotFoundError:
        identity = Identity(make_seed(32))
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise IdentityUnusable(path, str(error)) from error
    record = {
        "version": 1,
        "deviceId": identity.device_id,
        "publicKeyPem": _pem("PUBLIC", _PUBLIC_PREFIX + identity.public),
        "privateKeyPem": _pem("PRIVATE", _PRIVATE_PREFIX + identity.seed),
        "createdAtMs": int(now() * 1000),
    }
    try:
        _write_private(path, json.dumps(record, indent=2) + "\n", fresh=True)
    except FileExistsError:
        # Another first command of the same user was faster: its key is ours, too.
        return load_identity(path, now=now, make_seed=make_seed)
    return identity


def _write_private(path: Path, text: str, *, fresh: bool = False) -> None:
    """
    Put a whole file in place, mode 0600, in directories of mode 0700.

    :raise FileExistsError: ``fresh``, and there is one.
    """
    # mkdir(parents=True) would leave those above it open to others.
    for missing in reversed([part for part in path.parents if not part.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if fresh:
            os.link(temporary, path)
        else:
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@define
class DeviceTokens:
    """
    The tokens of ``identity/device-auth.json``, one for each role. A broken file counts as empty.

    :ivar device_id: tokens of another key are not ours.
    """

    path: Path
    device_id: str
    now: Callable[[], float] = time.time

    def get(self, role: str) -> str | None:
        """
        The token for a role.
        """
        entry = self._read().get(role)
        token = entry.get("token") if isinstance(entry, dict) else None
        return token if isinstance(token, str) and token else None

    def put(self, role: str, token: str, scopes: Sequence[str]) -> None:
        """
        Keep a token that a gateway gave us. The file is written only when that changes something: most connections
        bring the token that is there already.
        """
        entry = {"token": token, "role": role, "scopes": list(scopes), "updatedAtMs": int(self.now() * 1000)}
        tokens = self._read()
        known = tokens.get(role)
        if not isinstance(known, dict) or {**known, "updatedAtMs": entry["updatedAtMs"]} != entry:
            self._write({**tokens, role: entry})

    def forget(self, role: str) -> None:
        """
        Drop a token that a gateway refused.
        """
        tokens = self._read()
        if tokens.pop(role, None) is not None:
            self._write(tokens)

    def _read(self) -> dict[str, Any]:
        try:
            stored = json.loads(self.path.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(stored, dict) or stored.get("deviceId") != self.device_id:
            return {}
        tokens = stored.get("tokens")
        return tokens if isinstance(tokens, dict) else {}

    def _write(self, tokens: dict[str, Any]) -> None:
        record = {"version": 1, "deviceId": self.device_id, "tokens": tokens}
        _write_private(self.path, json.dumps(record, indent=2) + "\n")
