"""
``openclaw gateway probe``: which gateways can be reached from here, and which one is meant.
"""

from __future__ import annotations

import threading
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import frozen

from openclaw.cli.context import Context
from openclaw.cli.probe import Probe, probe
from openclaw.cli.target import Target, dig, local_target, read_config, resolve_target
from openclaw.config.binding import tailnet_addresses
from openclaw.config.loader import Snapshot

_LOOPBACK_MS = 800
_OTHER_MS = 1500
_TITLES = {"explicit": "URL (explicit)", "configRemote": "Remote (configured)", "localLoopback": "Local loopback"}
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

    :ivar kind: ``explicit``, ``configRemote`` or ``localLoopback``, which is also the order of preference.
    """

    kind: str
    target: Target
    limit_ms: int


def run(context: Context, options: Namespace) -> int:
    """
    :return: 1 when nothing can be reached.
    """
    start = context.now()
    snapshot = read_config(context, lenient=True)
    local = local_target(context, options, snapshot)
    found = look(context, candidates(context, options, snapshot, local))
    reached = [candidate for candidate, result in found if result.connected]
    took = round((context.now() - start) * 1000)
    if options.json:
        context.json(_payload(context, options, found, reached, took, network(local.url)))
    else:
        _print(context, options, found, reached)
    return 0 if reached else 1


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


def look(context: Context, candidates: Sequence[Candidate]) -> list[tuple[Candidate, Probe]]:
    """
    Ask all of them at once.
    """
    results: dict[int, Probe] = {}

    def ask(number: int, candidate: Candidate) -> None:
        results[number] = probe(context, candidate.target, timeout_ms=candidate.limit_ms)

    threads = [threading.Thread(target=ask, args=pair) for pair in enumerate(candidates)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [(candidate, results[number]) for number, candidate in enumerate(candidates)]


def _payload(
    context: Context,
    options: Namespace,
    found: Sequence[tuple[Candidate, Probe]],
    reached: Sequence[Candidate],
    took: int,
    addresses: Mapping[str, str | None],
) -> dict[str, Any]:
    return {
        "ok": bool(reached),
        "ts": int(context.now() * 1000),
        "durationMs": took,
        "timeoutMs": options.timeout,
        "primaryTargetId": reached[0].kind if reached else None,
        "warnings": _warnings(reached),
        "network": dict(addresses),
        # Nobody is looked for on the network yet, so nobody was found.
        "discovery": {"timeoutMs": 0, "count": 0, "beacons": []},
        "targets": [_target(candidate, result) for candidate, result in found],
    }


def _warnings(reached: Sequence[Candidate]) -> list[dict[str, Any]]:
    if len(reached) < 2:
        return []
    text = "Unconventional setup: multiple reachable gateways detected. Usually one gateway per network is recommended."
    ids = [candidate.kind for candidate in reached]
    return [{"code": "multiple_gateways", "message": text, "targetIds": ids}]


def _target(candidate: Candidate, result: Probe) -> dict[str, Any]:
    answers = result.answers or {}
    return {
        "id": candidate.kind,
        "kind": candidate.kind,
        "url": candidate.target.url,
        "active": True,
        "tunnel": None,
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


def _print(
    context: Context, options: Namespace, found: Sequence[tuple[Candidate, Probe]], reached: Sequence[Candidate]
) -> None:
    context.line(context.paint("Gateway Status", "bold"))
    context.line(f"Reachable: {'yes' if reached else 'no'}")
    context.line(f"Probe budget: {options.timeout}ms")
    for warning in _warnings(reached):
        context.line(f"Warning: {warning['message']}")
    context.line()
    context.line(context.paint("Targets", "bold"))
    for candidate, result in found:
        context.line(f"{_TITLES[candidate.kind]} {candidate.target.url}")
        context.line(f"  {_verdict(result)}")
        if (told := result.myself()) is not None:
            where = f"{told['host']} ({told['ip']})" if told.get("ip") else told["host"]
            context.line(f"  Gateway: {where} · {told['platform']} · app {told['version']}")


def _verdict(result: Probe) -> str:
    if not result.connected:
        return f"Connect: failed - {result.error}"
    return f"Connect: ok ({result.latency_ms}ms) · RPC: {'ok' if result.ok else f'failed - {result.error}'}"
