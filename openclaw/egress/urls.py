"""
Addresses on the web: read as browsers read them where that is certain, refused where it is not.

What is connected to is always what was checked here, so a reading that differs from somebody else's opens nothing.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from urllib.parse import quote, unquote_to_bytes, urljoin, urlsplit

from attrs import frozen

from openclaw.egress.addresses import Address, parse_ipv4
from openclaw.egress.errors import InvalidUrl, UnsupportedProtocol

PORTS = {"http": 80, "https": 443}

#: Characters in an address, at most.
MOST_CHARACTERS = 16 * 1024
#: Those in a name, and in each part of it.
MOST_IN_NAME, MOST_IN_LABEL = 253, 63

SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,63}):")
LABEL = re.compile(rf"[a-z0-9_-]{{1,{MOST_IN_LABEL}}}")
PORT = re.compile(r"[0-9]{1,5}")
#: Around an address, and inside it, browsers take no notice of these.
AROUND = "".join(map(chr, range(0x21)))
INSIDE = str.maketrans("", "", "\t\n\r")
#: What stays as it is in a path and a query: ASCII without what browsers escape there.
AS_IS_IN_PATH = "%!$&'()*+,;=:@/[]|\\^-._~"
AS_IS_IN_QUERY = "%!$&()*+,;=:@/?[]|\\^-._~`{}"


@frozen(kw_only=True)
class Url:
    """
    Where to ask for what.

    :ivar host: in lower case and ASCII; an IPv6 address without brackets.
    :ivar address: what ``host`` is, if not a name.
    :ivar target: path and query, as they are sent.
    """

    scheme: str
    host: str
    address: Address | None
    port: int
    target: str

    @property
    def origin(self) -> tuple[str, str, int]:
        """
        Secrets for one are none of another's business.
        """
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """
        As in a ``Host`` header.
        """
        host = f"[{self.host}]" if isinstance(self.address, IPv6Address) else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"

    def join(self, location: str) -> Url:
        """
        Where a redirect leads from here.

        :raise InvalidUrl: nowhere.
        :raise UnsupportedProtocol: out of the web.
        """
        try:
            return parse_url(urljoin(str(self), _cleaned(location)))
        except ValueError:
            raise InvalidUrl() from None


def parse_url(text: str) -> Url:
    """
    :raise InvalidUrl: it is none, or carries credentials: a header is where they stay with their origin.
    :raise UnsupportedProtocol: it is none of the web.
    """
    text = _cleaned(text)
    found = SCHEME.match(text)
    if found is None:
        raise InvalidUrl()
    scheme = found[1].lower()
    if scheme not in PORTS:
        raise UnsupportedProtocol(scheme)
    if len(text) > MOST_CHARACTERS:
        raise InvalidUrl("it is too long")
    try:
        parts = urlsplit(text)
        target = quote(parts.path or "/", safe=AS_IS_IN_PATH)
        if parts.query:
            target += "?" + quote(parts.query, safe=AS_IS_IN_QUERY)
        _, at, authority = parts.netloc.rpartition("@")
        if at:
            raise InvalidUrl("it contains credentials")
        host, port = _split(authority)
        name, address = _read(host)
        return Url(scheme=scheme, host=name, address=address, port=port or PORTS[scheme], target=target)
    except ValueError:
        raise InvalidUrl() from None


def _cleaned(text: str) -> str:
    """
    Without what browsers ignore, and with slashes for the backslashes that they take for such.
    """
    text = text.strip(AROUND).translate(INSIDE)
    found = SCHEME.match(text)
    if found is not None and found[1].lower() not in PORTS:
        return text
    place, *rest = re.split(r"(?=[?#])", text, maxsplit=1)
    return place.replace("\\", "/") + "".join(rest)


def _split(authority: str) -> tuple[str, int | None]:
    """
    :raise ValueError: the port is none.
    """
    host, colon, port = authority.rpartition(":")
    if not colon or "]" in port:
        return authority, None
    if not port:
        return host, None
    if PORT.fullmatch(port) is None or not 0 < int(port) < 65536:
        raise ValueError("not a port")
    return host, int(port)


def _read(host: str) -> tuple[str, Address | None]:
    """
    A host's text in one form, and the address that it is.

    :raise ValueError: it is neither a name nor an address.
    """
    if host.startswith("["):
        if not host.endswith("]"):
            raise ValueError("not an address")
        # The sign before a zone is written with an escape here, and often is not.
        address = IPv6Address(host[1:-1].replace("%25", "%"))
        return str(address), address
    name = _ascii(unquote_to_bytes(host).decode("utf-8")).lower()
    figures = parse_ipv4(name)
    if figures is not None:
        return str(figures), figures
    labels = name.removesuffix(".").split(".")
    if len(name) > MOST_IN_NAME or not all(LABEL.fullmatch(label) for label in labels):
        raise ValueError("not a name")
    return name, None


def _ascii(name: str) -> str:
    """
    A name as the DNS has it: look-alikes of ASCII made that, all else encoded.

    :raise ValueError: there is no such name.
    """
    if name.isascii():
        return name
    import idna  # its tables are large, and few names need them

    mapped = idna.uts46_remap(name, std3_rules=False, transitional=False)
    return mapped if mapped.isascii() else idna.encode(mapped).decode("ascii")
