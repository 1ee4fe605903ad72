"""
``openclaw gateway status``: what the supervisor says, what the configuration says, and what the gateway itself says.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import evolve, frozen

from openclaw.cli.context import Context
from openclaw.cli.ports import PortUse, bindable, inspect
from openclaw.cli.rpc import NotReached, connect
from openclaw.cli.service_report import ServiceView, audit_lines, config_payload, last_error, look
from openclaw.cli.target import Target, dig, local_port, local_target, resolve_target
from openclaw.client.errors import ClientError
from openclaw.config.binding import binding_of
from openclaw.config.loader import Snapshot, load
from openclaw.config.paths import DerivedPorts, derived_ports, gateway_port, variable
from openclaw.daemon.base import Supervised
from openclaw.daemon.others import OtherService, other_services, places

_MOST_ISSUES = 5
_MOST_ERROR_LINES = 12


@frozen(kw_only=True)
class Report:
    """
    All that was found out.

    :ivar family: the ports that follow from the gateway's, and which of them are taken by others.
    :ivar others: services that look like a gateway, beside this one.
    :ivar port_cli: the port of this command's configuration, where that is another one.
    :ivar last_error: of a service that runs and does not listen, or has ended.
    :ivar rpc: ``None`` when the gateway was not asked.
    """

    view: ServiceView
    snapshot: Snapshot
    target: Target
    port: PortUse
    port_source: str
    port_cli: PortUse | None
    family: Family
    others: Sequence[OtherService]
    last_error: str | None
    rpc: Mapping[str, Any] | None

    @property
    def service(self) -> Supervised:
        return self.view.found

    @property
    def mismatch(self) -> bool:
        """
        Whether the service reads another configuration than this command.
        """
        return self.view.snapshot.path != self.snapshot.path

    @property
    def closed(self) -> bool:
        """
        Whether the service is said to run, and nobody listens.
        """
        return self.service.runtime["status"] == "running" and self.port.status == "free"

    @property
    def failed(self) -> bool:
        """
        Whether the service has ended by itself, as one does that refuses to start.
        """
        runtime = self.service.runtime
        return self.service.loaded and runtime["status"] == "stopped" and runtime.get("lastExitStatus") not in (None, 0)

    def payload(self) -> dict[str, Any]:
        """
        The shape of ``--json``.
        """
        configs: dict[str, Any] = {
            "cli": config_payload(self.snapshot),
            "daemon": config_payload(self.view.snapshot),
        }
        report = {
            "service": self.view.payload(),
            "config": {**configs, "mismatch": True} if self.mismatch else configs,
            "gateway": self.gateway(),
            "port": self.port.payload(),
            "derivedPorts": self.family.payload(),
            "extraServices": [other.payload() for other in self.others],
        }
        report |= {} if self.port_cli is None else {"portCli": self.port_cli.payload()}
        report |= {} if self.last_error is None else {"lastError": self.last_error}
        return report if self.rpc is None else {**report, "rpc": self.rpc}

    def gateway(self) -> dict[str, Any]:
        """
        How it listens.
        """
        mode = dig(self.view.snapshot.config, "gateway", "bind") or "loopback"
        host = dig(self.view.snapshot.config, "gateway", "customBindHost")
        binding = binding_of(str(mode), host if isinstance(host, str) else None)
        found: dict[str, Any] = {
            "bindMode": mode,
            "bindHost": binding.hosts[0],
            "port": self.port.port,
            "portSource": self.port_source,
            "probeUrl": self.target.url,
        }
        if mode == "loopback":
            found["probeNote"] = "Loopback-only gateway; only local clients can connect."
        elif binding.warning is not None:
            found["probeNote"] = binding.warning
        return found


@frozen(kw_only=True)
class Family:
    """
    The ports beside the gateway's own.

    :ivar conflicts: sentences, one for each port that will not do.
    """

    ports: DerivedPorts
    canvas: int
    conflicts: tuple[str, ...] = ()

    def payload(self) -> dict[str, Any]:
        """
        The shape of ``--json``.
        """
        return {
            "browserControl": self.ports.browser_control,
            "canvas": self.canvas,
            "cdp": {"first": self.ports.cdp_first, "last": self.ports.cdp_last},
            "conflicts": list(self.conflicts),
        }


def run(context: Context, options: Namespace) -> int:
    """
    :return: 0, whatever was found.
    """
    report = gather(context, options)
    if options.json:
        context.json(report.payload())
    else:
        _print(context, report)
    return 0


def gather(context: Context, options: Namespace) -> Report:
    """
    Find it all out.
    """
    snapshot = load(context.environ, context.home)
    view = look(context, snapshot, local_port(snapshot), system=options.system)
    port, source = _port(view)
    # The gateway that the supervisor of this machine looks after, also where commands talk to another one.
    target = resolve_target(context, options, snapshot) if options.url else local_target(context, options, snapshot)
    if not options.url and source == "service args":
        target = evolve(target, url=f"{target.url.partition(':')[0]}://127.0.0.1:{port}")
    rpc = None if options.no_probe else _ask(context, options, target)
    use = inspect(port)
    report = Report(
        view=view,
        snapshot=snapshot,
        target=target,
        port=use,
        port_source=source,
        port_cli=None if local_port(snapshot) == port else inspect(local_port(snapshot)),
        family=_family(snapshot, port, running=bool(rpc and rpc["ok"])),
        others=other_services(places(context.home, deep=options.deep), view.service.name),
        last_error=None,
        rpc=rpc,
    )
    return evolve(report, last_error=last_error(context, view)) if report.closed or report.failed else report


def _port(view: ServiceView) -> tuple[int, str]:
    """
    The port of the service, which may differ from that of this shell.
    """
    arguments = list((view.found.command or {}).get("programArguments", ()))
    if "--port" in arguments[:-1] and arguments[arguments.index("--port") + 1].isdecimal():
        return int(arguments[arguments.index("--port") + 1]), "service args"
    return local_port(view.snapshot), "env/config"


def _ask(context: Context, options: Namespace, target: Target) -> dict[str, Any]:
    try:
        with connect(context, target, timeout_ms=options.timeout, mode="probe") as client:
            client.call("status", {}, timeout=options.timeout / 1000)
    except NotReached as error:
        return {"ok": False, "error": str(error), "url": target.url}
    except ClientError as error:
        return {"ok": False, "error": "\n".join([str(error), *target.lines()]), "url": target.url}
    return {"ok": True, "url": target.url}


def _family(snapshot: Snapshot, port: int, *, running: bool) -> Family:
    ports = derived_ports(port)
    named = variable(snapshot.environment, "OPENCLAW_CANVAS_HOST_PORT")
    told = dig(snapshot.config, "canvasHost", "port")
    # Read as the gateway reads its own port: nonsense counts as unset.
    canvas = gateway_port(None, {"OPENCLAW_GATEWAY_PORT": named or ""}, {"gateway": {"port": told or ports.canvas}})
    return Family(ports=ports, canvas=canvas, conflicts=tuple(_conflicts(ports, canvas, running=running)))


def _conflicts(ports: DerivedPorts, canvas: int, *, running: bool) -> Iterator[str]:
    """
    :param running: the gateway holds its ports itself, so that they being taken means nothing.
    """
    singles = {"gateway": ports.gateway, "browser control": ports.browser_control, "canvas host": canvas}
    seen: dict[int, str] = {}
    for name, port in singles.items():
        if port in seen:
            yield f"Port {port} is wanted by both {seen[port]} and {name}."
        seen.setdefault(port, name)
        if ports.cdp_first <= port <= ports.cdp_last:
            yield f"Port {port} ({name}) lies in the browser range {ports.cdp_first}-{ports.cdp_last}."
    if running:
        return
    for name, port in singles.items():
        if name != "gateway" and bindable(port) == "busy":
            yield f"Port {port} ({name}) is in use by another program."
    taken = [port for port in range(ports.cdp_first, ports.cdp_last + 1) if bindable(port, ("127.0.0.1",)) == "busy"]
    if taken:
        yield f"Browser ports in use by other programs: {', '.join(map(str, taken))}."


def _print(context: Context, report: Report) -> None:
    service, snapshot = report.service, report.snapshot
    context.line(f"Service: {service.label} ({service.loaded_text})")
    context.line(f"File logs: {context.short(report.view.log)}")
    if service.command is not None:
        context.line(f"Command: {' '.join(service.command['programArguments'])}")
        context.line(f"Service file: {context.short(service.command['sourcePath'])}")
        if "workingDirectory" in service.command:
            context.line(f"Working dir: {context.short(service.command['workingDirectory'])}")
        shown = " ".join(f"{name}={value}" for name, value in service.command["environment"].items())
        if shown:
            context.line(f"Service env: {shown}")
    context.line()
    for line in audit_lines(context, report.view):
        context.problem(line)
    _print_config(context, "cli", snapshot)
    if service.command is not None:
        _print_config(context, "service", report.view.snapshot)
    if report.mismatch:
        fix = context.command("openclaw gateway install --force")
        context.problem(
            "Root cause: CLI and service are using different config paths (likely a profile/state-dir mismatch)."
        )
        context.problem(f"Fix: rerun `{fix}` from the same --profile / OPENCLAW_STATE_DIR you expect.")
    context.line()
    _print_gateway(context, report)
    context.line()
    context.line(f"Runtime: {service.runtime_line()}")
    for hint in report.view.hints(context):
        context.problem(hint)
    _print_rpc(context, report)
    _print_trouble(context, report)
    _print_others(context, report.others)
    context.line()
    context.line(context.command("Troubles: run openclaw status"))


def _print_config(context: Context, whose: str, snapshot: Snapshot) -> None:
    marks = ("" if snapshot.exists else " (missing)") + ("" if snapshot.valid else " (invalid)")
    context.line(f"Config ({whose}): {context.short(snapshot.path)}{marks}")
    for issue in snapshot.issues[:_MOST_ISSUES]:
        context.problem(f"Config issue: {issue.path or '<root>'}: {issue.message}")


def _print_gateway(context: Context, report: Report) -> None:
    gateway, family = report.gateway(), report.family
    prefix = str(dig(report.snapshot.config, "gateway", "controlUi", "basePath") or "").strip("/")
    scheme = "https" if report.target.url.startswith("wss:") else "http"
    context.line(
        f"Gateway: bind={gateway['bindMode']} ({gateway['bindHost']}), port={gateway['port']} ({gateway['portSource']})"
    )
    context.line(f"Probe target: {gateway['probeUrl']}")
    context.line(f"Dashboard: {scheme}://127.0.0.1:{gateway['port']}/{prefix + '/' if prefix else ''}")
    context.line(
        f"Derived ports: browser control {family.ports.browser_control}, canvas {family.canvas},"
        f" browser {family.ports.cdp_first}-{family.ports.cdp_last}"
    )
    for conflict in family.conflicts:
        context.problem(f"Port conflict: {conflict}")
    if "probeNote" in gateway:
        context.line(f"Probe note: {gateway['probeNote']}")


def _print_rpc(context: Context, report: Report) -> None:
    if report.rpc is not None and report.rpc["ok"]:
        context.line("RPC probe: ok")
    elif report.rpc is not None:
        context.problem("RPC probe: failed")
        context.problem(f"RPC target: {report.target.url}")
        for line in report.rpc["error"].splitlines()[:_MOST_ERROR_LINES]:
            context.problem(f"  {line}")
    # Who was not asked may well be the gateway.
    if report.port.status == "busy" and report.rpc is not None and not report.rpc["ok"]:
        for line in report.port.lines():
            context.problem(line)
    for address in dict.fromkeys(listener.address for listener in report.port.listeners):
        context.line(f"Listening: {address}")


def _print_trouble(context: Context, report: Report) -> None:
    """
    Where the service and what listens do not go together.
    """
    service = report.service
    running = service.runtime["status"] == "running"
    if report.port_cli is not None:
        context.line(f"Note: CLI config resolves gateway port={report.port_cli.port} ({report.port_cli.status}).")
    if running and report.rpc is not None and not report.rpc["ok"]:
        context.line("Warm-up: launch agents can take a few seconds. Try again shortly.")
    if service.runtime.get("cachedLabel"):
        context.problem("LaunchAgent label cached but plist missing. Reinstall with: openclaw gateway install")
    if service.loaded and service.runtime["status"] == "stopped":
        context.problem("Service is loaded but not running (likely exited immediately).")
        context.problem(f"File logs: {context.short(report.view.log)}")
    elif not report.closed:
        return
    if report.closed:
        context.problem(f"Gateway port {report.port.port} is not listening (service appears running).")
    if report.last_error is not None:
        context.problem(f"Last gateway error: {report.last_error}")
    hint = report.view.log_hint()
    if hint is not None:
        context.problem(f"Logs: {hint}")


def _print_others(context: Context, others: Sequence[OtherService]) -> None:
    if not others:
        return
    context.problem("Other gateway-like services detected (best effort):")
    for other in others:
        context.problem(f"- {other.label} ({other.scope}, {other.detail})")
        context.problem(f"  Cleanup hint: {' && '.join(other.cleanup())}")
    context.problem("Recommendation: run a single gateway per machine, or give each one a profile.")
