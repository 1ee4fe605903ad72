"""
What all supervisors have in common: the description of the service, what is found out of it, and the interface.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol

from attrs import field, frozen

from openclaw.config.paths import variable
from openclaw.daemon.actions import Action
from openclaw.daemon.runner import Runner

MARKER, KIND, VERSION = "OPENCLAW_SERVICE_MARKER", "OPENCLAW_SERVICE_KIND", "OPENCLAW_SERVICE_VERSION"
#: What of a service's environment is shown: nothing that may be a secret.
SHOWN = (
    "OPENCLAW_PROFILE",
    "OPENCLAW_STATE_DIR",
    "OPENCLAW_CONFIG_PATH",
    "OPENCLAW_GATEWAY_PORT",
    "OPENCLAW_NIX_MODE",
)


@frozen(kw_only=True)
class Surroundings:
    """
    The system that the service is for.

    :ivar home: of the user that the gateway runs as.
    :ivar root: above all that is the system's own; a test has another.
    :ivar system: whether the service is the machine's instead of the user's.
    """

    environ: Mapping[str, str] = field(repr=False)
    home: Path
    run: Runner
    platform: str
    user: str
    uid: int
    root: Path = Path("/")
    system: bool = False

    @property
    def profile(self) -> str | None:
        """
        The profile, unless it is the default one.
        """
        name = variable(self.environ, "OPENCLAW_PROFILE")
        return None if name is None or name.lower() == "default" else name


@frozen(kw_only=True)
class Spec:
    """
    The service to be.

    :ivar program: what comes before ``gateway``.
    :ivar environment: no secrets.
    :ivar secrets: variables that go to a file which only the gateway's user reads.
    :ivar needed: names of variables that may stand in that file already, and stay there.
    :ivar configured: the configuration has the token; one in a file of an earlier installation is out of date.
    :ivar stop_seconds: how long a stop may take.
    """

    description: str
    program: tuple[str, ...]
    port: int
    directory: Path
    state: Path
    environment: Mapping[str, str]
    secrets: Mapping[str, str] = field(factory=dict, repr=False)
    needed: frozenset[str] = frozenset()
    configured: bool = False
    stop_seconds: int

    @property
    def command(self) -> list[str]:
        """
        What is started.
        """
        return [*self.program, "gateway", "--port", str(self.port)]


@frozen(kw_only=True)
class Supervised:
    """
    The gateway as a service of the system, as it was found.

    :ivar loaded: whether the system starts it by itself.
    :ivar command: what it starts; ``None`` when there is no such service.
    :ivar environment: what the service file sets, secrets of earlier programs too; for the audit, never shown.
    :ivar dropins: the text of what others have added to it in files of their own.
    :ivar text: of the service file; for the audit.
    """

    label: str
    loaded: bool
    runtime: Mapping[str, Any]
    command: Mapping[str, Any] | None = None
    texts: tuple[str, str] = ("enabled", "disabled")
    environment: Mapping[str, str] = field(factory=dict, repr=False)
    dropins: str = field(default="", repr=False)
    text: str = field(default="", repr=False)

    @property
    def loaded_text(self) -> str:
        """
        ``enabled`` or ``disabled``, in the supervisor's own words.
        """
        return self.texts[0] if self.loaded else self.texts[1]

    def brief(self) -> dict[str, Any]:
        """
        The shape in the answers of ``gateway install`` and its kin.
        """
        loaded, not_loaded = self.texts
        return {"label": self.label, "loaded": self.loaded, "loadedText": loaded, "notLoadedText": not_loaded}

    def payload(self) -> dict[str, Any]:
        """
        The shape of ``gateway status --json``.
        """
        command = None if self.command is None else dict(self.command)
        return {**self.brief(), "command": command, "runtime": dict(self.runtime)}

    def runtime_line(self) -> str:
        """
        How it runs, for people.
        """
        runtime = self.runtime
        if runtime.get("missingUnit"):
            return "not installed"
        facts = [f"pid {runtime['pid']}"] if runtime.get("pid") else []
        names = {"state": "state", "subState": "sub", "lastExitStatus": "last exit", "lastExitReason": "reason"}
        names |= {"lastRunResult": "last run", "lastRunTime": "at"}
        facts += [f"{name} {runtime[key]}" for key, name in names.items() if key in runtime]
        facts += [str(runtime["detail"])] if "detail" in runtime else []
        return f"{runtime['status']} ({', '.join(facts)})" if facts else str(runtime["status"])


class SystemService(Protocol):
    """
    One supervisor's view of the gateway. The lists are only plans; ``carry_out`` follows them.
    """

    label: ClassVar[str]

    @property
    def name(self) -> str:
        """Of the unit, the agent or the task."""

    @property
    def path(self) -> Path:
        """The service file, or the script that the task runs."""

    @property
    def start_hint(self) -> str:
        """The supervisor's own command that starts it."""

    @property
    def state_hint(self) -> str:
        """The supervisor's own command that shows how it is."""

    def check(self) -> None:
        """
        :raise ServiceFailed: there is no such supervisor here; with hints what works instead.
        """

    def is_loaded(self) -> bool:
        """Whether the system starts it by itself."""

    def can_start(self) -> bool:
        """Whether it is installed, so that a start means something."""

    def inspect(self) -> Supervised:
        """All that is known of it; never raises."""

    def prepare(self) -> tuple[list[str], list[str]]:
        """Make it survive a logout: lines of what was done, and warnings."""

    def install(self, spec: Spec) -> list[Action]:
        """Write it, enable it, and start it."""

    def uninstall(self) -> list[Action]:
        """Stop it, and remove it."""

    def start(self) -> list[Action]:
        """Start it, or start it again."""

    def stop(self) -> list[Action]:
        """Stop it until it is started again."""

    def verify(self, *, running: bool) -> None:
        """
        :raise ServiceFailed: it does not run after a start, or still does after a stop.
        """

    def legacy(self) -> list[Path]:
        """Service files of the programs that this one follows, for the same profile."""

    def retire(self, path: Path) -> list[Action]:
        """Stop what one of them starts, for good; the file stays."""

    def reread(self) -> list[Action]:
        """Let the supervisor see that its files have changed."""

    def told(self, action: str) -> list[str]:
        """What to tell of an action that succeeded."""

    def absent(self) -> str:
        """What to tell of an uninstallation that found nothing."""


def shown_command(
    arguments: list[str], directory: str | None, environment: Mapping[str, str], path: str
) -> dict[str, Any]:
    """
    The command in the shape of ``gateway status --json``; of the environment only what is no secret.
    """
    command: dict[str, Any] = {"programArguments": arguments}
    if directory:
        command["workingDirectory"] = directory
    shown = {name: environment[name] for name in SHOWN if name in environment}
    return {**command, "environment": shown, "sourcePath": path}
