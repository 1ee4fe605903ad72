"""
What in the configuration would let somebody in: the security part of ``openclaw status``.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from openclaw.cli.context import Context
from openclaw.cli.target import dig
from openclaw.config.auth import PASSWORD_VARIABLES, TOKEN_VARIABLES, weakness
from openclaw.config.loader import Snapshot
from openclaw.config.paths import state_dir, variable

SEVERITIES = ("critical", "warn", "info")


@frozen(kw_only=True)
class Finding:
    """
    One thing to look at.

    :ivar fix: a command, or what to change.
    """

    check_id: str
    severity: str
    title: str
    detail: str
    fix: str | None = None

    def payload(self) -> dict[str, str]:
        """
        The shape of ``status --json``.
        """
        told = {"checkId": self.check_id, "severity": self.severity, "title": self.title, "detail": self.detail}
        return told if self.fix is None else {**told, "remediation": self.fix}


def audit(context: Context, snapshot: Snapshot) -> list[Finding]:
    """
    Look; the worst comes first.
    """
    found = [*_files(context, snapshot), *_gateway(snapshot)]
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))


def _files(context: Context, snapshot: Snapshot) -> Iterator[Finding]:
    directory = state_dir(context.environ, context.home)
    for path, what, mode in ((snapshot.path, "config", 0o600), (directory, "state_dir", 0o700)):
        open_to = loose(path)
        if not open_to:
            continue
        world = bool(open_to & stat.S_IRWXO)
        yield Finding(
            check_id=f"fs.{what}.perms_{'world' if world else 'group'}_readable",
            severity="critical" if world and what == "config" else "warn",
            title=f"{'Config file' if what == 'config' else 'State directory'} is open to others",
            detail=f"{path}: other {'users' if world else 'members of the group'} may use it.",
            fix=f"chmod {mode:o} {path}",
        )


def loose(path: Path) -> int:
    """
    Permission bits that others have.
    """
    if os.name != "posix":
        return 0
    try:
        return path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    except OSError:
        return 0


def _gateway(snapshot: Snapshot) -> Iterator[Finding]:
    gateway, environ = dig(snapshot.config, "gateway"), snapshot.environment
    bind = dig(gateway, "bind") or "loopback"
    secrets = {
        "token": dig(gateway, "auth", "token") or variable(environ, *TOKEN_VARIABLES),
        "password": dig(gateway, "auth", "password") or variable(environ, *PASSWORD_VARIABLES),
    }
    if not any(secrets.values()) and bind != "loopback":
        yield Finding(
            check_id="gateway.bind_no_auth",
            severity="critical",
            title="Gateway would listen beyond loopback without a secret",
            detail=f'gateway.bind="{bind}" with neither gateway.auth.token nor gateway.auth.password.',
            fix="Set gateway.auth.token.",
        )
    for name, secret in secrets.items():
        reason = weakness(secret) if isinstance(secret, str) and secret.strip() else None
        if reason is not None:
            yield Finding(
                check_id=f"gateway.{name}_weak",
                severity="warn" if bind == "loopback" else "critical",
                title=f"Gateway {name} can be guessed",
                detail=f"gateway.auth.{name} {reason}.",
                fix=f"Set gateway.auth.{name} to at least 16 random characters.",
            )
    if dig(gateway, "tailscale", "mode") == "funnel":
        yield Finding(
            check_id="gateway.tailscale_funnel",
            severity="critical",
            title="Tailscale Funnel publishes the gateway",
            detail='gateway.tailscale.mode="funnel" makes it reachable from the whole internet.',
            fix='Use gateway.tailscale.mode="serve", or "off".',
        )
    yield from _control_ui(dig(gateway, "controlUi"))


def _control_ui(settings: object) -> Iterator[Finding]:
    if dig(settings, "allowInsecureAuth") is True:
        yield Finding(
            check_id="gateway.control_ui.insecure_auth",
            severity="critical",
            title="The page works without a device identity",
            detail="gateway.controlUi.allowInsecureAuth=true lets in who has only the secret.",
            fix="Unset it and use HTTPS or localhost.",
        )
    if dig(settings, "dangerouslyDisableDeviceAuth") is True:
        yield Finding(
            check_id="gateway.control_ui.device_auth_disabled",
            severity="critical",
            title="The page's device identity is not checked",
            detail="gateway.controlUi.dangerouslyDisableDeviceAuth=true.",
            fix="Unset it.",
        )
    if "*" in (dig(settings, "allowedOrigins") or ()):
        yield Finding(
            check_id="gateway.control_ui.any_origin",
            severity="warn",
            title="Every web page may connect",
            detail='gateway.controlUi.allowedOrigins contains "*".',
            fix="Name the origins that need it.",
        )
