"""
Who is at the other end: the client's address, and whether it is on this machine.

Pure functions of the TCP peer, the request's headers (by lower-case name) and ``gateway.trustedProxies``. A request
through a proxy is only ever as local as a *trusted* proxy says.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from ipaddress import ip_address

#: What proxies add. ``X-Forwarded-Proto`` and ``Forwarded`` do not count.
PROXY_HEADERS = ("x-forwarded-for", "x-real-ip", "x-forwarded-host")
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def plain_address(text: str) -> str:
    """
    An address as we compare it: without port, brackets and ``::ffff:``, in lower case.
    """
    address = text.strip().lower()
    if address.startswith("["):
        address = address[1:].partition("]")[0]
    elif address.count(":") == 1:
        address = address.partition(":")[0]
    return address.removeprefix("::ffff:")


def host_name(host: str | None) -> str:
    """
    The name in a ``Host`` header: without port and brackets, in lower case.
    """
    name = (host or "").strip().lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.partition(":")[0] if name.count(":") == 1 else name


def is_loopback(address: str) -> bool:
    """
    Whether an address, as :func:`plain_address` gives it, is this machine's own.
    """
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def is_trusted(peer: str, trusted_proxies: Collection[str]) -> bool:
    """
    Whether the TCP peer is a proxy whose headers we believe.
    """
    return plain_address(peer) in {plain_address(proxy) for proxy in trusted_proxies}


def client_address(peer: str, headers: Mapping[str, str], trusted_proxies: Collection[str]) -> str:
    """
    The address of the client: the peer's, or what a trusted proxy says.
    """
    if not is_trusted(peer, trusted_proxies):
        return plain_address(peer)
    told = (headers.get("x-forwarded-for", "").partition(",")[0], headers.get("x-real-ip", ""), peer)
    return next(address for address in map(plain_address, told) if address)


def is_proxied(headers: Mapping[str, str]) -> bool:
    """
    Whether a proxy, trusted or not, has left its marks.
    """
    return any(name in headers for name in PROXY_HEADERS)


def is_local(peer: str, headers: Mapping[str, str], trusted_proxies: Collection[str]) -> bool:
    """
    Whether the client is on this machine: its address and the name it used are local, and no proxy that we do not
    trust stands between.

    Every address in ``X-Forwarded-For`` must be loopback, not just the first: that one was written by whoever called
    the proxy, if the proxy appends.
    """
    trusted = is_trusted(peer, trusted_proxies)
    if is_proxied(headers) and not trusted:
        return False
    name = host_name(headers.get("host"))
    if name not in LOCAL_NAMES and not name.endswith(".ts.net"):
        return False
    if trusted:
        hops = [plain_address(hop) for hop in headers.get("x-forwarded-for", "").split(",") if hop.strip()]
        if not all(map(is_loopback, hops)):
            return False
    return is_loopback(client_address(peer, headers, trusted_proxies))


def recorded_address(peer: str, headers: Mapping[str, str], trusted_proxies: Collection[str]) -> str | None:
    """
    The address to write down, in presence and pairing requests.

    :return: ``None`` for a local client, for loopback, and for an address that an untrusted proxy stands before.
    """
    if is_local(peer, headers, trusted_proxies):
        return None
    if is_proxied(headers) and not is_trusted(peer, trusted_proxies):
        return None
    address = client_address(peer, headers, trusted_proxies)
    return None if is_loopback(address) else address
