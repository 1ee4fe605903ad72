"""
Tests of ``openclaw.tls.pair``: the gateway's certificate and key.
"""

from __future__ import annotations

import hashlib
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.model_gateway import TlsConfig
from openclaw.tls.pair import Pair, TlsRefused, ensure_pair, make_pair

NOW = datetime(2026, 11, 27, tzinfo=UTC)


class PairTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.home = Path(self.mktemp()).absolute()
        self.state = self.home / ".openclaw"
        self.certificate = self.state / "gateway" / "tls" / "gateway-cert.pem"
        self.key = self.certificate.with_name("gateway-key.pem")

    def ensure(self, **config: object) -> Pair:
        return ensure_pair(TlsConfig(**config), self.state, self.home, NOW.timestamp)  # type: ignore[arg-type]

    def refused(self, **config: object) -> str:
        return str(self.assertRaises(TlsRefused, self.ensure, **config))

    def test_made(self) -> None:
        """
        A certificate as the reference makes it, readable for nobody else; the next start uses the same one.
        """
        pair = self.ensure()
        for path in (self.certificate, self.key):
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(self.key.parent.stat().st_mode), 0o700)
        made = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        self.assertEqual(made.subject.rfc4514_string(), "CN=openclaw-gateway")
        self.assertEqual(made.issuer, made.subject)
        self.assertIsInstance(made.signature_hash_algorithm, SHA256)
        public = made.public_key()
        assert isinstance(public, rsa.RSAPublicKey)
        self.assertEqual(public.key_size, 2048)
        self.assertEqual(made.not_valid_after_utc - NOW, timedelta(days=3650))
        self.assertLess(made.not_valid_before_utc, NOW)
        self.assertTrue(made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
        self.assertEqual(len(made.extensions), 1)
        self.assertEqual(pair.fingerprint, hashlib.sha256(made.public_bytes(Encoding.DER)).hexdigest())
        self.assertEqual(self.ensure().fingerprint, pair.fingerprint)
        self.assertNotIn("PRIVATE", repr(pair))

    def test_named(self) -> None:
        """
        Files elsewhere, as people write their paths, made there as well.
        """
        self.ensure(cert_path="~/certs/cert.pem", key_path=str(self.home / "keys" / "key.pem"))
        self.assertTrue((self.home / "certs" / "cert.pem").exists())
        self.assertTrue((self.home / "keys" / "key.pem").exists())
        self.assertFalse(self.certificate.exists())

    def test_missing(self) -> None:
        """
        One file alone is a mistake, and so are none where nothing may be made. Nothing is written then.
        """
        start = "Gateway failed to start: Error: gateway tls: cert/key missing "
        self.assertEqual(self.refused(auto_generate=False), f"{start}({self.certificate} and {self.key})")
        self.ensure()
        self.key.unlink()
        self.assertEqual(self.refused(), f"{start}({self.key})")
        self.assertFalse(self.key.exists())

    def test_unwritable(self) -> None:
        """
        Where the pair cannot be written, the reason is told.
        """
        self.home.mkdir()
        (self.home / "file").write_text("")
        told = self.refused(cert_path="~/file/cert.pem", key_path="~/file/key.pem")
        self.assertIn("gateway tls: failed to generate cert (", told)

    def test_unreadable(self) -> None:
        """
        What is no certificate, a key that asks for a passphrase, and the key of another.
        """
        self.ensure()
        good = self.certificate.read_bytes()
        self.certificate.write_text("nothing")
        self.assertIn("gateway tls: failed to load cert (", self.refused())
        self.certificate.write_bytes(good)
        make_pair(self.state / "other.pem", self.state / "other.key", NOW)
        told = self.refused(key_path=str(self.state / "other.key"))
        self.assertIn(f"{self.state / 'other.key'} is not the key of {self.certificate})", told)
        locked = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"passphrase")
        )
        self.key.write_bytes(locked)
        self.assertIn("gateway tls: failed to load cert (", self.refused())

    def test_chain(self) -> None:
        """
        What stands behind the own certificate, and what ``caPath`` names, is sent with it.
        """
        self.ensure()
        names = []
        for name in ("intermediate", "root"):
            make_pair(self.state / f"{name}.pem", self.state / f"{name}.key", NOW)
            names.append((self.state / f"{name}.pem").read_bytes())
        self.certificate.write_bytes(self.certificate.read_bytes() + names[0])
        pair = self.ensure(ca_path=str(self.state / "root.pem"))
        self.assertEqual([one.public_bytes(Encoding.PEM) for one in pair.chain], names)
