"""
Which addresses the gateway listens on (``cli.md`` 4.1).

The reference falls to every address when the one that was asked for is not there. Ours falls to loopback: a gateway
that nobody can reach is noticed, one that everybody can reach is not.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from openclaw.config.model import Config

LOOPBACK = ("127.0.0.1", "::1")
EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - asked for by name, and refused without a secret

#: Where Tailscale's own name service answers: the way to it starts at this machine's address in the tailnet.
TAILNET_SERVICES = ((socket.AF_INET, "100.100.100.100"), (socket.AF_INET6, "fd7a:115c:a1e0::53"))
TAILNETS = (IPv4Network("100.64.0.0/10"), IPv6Network("fd7a:115c:a1e0::/48"))


@frozen(kw_only=True)
class Binding:
    """
    Where to listen.

    :ivar hosts: the first must work, the others are a gain.
    :ivar warning: why these are not what was asked for.
    """

    hosts: tuple[str, ...]
    warning: str | None = None


def is_tailnet(address: str) -> bool:
    """
    Whether an address belongs to a tailnet.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in TAILNETS)


def own_address_towards(family: int, address: str) -> str | None:
    """
    The address that this machine would use towards another. Nothing is sent to find it.
    """
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 53))
            return str(probe.getsockname()[0])
    except OSError:
        return None


def tailnet_addresses(towards: Callable[[int, str], str | None] = own_address_towards) -> tuple[str, ...]:
    """
    This machine's addresses in its tailnet, IPv4 first; none without a tailnet.
    """
    found = (towards(family, service) for family, service in TAILNET_SERVICES)
    return tuple(address for address in found if address is not None and is_tailnet(address))


def choose_binding(
    config: Config, bind: str | None, tailnet: Callable[[], Sequence[str]] = tailnet_addresses
) -> Binding:
    """
    The addresses for a way of binding.

    :param bind: of the command line; the configuration's by default.
    :param tailnet: asked only when it matters.
    """
    return binding_of(bind or config.gateway.bind, config.gateway.custom_bind_host, tailnet)


def binding_of(mode: str, custom_host: str | None, tailnet: Callable[[], Sequence[str]] = tailnet_addresses) -> Binding:
    """
    The same where there is no model: commands look where a gateway listens without building one.

    :param custom_host: ``gateway.customBindHost``.
    """
    if mode == "lan":
        return Binding(hosts=(EVERY_ADDRESS,))
    if mode == "tailnet":
        addresses = tuple(tailnet())
        if addresses:
            return Binding(hosts=_with_loopback(*addresses))
        return _loopback("gateway.bind is tailnet, but this machine has no Tailscale address.")
    if mode == "custom":
        host = (custom_host or "").strip()
        if _is_address(host):
            return Binding(hosts=(host,) if ip_address(host).is_unspecified else _with_loopback(host))
        why = f"{host} is no address" if host else "there is no gateway.customBindHost"
        return _loopback(f"gateway.bind is custom, but {why}.")
    return Binding(hosts=LOOPBACK)


def _with_loopback(*addresses: str) -> tuple[str, ...]:
    """
    Only a client on loopback counts as one of this machine (``protocol.md`` 7): without it nobody could approve the
    first device.
    """
    return (*addresses, *(host for host in LOOPBACK if host not in addresses))


def _loopback(why: str) -> Binding:
    return Binding(hosts=LOOPBACK, warning=f"{why} Listening on loopback only.")


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
