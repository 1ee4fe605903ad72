"""
A connection to one of the addresses that were checked, and to nothing else.

``HostnameEndpoint`` tries several addresses as browsers do. Here it sees a reactor that knows the answer to every
lookup, and that connects to what is in this answer only: nothing is looked up a second time.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv6Address as NumberedIPv6
from ipaddress import ip_address
from typing import Any

from attrs import define, frozen
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import (
    IAddress,
    IHostnameResolver,
    IHostResolution,
    IProtocol,
    IReactorPluggableNameResolver,
    IResolutionReceiver,
    IStreamClientEndpoint,
)
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from zope.interface import implementer

from openclaw.egress.addresses import Address
from openclaw.egress.errors import BlockedResolution
from openclaw.egress.resolving import Allowed
from openclaw.egress.urls import Url

#: Addresses of one name that are tried.
MOST_ADDRESSES = 8

#: Bytes before a body: status, headers, and interim answers.
MOST_HEAD_BYTES = 64 * 1024


@implementer(IHostResolution)
@frozen
class Answered:
    """
    A lookup that has ended when it begins.
    """

    name: str

    def cancel(self) -> None:
        """
        There is nothing left to cancel.
        """


@implementer(IReactorPluggableNameResolver, IHostnameResolver)
@frozen(eq=False)
class PinnedReactor:
    """
    The part of a reactor that an endpoint needs.
    """

    reactor: Any
    addresses: tuple[Address, ...]
    allowed: Allowed

    @property
    def nameResolver(self) -> PinnedReactor:
        return self

    def installNameResolver(self, resolver: IHostnameResolver) -> IHostnameResolver:
        raise NotImplementedError("the addresses are given")

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        """
        The addresses that were checked, whatever the name.
        """
        resolution = Answered(hostName)
        resolutionReceiver.resolutionBegan(resolution)
        for address in self.addresses[:MOST_ADDRESSES]:
            kind = IPv6Address if isinstance(address, NumberedIPv6) else IPv4Address
            resolutionReceiver.addressResolved(kind("TCP", str(address), portNumber))
        resolutionReceiver.resolutionComplete()
        return resolution

    def connectTCP(self, host: str, port: int, factory: Any, timeout: float = 30, bindAddress: Any = None) -> Any:
        """
        :raise ValueError: the host is no address.
        :raise BlockedResolution: it is none that was checked, or the check says otherwise by now.
        """
        address = ip_address(host)
        if address not in self.addresses or not self.allowed(address):
            raise BlockedResolution()
        return self.reactor.connectTCP(str(address), port, factory, timeout, bindAddress)

    def callLater(self, delay: float, call: Any, *arguments: Any, **named: Any) -> Any:
        return self.reactor.callLater(delay, call, *arguments, **named)

    def seconds(self) -> float:
        return float(self.reactor.seconds())


class Counted(ProtocolWrapper):
    """
    Gives up when a head does not end.
    """

    factory: Connections

    def dataReceived(self, data: bytes) -> None:
        self.factory.received += 0 if self.factory.answered else len(data)
        super().dataReceived(data)
        if self.factory.endless:
            self.factory.abort()


class Connections(WrappingFactory):
    """
    The connection of one request, so that it can be ended at any time.

    :ivar answered: whether the head is complete; set by whoever reads it.
    :ivar received: bytes of the head.
    """

    noisy = False
    protocol = Counted
    answered = False
    received = 0

    @property
    def endless(self) -> bool:
        """
        Whether there should have been a complete head by now.
        """
        return not self.answered and self.received > MOST_HEAD_BYTES

    def abort(self) -> None:
        """
        End it at once, also where the peer would have to agree.
        """
        for connection in list(self.protocols):
            connection.abortConnection()


@implementer(IStreamClientEndpoint)
@define(eq=False, repr=False)  # Twisted logs it, and the URL may hold a secret
class PinnedEndpoint:
    """
    Connects to the given addresses of a URL. The certificate must be for the URL's host.

    :ivar tls: an ``IPolicyForHTTPS``.
    """

    url: Url
    reactor: PinnedReactor
    tls: Any
    seconds: float
    connections: Connections | None = None

    def endpointForURI(self, uri: object) -> PinnedEndpoint:
        """
        What an ``Agent`` asks for.
        """
        return self

    def connect(self, factory: Any) -> Deferred[IProtocol]:
        # It would log every connection.
        factory.noisy = False
        # The name in this endpoint is never looked up; one of the addresses will do.
        host = str(self.reactor.addresses[0])
        endpoint: Any = HostnameEndpoint(self.reactor, host, self.url.port, timeout=self.seconds)
        if self.url.scheme == "https":
            name = self.url.host.removesuffix(".").encode("ascii")
            endpoint = wrapClientTLS(self.tls.creatorForNetloc(name, self.url.port), endpoint)
        self.connections = Connections(factory)
        return endpoint.connect(self.connections).addCallback(lambda wrapper: wrapper.wrappedProtocol)  # type: ignore[no-any-return]  # Twisted's

    def abort(self) -> None:
        if self.connections is not None:
            self.connections.abort()
