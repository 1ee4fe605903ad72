"""
``openclaw node run``: the node host on a reactor of its own, until a signal ends it.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from attrs import frozen
from twisted.internet.threads import deferToThreadPool

from openclaw.approvals.file import approvals_path
from openclaw.client.errors import BadAddress, RequestFailed
from openclaw.client.introduction import Credentials, Persona
from openclaw.client.service import GatewayService
from openclaw.node_host import child
from openclaw.node_host.commands import CAPS, COMMANDS, NodeCommands
from openclaw.node_host.host import NodeHost, make_host


@frozen(kw_only=True)
class Setting:
    """
    Where a node host runs, and for whom.

    :ivar fingerprint: SHA-256 of the gateway's certificate in lower-case hex; then no other is taken.
    :ivar say: prints a line for whoever started it.
    """

    url: str
    credentials: Credentials
    node_id: str
    display_name: str
    home: Path
    environ: Mapping[str, str]
    say: Callable[[str], object]
    fingerprint: str | None = None


def make_endpoint(reactor: Any, url: str, fingerprint: str | None) -> Any:
    """
    Where the gateway is. A pinned certificate is looked at once the socket is open, and no other authority is asked.
    """
    from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
    from twisted.internet.ssl import CertificateOptions, optionsForClientTLS

    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "wss" else 80)
    endpoint = HostnameEndpoint(reactor, host, port)
    if parts.scheme != "wss":
        return endpoint
    pinned: Any = _Pinned(CertificateOptions(verify=False)) if fingerprint else None
    return wrapClientTLS(pinned or optionsForClientTLS(host), endpoint)


class _Pinned:
    """
    TLS without a certificate authority: the fingerprint is checked instead.
    """

    def __init__(self, options: Any) -> None:
        self._options = options

    def clientConnectionForTLS(self, protocol: Any) -> Any:  # noqa: N802 - Twisted calls it
        from OpenSSL.SSL import Connection

        return Connection(self._options.getContext(), None)


def check_fingerprint(expected: str | None, transport: Any) -> None:
    """
    :raise BadAddress: the other end has another certificate, or none.
    """
    if expected is None:
        return
    certificate = getattr(transport, "getPeerCertificate", lambda: None)()
    if certificate is None:
        raise BadAddress("gateway tls fingerprint unavailable")
    from OpenSSL.crypto import FILETYPE_ASN1, dump_certificate

    if hashlib.sha256(dump_certificate(FILETYPE_ASN1, certificate)).hexdigest() != expected:
        raise BadAddress("gateway tls fingerprint mismatch")


def build(setting: Setting, reactor: Any) -> NodeHost:
    """
    Put the node host together.
    """

    def in_thread(work: Callable[..., Any], *arguments: Any) -> Any:
        return deferToThreadPool(reactor, reactor.getThreadPool(), work, *arguments)

    def refused(refusal: RequestFailed) -> None:
        setting.say(f"node host: the gateway refuses: {refusal.message}")

    persona = Persona(
        client_id="node-host",
        mode="node",
        role="node",
        scopes=(),
        display_name=setting.display_name,
        instance_id=setting.node_id,
        caps=CAPS,
        commands=COMMANDS,
        path_env=setting.environ.get("PATH"),
    )
    return make_host(
        partial(
            NodeCommands,
            clock=reactor,
            home=setting.home,
            environ=setting.environ,
            approvals=approvals_path(setting.home),
            run_program=partial(child.run, reactor),
            in_thread=in_thread,
            make_id=lambda: str(uuid.uuid4()),
        ),
        partial(
            GatewayService,
            clock=reactor,
            url=setting.url,
            make_endpoint=lambda: make_endpoint(reactor, setting.url, setting.fingerprint),
            credentials=setting.credentials,
            persona=persona,
            on_hello=lambda hello: setting.say(f"node host: connected to {setting.url}"),
            on_refused=refused,
            check_peer=partial(check_fingerprint, setting.fingerprint),
        ),
    )


def run_node(setting: Setting) -> int:
    """
    Run until SIGTERM or SIGINT.

    :return: the exit code.
    """
    from twisted.internet import reactor

    told: Any = reactor
    host = build(setting, told)
    told.callWhenRunning(host.startService)
    told.addSystemEventTrigger("before", "shutdown", host.stopService)
    told.run()
    return 0
