"""
``openclaw gateway probe``: which gateways can be reached from here, and which one is meant.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from attrs import evolve, frozen

from openclaw.cli.context import Context
from openclaw.cli.exits import UsageError
from openclaw.cli.gateway_discover import listed
from openclaw.cli.probe import Probe, probe
from openclaw.cli.ssh_tunnel import SshTarget, Tunnel, TunnelFailed, tunnel
from openclaw.cli.target import Target, dig, local_port, local_target, read_config, resolve_target
from openclaw.config.binding import tailnet_addresses
from openclaw.config.loader import Snapshot
from openclaw.config.paths import expand
from openclaw.discovery.beacon import DOMAIN, Beacon, DiscoveryFailed, DiscoveryUnavailable

_LOOPBACK_MS = 800
_OTHER_MS = 1500
_SSH_MS = 2000
_BROWSE_MS = 1200
_ORDER = ("explicit", "sshTunnel", "configRemote", "localLoopback")
_TITLES = {
    "explicit": "URL (explicit)",
    "sshTunnel": "SSH tunnel",
    "configRemote": "Remote (configured)",
    "localLoopback": "Local loopback",
}
#: What is told of another gateway's configuration: what helps to reach it.
_GATEWAY = {
    "mode": ("mode",),
    "bind": ("bind",),
    "port": ("port",),
    "controlUiEnabled": ("controlUi", "enabled"),
    "controlUiBasePath": ("controlUi", "basePath"),
    "authMode": ("auth", "mode"),
    "remoteUrl": ("remote", "url"),
    "tailscaleMode": ("tailscale", "mode"),
}
_SECRETS = {
    "authTokenConfigured": ("auth", "token"),
    "authPasswordConfigured": ("auth", "password"),
    "remoteTokenConfigured": ("remote", "token"),
    "remotePasswordConfigured": ("remote", "password"),
}


@frozen(kw_only=True)
class Candidate:
    """
    A gateway that may be there.

    :ivar kind: one of ``_ORDER``, which is also the order of preference.
    :ivar tunnel: that leads there.
    """

    kind: str
    target: Target
    limit_ms: int
    tunnel: Tunnel | None = None


@frozen(kw_only=True)
class Picture:
    """
    What was found.

    :ivar beacons: what the network tells of.
    :ivar browsed_ms: how long it was listened to; 0 where that is not installed.
    :ivar warnings: as the JSON has them.
    """

    found: Sequence[tuple[Candidate, Probe]]
    beacons: Sequence[Beacon]
    browsed_ms: int
    warnings: Sequence[Mapping[str, Any]]

    @property
    def reached(self) -> list[Candidate]:
        return [candidate for candidate, result in self.found if result.connected]


def run(context: Context, options: Namespace) -> int:
    """
    :return: 1 when nothing can be reached.
    """
    start = context.now()
    snapshot = read_config(context, lenient=True)
    local = local_target(context, options, snapshot)
    picture = look(context, options, snapshot, candidates(context, options, snapshot, local))
    took = round((context.now() - start) * 1000)
    if options.json:
        context.json(_payload(context, options, picture, took, network(local.url)))
    else:
        _print(context, options, picture)
    return 0 if picture.reached else 1


def network(local: str, tailnet: Callable[[], Sequence[str]] = tailnet_addresses) -> dict[str, str | None]:
    """
    Under which addresses this machine's gateway may be there.

    :param local: its address on loopback.
    """
    address = next((address for address in tailnet() if ":" not in address), None)
    scheme, port = local.partition(":")[0], local.rpartition(":")[2]
    return {
        "localLoopbackUrl": local,
        "localTailnetUrl": None if address is None else f"{scheme}://{address}:{port}",
        "tailnetIPv4": address,
    }


def candidates(context: Context, options: Namespace, snapshot: Snapshot, local: Target) -> list[Candidate]:
    """
    Where to look.
    """
    remote = dig(snapshot.config, "gateway", "mode") == "remote" and dig(snapshot.config, "gateway", "remote", "url")
    others = min(_OTHER_MS, options.timeout)
    found = []
    if options.url:
        found.append(Candidate(kind="explicit", target=resolve_target(context, options, snapshot), limit_ms=others))
    if remote:
        target = resolve_target(context, Namespace(**{**vars(options), "url": None}), snapshot)
        found.append(Candidate(kind="configRemote", target=target, limit_ms=others))
    if all(candidate.target.url != local.url for candidate in found):
        found.append(Candidate(kind="localLoopback", target=local, limit_ms=min(_LOOPBACK_MS, options.timeout)))
    return found


def look(context: Context, options: Namespace, snapshot: Snapshot, candidates: Sequence[Candidate]) -> Picture:
    """
    Ask all of them at once, and listen to the network meanwhile.

    :raise UsageError: the target of SSH is none.
    """
    target = ssh_target(options, snapshot)
    limit_ms = min(_BROWSE_MS, options.timeout)
    with ThreadPoolExecutor(1 + len(candidates)) as pool:
        browsing = pool.submit(_heard, limit_ms)
        asking = [pool.submit(probe, context, one.target, timeout_ms=one.limit_ms) for one in candidates]
        if target is None and options.ssh_auto:
            target = auto_target(browsing.result() or (), context.environ)
        warnings: list[Mapping[str, Any]] = []
        through = []
        if target is not None:
            try:
                through = [_through(context, options, snapshot, target)]
            except TunnelFailed as error:
                text = f"SSH tunnel to {target} failed: {error}"
                warnings.append({"code": "ssh_tunnel_failed", "message": text, "targetIds": ["sshTunnel"]})
        direct = [(one, asked.result()) for one, asked in zip(candidates, asking, strict=True)]
        beacons = browsing.result()
    found = sorted([*through, *direct], key=lambda pair: _ORDER.index(pair[0].kind))
    reached = [candidate.kind for candidate, result in found if result.connected]
    return Picture(
        found=found,
        beacons=beacons or (),
        browsed_ms=0 if beacons is None else limit_ms,
        warnings=[*warnings, *_several(reached)],
    )


def _heard(limit_ms: int) -> Sequence[Beacon] | None:
    """
    What the network tells of, ``None`` where listening is not installed. Whether it can be listened to is no reason not
    to ask the gateways that are known.
    """
    from openclaw.discovery.browse import browse

    try:
        return browse(limit_ms / 1000)
    except DiscoveryUnavailable:
        return None
    except DiscoveryFailed:
        return ()


def ssh_target(options: Namespace, snapshot: Snapshot) -> SshTarget | None:
    """
    The machine to log in to, by option or configuration.

    :raise UsageError: it is none.
    """
    named = options.ssh or dig(snapshot.config, "gateway", "remote", "sshTarget")
    return SshTarget.of(named) if isinstance(named, str) and named.strip() else None


def auto_target(beacons: Sequence[Beacon], environ: Mapping[str, str]) -> SshTarget | None:
    """
    The first machine that the network tells of. It is logged in to only if its key is known already.
    """
    for beacon in beacons:
        if beacon.host is None:
            continue
        try:
            found = SshTarget.of(f"[{beacon.host}]" if ":" in beacon.host else beacon.host)
        except UsageError:
            continue
        return evolve(found, user=environ.get("USER") or None, port=beacon.number("sshPort"), known=True)
    return None


def _through(context: Context, options: Namespace, snapshot: Snapshot, target: SshTarget) -> tuple[Candidate, Probe]:
    """
    :raise TunnelFailed: there is no way through.
    """
    limit = min(_SSH_MS, options.timeout)
    identity = options.ssh_identity or dig(snapshot.config, "gateway", "remote", "sshIdentity")
    path = str(expand(identity, context.home)) if isinstance(identity, str) and identity else None
    with tunnel(target, local_port(snapshot), context.environ, identity=path, seconds=limit / 1000) as stands:
        there = _behind(options, snapshot, stands.local_port)
        candidate = Candidate(kind="sshTunnel", target=there, limit_ms=limit, tunnel=stands)
        return candidate, probe(context, candidate.target, timeout_ms=limit)


def _behind(options: Namespace, snapshot: Snapshot, port: int) -> Target:
    """
    The other machine's gateway. It gets the secrets that are meant for it, not those of this machine.
    """
    remote = dig(snapshot.config, "gateway", "remote")
    given = {name: getattr(options, name) or dig(remote, name) for name in ("token", "password")}
    fingerprint = options.tls_fingerprint or dig(remote, "tlsFingerprint")
    encrypted = fingerprint or str(dig(remote, "url") or "").startswith("wss:")
    return Target(
        url=f"{'wss' if encrypted else 'ws'}://127.0.0.1:{port}",
        source="ssh tunnel",
        config_path=snapshot.path,
        token=given["token"],
        password=given["password"],
        fingerprint=fingerprint,
        ours=False,
    )


def _payload(
    context: Context, options: Namespace, picture: Picture, took: int, addresses: Mapping[str, str | None]
) -> dict[str, Any]:
    reached = picture.reached
    return {
        "ok": bool(reached),
        "ts": int(context.now() * 1000),
        "durationMs": took,
        "timeoutMs": options.timeout,
        "primaryTargetId": reached[0].kind if reached else None,
        "warnings": [dict(warning) for warning in picture.warnings],
        "network": dict(addresses),
        "discovery": {"timeoutMs": picture.browsed_ms, **listed(list(picture.beacons))},
        "targets": [_target(candidate, result) for candidate, result in picture.found],
    }


def _several(reached: Sequence[str]) -> list[dict[str, Any]]:
    if len(reached) < 2:
        return []
    text = "Unconventional setup: multiple reachable gateways detected. Usually one gateway per network is recommended."
    return [{"code": "multiple_gateways", "message": text, "targetIds": list(reached)}]


def _target(candidate: Candidate, result: Probe) -> dict[str, Any]:
    answers = result.answers or {}
    return {
        "id": candidate.kind,
        "kind": candidate.kind,
        "url": candidate.target.url,
        "active": True,
        "tunnel": None if candidate.tunnel is None else candidate.tunnel.payload(),
        "connect": {
            "ok": result.connected,
            "latencyMs": result.latency_ms,
            "error": result.error,
            "close": result.close,
        },
        "self": result.myself(),
        "config": _config(answers.get("config")),
        "health": answers.get("health"),
        "summary": answers.get("summary"),
        "presence": answers.get("presence"),
    }


def _config(snapshot: Any) -> dict[str, Any] | None:
    if not isinstance(snapshot, Mapping):
        return None
    config = snapshot.get("config")
    gateway = dig(config, "gateway")
    told = {name: dig(gateway, *path) for name, path in _GATEWAY.items()}
    told |= {name: bool(dig(gateway, *path)) for name, path in _SECRETS.items()}
    return {
        "path": snapshot.get("path"),
        "exists": snapshot.get("exists"),
        "valid": snapshot.get("valid"),
        "issues": snapshot.get("issues") or [],
        "legacyIssues": snapshot.get("legacyIssues") or [],
        "gateway": told,
        "discovery": {"wideAreaEnabled": dig(config, "discovery", "wideArea", "enabled")},
    }


def _print(context: Context, options: Namespace, picture: Picture) -> None:
    context.line(context.paint("Gateway Status", "bold"))
    context.line(f"Reachable: {'yes' if picture.reached else 'no'}")
    context.line(f"Probe budget: {options.timeout}ms")
    for warning in picture.warnings:
        context.line(f"Warning: {warning['message']}")
    context.line()
    context.line(context.paint("Discovery (this machine)", "bold"))
    if picture.browsed_ms:
        context.line(f"Found {len(picture.beacons)} gateways via Bonjour ({DOMAIN})")
        for beacon in picture.beacons:
            context.line(f"- {beacon.name} {beacon.url or ''}".rstrip())
    else:
        context.line(f"Not looked for: {DiscoveryUnavailable()}")
    context.line()
    context.line(context.paint("Targets", "bold"))
    for candidate, result in picture.found:
        context.line(f"{_TITLES[candidate.kind]} {candidate.target.url}")
        context.line(f"  {_verdict(result)}")
        if (told := result.myself()) is not None:
            where = f"{told['host']} ({told['ip']})" if told.get("ip") else told["host"]
            context.line(f"  Gateway: {where} · {told['platform']} · app {told['version']}")


def _verdict(result: Probe) -> str:
    if not result.connected:
        return f"Connect: failed - {result.error}"
    return f"Connect: ok ({result.latency_ms}ms) · RPC: {'ok' if result.ok else f'failed - {result.error}'}"
