"""
Windows: a task that starts when its user logs on, and the script that it runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from attrs import evolve, frozen

from openclaw.config.paths import expand, profiled, state_dir, variable
from openclaw.daemon.actions import Action, Remove, Run, ServiceFailed, Write
from openclaw.daemon.base import Spec, Supervised, Surroundings, shown_command
from openclaw.daemon.dotenv import with_variables
from openclaw.daemon.runner import NOT_FOUND

_TEXTS = ("registered", "missing")
_GONE = ("cannot find", "does not exist")
_NOT_RUNNING = ("no running instance", "not currently running")


def task_name(environ: Mapping[str, str]) -> str:
    """
    The name of this profile's task.
    """
    named = variable(environ, "OPENCLAW_WINDOWS_TASK_NAME")
    if named is not None:
        return named
    profile = variable(environ, "OPENCLAW_PROFILE") or "default"
    return "OpenClaw Gateway" if profile.lower() == "default" else f"OpenClaw Gateway ({profile})"


@frozen(kw_only=True)
class ScheduledTask:
    """
    The gateway as a task.
    """

    label: ClassVar[str] = "Scheduled Task"
    around: Surroundings

    @property
    def name(self) -> str:
        return task_name(self.around.environ)

    @property
    def path(self) -> Path:
        environ, home = self.around.environ, self.around.home
        named = variable(environ, "OPENCLAW_TASK_SCRIPT")
        if named is not None:
            return expand(named, home)
        return state_dir(environ, home) / (variable(environ, "OPENCLAW_TASK_SCRIPT_NAME") or "gateway.cmd")

    @property
    def start_hint(self) -> str:
        return f'schtasks /Run /TN "{self.name}"'

    @property
    def state_hint(self) -> str:
        return f'schtasks /Query /V /FO LIST /TN "{self.name}"'

    def check(self) -> None:
        done = self.around.run("schtasks", "/Query")
        if done.code != 0:
            hints = (profiled(self.around.environ, "In the foreground: openclaw gateway run"),)
            raise ServiceFailed(f"schtasks unavailable: {done.said}", hints, missing=done.code == NOT_FOUND)

    def is_loaded(self) -> bool:
        return self.around.run("schtasks", "/Query", "/TN", self.name).code == 0

    def can_start(self) -> bool:
        return self.is_loaded()

    def inspect(self) -> Supervised:
        done = self.around.run("schtasks", "/Query", "/TN", self.name, "/V", "/FO", "LIST")
        text = _read(self.path)
        arguments, environment, directory = parse_script(text)
        command = shown_command(arguments, directory, environment, str(self.path)) if arguments else None
        return Supervised(
            label=self.label,
            loaded=done.code == 0,
            runtime=_runtime(done.code, done.output, done.said),
            command=command,
            texts=_TEXTS,
            environment=environment,
            text=text,
        )

    def prepare(self) -> tuple[list[str], list[str]]:
        return [], []

    def install(self, spec: Spec) -> list[Action]:
        if self.around.system:
            raise ServiceFailed("--system is not available on Windows: tasks belong to their user")
        actions: list[Action] = []
        if spec.secrets:
            file = spec.state / ".env"
            actions.append(Write(path=file, text=with_variables(file, spec.secrets), secret=True))
        create = ("/Create", "/F", "/SC", "ONLOGON", "/RL", "LIMITED", "/TN", self.name, "/TR", f'"{self.path}"')
        return [
            *actions,
            Write(path=self.path, text=render_script(spec)),
            # The first form asks for no password; a system that does not know it takes the second.
            evolve(self._run(*create, "/RU", self.around.user, "/NP", "/IT"), otherwise=("schtasks", *create)),
            self._run("/Run", "/TN", self.name),
        ]

    def uninstall(self) -> list[Action]:
        return [
            self._run("/End", "/TN", self.name, may_fail=True),
            self._run("/Delete", "/F", "/TN", self.name, fine=_GONE),
            Remove(path=self.path),
        ]

    def start(self) -> list[Action]:
        return [self._run("/End", "/TN", self.name, may_fail=True), self._run("/Run", "/TN", self.name)]

    def stop(self) -> list[Action]:
        return [self._run("/End", "/TN", self.name, fine=_NOT_RUNNING)]

    def verify(self, *, running: bool) -> None:
        runtime = self.inspect().runtime
        if runtime["status"] == "unknown" or (runtime["status"] == "running") == running:
            return
        state = runtime.get("state", runtime["status"])
        raise ServiceFailed(
            f"{self.name} {'does not run' if running else 'still runs'}: it is {state}",
            ("openclaw gateway status",),
        )

    def legacy(self) -> list[Path]:
        return []

    def retire(self, path: Path) -> list[Action]:
        return []

    def reread(self) -> list[Action]:
        return []

    def told(self, action: str) -> list[str]:
        if action == "install":
            return [f"Installed Scheduled Task: {self.name}", f"Task script: {self.path}"]
        if action == "uninstall":
            return [f"Removed Scheduled Task: {self.name}", f"Removed task script: {self.path}"]
        return [f"{'Stopped' if action == 'stop' else 'Restarted'} Scheduled Task: {self.name}"]

    def absent(self) -> str:
        """
        What to tell of an uninstallation that found nothing.
        """
        return f"Task script not found at {self.path}"

    def _run(self, *arguments: str, may_fail: bool = False, fine: tuple[str, ...] = ()) -> Run:
        return Run(command=("schtasks", *arguments), name=f"schtasks {arguments[0]}", may_fail=may_fail, fine=fine)


def render_script(spec: Spec) -> str:
    """
    The script that the task runs. The command interpreter fills in ``%NAME%``, so a percent sign is doubled.
    """

    def plain(text: str) -> str:
        return text.replace("%", "%%")

    settings = [f'set "{name}={plain(value)}"' for name, value in spec.environment.items()]
    command = " ".join(f'"{plain(part)}"' if " " in part else plain(part) for part in spec.command)
    lines = ["@echo off", f"rem {spec.description}", f'cd /d "{plain(str(spec.directory))}"', *settings, command]
    return "".join(f"{line}\r\n" for line in lines)


def parse_script(text: str) -> tuple[list[str], dict[str, str], str | None]:
    """
    :return: the command, the variables, the directory.
    """
    arguments: list[str] = []
    environment: dict[str, str] = {}
    directory = None
    for line in text.replace("%%", "%").splitlines():
        lower = line.lower()
        if lower.startswith("set "):
            name, _, value = line[4:].strip().strip('"').partition("=")
            environment[name] = value
        elif lower.startswith("cd /d "):
            directory = line[6:].strip().strip('"')
        elif line.strip() and not lower.startswith(("@echo", "rem ", "::")):
            arguments = _words(line)
    return arguments, environment, directory


def _words(line: str) -> list[str]:
    words, word, quoted = [], "", False
    for letter in f"{line.strip()} ":
        if letter == '"':
            quoted = not quoted
        elif letter == " " and not quoted:
            words += [word] if word else []
            word = ""
        else:
            word += letter
    return words


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _runtime(code: int, output: str, said: str) -> dict[str, Any]:
    if code != 0:
        if any(text in said.lower() for text in _GONE):
            return {"status": "stopped", "missingUnit": True}
        return {"status": "unknown", "detail": said}
    facts = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in output.splitlines())}
    state = facts.get("Status", "")
    runtime: dict[str, Any] = {
        "status": "running" if state.lower() == "running" else "stopped" if state else "unknown",
        "state": state,
    }
    names = {"lastRunTime": "Last Run Time", "lastRunResult": "Last Result"}
    for key, name in names.items():
        value = facts.get(name, facts.get("Last Run Result", "") if key == "lastRunResult" else "")
        runtime |= {key: value} if value else {}
    return runtime
