"""
The certificate and the key of the gateway: read, or made where there are none (``protocol.md`` 23).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attrs import field, frozen

from openclaw.config.auth import StartRefused
from openclaw.config.files import make_private_directory, replace_file
from openclaw.config.model_gateway import TlsConfig
from openclaw.config.paths import expand, tls_paths

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

NAME: Final = "openclaw-gateway"
KEY_BITS: Final = 2048
LIFETIME: Final = timedelta(days=3650)
#: Made for clocks that are behind ours.
BEFORE: Final = timedelta(days=1)


class TlsRefused(StartRefused):
    """
    The gateway was told to encrypt, and cannot.
    """

    def __init__(self, why: str) -> None:
        super().__init__(f"Gateway failed to start: Error: gateway tls: {why}")


@frozen(kw_only=True)
class Pair:
    """
    What the listening side shows and signs with.

    :ivar key: an unencrypted private key of ``cryptography``.
    :ivar certificate: the gateway's own.
    :ivar chain: further certificates that are sent with it.
    """

    certificate: Certificate
    key: Any = field(repr=False)
    chain: tuple[Certificate, ...] = ()

    @property
    def fingerprint(self) -> str:
        """
        SHA-256 of the certificate in DER, 64 hexadecimal digits; what clients pin.
        """
        from cryptography.hazmat.primitives.serialization import Encoding

        return hashlib.sha256(self.certificate.public_bytes(Encoding.DER)).hexdigest()


def ensure_pair(config: TlsConfig, state_dir: Path, home: Path, now: Callable[[], float]) -> Pair:
    """
    The key pair that the configuration names; one that is in neither file is made, unless that is forbidden.

    :param now: seconds since the epoch.
    :raise TlsRefused: a file is missing, or what it holds is of no use.
    """
    certificate, key = tls_paths(config.cert_path, config.key_path, state_dir, home)
    there = (certificate.exists(), key.exists())
    if there == (False, False) and config.auto_generate:
        try:
            make_pair(certificate, key, datetime.fromtimestamp(now(), UTC))
        except OSError as error:
            raise TlsRefused(f"failed to generate cert ({error})") from error
    elif there != (True, True):
        missing = " and ".join(str(path) for path, found in zip((certificate, key), there, strict=True) if not found)
        raise TlsRefused(f"cert/key missing ({missing})")
    return read_pair(certificate, key, expand(config.ca_path, home) if config.ca_path else None)


def read_pair(certificate: Path, key: Path, authorities: Path | None) -> Pair:
    """
    :param authorities: a file of certificates that are sent behind those of the first file.
    :raise TlsRefused: a file cannot be read, or the key is not that of the certificate.
    """
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
    from cryptography.x509 import load_pem_x509_certificates

    try:
        own, *chain = load_pem_x509_certificates(certificate.read_bytes())
        if authorities is not None:
            chain += load_pem_x509_certificates(authorities.read_bytes())
        private = load_pem_private_key(key.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        # TypeError: the key asks for a passphrase, and nobody is there to type it.
        raise TlsRefused(f"failed to load cert ({error})") from error

    def spki(public: Any) -> bytes:
        return bytes(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    if spki(own.public_key()) != spki(private.public_key()):
        raise TlsRefused(f"failed to load cert ({key} is not the key of {certificate})")
    return Pair(certificate=own, key=private, chain=tuple(chain))


def make_pair(certificate: Path, key: Path, now: datetime) -> None:
    """
    Write a new key and a certificate that it has signed itself; both only for the owner (mode 0600).
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from cryptography.x509.oid import NameOID

    private = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BEFORE)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, SHA256())
    )
    for path in (key, certificate):
        make_private_directory(path.parent)
    replace_file(key, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    replace_file(certificate, made.public_bytes(Encoding.PEM))
