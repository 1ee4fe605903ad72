"""
What a gateway says of itself when it is there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from twisted.logger import Logger

from openclaw.agent.providers.catalog import ECHO, UnknownModel, default_ref
from openclaw.config.binding import LOOPBACK
from openclaw.config.model import Config
from openclaw.config.paths import profiled
from openclaw.gateway.service import Gateway
from openclaw.gateway.setting import Setting

_log = Logger(namespace="gateway")


def announce(setting: Setting, gateway: Gateway) -> None:
    """
    Say where the gateway is and how to talk to it.
    """
    logging = gateway.life.logging
    addresses = [listening.getHost() for listening in gateway.listener.ports]
    fingerprint = setting.tls.fingerprint if setting.tls else None
    for line in announcement(
        setting.config, setting.environ, addresses, logging.path if logging else None, fingerprint
    ):
        _log.info("{line}", line=line)


def announcement(
    config: Config,
    environ: Mapping[str, str],
    addresses: Sequence[Any],
    log_path: Path | None,
    fingerprint: str | None = None,
) -> Iterator[str]:
    """
    What is said: scripts wait for ``listening on ws://``, or ``wss://`` with TLS.

    :param addresses: of Twisted's kind, at least one.
    :param fingerprint: of the certificate, where the port is encrypted.
    """
    first, *others = addresses
    # However it listens, it does so on loopback too, where browsers have keys without TLS.
    page = f"http{'s' if fingerprint else ''}://{LOOPBACK[0]}:{first.port}{config.gateway.control_ui.prefix}/"
    yield f"agent model: {model_line(config, environ)}"
    scheme = "wss" if fingerprint else "ws"
    yield f"listening on {scheme}://{_authority(first)} (PID {os.getpid()})"
    yield from (f"listening on {scheme}://{_authority(other)}" for other in others)
    if fingerprint is not None:
        yield f"certificate fingerprint (SHA-256, for gateway.remote.tlsFingerprint): {fingerprint}"
    if log_path is not None:
        yield f"log file: {log_path}"
    command = profiled(environ, "openclaw dashboard")
    yield f"dashboard: {page} ({command} prints the address with the token)"
    yield f"talk to it: {profiled(environ, 'openclaw agent --message hi')}"


def _authority(address: Any) -> str:
    return f"[{address.host}]:{address.port}" if ":" in address.host else f"{address.host}:{address.port}"


def model_line(config: Config, environ: Mapping[str, str]) -> str:
    """
    Which model the default agent will use: configured, or found by its provider's key.
    """
    try:
        ref = default_ref(config, environ, config.agents.default_id)
    except UnknownModel as error:
        return str(error)
    return f"{ref} (none configured)" if str(ref) == ECHO.ref else str(ref)
