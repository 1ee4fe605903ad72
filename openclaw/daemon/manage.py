"""
Which supervisor this system has, and what the gateway's service on it is to be.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from openclaw import __version__
from openclaw.config.dotenv import read_dotenv
from openclaw.config.paths import apply_profile, state_dir, variable
from openclaw.config.raw import dig
from openclaw.daemon.actions import ServiceFailed
from openclaw.daemon.base import KIND, MARKER, VERSION, Spec, Supervised, Surroundings, SystemService
from openclaw.daemon.runner import Runner, SystemRunner

TOKEN = "OPENCLAW_GATEWAY_TOKEN"  # noqa: S105 - the name of the variable
PASSWORD = "OPENCLAW_GATEWAY_PASSWORD"  # noqa: S105 - the name of the variable
#: How much longer a stop may take than the runs that it waits for, in seconds: more than the gateway gives itself for
#: what does not stop.
_STOP_MARGIN = 15
_DRAIN_MS = 20_000
_MOVABLE = ("OPENCLAW_STATE_DIR", "OPENCLAW_CONFIG_PATH")


def surroundings(
    environ: Mapping[str, str],
    home: Path,
    *,
    system: bool = False,
    user: str | None = None,
    run: Runner | None = None,
    platform: str | None = None,
) -> Surroundings:
    """
    The system as this process finds it.

    :param user: whom a service of the machine runs as; by default who typed ``sudo``, else who runs this.
    :raise ServiceFailed: there is no such user.
    """
    runs_as, uid, own_home = _user(environ, user if user or not system else variable(environ, "SUDO_USER"))
    if system and own_home is not None and own_home != home:
        environ, home = _moved(environ, home, own_home), own_home
    return Surroundings(
        environ=environ,
        home=home,
        run=run or SystemRunner(environ=environ),
        platform=platform or sys.platform,
        user=runs_as,
        uid=uid,
        system=system,
    )


def _user(environ: Mapping[str, str], name: str | None) -> tuple[str, int, Path | None]:
    """
    :return: name, number, home directory where it is known.
    """
    try:
        import pwd
    except ImportError:  # Windows
        return name or variable(environ, "USERNAME") or "", 0, None
    try:
        entry = pwd.getpwuid(os.getuid()) if name is None else pwd.getpwnam(name)
    except KeyError:
        if name is not None:
            raise ServiceFailed(f"there is no user {name!r} (--user)") from None
        return variable(environ, "USER", "LOGNAME") or str(os.getuid()), os.getuid(), None
    return entry.pw_name, entry.pw_uid, None if name is None else Path(entry.pw_dir)


def _moved(environ: Mapping[str, str], home: Path, to: Path) -> dict[str, str]:
    """
    The environment for another user: what lay in the caller's home directory lies in that user's.
    """
    kept = {
        name: value for name, value in environ.items() if name not in _MOVABLE or not Path(value).is_relative_to(home)
    }
    kept["HOME"] = str(to)
    apply_profile(kept, to, variable(environ, "OPENCLAW_PROFILE"), dev=False)
    return kept


def service_for(around: Surroundings) -> SystemService:
    """
    The gateway's service on this system.
    """
    if around.platform == "darwin":
        from openclaw.daemon.launchd import Launchd

        return Launchd(around=around)
    if around.platform == "win32":
        from openclaw.daemon.schtasks import ScheduledTask

        return ScheduledTask(around=around)
    from openclaw.daemon.systemd import Systemd

    return Systemd(around=around)


def inspect_service(environ: Mapping[str, str], home: Path, *, system: bool = False) -> Supervised:
    """
    The gateway's service as the supervisor tells of it; costs a child process.
    """
    run = SystemRunner(environ=environ, limit=5)
    return service_for(surroundings(environ, home, system=system, run=run)).inspect()


def inspect_node(environ: Mapping[str, str], home: Path) -> Supervised:
    """
    The service of a node host on this machine, if there is one.
    """
    around = surroundings(environ, home, run=SystemRunner(environ=environ, limit=5))
    if not around.platform.startswith("linux"):
        label = "LaunchAgent" if around.platform == "darwin" else "Scheduled Task"
        detail = "this version does not install nodes as a service"
        return Supervised(label=label, loaded=False, runtime={"status": "unknown", "detail": detail})
    from openclaw.daemon.systemd import NODE_UNIT, Systemd

    return Systemd(around=around, unit=NODE_UNIT).inspect()


def make_spec(
    around: Surroundings,
    config: Mapping[str, Any],
    port: int,
    token: str | None = None,
    names: Iterable[str] = (),
) -> Spec:
    """
    The service to be.

    :param config: the effective configuration.
    :param token: one that was given for the service alone.
    :param names: of variables that the configuration refers to.
    """
    environ, home = around.environ, around.home
    state = state_dir(environ, home)
    copied = ("OPENCLAW_PROFILE", "OPENCLAW_STATE_DIR", "OPENCLAW_CONFIG_PATH")
    environment = {"HOME": str(home), "PATH": minimal_path(around)}
    environment |= {name: value for name in copied if (value := variable(environ, name))}
    environment["OPENCLAW_GATEWAY_PORT"] = str(port)
    environment |= _own_name(around)
    environment |= {MARKER: "openclaw", KIND: "gateway", VERSION: __version__}
    profile = f"profile: {around.profile}, " if around.profile else ""
    auth = dig(config, "gateway", "auth")
    asks_password = dig(auth, "mode") == "password" and not dig(auth, "password")
    needed = frozenset([*names, *([PASSWORD] if asks_password else ())])
    return Spec(
        description=f"OpenClaw Gateway ({profile}v{__version__})",
        program=program(environ),
        port=port,
        directory=home,
        state=state,
        environment=environment,
        configured=token is None and bool(dig(config, "gateway", "auth", "token")),
        secrets={**_carried(environ, state, needed), **_secrets(environ, state, config, token)},
        needed=needed,
        stop_seconds=stop_seconds(config),
    )


def stop_seconds(config: Mapping[str, Any]) -> int:
    """
    How long a supervisor has to wait for the end of a gateway with this configuration.
    """
    drain = dig(config, "gateway", "shutdown", "drainMs")
    return -(-int(_DRAIN_MS if drain is None else drain) // 1000) + _STOP_MARGIN


def _own_name(around: Surroundings) -> dict[str, str]:
    """
    So that the running gateway knows by which name it was started.
    """
    name = service_for(around).name
    if around.platform == "darwin":
        return {"OPENCLAW_LAUNCHD_LABEL": name}
    return {"OPENCLAW_WINDOWS_TASK_NAME" if around.platform == "win32" else "OPENCLAW_SYSTEMD_UNIT": name}


def _carried(environ: Mapping[str, str], state: Path, names: Iterable[str]) -> dict[str, str]:
    """
    Variables of the caller that the gateway would not find by itself.
    """
    known = read_dotenv(state / ".env")
    return {name: environ[name] for name in sorted(names) if environ.get(name) and environ[name] != known.get(name)}


def _secrets(environ: Mapping[str, str], state: Path, config: Mapping[str, Any], token: str | None) -> dict[str, str]:
    """
    The token, where the configuration has none.
    """
    if token is None and not dig(config, "gateway", "auth", "token"):
        told = variable(environ, TOKEN, "CLAWDBOT_GATEWAY_TOKEN")
        return _carried({TOKEN: told}, state, [TOKEN]) if told else {}
    return {} if not token else {TOKEN: token}


def minimal_path(around: Surroundings) -> str:
    """
    The ``PATH`` of the service: what stays where it is when tools are updated.
    """
    return os.pathsep.join(expected_path(around)) or around.environ.get("PATH", "")


def expected_path(around: Surroundings) -> list[str]:
    """
    The directories that must be on it; none where the system has no such list.
    """
    if around.platform == "darwin":
        return ["/opt/homebrew/bin", "/usr/local/bin", "/usr/bin", "/bin"]
    if around.platform == "win32":
        return []
    return [str(around.home / ".local" / "bin"), "/usr/local/bin", "/usr/bin", "/bin"]


def program(environ: Mapping[str, str]) -> tuple[str, ...]:
    """
    How this program is started again, with an absolute path.
    """
    # A checkout says by this how it was called.
    called = variable(environ, "OPENCLAW_PROGRAM") or sys.argv[0]
    if Path(called).stem == "openclaw" and (os.sep in called or shutil.which(called)):
        found = Path(called) if os.sep in called else Path(shutil.which(called) or called)
        if found.is_file():
            return (str(found.absolute()),)
    installed = shutil.which("openclaw", path=environ.get("PATH"))
    return (str(Path(installed).absolute()),) if installed else (sys.executable, "-m", "openclaw.cli.main")
