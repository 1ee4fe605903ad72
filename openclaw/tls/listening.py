"""
The listening side: TLS around the factory of the one port.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import ServerFactory

from openclaw.tls.pair import Pair


def encrypted(factory: ServerFactory[Any], pair: Pair | None, clock: IReactorTime) -> ServerFactory[Any]:
    """
    The same service behind TLS 1.2 or 1.3; clients are not asked for certificates.

    :param pair: without one the service stays as it is.
    """
    if pair is None:
        return factory
    # OpenSSL costs a start nothing where it is not used.
    from OpenSSL.crypto import X509, PKey
    from twisted.internet.ssl import CertificateOptions
    from twisted.protocols.tls import TLSMemoryBIOFactory

    options = CertificateOptions(
        privateKey=PKey.from_cryptography_key(pair.key),
        certificate=X509.from_cryptography(pair.certificate),
        extraCertChain=[X509.from_cryptography(one) for one in pair.chain],
    )
    wrapped: Any = TLSMemoryBIOFactory(options, False, factory, clock)
    # A factory of servers, though Twisted's types do not say so.
    return wrapped  # type: ignore[no-any-return]
