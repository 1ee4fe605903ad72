"""
What the system's own supervisor says of the gateway. It is only asked here, never changed.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from openclaw.cli.context import Context

NODE_UNIT = "openclaw-node.service"

_ASKED = "LoadState,UnitFileState,ActiveState,SubState,MainPID,ExecMainStatus,ExecMainCode,FragmentPath"
_SHOWN = (
    "OPENCLAW_PROFILE",
    "OPENCLAW_STATE_DIR",
    "OPENCLAW_CONFIG_PATH",
    "OPENCLAW_GATEWAY_PORT",
    "OPENCLAW_NIX_MODE",
)


@frozen(kw_only=True)
class Supervised:
    """
    The gateway as a service of the system.

    :ivar loaded: whether the system starts it by itself.
    :ivar command: what it starts; ``None`` when there is no such service.
    """

    label: str
    loaded: bool
    runtime: Mapping[str, Any]
    command: Mapping[str, Any] | None = None

    @property
    def loaded_text(self) -> str:
        """
        ``enabled`` or ``disabled``.
        """
        return "enabled" if self.loaded else "disabled"

    def payload(self) -> dict[str, Any]:
        """
        The shape of ``gateway status --json``.
        """
        return {
            "label": self.label,
            "loaded": self.loaded,
            "loadedText": "enabled",
            "notLoadedText": "disabled",
            "command": None if self.command is None else dict(self.command),
            "runtime": dict(self.runtime),
        }

    def runtime_line(self) -> str:
        """
        How it runs, for people.
        """
        runtime = self.runtime
        if runtime.get("missingUnit"):
            return "not installed"
        facts = [f"pid {runtime['pid']}"] if runtime.get("pid") else []
        names = {"state": "state", "subState": "sub", "lastExitStatus": "last exit", "lastExitReason": "reason"}
        facts += [f"{name} {runtime[key]}" for key, name in names.items() if key in runtime]
        facts += [str(runtime["detail"])] if "detail" in runtime else []
        return f"{runtime['status']} ({', '.join(facts)})" if facts else str(runtime["status"])


def unit_name(environ: Mapping[str, str]) -> str:
    """
    The systemd unit of this profile.
    """
    named = environ.get("OPENCLAW_SYSTEMD_UNIT", "").strip()
    if named:
        return named if named.endswith(".service") else f"{named}.service"
    profile = environ.get("OPENCLAW_PROFILE", "").strip()
    return "openclaw-gateway.service" if profile.lower() in ("", "default") else f"openclaw-gateway-{profile}.service"


def inspect_service(context: Context, unit: str | None = None) -> Supervised:
    """
    Ask the supervisor; costs a child process.

    :param unit: another one than the gateway's.
    """
    if not sys.platform.startswith("linux"):
        label = "LaunchAgent" if sys.platform == "darwin" else "Scheduled Task"
        detail = "this version does not ask this system's supervisor"
        return Supervised(label=label, loaded=False, runtime={"status": "unknown", "detail": detail})
    systemctl = shutil.which("systemctl", path=context.environ.get("PATH"))
    if systemctl is None:
        return _unknown("systemctl not found")
    command = [systemctl, "--user", "show", unit or unit_name(context.environ), f"--property={_ASKED}"]
    try:
        done = subprocess.run(  # noqa: S603 - the unit's name is one argument, whatever it is
            command, capture_output=True, text=True, timeout=5, check=False, env=dict(context.environ)
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return _unknown(str(error))
    if done.returncode != 0:
        return _unknown(done.stderr.strip() or f"systemctl ended with {done.returncode}")
    return parse_show(dict(line.partition("=")[::2] for line in done.stdout.splitlines()), _read)


def _unknown(detail: str) -> Supervised:
    return Supervised(label="systemd", loaded=False, runtime={"status": "unknown", "detail": detail})


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def parse_show(told: Mapping[str, str], read: Any = _read) -> Supervised:
    """
    What ``systemctl show`` says.

    :param read: gives the text of a unit file.
    """
    if told.get("LoadState") == "not-found":
        return Supervised(label="systemd", loaded=False, runtime={"status": "stopped", "missingUnit": True})
    runtime: dict[str, Any] = {"status": "running" if told.get("ActiveState") == "active" else "stopped"}
    runtime |= {"state": told.get("ActiveState", ""), "subState": told.get("SubState", "")}
    if told.get("MainPID", "0") != "0":
        runtime["pid"] = int(told["MainPID"])
    if told.get("ExecMainStatus", "").isdecimal():
        runtime["lastExitStatus"] = int(told["ExecMainStatus"])
        runtime["lastExitReason"] = told.get("ExecMainCode", "")
    path = told.get("FragmentPath", "")
    enabled = told.get("UnitFileState", "") in ("enabled", "enabled-runtime", "static")
    return Supervised(label="systemd", loaded=enabled, runtime=runtime, command=parse_unit(read(path), path))


def parse_unit(text: str, path: str) -> dict[str, Any] | None:
    """
    The command of a unit file. Of its environment only what is no secret.
    """
    arguments: list[str] = []
    environment: dict[str, str] = {}
    directory = None
    for line in text.splitlines():
        name, _, value = line.strip().partition("=")
        try:
            if name == "ExecStart":
                arguments = shlex.split(value)
            elif name == "WorkingDirectory":
                directory = value
            elif name == "Environment":
                environment |= dict(pair.partition("=")[::2] for pair in shlex.split(value))
        except ValueError:
            continue  # A quote that does not end: systemd does not understand the line either.
    if not arguments:
        return None
    shown = {name: environment[name] for name in _SHOWN if name in environment}
    command: dict[str, Any] = {"programArguments": arguments}
    if directory:
        command["workingDirectory"] = directory
    return {**command, "environment": shown, "sourcePath": path}
