"""
Telling the local network of a gateway. Everything here blocks: it belongs into a thread.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from typing import Any

from attrs import define, field

from openclaw.discovery.beacon import SERVICE_TYPE, Announcement, DiscoveryFailed, DiscoveryUnavailable


@define(kw_only=True, eq=False)
class Advertiser:
    """
    One announcement.

    :ivar interfaces: addresses of the interfaces to use; ``None`` for all of them.
    """

    interfaces: Sequence[str] | None = None
    _zeroconf: Any = field(default=None, init=False)

    def begin(self, announcement: Announcement) -> str:
        """
        Announce. Where the name is taken, it gets a number.

        :return: the name under which it is listed now.
        :raise DiscoveryUnavailable: the extra is not installed.
        :raise DiscoveryFailed: the network does not carry it.
        """
        zeroconf = load()
        info = zeroconf.ServiceInfo(
            SERVICE_TYPE,
            f"{announcement.instance.replace('.', '-')}.{SERVICE_TYPE}",
            addresses=[ip_address(address).packed for address in self.interfaces or addresses()],
            port=announcement.port,
            properties=announcement.texts(),
            server=f"{announcement.host}.local.",
        )
        try:
            self._zeroconf = open_zeroconf(self.interfaces)
            self._zeroconf.register_service(info, allow_name_change=True)
        except (OSError, zeroconf.Error) as error:
            self.end()
            raise DiscoveryFailed(str(error) or type(error).__name__) from error
        return str(info.name).removesuffix(f".{SERVICE_TYPE}")

    def end(self) -> None:
        """
        Take it back, so that nobody is led to what is not there any more.
        """
        open_one, self._zeroconf = self._zeroconf, None
        if open_one is not None:
            # Says goodbye for what it has announced.
            open_one.close()


def load() -> Any:
    """
    The library, which is loaded only by who needs it.

    :raise DiscoveryUnavailable: it is not installed.
    """
    try:
        import zeroconf
    except ModuleNotFoundError as error:
        raise DiscoveryUnavailable from error
    return zeroconf


def open_zeroconf(interfaces: Sequence[str] | None) -> Any:
    """
    :raise OSError: there is no interface that could be used.
    """
    zeroconf = load()
    return zeroconf.Zeroconf(interfaces=list(interfaces) if interfaces else zeroconf.InterfaceChoice.All)


def addresses() -> list[str]:
    """
    Those of this machine that others can reach.
    """
    return list(dict.fromkeys(_addresses())) or ["127.0.0.1"]


def _addresses() -> Iterator[str]:
    import ifaddr  # zeroconf's own

    for adapter in ifaddr.get_adapters():
        for one in adapter.ips:
            address = ip_address(one.ip if isinstance(one.ip, str) else one.ip[0])
            if not (address.is_loopback or address.is_link_local or address.is_unspecified):
                yield str(address)


def machine_name() -> str:
    """
    Of this machine, without its domain.
    """
    return socket.gethostname().partition(".")[0] or "openclaw"
