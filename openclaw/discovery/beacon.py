"""
What a gateway tells the local network of itself, and what of that is believed.

Anybody in the network can say anything: a beacon is shown and may be dialled, never trusted. Texts are cut and cleaned
for terminals, and where to connect comes from the service record, not from its texts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from openclaw.errors import OpenClawError

SERVICE_TYPE = "_openclaw-gw._tcp.local."
DOMAIN = "local."
#: Of one text of a beacon, in characters; DNS allows 255 bytes for it with its name.
LONGEST_TEXT = 255
MOST_TEXTS = 32

_HOST = re.compile(r"[A-Za-z0-9_.:-]{1,255}")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


class DiscoveryUnavailable(OpenClawError):
    """
    The extra is not installed.
    """

    fix = "pip install 'openclaw[discovery]'"

    def __str__(self) -> str:
        return f"zeroconf is not installed; type: {self.fix}"


class DiscoveryFailed(OpenClawError):
    """
    The network does not carry it.
    """

    def __str__(self) -> str:
        return f"mDNS does not work here: {self.args[0]}"


@frozen(kw_only=True)
class Announcement:
    """
    What a gateway says.

    :ivar name: of the machine, for people.
    :ivar host: of the machine, without a domain.
    :ivar fingerprint: SHA-256 of the certificate, in hex, where the port is encrypted.
    :ivar canvas_port: of the canvas host, where there is one.
    :ivar tailnet_host: in the tailnet, where it is published there.
    :ivar ssh_port: told in full mode only, as the path of the command line.
    """

    name: str
    host: str
    port: int
    fingerprint: str | None = None
    canvas_port: int | None = None
    tailnet_host: str | None = None
    ssh_port: int | None = None
    cli_path: str | None = None

    @property
    def instance(self) -> str:
        """
        The name under which it is listed; DNS takes 63 bytes of it.
        """
        told = f"{self.name} (OpenClaw)"
        return told if len(told.encode()) <= 63 else self.name.encode()[:63].decode(errors="ignore")

    def texts(self) -> dict[str, str]:
        """
        The TXT record.
        """
        told = {
            "role": "gateway",
            "gatewayPort": str(self.port),
            "lanHost": f"{self.host}.local",
            "displayName": self.name,
            "gatewayTls": "1" if self.fingerprint else None,
            "gatewayTlsSha256": self.fingerprint,
            "canvasPort": None if self.canvas_port is None else str(self.canvas_port),
            "tailnetDns": self.tailnet_host,
            "cliPath": self.cli_path,
            "sshPort": None if self.ssh_port is None else str(self.ssh_port),
            "transport": "gateway",
        }
        return {name: value for name, value in told.items() if value}


@frozen(kw_only=True)
class Beacon:
    """
    What was heard of a gateway.

    :ivar host: where it says that it is, as an address or a name; ``None`` when that is neither.
    :ivar texts: its TXT record, cleaned.
    """

    instance: str
    host: str | None
    port: int | None
    texts: Mapping[str, str]

    @classmethod
    def heard(cls, instance: str, host: str | None, port: int | None, texts: Mapping[str, str]) -> Beacon:
        """
        What may be shown and dialled of what was heard.
        """
        some = list(texts.items())[:MOST_TEXTS]
        return cls(
            instance=clean(instance),
            host=host if host is not None and _HOST.fullmatch(host) else None,
            port=port if port is not None and 0 < port < 65536 else None,
            texts={clean(name): clean(value) for name, value in some},
        )

    @property
    def name(self) -> str:
        """
        For people.
        """
        return self.texts.get("displayName") or self.instance

    @property
    def fingerprint(self) -> str | None:
        """
        Of its certificate, as it says itself.
        """
        told = self.texts.get("gatewayTlsSha256", "").lower()
        return told if _FINGERPRINT.fullmatch(told) else None

    @property
    def url(self) -> str | None:
        """
        Where to connect.
        """
        if self.host is None or self.port is None:
            return None
        encrypted = self.texts.get("gatewayTls", "").lower() in ("1", "true", "yes")
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'wss' if encrypted else 'ws'}://{host}:{self.port}"

    def number(self, name: str) -> int | None:
        """
        A text that is a port.
        """
        text = self.texts.get(name, "")
        return int(text) if text.isascii() and text.isdigit() and 0 < int(text) < 65536 else None

    def payload(self) -> dict[str, Any]:
        """
        The shape of ``gateway discover --json``.
        """
        told = {
            "instanceName": self.instance,
            "domain": DOMAIN,
            "displayName": self.name,
            "host": self.host,
            "port": self.port,
            "lanHost": self.texts.get("lanHost"),
            "tailnetDns": self.texts.get("tailnetDns"),
            "gatewayPort": self.number("gatewayPort"),
            "canvasPort": self.number("canvasPort"),
            "sshPort": self.number("sshPort"),
            "gatewayTls": True if self.texts.get("gatewayTls") else None,
            "gatewayTlsFingerprintSha256": self.fingerprint,
            "cliPath": self.texts.get("cliPath"),
            "role": self.texts.get("role"),
            "transport": self.texts.get("transport"),
        }
        some = {name: value for name, value in told.items() if value is not None}
        return {**some, "txt": dict(self.texts), "wsUrl": self.url}


def clean(text: str) -> str:
    """
    A text from the network: nothing that moves a cursor, and not too long.
    """
    return "".join(character if character.isprintable() else " " for character in text[:LONGEST_TEXT])
