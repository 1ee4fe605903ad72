"""
``openclaw status``: the whole picture, also where no gateway runs.
"""

from __future__ import annotations

import platform
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import field, frozen

import openclaw
from openclaw.cli.arguments import Arguments, add_client_options
from openclaw.cli.audit import SEVERITIES, Finding, audit
from openclaw.cli.context import Context, age
from openclaw.cli.exits import ConfigurationRefused
from openclaw.cli.health import channel_lines
from openclaw.cli.probe import Probe, probe
from openclaw.cli.sessions import flags, tokens
from openclaw.cli.tables import table, table_width
from openclaw.cli.target import Target, dig, read_config, resolve_target
from openclaw.cli.update import installation
from openclaw.config.loader import Snapshot
from openclaw.config.paths import workspace_dir
from openclaw.daemon.base import Supervised
from openclaw.daemon.manage import inspect_node, inspect_service

_FINDINGS = 6


@frozen(kw_only=True)
class Picture:
    """
    All that was found out.

    :ivar target: ``None`` in remote mode without an address; then ``probe`` is ``None``, too.
    """

    snapshot: Snapshot
    target: Target | None
    probe: Probe | None
    service: Supervised
    findings: Sequence[Finding] = field(factory=tuple)

    def answer(self, name: str) -> Any:
        """
        What the gateway said, or ``None``.
        """
        return ((self.probe.answers if self.probe else None) or {}).get(name)


def run(context: Context, arguments: Sequence[str]) -> int:
    """
    :return: 0, whatever was found.
    """
    parser = Arguments("status", "The whole picture.")
    add_client_options(parser)
    parser.option("--all", action="store_true", help="also what could be in the way; for who helps you")
    parser.option("--deep", action="store_true", help="also how the gateway is")
    parser.option("--usage", action="store_true", help="not here yet: what the providers counted")
    parser.option("--verbose", "--debug", action="store_true", help="say where we ask")
    options = parser.take(arguments)
    if options.usage:
        context.problem("--usage: this version does not ask providers for what they counted.")
    picture = gather(context, options)
    if options.json:
        context.json(payload(context, options, picture))
        return 0
    if options.verbose and picture.target is not None:
        context.line("\n".join(picture.target.lines()))
    for line in lines(context, options, picture):
        context.line(line)
    return 0


def gather(context: Context, options: Namespace) -> Picture:
    """
    Find it all out.
    """
    snapshot = read_config(context, lenient=True)
    try:
        target = resolve_target(context, options, snapshot)
    except ConfigurationRefused:
        target = None
    return Picture(
        snapshot=snapshot,
        target=target,
        probe=None if target is None else probe(context, target, timeout_ms=options.timeout),
        service=inspect_service(context.environ, context.home),
        findings=audit(context, snapshot),
    )


def payload(context: Context, options: Namespace, picture: Picture) -> dict[str, Any]:
    """
    The shape of ``--json``. What only the gateway knows is ``null`` or empty without one.
    """
    summary = picture.answer("summary") or {}
    channel = dig(picture.snapshot.config, "update", "channel")
    report: dict[str, Any] = {
        "heartbeat": summary.get("heartbeat"),
        "channelSummary": summary.get("channelSummary") or [],
        "queuedSystemEvents": summary.get("queuedSystemEvents") or [],
        "sessions": summary.get("sessions"),
    }
    if "linkChannel" in summary:
        report["linkChannel"] = summary["linkChannel"]
    report |= {
        "os": _system(),
        "update": installation(),
        "updateChannel": channel or "stable",
        "updateChannelSource": "config" if channel else "default",
        "memory": None,
        "memoryPlugin": {"enabled": False, "slot": None},
        "gateway": _gateway(picture),
        "gatewayService": _service(picture.service),
        "nodeService": _service(inspect_node(context.environ, context.home)),
        "agents": _agents(context, picture),
        "securityAudit": {
            "ts": int(context.now() * 1000),
            "summary": _counts(picture.findings),
            "findings": [finding.payload() for finding in picture.findings],
        },
    }
    if options.deep:
        report["health"] = picture.answer("health")
    return report


def _service(service: Supervised) -> dict[str, Any]:
    return {
        "label": service.label,
        "installed": service.command is not None,
        "loadedText": service.loaded_text,
        "runtimeShort": service.runtime_line(),
    }


def _system() -> dict[str, str]:
    name = platform.system().lower()
    return {
        "platform": name,
        "arch": platform.machine(),
        "release": platform.release(),
        "label": f"{'macos' if name == 'darwin' else name} {platform.release()} ({platform.machine()})",
    }


def _gateway(picture: Picture) -> dict[str, Any]:
    target, result = picture.target, picture.probe
    return {
        "mode": dig(picture.snapshot.config, "gateway", "mode") or "local",
        "url": target.url if target else None,
        "urlSource": target.source if target else "missing gateway.remote.url",
        "misconfigured": target is None,
        "reachable": result is not None and result.connected,
        "connectLatencyMs": result.latency_ms if result else None,
        "self": result.myself() if result else None,
        "error": result.error if result else "gateway.remote.url missing",
    }


def _agents(context: Context, picture: Picture) -> dict[str, Any]:
    health = picture.answer("health") or {}
    listed = health.get("agents") or []
    now = context.now() * 1000
    agents = []
    for agent in listed:
        sessions = agent.get("sessions") or {}
        newest = next((row.get("updatedAt") for row in sessions.get("recent") or []), None)
        own = workspace_dir(context.environ, context.home, picture.snapshot.model, agent.get("agentId"))
        agents.append(
            {
                "id": agent.get("agentId"),
                "workspaceDir": str(own),
                "bootstrapPending": (own / "BOOTSTRAP.md").exists(),
                "sessionsPath": sessions.get("path"),
                "sessionsCount": sessions.get("count", 0),
                "lastUpdatedAt": newest,
                "lastActiveAgeMs": None if newest is None else max(int(now - newest), 0),
            }
        )
    return {
        "defaultId": health.get("defaultAgentId") or "main",
        "agents": agents,
        "totalSessions": sum(agent["sessionsCount"] for agent in agents),
        "bootstrapPendingCount": sum(agent["bootstrapPending"] for agent in agents),
    }


def _counts(findings: Sequence[Finding]) -> dict[str, int]:
    return {name: sum(finding.severity == name for finding in findings) for name in SEVERITIES}


def lines(context: Context, options: Namespace, picture: Picture) -> Iterator[str]:
    """
    The same for people.
    """
    width = table_width(context.out)
    yield context.paint(f"OpenClaw status{' --all' if options.all else ''}", "bold", "accent")
    yield ""
    yield context.paint("Overview", "bold")
    yield from table(("Item", "Value"), list(_overview(context, options, picture)), width)
    yield ""
    yield context.paint("Security audit", "bold")
    counts = _counts(picture.findings)
    yield " · ".join(f"{count} {name}" for name, count in counts.items())
    for finding in picture.findings[:_FINDINGS]:
        yield f"  {finding.severity.upper()} {finding.title}"
        yield f"    {context.short(finding.detail)}"
        if finding.fix is not None:
            yield f"    Fix: {finding.fix}"
    yield from _channels(context, picture)
    yield from _sessions(context, picture, width)
    for event in dig(picture.answer("summary"), "queuedSystemEvents") or []:
        yield f"System event: {event}"
    if options.all:
        from openclaw.cli.status_all import agent_lines, diagnosis_lines

        yield from agent_lines(context, _agents(context, picture), width)
        yield from diagnosis_lines(context, picture)
    if options.deep:
        took = dig(picture.answer("health"), "durationMs")
        yield ""
        yield context.paint("Health", "bold")
        rows = [("Gateway", "unreachable" if took is None else "reachable", "" if took is None else f"{took}ms")]
        yield from table(("Item", "Status", "Detail"), rows, width)
    yield ""
    yield "Next steps:"
    yield f"  {context.command(_next_step(picture))}"


def _next_step(picture: Picture) -> str:
    probe = picture.probe
    if probe is not None and probe.connected:
        return "openclaw logs --follow"
    # Who was refused has a gateway, and starts no other.
    nobody = probe is not None and "ECONNREFUSED" in (probe.error or "")
    return "openclaw gateway" if nobody else "openclaw gateway status"


def _overview(context: Context, options: Namespace, picture: Picture) -> Iterator[tuple[str, str]]:
    from openclaw.cli.dashboard import addresses

    if dig(picture.snapshot.config, "gateway", "controlUi", "enabled") is not False:
        yield "Dashboard", addresses(picture.snapshot)[0]
    yield "OS", _system()["label"]
    yield "Tailscale", str(dig(picture.snapshot.config, "gateway", "tailscale", "mode") or "off")
    channel = dig(picture.snapshot.config, "update", "channel")
    yield "Channel", f"{channel} (config)" if channel else "stable (default)"
    yield "Version", f"{openclaw.__version__} ({installation()['installKind']})"
    yield "Gateway", _gateway_row(picture)
    yield "Gateway service", _service_row(picture.service)
    yield "Node service", _service_row(inspect_node(context.environ, context.home))
    agents = _agents(context, picture)
    if agents["agents"]:
        told = f"{len(agents['agents'])} · {agents['bootstrapPendingCount']} bootstrapping"
        yield "Agents", f"{told} · sessions {agents['totalSessions']} · default {agents['defaultId']}"
    yield "Memory", "off"
    yield "Probes", "enabled" if options.deep else "skipped (use --deep)"
    summary = picture.answer("summary")
    if summary is not None:
        yield "Events", f"{len(summary.get('queuedSystemEvents') or ())} queued"
    beats = dig(summary, "heartbeat", "agents") or []
    if beats:
        yield "Heartbeat", ", ".join(f"{beat.get('every')} ({beat.get('agentId')})" for beat in beats)
    sessions = dig(summary, "sessions")
    if sessions:
        model = dig(sessions, "defaults", "model") or "unknown"
        paths = ", ".join(context.short(path) for path in sessions.get("paths") or [])
        yield "Sessions", f"{sessions.get('count', 0)} active · default {model} · {paths}"


def _service_row(service: Supervised) -> str:
    installed = f"installed · {service.loaded_text} · {service.runtime_line()}"
    return f"{service.label} {installed if service.command else service.runtime_line()}"


def _gateway_row(picture: Picture) -> str:
    gateway = _gateway(picture)
    if gateway["misconfigured"]:
        return f"{gateway['mode']} · misconfigured (remote.url missing)"
    parts = [gateway["mode"], f"{gateway['url']} ({gateway['urlSource']})"]
    if not gateway["reachable"]:
        return " · ".join([*parts, f"unreachable ({gateway['error']})"])
    parts.append(f"reachable {gateway['connectLatencyMs']}ms")
    target = picture.target
    secrets = [name for name in ("token", "password") if target is not None and getattr(target, name)]
    parts += [f"auth {secrets[0]}"] if secrets else []
    told = gateway["self"]
    if told is not None:
        where = f"{told['host']} ({told['ip']})" if told.get("ip") else told["host"]
        parts.append(f"{where} app {told['version']} {told['platform']}")
    return " · ".join(parts)


def _channels(context: Context, picture: Picture) -> Iterator[str]:
    told = list(channel_lines(picture.answer("health") or {}))
    if told:
        yield ""
        yield context.paint("Channels", "bold")
        yield from told


def _sessions(context: Context, picture: Picture, width: int) -> Iterator[str]:
    sessions = dig(picture.answer("summary"), "sessions")
    if not isinstance(sessions, Mapping):
        return
    yield ""
    yield context.paint("Sessions", "bold")
    default = sessions.get("defaults") or {}
    rows = [
        (
            row.get("key"),
            row.get("kind"),
            age(row.get("age")),
            row.get("model") or default.get("model"),
            f"{tokens(row, default)} {' '.join(flags(row))}".strip(),
        )
        for row in sessions.get("recent") or []
    ]
    yield from table(("Key", "Kind", "Age", "Model", "Tokens"), rows or [("no sessions yet", "", "", "", "")], width)
