"""
launchd: an agent of the user's session, or a daemon of the machine.
"""

from __future__ import annotations

import plistlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from attrs import evolve, frozen

from openclaw.config.paths import profiled, state_dir, variable
from openclaw.daemon.actions import Action, Directory, Remove, Run, ServiceFailed, Write
from openclaw.daemon.base import Spec, Supervised, Surroundings, shown_command
from openclaw.daemon.dotenv import with_variables
from openclaw.daemon.plist import Program, members
from openclaw.daemon.runner import NOT_FOUND

_PREFIX = "bot.molt"
#: The labels of earlier programs; those of this profile only where they are named after profiles.
_LEGACY = ("com.openclaw.*.plist", "*clawdbot*.plist", "*moltbot*.plist")
_GONE = ("no such process", "could not find service", "not found")
_TEXTS = ("loaded", "not loaded")
#: What ``launchctl`` says of a service that it does not have.
_NO_SUCH_SERVICE = 113


def label_of(environ: Mapping[str, str]) -> str:
    """
    The label of this profile's agent.
    """
    named = variable(environ, "OPENCLAW_LAUNCHD_LABEL")
    if named is not None:
        return named
    profile = variable(environ, "OPENCLAW_PROFILE") or "default"
    return f"{_PREFIX}.{'gateway' if profile.lower() == 'default' else profile}"


@frozen(kw_only=True)
class Launchd:
    """
    The gateway as an agent or a daemon.
    """

    label: ClassVar[str] = "LaunchAgent"
    around: Surroundings

    @property
    def name(self) -> str:
        return label_of(self.around.environ)

    @property
    def domain(self) -> str:
        return "system" if self.around.system else f"gui/{self.around.uid}"

    @property
    def target(self) -> str:
        return f"{self.domain}/{self.name}"

    @property
    def path(self) -> Path:
        if self.around.system:
            return self.around.root / "Library/LaunchDaemons" / f"{self.name}.plist"
        return self.around.home / "Library" / "LaunchAgents" / f"{self.name}.plist"

    @property
    def start_hint(self) -> str:
        if self.around.system:
            return f"sudo launchctl bootstrap system {self.path}"
        return f"launchctl bootstrap gui/$UID ~/Library/LaunchAgents/{self.name}.plist"

    @property
    def state_hint(self) -> str:
        return f"launchctl print {self.target}"

    def check(self) -> None:
        if self.around.run("launchctl", "help").code == NOT_FOUND:
            hints = (profiled(self.around.environ, "In the foreground: openclaw gateway run"),)
            raise ServiceFailed("launchctl not available", hints, missing=True)

    def is_loaded(self) -> bool:
        return self.around.run("launchctl", "print", self.target).code == 0

    def can_start(self) -> bool:
        # A stop unloads it; its file says that it is meant to be there.
        return self.is_loaded() or self.path.exists()

    def inspect(self) -> Supervised:
        done = self.around.run("launchctl", "print", self.target)
        text, plist = _plist(self.path)
        command = None
        program = Program.of(plist)
        if program.arguments:
            place = plist.get("WorkingDirectory")
            command = shown_command(program.arguments, place, program.environment, str(self.path))
        return Supervised(
            label=self.label,
            loaded=done.code == 0,
            runtime=_runtime(done.code, done.output, done.said, installed=bool(plist)),
            command=command,
            texts=_TEXTS,
            environment=program.environment,
            text=text,
        )

    def prepare(self) -> tuple[list[str], list[str]]:
        if self.around.system:
            return [], []
        return [], ["A LaunchAgent runs while its user is logged in; --system makes a LaunchDaemon."]

    def install(self, spec: Spec) -> list[Action]:
        marker = self.around.home / ".openclaw" / "disable-launchagent"
        if marker.exists() and not self.around.system:
            raise ServiceFailed(
                f"LaunchAgent writes are disabled by {marker}",
                (f"The OpenClaw app looks after the gateway; to do it here: rm {marker}",),
            )
        # A daemon is installed by root, and runs as somebody else.
        owner = self.around.uid if self.around.system else None
        actions: list[Action] = []
        if spec.secrets:
            file = spec.state / ".env"
            actions.append(Write(path=file, text=with_variables(file, spec.secrets), secret=True, owner=owner))
        logs, prefix = spec.state / "logs", variable(self.around.environ, "OPENCLAW_LOG_PREFIX") or "gateway"
        plist: dict[str, Any] = {
            "Label": self.name,
            "Comment": spec.description,
            "RunAtLoad": True,
            "KeepAlive": True,
            "ProgramArguments": spec.command,
            "WorkingDirectory": str(spec.directory),
            # launchd ends what takes longer, and runs may go on for a while.
            "ExitTimeOut": spec.stop_seconds,
            "StandardOutPath": str(logs / f"{prefix}.log"),
            "StandardErrorPath": str(logs / f"{prefix}.err.log"),
            "EnvironmentVariables": dict(spec.environment),
        }
        if self.around.system:
            plist["UserName"] = self.around.user
        return [
            *self._legacy(),
            *actions,
            Directory(path=logs, owner=owner),
            Write(path=self.path, text=plistlib.dumps(plist, sort_keys=False).decode()),
            self._run("bootout", self.domain, str(self.path), may_fail=True),
            self._run("unload", str(self.path), may_fail=True),
            # Clears a "disabled" that outlives the agent.
            self._run("enable", self.target, may_fail=True),
            self._bootstrap(),
            self._run("kickstart", "-k", self.target, may_fail=True),
        ]

    def uninstall(self) -> list[Action]:
        return [
            self._run("bootout", self.domain, str(self.path), may_fail=True),
            self._run("unload", str(self.path), may_fail=True),
            Remove(path=self.path, to=self._trash(self.path)),
        ]

    def start(self) -> list[Action]:
        if self.around.run("launchctl", "print", self.target).code != 0:
            # It was stopped, or a failed restart left it unloaded; kickstart alone would answer 113.
            return [
                self._run("enable", self.target, may_fail=True),
                self._bootstrap(),
                self._run("kickstart", "-k", self.target, may_fail=True),
            ]
        again = ("launchctl", "bootstrap", self.domain, str(self.path))
        return [evolve(self._run("kickstart", "-k", self.target), otherwise=again)]

    def stop(self) -> list[Action]:
        # KeepAlive would start again what is only killed.
        return [self._run("bootout", self.target, fine=_GONE)]

    def verify(self, *, running: bool) -> None:
        loaded = self.is_loaded()
        if running and not loaded:
            raise ServiceFailed(
                f"{self.target} is not loaded afterwards", (self.start_hint, f"launchctl enable {self.target}")
            )
        if not running and loaded:
            raise ServiceFailed(f"{self.target} is still loaded", (f"launchctl bootout {self.target}",))

    def legacy(self) -> list[Path]:
        names = (*_LEGACY, f"ai.openclaw.{self.around.profile or 'gateway'}.plist")
        return sorted({path for name in names for path in self.path.parent.glob(name)} - {self.path})

    def retire(self, path: Path) -> list[Action]:
        return [
            self._run("bootout", f"{self.domain}/{path.stem}", may_fail=True),
            self._run("unload", str(path), may_fail=True),
        ]

    def reread(self) -> list[Action]:
        return []

    def told(self, action: str) -> list[str]:
        if action == "install":
            logs = state_dir(self.around.environ, self.around.home) / "logs"
            prefix = variable(self.around.environ, "OPENCLAW_LOG_PREFIX") or "gateway"
            return [f"Installed LaunchAgent: {self.path}", f"Logs: {logs / f'{prefix}.log'}"]
        if action == "uninstall":
            return [f"Moved LaunchAgent to Trash: {self._trash(self.path)}"]
        return [f"{'Stopped' if action == 'stop' else 'Restarted'} LaunchAgent: {self.target}"]

    def absent(self) -> str:
        """
        What to tell of an uninstallation that found nothing.
        """
        return f"LaunchAgent not found at {self.path}"

    def _run(self, *arguments: str, may_fail: bool = False, fine: tuple[str, ...] = ()) -> Run:
        name = f"launchctl {arguments[0]}"
        return Run(command=("launchctl", *arguments), name=name, may_fail=may_fail, fine=fine)

    def _bootstrap(self) -> Run:
        """
        It answers 5 or 37 where the agent is loaded already, or just being loaded.
        """
        step = self._run("bootstrap", self.domain, str(self.path))
        return evolve(step, excused=("launchctl", "print", self.target))

    def _trash(self, path: Path) -> Path:
        return self.around.home / ".Trash" / path.name

    def _legacy(self) -> list[Action]:
        return [
            action for path in self.legacy() for action in (*self.retire(path), Remove(path=path, to=self._trash(path)))
        ]


def _plist(path: Path) -> tuple[str, dict[str, Any]]:
    """
    The text of a plist, and what it says; nothing where it cannot be read.
    """
    try:
        data = path.read_bytes()
    except OSError:
        return "", {}
    return data.decode(errors="replace"), members(data)


def _runtime(code: int, output: str, said: str, *, installed: bool) -> dict[str, Any]:
    if code != 0:
        gone = code == _NO_SUCH_SERVICE or any(text in said.lower() for text in _GONE)
        if not gone or code == NOT_FOUND:
            return {"status": "unknown", "detail": said}
        return {"status": "stopped", **({} if installed else {"missingUnit": True})}
    facts = {name.strip(): value.strip() for name, value in re.findall(r"^\s*([^=\n]+?)\s*=\s*(.+)$", output, re.M)}
    pid, state = facts.get("pid", ""), facts.get("state", "")
    runtime: dict[str, Any] = {"status": "running" if state == "running" or pid.isdecimal() else "stopped"}
    if state:
        runtime["state"] = state
    if pid.isdecimal():
        runtime["pid"] = int(pid)
    status = facts.get("last exit status", facts.get("last exit code", ""))
    if status.isdecimal():
        runtime["lastExitStatus"] = int(status)
    if "last exit reason" in facts:
        runtime["lastExitReason"] = facts["last exit reason"]
    return runtime if installed else {**runtime, "cachedLabel": True}
