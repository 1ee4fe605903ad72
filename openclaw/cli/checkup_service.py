"""
What ``openclaw doctor`` looks at of the supervisor: the service, its file, others like it, and whether it survives a
logout.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from openclaw.cli.audit import Finding

if TYPE_CHECKING:
    from openclaw.cli.checkup import Patient


def service(patient: Patient) -> Iterator[Finding]:
    """
    The gateway as a service of the system, and others like it.
    """
    from openclaw.daemon.manage import inspect_service
    from openclaw.daemon.others import other_services, places
    from openclaw.daemon.systemd import unit_name

    context = patient.context
    found = inspect_service(context.environ, context.home)
    if found.loaded and found.runtime.get("status") == "stopped":
        yield Finding(
            check_id="service.stopped",
            severity="warn",
            title="The service is enabled and does not run",
            detail=found.runtime_line(),
            fix=context.command("openclaw gateway start"),
        )
    for other in other_services(places(context.home, deep=patient.deep), unit_name(context.environ)):
        yield Finding(
            check_id="service.other",
            severity="info",
            title="Another gateway-like service",
            detail=f"{other.label} ({other.scope}, {other.path})",
            fix="; ".join(other.cleanup()),
        )


def service_file(patient: Patient) -> Iterator[Finding]:
    """
    What is wrong with the service's file, though it may run (``service.md`` 8.1).
    """
    from openclaw.cli.service_repair import look
    from openclaw.daemon.audit import AGGRESSIVE

    context = patient.context
    for issue in look(context, patient.snapshot).issues:
        yield Finding(
            check_id=f"service.{issue.code}",
            severity="critical" if issue.level == AGGRESSIVE else "warn",
            title="Service config issue",
            detail=issue.message if issue.detail is None else f"{issue.message} ({issue.detail})",
            fix=context.command("openclaw doctor --fix"),
        )


def lingering(patient: Patient) -> Iterator[Finding]:
    """
    Whether a user's service outlives the user's last login.
    """
    from openclaw.cli.service_repair import ends_at_logout
    from openclaw.daemon.manage import service_for, surroundings
    from openclaw.daemon.runner import SystemRunner

    context = patient.context
    around = surroundings(context.environ, context.home, run=SystemRunner(environ=context.environ, limit=5))
    if ends_at_logout(service_for(around), around):
        yield Finding(
            check_id="service.linger",
            severity="warn",
            title=f"Systemd lingering is disabled for {around.user}",
            detail="The gateway ends when the last login of this user does.",
            fix=f"sudo loginctl enable-linger {around.user}",
        )
