"""
What is wrong with the service that is installed, though it may run (``service.md`` 8.1). ``gateway status`` and
``doctor`` tell of it; ``gateway install --force`` mends all of it, and ``doctor --fix`` does the same with a backup.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from openclaw import __version__
from openclaw.daemon.base import KIND, MARKER, VERSION, Supervised, Surroundings
from openclaw.daemon.manage import TOKEN, expected_path
from openclaw.daemon.plist import members
from openclaw.daemon.unit import parse

AGGRESSIVE, RECOMMENDED = "aggressive", "recommended"
_MANAGERS = (".nvm", ".fnm", ".volta", ".asdf", ".nodenv", ".nodebrew", "nvs", "pnpm", ".pyenv")
#: What the program before this one wrote, and this one does not.
_SETTINGS_OF_BEFORE = ("KillMode",)
_VARIABLES_OF_BEFORE = ("OPENCLAW_", "CLAWDBOT_", "MOLTBOT_", "NODE_")


@frozen(kw_only=True)
class AuditIssue:
    """
    One finding.

    :ivar level: ``aggressive`` if the service cannot work like that, else ``recommended``.
    """

    code: str
    message: str
    level: str = RECOMMENDED
    detail: str | None = None

    def payload(self) -> dict[str, str]:
        """
        The shape of ``gateway status --json``.
        """
        found = {"code": self.code, "message": self.message, "level": self.level}
        return found if self.detail is None else {**found, "detail": self.detail}


def audit(
    service: Supervised,
    around: Surroundings,
    *,
    port: int | None = None,
    program: tuple[str, ...] | None = None,
    token: str | None = None,
    stop_seconds: int | None = None,
) -> list[AuditIssue]:
    """
    Look at a service that was inspected; nothing is wrong with one that does not exist.

    :param port: that of the configuration, to compare with the service's.
    :param program: that of this installation, to compare with the service's; ``None`` does not compare.
    :param token: that of the configuration, to compare with one in the service file.
    :param stop_seconds: what the gateway may need to end.
    """
    if service.command is None:
        return []
    issues = [
        # One that somebody has put there in a file of their own is meant to be another.
        *_command(service.command, port, None if "ExecStart=" in service.dropins else program),
        *_path(service.environment.get("PATH"), around),
        *_metadata(service.environment),
        *_token(service, token),
    ]
    if around.platform.startswith("linux"):
        issues += _systemd(service, stop_seconds)
    elif around.platform == "darwin":
        issues += _launchd(service)
    return issues


def _command(command: Mapping[str, Any], port: int | None, program: tuple[str, ...] | None) -> Iterator[AuditIssue]:
    arguments = list(command["programArguments"])
    if "gateway" not in arguments:
        message = "Service command does not include the gateway subcommand"
        yield AuditIssue(code="gateway-command-missing", message=message, level=AGGRESSIVE)
        return
    before = arguments[: arguments.index("gateway")]
    if program is not None and before != list(program):
        message = "Gateway service entrypoint does not match the current install."
        detail = f"{' '.join(before)} -> {' '.join(program)}"
        yield AuditIssue(code="gateway-entrypoint-mismatch", message=message, detail=detail)
    own = arguments[arguments.index("--port") + 1] if "--port" in arguments[:-1] else None
    if port is not None and own is not None and own != str(port):
        message = "Gateway service port does not match the configuration."
        yield AuditIssue(code="gateway-port-mismatch", message=message, detail=f"{own} -> {port}")


def _path(path: str | None, around: Surroundings) -> Iterator[AuditIssue]:
    if not path:
        message = "Gateway service PATH is not set; the daemon should use a minimal PATH."
        yield AuditIssue(code="gateway-path-missing", message=message)
        return
    given = [os.path.normpath(part) for part in path.split(os.pathsep) if part]
    missing = [part for part in expected_path(around) if part not in given]
    if missing:
        message = f"Gateway service PATH missing required dirs: {', '.join(missing)}"
        yield AuditIssue(code="gateway-path-missing-dirs", message=message)
    managed = [part for part in given if set(Path(part).parts) & set(_MANAGERS)]
    if managed:
        message = "Gateway service PATH includes version managers or package managers; recommend a minimal PATH."
        yield AuditIssue(code="gateway-path-nonminimal", message=message, detail=", ".join(managed))


def _metadata(environment: Mapping[str, str]) -> Iterator[AuditIssue]:
    missing = [name for name in (MARKER, KIND, VERSION) if not environment.get(name)]
    if missing:
        message = f"Gateway service metadata is missing: {', '.join(missing)}"
        yield AuditIssue(code="gateway-metadata-missing", message=message)
    elif environment[VERSION] != __version__:
        message = "Gateway service was installed by another version."
        yield AuditIssue(
            code="gateway-version-mismatch", message=message, detail=f"{environment[VERSION]} -> {__version__}"
        )


def _token(service: Supervised, token: str | None) -> Iterator[AuditIssue]:
    if TOKEN not in service.text:
        return
    message = "Gateway service file contains the gateway's token; it belongs in the configuration."
    yield AuditIssue(code="gateway-token-embedded", message=message)
    if token is not None and service.environment.get(TOKEN, token) != token:
        message = "Gateway service file contains another token than the configuration."
        yield AuditIssue(code="gateway-token-mismatch", message=message)


def custom_edits(service: Supervised, text: str, configured: Collection[str] = ()) -> list[str]:
    """
    What somebody has added to a unit, and would lose with it: settings, arguments and variables that neither this
    program writes nor the one before it wrote.

    :param text: of the unit that would take its place.
    :param configured: names of variables that the configuration sets, and the program before it copied into the unit.
    :return: their names. Only units are looked at.
    """
    if service.label != "systemd":
        return []
    before, after = parse(service.text), parse(text)
    settings = [name for name in before.settings if name not in after.settings and name not in _SETTINGS_OF_BEFORE]
    rest = before.arguments[before.arguments.index("gateway") + 1 :] if "gateway" in before.arguments else []
    arguments = [word.partition("=")[0] for word in rest if word.startswith("-") and word.partition("=")[0] != "--port"]
    variables = [
        name
        for name in before.environment
        if not name.startswith(_VARIABLES_OF_BEFORE) and name not in {*after.environment, *configured}
    ]
    return [*settings, *arguments, *variables]


def _systemd(service: Supervised, stop_seconds: int | None) -> Iterator[AuditIssue]:
    unit, detail = parse(f"{service.text}\n{service.dropins}"), str((service.command or {}).get("sourcePath", ""))
    for name in ("After", "Wants"):
        if not any("network-online.target" in value.split() for value in unit.settings.get(name, ())):
            message = f"Missing systemd {name}=network-online.target"
            yield AuditIssue(code=f"systemd-{name.lower()}-network-online", message=message, detail=detail)
    if not _is_five(unit.last("RestartSec") or ""):
        message = "RestartSec does not match the recommended 5s"
        yield AuditIssue(code="systemd-restart-sec", message=message, detail=detail)
    limit = (unit.last("TimeoutStopSec") or "").removesuffix("s")
    if stop_seconds is not None and limit.isdecimal() and int(limit) < stop_seconds:
        message = f"TimeoutStopSec={limit} ends the gateway before gateway.shutdown.drainMs has passed"
        yield AuditIssue(code="systemd-stop-timeout", message=message, detail=detail)


def _is_five(text: str) -> bool:
    try:
        return abs(float(text.strip().removesuffix("s").removesuffix("ec")) - 5) <= 0.01
    except ValueError:
        return False


def _launchd(service: Supervised) -> Iterator[AuditIssue]:
    detail = str((service.command or {}).get("sourcePath", ""))
    plist = members(service.text.encode())
    if not plist:
        return  # Broken, or a binary one.
    for key, code in (("RunAtLoad", "launchd-run-at-load"), ("KeepAlive", "launchd-keep-alive")):
        if plist.get(key) is not True:
            yield AuditIssue(code=code, message=f"LaunchAgent is missing {key}=true", detail=detail)
