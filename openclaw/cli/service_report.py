"""
The service in ``openclaw gateway status``: what is installed, what is wrong with it, and whether it reads the same
configuration as the command line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from openclaw.cli.context import Context
from openclaw.cli.target import dig
from openclaw.config.dotenv import fill_environment, read_dotenv
from openclaw.config.loader import Snapshot, load
from openclaw.config.paths import expand, state_dir
from openclaw.daemon.audit import AuditIssue, audit
from openclaw.daemon.base import SHOWN, Supervised, SystemService
from openclaw.daemon.manage import service_for, stop_seconds, surroundings
from openclaw.daemon.runner import SystemRunner
from openclaw.daemon.systemd import Systemd, unavailable_hints

if TYPE_CHECKING:
    from openclaw.cli.logs import LogEntry

#: How much of the end of a log is searched for the last error.
_TAIL_BYTES = 64 * 1024
_ERRORS = ("error", "fatal")
#: What is in the lines by which a gateway refuses to start, and in those of others that end badly.
_TROUBLE = ("error", "failed", "refus", "blocked", "is configured.", "requires", "invalid", "missing config")


@frozen(kw_only=True)
class ServiceView:
    """
    The service, and the configuration that it reads.

    :ivar snapshot: that configuration; the command line's own where there is no service.
    :ivar log: where that gateway writes today.
    """

    service: SystemService
    found: Supervised
    snapshot: Snapshot
    log: Path
    issues: Sequence[AuditIssue] = ()

    def payload(self) -> dict[str, Any]:
        """
        The member ``service`` of ``--json``.
        """
        issues = [issue.payload() for issue in self.issues]
        return {**self.found.payload(), "configAudit": {"ok": not issues, "issues": issues}}

    def hints(self, context: Context) -> tuple[str, ...]:
        """
        What works where the supervisor does not answer.
        """
        unknown = self.found.runtime["status"] == "unknown" and isinstance(self.service, Systemd)
        return unavailable_hints(context.environ) if unknown else ()

    def log_hint(self) -> str | None:
        """
        The command that shows what the supervisor keeps.
        """
        return self.service.logs_command() if isinstance(self.service, Systemd) else None


def look(context: Context, snapshot: Snapshot, port: int, *, system: bool) -> ServiceView:
    """
    Ask the supervisor, and read what it starts.

    :param port: of the command line's configuration.
    """
    run = SystemRunner(environ=context.environ, limit=5)
    around = surroundings(context.environ, context.home, system=system, run=run)
    service = service_for(around)
    found = service.inspect()
    environ = dict(context.environ)
    own = snapshot
    if found.command is not None:
        # What this shell has is nothing that the service has.
        environ = {name: environ[name] for name in ("HOME", "PATH") if name in environ}
        environ |= {name: found.command["environment"][name] for name in SHOWN if name in found.command["environment"]}
        # What the installation has put where the service finds it.
        environ = {**read_dotenv(state_dir(environ, around.home) / "service.env"), **environ}
        fill_environment(environ, around.home, around.home)
        own = load(environ, around.home)
    return ServiceView(
        service=service,
        found=found,
        snapshot=own,
        log=log_path(context, own, state_dir(environ, around.home)),
        issues=audit(
            found,
            around,
            port=port,
            token=dig(snapshot.config, "gateway", "auth", "token"),
            stop_seconds=stop_seconds(snapshot.config) if snapshot.valid else None,
        ),
    )


def log_path(context: Context, snapshot: Snapshot, state: Path) -> Path:
    """
    Where the gateway of this configuration writes today.
    """
    named = dig(snapshot.config, "logging", "file")
    if isinstance(named, str) and named.strip():
        return expand(named, context.home)
    day = datetime.fromtimestamp(context.now()).astimezone()
    return state / "logs" / f"openclaw-{day:%Y-%m-%d}.log"


def config_payload(snapshot: Snapshot) -> dict[str, Any]:
    """
    One configuration, as ``--json`` tells of it.
    """
    config: dict[str, Any] = {"path": str(snapshot.path), "exists": snapshot.exists, "valid": snapshot.valid}
    if not snapshot.valid:
        config["issues"] = [issue.payload() for issue in snapshot.issues]
    if (shown := dig(snapshot.config, "gateway", "controlUi")) is not None:
        config["controlUi"] = shown
    return config


def last_error(context: Context, view: ServiceView) -> str | None:
    """
    The last error that the gateway told of: in its own log, or in the supervisor's, where one that has refused to start
    says why.
    """
    told = [entry.message for entry in last_entries(view.log) if entry.level in _ERRORS]
    own = told[-1].partition("\n")[0] if told else None
    running = view.found.runtime.get("status") == "running"
    return (own or _supervised_error(context, view)) if running else (_supervised_error(context, view) or own)


def _supervised_error(context: Context, view: ServiceView) -> str | None:
    if isinstance(view.service, Systemd):
        done = SystemRunner(environ=context.environ, limit=5)(*view.service.logs_command().split(), "--output=cat")
        lines = done.output.splitlines() if done.code == 0 else []
    else:
        lines = _tail(view.log.with_name("gateway.err.log")).splitlines()
    troubles = [line.strip() for line in lines if any(word in line.lower() for word in _TROUBLE)]
    return troubles[-1] if troubles else None


def last_entries(path: Path) -> list[LogEntry]:
    """
    What stands at the end of a log; nothing where it cannot be read.
    """
    from openclaw.cli.logs import parse_line

    return [entry for line in _tail(path).splitlines() if (entry := parse_line(line)) is not None]


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(path.stat().st_size - _TAIL_BYTES, 0))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def audit_lines(context: Context, view: ServiceView) -> Iterator[str]:
    """
    What the audit found, for people.
    """
    if not view.issues:
        return
    yield "Service config looks out of date or non-standard."
    for issue in view.issues:
        yield f"Service config issue: {issue.message}{f' ({issue.detail})' if issue.detail else ''}"
    doctor, repair = context.command("openclaw doctor"), context.command("openclaw doctor --repair")
    yield f'Recommendation: run "{doctor}" (or "{repair}").'
    yield f"Fix: {context.command('openclaw gateway install --force')}"
