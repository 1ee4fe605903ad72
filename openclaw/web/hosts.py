"""
Which names and which pages may speak to us.

A hostile page can make a browser send requests here, either under its own name that it points at our address (then
``Host`` is foreign) or across origins (then ``Origin`` is foreign). ``Host`` is checked where no secret is asked, and
whenever there is an ``Origin``; ``Origin`` is checked on the WebSocket. Native clients send no ``Origin``.
"""

from __future__ import annotations

import socket
from collections.abc import Collection, Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from openclaw.config.model import Config
from openclaw.web.local import host_name, is_loopback, is_trusted, plain_address

#: In ``gateway.controlUi.allowedOrigins``: every page may connect.
ANY = "*"


def machine_names() -> frozenset[str]:
    """
    The names that this machine gives itself. Asks no name server.
    """
    name = socket.gethostname().lower().rstrip(".")
    return frozenset({name, name.partition(".")[0]} - {""})


def host_allowed(headers: Mapping[str, str], peer: str, config: Config, names: Collection[str]) -> bool:
    """
    Whether the name by which the client called us can be ours.

    :param headers: by lower-case name.
    :param names: the machine's own, from :func:`machine_names`.
    """
    if "host" not in headers:
        return True  # HTTP/1.0; no browser does that
    gateway = config.gateway
    if headers.get("x-forwarded-host") and is_trusted(peer, gateway.trusted_proxies):
        return True
    name = host_name(headers["host"]).rstrip(".")
    return (
        _is_address(name)
        or is_loopback_name(name)
        or name in names
        or name.endswith((".local", ".ts.net"))
        or _names_of(gateway.control_ui.allowed_origins, name)
    )


def origin_allowed(headers: Mapping[str, str], peer: str, config: Config, names: Collection[str]) -> bool:
    """
    Whether the page that wants the WebSocket may have it.

    Ports are not compared: proxies often hand on ``Host`` without one.
    """
    origin = headers.get("origin")
    if origin is None:
        return True
    gateway = config.gateway
    if not host_allowed(headers, peer, config, names):
        return False
    allowed = gateway.control_ui.allowed_origins
    if ANY in allowed or any(_same_origin(origin, entry) for entry in allowed):
        return True
    name = _origin_name(origin)
    if not name:
        return False  # "null", or no origin at all
    if is_loopback_name(name) or is_loopback(plain_address(name)):
        return True
    ours = {host_name(headers.get("host")).rstrip(".")}
    if is_trusted(peer, gateway.trusted_proxies):
        ours.add(host_name(headers.get("x-forwarded-host", "").partition(",")[0]).rstrip("."))
    return name in ours


def is_loopback_name(name: str) -> bool:
    return name == "localhost" or name.endswith(".localhost")


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _names_of(allowed: Collection[str], name: str) -> bool:
    """
    Whether an allowed origin has this name.
    """
    return bool(name) and any(entry == ANY or _origin_name(entry) == name for entry in allowed)


def _origin_name(origin: str) -> str:
    """
    The host of an origin, or of a bare ``host[:port]`` as people write it in the configuration; ``""`` if none.
    """
    text = origin.strip().lower()
    if "//" not in text:
        return "" if text in ("", ANY, "null") else host_name(text).rstrip(".")
    try:
        return (urlsplit(text).hostname or "").rstrip(".")
    except ValueError:
        return ""


def _same_origin(origin: str, entry: str) -> bool:
    """
    Whether the page's origin is the configured one; an entry without scheme allows both http and https.
    """
    told, allowed = origin.strip().lower().rstrip("/"), entry.strip().lower().rstrip("/")
    return told == allowed or ("//" not in allowed and told in (f"http://{allowed}", f"https://{allowed}"))
