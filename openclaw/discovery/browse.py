"""
Looking for gateways in the local network. Blocks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from attrs import define, field

from openclaw.discovery.advertise import load, open_zeroconf
from openclaw.discovery.beacon import SERVICE_TYPE, Beacon, DiscoveryFailed

#: More are not listened to: a network in which so many say that they are gateways is not to be believed.
MOST_BEACONS = 64
#: How long one of them may take to tell the rest, in milliseconds.
_DETAILS_MS = 1000


def browse(
    seconds: float, *, interfaces: Sequence[str] | None = None, enough: Callable[[Beacon], bool] = lambda beacon: False
) -> list[Beacon]:
    """
    Listen.

    :param seconds: how long.
    :param interfaces: addresses of the interfaces to use; ``None`` for all of them.
    :param enough: whether to stop listening when this one was heard.
    :return: those that were heard, in the order of their names.
    :raise DiscoveryUnavailable: the extra is not installed.
    :raise DiscoveryFailed: the network does not carry it.
    """
    zeroconf = load()
    heard = _Heard(enough=enough)
    try:
        opened = open_zeroconf(interfaces)
        try:
            browser = zeroconf.ServiceBrowser(opened, SERVICE_TYPE, heard)
            heard.stopped.wait(seconds)
            # What was named but not asked yet is left: cancel waits until zeroconf is through with all of it.
            heard.stopped.set()
            browser.cancel()
        finally:
            opened.close()
    except (OSError, zeroconf.Error) as error:
        raise DiscoveryFailed(str(error) or type(error).__name__) from error
    return sorted(heard.beacons.values(), key=lambda beacon: beacon.instance)


@define(kw_only=True, eq=False)
class _Heard:
    """
    What zeroconf tells, in a thread of its own.
    """

    enough: Callable[[Beacon], bool]
    beacons: dict[str, Beacon] = field(factory=dict)
    stopped: threading.Event = field(factory=threading.Event)

    def add_service(self, zeroconf: Any, kind: str, name: str) -> None:
        if self.stopped.is_set() or (name not in self.beacons and len(self.beacons) >= MOST_BEACONS):
            return
        info = zeroconf.get_service_info(kind, name, _DETAILS_MS)
        if info is None:
            return
        found = beacon_of(info)
        self.beacons[name] = found
        if self.enough(found):
            self.stopped.set()

    def update_service(self, zeroconf: Any, kind: str, name: str) -> None:
        self.add_service(zeroconf, kind, name)

    def remove_service(self, zeroconf: Any, kind: str, name: str) -> None:
        self.beacons.pop(name, None)


def beacon_of(info: Any) -> Beacon:
    """
    :param info: zeroconf's ``ServiceInfo``.
    """
    addresses = info.parsed_addresses()
    host = addresses[0] if addresses else (info.server or "").rstrip(".") or None
    texts = {
        name.decode(errors="replace"): (value or b"").decode(errors="replace")
        for name, value in info.properties.items()
    }
    return Beacon.heard(info.name.removesuffix(f".{SERVICE_TYPE}"), host, info.port, texts)
