"""
systemd: a unit of the user's own manager, or one of the machine's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from attrs import frozen

from openclaw.config.dotenv import read_dotenv
from openclaw.config.paths import profiled, state_dir, variable
from openclaw.daemon.actions import Action, Remove, Run, ServiceFailed, Write
from openclaw.daemon.base import Spec, Supervised, Surroundings, shown_command
from openclaw.daemon.runner import NOT_FOUND
from openclaw.daemon.unit import parse, render, render_secrets

NODE_UNIT = "openclaw-node.service"

_LEGACY = ("clawdbot-gateway*.service", "moltbot-gateway*.service")
_ASKED = "LoadState,UnitFileState,ActiveState,SubState,MainPID,ExecMainStatus,ExecMainCode,FragmentPath,DropInPaths"
_ENABLED = ("enabled", "enabled-runtime", "static", "linked", "linked-runtime")


def unit_name(environ: Mapping[str, str]) -> str:
    """
    The systemd unit of this profile.
    """
    named = environ.get("OPENCLAW_SYSTEMD_UNIT", "").strip()
    if named:
        return named if named.endswith(".service") else f"{named}.service"
    profile = environ.get("OPENCLAW_PROFILE", "").strip()
    return "openclaw-gateway.service" if profile.lower() in ("", "default") else f"openclaw-gateway-{profile}.service"


def unavailable_hints(environ: Mapping[str, str], root: Path = Path("/")) -> tuple[str, ...]:
    """
    What works where there is no user's systemd.
    """
    if variable(environ, "WSL_DISTRO_NAME", "WSL_INTEROP"):
        return (
            "WSL2 needs systemd enabled: edit /etc/wsl.conf with [boot] systemd=true",
            "Then run: wsl --shutdown (from PowerShell) and reopen your distro.",
            "Verify: systemctl --user status",
        )
    hints = [
        "systemd user services are unavailable; install/enable systemd or run the gateway under your supervisor.",
        "If you're in a container, run the gateway in the foreground instead of `openclaw gateway`.",
    ]
    if (root / "run/systemd/system").is_dir():
        # The machine has systemd, only this login has no manager: ssh, sudo, su.
        hints.append("For a service of the machine: sudo openclaw gateway install --system --user <name>")
    return (*hints, profiled(environ, "In the foreground: openclaw gateway run"))


@frozen(kw_only=True)
class Systemd:
    """
    The gateway as a unit.

    :ivar unit: another one than the gateway's.
    """

    label: ClassVar[str] = "systemd"
    around: Surroundings
    unit: str | None = None

    @property
    def name(self) -> str:
        return self.unit or unit_name(self.around.environ)

    @property
    def path(self) -> Path:
        if self.around.system:
            return self.around.root / "etc/systemd/system" / self.name
        return self.around.home / ".config" / "systemd" / "user" / self.name

    @property
    def start_hint(self) -> str:
        return " ".join(self._command("start", self.name))

    @property
    def state_hint(self) -> str:
        return " ".join(self._command("status", self.name))

    def check(self) -> None:
        done = self.around.run(*self._command("is-system-running" if self.around.system else "status"))
        hints = unavailable_hints(self.around.environ, self.around.root)
        if done.code == NOT_FOUND or "not found" in done.said.lower():
            text = "systemctl not available; systemd user services are required on Linux."
            raise ServiceFailed(text, hints, missing=True)
        if self.around.system:
            # "degraded" is a failure to systemd, but not to us.
            if done.output.strip() in ("offline", "unknown", ""):
                raise ServiceFailed(f"systemctl unavailable: {done.said}", hints)
        elif done.code != 0:
            raise ServiceFailed(f"systemctl --user unavailable: {done.said}", hints)

    def is_loaded(self) -> bool:
        return self.around.run(*self._command("is-enabled", self.name)).code == 0

    def can_start(self) -> bool:
        return self.is_loaded()

    def inspect(self) -> Supervised:
        done = self.around.run(*self._command("show", self.name, "--no-page", f"--property={_ASKED}"))
        if done.code != 0:
            if (
                "not found" in done.said.lower() and done.code != NOT_FOUND
            ) or "could not be found" in done.said.lower():
                return parse_show({"LoadState": "not-found"})
            return Supervised(label=self.label, loaded=False, runtime={"status": "unknown", "detail": done.said})
        return parse_show(dict(line.partition("=")[::2] for line in done.output.splitlines()), _read)

    def prepare(self) -> tuple[list[str], list[str]]:
        """
        Without lingering the user's manager ends with the last login, and the gateway with it.
        """
        user = self.around.user
        if self.around.system or "Linger=yes" in self.around.run("loginctl", "show-user", user, "-p", "Linger").output:
            return [], []
        for before in ((), ("sudo", "-n")):
            if self.around.run(*before, "loginctl", "enable-linger", user).code == 0:
                return [f"Enabled systemd lingering for {user}."], []
        return [], [
            f"Systemd lingering is disabled for {user}. Run: sudo loginctl enable-linger {user}",
            "Until then the gateway ends when the last login of this user does.",
        ]

    def install(self, spec: Spec) -> list[Action]:
        file = self._secrets(spec.state)
        # What an earlier call has put there, and this shell does not have, is still needed.
        before = {name: value for name, value in read_dotenv(file).items() if name in spec.needed}
        secrets = dict(sorted({**before, **spec.secrets}.items()))
        known = file if secrets or (file.exists() and not spec.configured) else None
        text = render(spec, secrets=known, user=self.around.user if self.around.system else None)
        actions: list[Action] = []
        if spec.secrets:
            actions.append(Write(path=file, text=render_secrets(secrets), secret=True))
        return [
            *self._legacy(),
            *actions,
            Write(path=self.path, text=text),
            self._step("daemon-reload"),
            self._step("enable", self.name),
            # A restart waits until the old process has left, and so for its port.
            self._step("restart", self.name),
            *([Remove(path=file)] if known is None and file.exists() else ()),
        ]

    def uninstall(self) -> list[Action]:
        secrets = self._secrets(state_dir(self.around.environ, self.around.home))
        return [
            self._step("disable", "--now", self.name, may_fail=True),
            Remove(path=self.path),
            *([Remove(path=secrets)] if secrets.exists() else ()),
            self._step("daemon-reload", may_fail=True),
        ]

    def start(self) -> list[Action]:
        return [self._step("restart", self.name)]

    def stop(self) -> list[Action]:
        return [self._step("stop", self.name)]

    def verify(self, *, running: bool) -> None:
        runtime = self.inspect().runtime
        state = runtime.get("state", runtime["status"])
        if running and state not in ("active", "activating", "reloading"):
            raise ServiceFailed(
                f"{self.name} does not run: it is {state}", (f"Logs: {self.logs_command()}", "openclaw gateway status")
            )
        if not running and state not in ("inactive", "failed", "stopped"):
            raise ServiceFailed(f"{self.name} still runs: it is {state}", ("openclaw gateway status --deep",))

    def legacy(self) -> list[Path]:
        return sorted(path for pattern in _LEGACY for path in self.path.parent.glob(pattern))

    def retire(self, path: Path) -> list[Action]:
        return [self._step("disable", "--now", path.name, may_fail=True)]

    def reread(self) -> list[Action]:
        return [self._step("daemon-reload")]

    def logs_command(self, lines: int = 200) -> str:
        """
        Where systemd keeps what the gateway prints.
        """
        scope = "" if self.around.system else "--user "
        return f"journalctl {scope}-u {self.name} -n {lines} --no-pager"

    def told(self, action: str) -> list[str]:
        if action == "install":
            return [f"Installed systemd service: {self.path}"]
        if action == "uninstall":
            return [f"Removed systemd service: {self.path}"]
        return [f"{'Stopped' if action == 'stop' else 'Restarted'} systemd service: {self.name}"]

    def absent(self) -> str:
        """
        What to tell of an uninstallation that found nothing.
        """
        return f"Systemd service not found at {self.path}"

    def _command(self, *arguments: str) -> tuple[str, ...]:
        return ("systemctl", *(() if self.around.system else ("--user",)), *arguments)

    def _step(self, verb: str, *arguments: str, may_fail: bool = False) -> Run:
        return Run(command=self._command(verb, *arguments), name=f"systemctl {verb}", may_fail=may_fail)

    def _secrets(self, state: Path) -> Path:
        if self.around.system:
            # systemd reads it before it becomes the user.
            return self.around.root / "etc/openclaw" / f"{self.name.removesuffix('.service')}.env"
        return state / "service.env"

    def _legacy(self) -> list[Action]:
        actions: list[Action] = []
        for path in self.legacy():
            # Kept, under a name that systemd does not read.
            actions += [*self.retire(path), Remove(path=path, to=path.with_name(f"{path.name}.replaced"))]
        return actions


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def parse_show(told: Mapping[str, str], read: Callable[[str], str] = _read) -> Supervised:
    """
    What ``systemctl show`` says.

    :param read: gives the text of a unit file.
    """
    if told.get("LoadState") == "not-found":
        return Supervised(label="systemd", loaded=False, runtime={"status": "stopped", "missingUnit": True})
    state = told.get("ActiveState", "")
    status = "running" if state == "active" else "stopped" if state else "unknown"
    runtime: dict[str, Any] = {"status": status, "state": state, "subState": told.get("SubState", "")}
    if told.get("MainPID", "0").isdecimal() and told.get("MainPID", "0") != "0":
        runtime["pid"] = int(told["MainPID"])
    if told.get("ExecMainStatus", "").isdecimal():
        runtime["lastExitStatus"] = int(told["ExecMainStatus"])
        runtime["lastExitReason"] = told.get("ExecMainCode", "")
    path = told.get("FragmentPath", "")
    text = read(path) if path else ""
    # What others have added comes after it, and counts.
    dropins = "\n".join(read(one) for one in told.get("DropInPaths", "").split())
    unit = parse(f"{text}\n{dropins}")
    command = None
    if unit.arguments:
        command = shown_command(unit.arguments, unit.last("WorkingDirectory"), unit.environment, path)
    return Supervised(
        label="systemd",
        loaded=told.get("UnitFileState", "") in _ENABLED,
        runtime=runtime,
        command=command,
        environment=unit.environment,
        text=text,
        dropins=dropins,
    )
