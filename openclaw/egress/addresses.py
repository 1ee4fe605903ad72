"""
Which addresses are public, and addresses in all the ways in which they are written.

By the registries of special purpose addresses of the IANA, as of 2026: for IPv4 the list says what is not public; of
IPv6 only 2000::/3 is, with exceptions. An address inside another one (mapped, translated, tunnelled) counts as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address

NOT_PUBLIC_4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # behind a carrier's NAT; also tailnets
        "127.0.0.0/8",
        "168.63.129.16/32",  # looks public, and is the host of a virtual machine in Azure
        "169.254.0.0/16",  # link; also metadata of clouds
        "172.16.0.0/12",
        "192.0.0.0/24",  # IETF; also metadata of a cloud
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)

GLOBAL_UNICAST = IPv6Network("2000::/3")

NOT_PUBLIC_6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # IETF: Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "3fff::/20",  # documentation
    )
)

MAPPED = IPv6Network("::ffff:0:0/96")
#: A network without IPv4 reaches all of it here. 64:ff9b:1::/48, the same for local use, stays closed.
NAT64 = IPv6Network("64:ff9b::/96")
SIX_TO_FOUR = IPv6Network("2002::/16")
#: The upper half of what ISATAP puts after any prefix, without two bits that say who gave it to whom; the lower half is
#: the IPv4 address.
ISATAP, ISATAP_MASK = 0x0000_5EFE, 0xFCFF_FFFF

FIGURES = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")


def is_public(address: Address) -> bool:
    """
    Whether an address belongs to nobody's inside. One with a zone (``%eth0``) never does.
    """
    if isinstance(address, IPv4Address):
        return not any(address in network for network in NOT_PUBLIC_4)
    if address.scope_id is not None:
        return False
    if address in MAPPED or address in NAT64:
        return is_public(_lowest(int(address)))
    if address not in GLOBAL_UNICAST or any(address in network for network in NOT_PUBLIC_6):
        return False
    return all(is_public(inner) for inner in _tunnelled(int(address)))


def unmapped(address: Address) -> Address:
    """
    The address that a system would connect to: the IPv4 address in a mapped one.
    """
    if isinstance(address, IPv6Address) and address.scope_id is None and address in MAPPED:
        return _lowest(int(address))
    return address


def _lowest(number: int) -> IPv4Address:
    return IPv4Address(number & 0xFFFF_FFFF)


def _tunnelled(number: int) -> Iterator[IPv4Address]:
    if number >> 112 == int(SIX_TO_FOUR.network_address) >> 112:
        yield _lowest(number >> 80)
    if (number >> 32) & ISATAP_MASK == ISATAP:
        yield _lowest(number)


def parse_ipv4(host: str) -> IPv4Address | None:
    """
    What browsers and C libraries read as an IPv4 address: one to four numbers, decimal, octal or hexadecimal, of which
    the last fills what is left (``127.1``, ``0x7f000001``, ``017700000001``).

    :return: nothing, if the last label is not a number, so that this is a name.
    :raise ValueError: it is a number, but the whole no address.
    """
    labels = host.removesuffix(".").split(".")
    if FIGURES.fullmatch(labels[-1]) is None:
        return None
    if len(labels) > 4 or not all(FIGURES.fullmatch(label) for label in labels):
        raise ValueError("not an IPv4 address")
    *first, last = (_number(label) for label in labels)
    if any(number > 255 for number in first) or last >= 256 ** (4 - len(first)):
        raise ValueError("not an IPv4 address")
    return IPv4Address(sum(number << 8 * (3 - place) for place, number in enumerate(first)) + last)


def _number(label: str) -> int:
    """
    :raise ValueError: an octal one with other digits, or one with more digits than any number here has.
    """
    if len(label) > 64:
        raise ValueError("too long")
    if label[:2] in ("0x", "0X"):
        return int(label[2:] or "0", 16)
    return int(label, 8 if label.startswith("0") else 10)
