"""
``openclaw gateway discover``: which gateways the local network tells of.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from typing import Any

from openclaw.cli.context import Context
from openclaw.cli.exits import DependencyMissing
from openclaw.discovery.beacon import DOMAIN, Beacon, DiscoveryUnavailable


def run(context: Context, options: Namespace) -> int:
    """
    :return: the exit code; that there are none is no error.
    :raise DependencyMissing: the extra is not installed.
    """
    from openclaw.discovery.browse import browse

    try:
        found = browse(options.timeout / 1000)
    except DiscoveryUnavailable as error:
        raise DependencyMissing(str(error)) from error
    if options.json:
        context.json({"timeoutMs": options.timeout, "domains": [DOMAIN], **listed(found)})
        return 0
    context.line(context.paint("Gateway Discovery", "bold"))
    context.line(f"Found {len(found)} gateway(s) · domains: {DOMAIN}")
    for beacon in found:
        context.line(f"- {beacon.name} {DOMAIN}")
        for line in _lines(beacon):
            context.line(f"  {line}")
    return 0


def listed(found: list[Beacon]) -> dict[str, Any]:
    """
    What the JSON of ``discover`` and of ``probe`` says of them.
    """
    return {"count": len(found), "beacons": [beacon.payload() for beacon in found]}


def _lines(beacon: Beacon) -> Iterator[str]:
    told = beacon.payload()
    tls = f"enabled · sha256 {beacon.fingerprint or 'unknown'}" if told.get("gatewayTls") else None
    ssh = f"{beacon.host}:{told['sshPort']}" if told.get("sshPort") and beacon.host else None
    rows = {
        "tailnet": told.get("tailnetDns"),
        "lan": told.get("lanHost"),
        "host": beacon.host,
        "ws": beacon.url,
        "role": told.get("role"),
        "transport": told.get("transport"),
        "tls": tls,
        "ssh": ssh,
    }
    yield from (f"{name}: {value}" for name, value in rows.items() if value)
