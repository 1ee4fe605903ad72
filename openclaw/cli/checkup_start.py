"""
What ``openclaw doctor`` looks at of the start: what would keep a gateway from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from openclaw.cli.audit import Finding
from openclaw.cli.target import dig
from openclaw.config.auth import PASSWORD_VARIABLES, TOKEN_VARIABLES
from openclaw.config.dotenv import read_dotenv
from openclaw.config.loader import Snapshot
from openclaw.config.paths import variable

if TYPE_CHECKING:
    from openclaw.cli.checkup import Patient


def start(patient: Patient) -> Iterator[Finding]:
    """
    What would keep the gateway from starting.
    """
    if not patient.snapshot.valid:
        # What cannot be read is told elsewhere, and nothing follows from it.
        return
    mode = dig(patient.snapshot.config, "gateway", "mode")
    if mode is None:
        yield Finding(
            check_id="gateway.mode_unset",
            severity="warn",
            title="Nothing says that this machine is a gateway",
            detail="gateway.mode is unset, so that `openclaw gateway` refuses to start.",
            fix=patient.context.command("openclaw config set gateway.mode local"),
        )
    if mode == "local" and not has_secret(patient.snapshot) and not _has_moved_secret(patient):
        yield Finding(
            check_id="gateway.no_secret",
            severity="critical",
            title="The gateway has no secret",
            detail="Neither gateway.auth.token nor gateway.auth.password is set.",
            fix=patient.context.command("openclaw doctor --generate-gateway-token"),
        )


def has_secret(snapshot: Snapshot) -> bool:
    """
    Whether clients have something to show.
    """
    auth = dig(snapshot.config, "gateway", "auth")
    told = dig(auth, "token") or dig(auth, "password")
    return bool(told or variable(snapshot.environment, *TOKEN_VARIABLES, *PASSWORD_VARIABLES))


def _has_moved_secret(patient: Patient) -> bool:
    """
    Whether the service has one for itself, which its installation has put there.
    """
    return bool(variable(read_dotenv(patient.state / "service.env"), *TOKEN_VARIABLES, *PASSWORD_VARIABLES))
