"""
What ``openclaw doctor`` looks at beyond the configuration file: state, database, ports, service, the gateway itself.

Each check has a time of its own. One that hangs is told as such, and holds neither the others nor the end.
"""

from __future__ import annotations

import os
import threading
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from shlex import quote

from attrs import frozen

from openclaw.cli.audit import Finding, audit, loose
from openclaw.cli.checkup_plugins import plugins
from openclaw.cli.checkup_service import lingering, service, service_file
from openclaw.cli.checkup_start import start
from openclaw.cli.context import Context
from openclaw.cli.ports import inspect, is_gateway
from openclaw.cli.repairs import Repair
from openclaw.cli.target import dig, local_port, local_target
from openclaw.config.loader import Snapshot
from openclaw.config.paths import STATE_DIRS, state_dir, variable, workspace_dir

#: Names of variables of earlier names of the program, which are not read any more.
_OLD_VARIABLES = ("CLAWDBOT_", "MOLTBOT_")
#: Beside the gateway's port there once was another for nodes.
_OLD_PORT = 1
#: In the state directory.
_SECRET_FILES = (".env", "service.env")


@frozen(kw_only=True)
class Patient:
    """
    What is looked at.

    :ivar deep: also at what belongs to the whole system.
    """

    context: Context
    snapshot: Snapshot
    deep: bool = False

    @property
    def state(self) -> Path:
        return state_dir(self.context.environ, self.context.home)

    @property
    def database(self) -> Path:
        return self.state / "openclaw.sqlite3"


@frozen(kw_only=True)
class Check:
    """
    One look.

    :ivar limit: seconds that it may take.
    """

    name: str
    look: Callable[[Patient], Iterator[Finding]]
    limit: float = 5.0


def examine(patient: Patient, checks: Sequence[Check]) -> list[Finding]:
    """
    Look at everything, one after the other.
    """
    return [finding for check in checks for finding in _in_time(check, patient)]


def _in_time(check: Check, patient: Patient) -> list[Finding]:
    found: list[Finding] = []

    def look() -> None:
        try:
            found.extend(check.look(patient))
        except Exception as error:
            found.append(_unfinished(check, f"{type(error).__name__}: {error}"))

    # A daemon: what hangs for good does not keep the command from its end.
    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(check.limit)
    if thread.is_alive():
        return [_unfinished(check, f"it took longer than {check.limit:g} s")]
    return found


def _unfinished(check: Check, why: str) -> Finding:
    return Finding(
        check_id=f"doctor.{check.name}", severity="warn", title=f"The check of {check.name} did not end", detail=why
    )


# -- the checks -------------------------------------------------------------------------------------------------------


def variables(patient: Patient) -> Iterator[Finding]:
    """
    Variables of earlier names.
    """
    for name in sorted(patient.context.environ):
        if name.startswith(_OLD_VARIABLES):
            new = f"OPENCLAW_{name.partition('_')[2]}"
            if new in patient.context.environ:
                continue
            yield Finding(
                check_id="environment.old_name",
                severity="info",
                title="A variable has an earlier name",
                detail=f"{name} is deprecated, and most variables of that kind are ignored.",
                fix=f"Set {new} instead.",
            )


def state(patient: Patient) -> Iterator[Finding]:
    """
    The state directory.
    """
    path = patient.state
    if not path.exists():
        yield Finding(
            check_id="state.missing",
            severity="info",
            title="There is no state directory yet",
            detail=f"{path} is made by the first start.",
            fix=patient.context.command("openclaw setup"),
        )
    elif not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        yield Finding(
            check_id="state.unwritable",
            severity="critical",
            title="The state directory cannot be written",
            detail=f"{path} belongs to somebody else, or its file system is read-only.",
            fix=f'sudo chown -R "$USER" {path}',
        )
    yield from _state_names(patient)
    # Always there, whatever the profile: the app does not know them.
    note = patient.context.home / ".openclaw" / "disable-launchagent"
    if os.path.lexists(note):
        yield Finding(
            check_id="service.disabled_marker",
            severity="info",
            title="LaunchAgents are switched off",
            detail=f"{note} tells that the app must not write them.",
            fix=f"rm {note}",
        )


def _state_names(patient: Patient) -> Iterator[Finding]:
    """
    Directories of earlier names; a link that a move has left behind is none.
    """
    context, home = patient.context, patient.context.home
    if variable(context.environ, "OPENCLAW_STATE_DIR", "CLAWDBOT_STATE_DIR") is not None:
        return
    there = [home / name for name in STATE_DIRS if (home / name).is_dir() and not (home / name).is_symlink()]
    if len(there) > 1:
        yield Finding(
            check_id="state.several",
            severity="warn",
            title="There are several state directories",
            detail=f"Only {there[0]} is used; also there: {', '.join(map(str, there[1:]))}.",
            fix="Look what is in them, and move away what is not needed: "
            + "; ".join(f"mv {quote(str(path))} {quote(f'{path}.old')}" for path in there[1:]),
        )
    elif there and there[0].name != STATE_DIRS[0]:
        old, new = quote(str(there[0])), quote(str(home / STATE_DIRS[0]))
        yield Finding(
            check_id="state.old_name",
            severity="info",
            title="The state directory has an earlier name",
            detail=f"{there[0]} is used, since there is no {home / STATE_DIRS[0]}.",
            fix=f"Stop the gateway, then: mv {old} {new} && ln -s {new} {old}",
        )


def workspace(patient: Patient) -> Iterator[Finding]:
    """
    The default agent's own files.
    """
    context = patient.context
    path = workspace_dir(context.environ, context.home, patient.snapshot.model)
    if not path.exists():
        yield Finding(
            check_id="workspace.missing",
            severity="info",
            title="There is no workspace yet",
            detail=f"{path} is made by the first start.",
            fix=context.command("openclaw setup"),
        )
    elif not path.is_dir() or not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        yield Finding(
            check_id="workspace.unusable",
            severity="warn",
            title="The workspace cannot be used",
            detail=f"{path} is no directory, or cannot be written.",
            fix=context.command("openclaw config set agents.defaults.workspace <directory>"),
        )


def open_to_others(patient: Patient) -> Iterator[tuple[Path, int]]:
    """
    What others can read and should not, with the mode that it is to have.
    """
    state = patient.state
    files = (patient.snapshot.path, patient.database, *(state / name for name in _SECRET_FILES))
    for path, mode in (*((path, 0o600) for path in files), *((path, 0o700) for path in (state, state / "credentials"))):
        if loose(path):
            yield path, mode


def closing(patient: Patient) -> Repair | None:
    """
    The repair of what is open to others.
    """
    found = list(open_to_others(patient))
    if not found:
        return None

    def act() -> list[str]:
        done = []
        for path, mode in found:
            # What was written anew meanwhile is closed by that.
            if loose(path):
                path.chmod(mode)
                done.append(f"chmod {mode:o} {path}")
        return done

    return Repair(
        name="permissions",
        what="Close what is open to others",
        why="other users of this machine can read secrets and conversations",
        details=[f"chmod {mode:o} {path}" for path, mode in found],
        touches=[path.resolve() for path, _ in found],
        act=act,
    )


def security(patient: Patient) -> Iterator[Finding]:
    """
    What would let somebody in.
    """
    yield from audit(patient.context, patient.snapshot)
    told = (patient.snapshot.path, patient.state)
    for path, mode in open_to_others(patient):
        if path not in told:
            yield Finding(
                check_id="fs.secrets.perms_readable",
                severity="warn",
                title="Secrets are open to others",
                detail=f"{path}: other users may read it.",
                fix=f"chmod {mode:o} {path}",
            )


def database(patient: Patient) -> Iterator[Finding]:
    """
    The database, without writing to it.
    """
    from openclaw.doctor.integrity import damage_of

    path = patient.database
    damage = damage_of(path) if path.exists() else None
    if damage is not None:
        yield Finding(
            check_id="database.damaged",
            severity="critical",
            title="The database cannot be used as it is",
            detail=f"{path}: {damage}",
            fix=f"Stop the gateway, keep a copy, then: sqlite3 {path} .recover | sqlite3 {path}.new",
        )


def port(patient: Patient) -> Iterator[Finding]:
    """
    Who has the gateway's port, and the one of before.
    """
    from openclaw.cli.config_change import lock_owner

    number = local_port(patient.snapshot)
    used = inspect(number)
    own = lock_owner(patient.context)
    if used.status == "busy" and not any(one.pid == own or is_gateway(one.command_line) for one in used.listeners):
        yield Finding(
            check_id="port.taken",
            severity="warn",
            title=f"Port {number} is used by something else",
            detail="; ".join(used.lines()[1:]) or "Nothing is known of it.",
            fix=patient.context.command("openclaw config set gateway.port <another>"),
        )
    old = inspect(number + _OLD_PORT)
    for one in old.listeners:
        if is_gateway(one.command_line):
            yield Finding(
                check_id="port.retired",
                severity="warn",
                title="An old gateway still listens for nodes",
                detail=f"pid {one.pid} has port {number + _OLD_PORT}, the TCP control port that is retired.",
                fix=f"kill {one.pid}",
            )


def gateway(patient: Patient) -> Iterator[Finding]:
    """
    The gateway itself, if one runs here.
    """
    from openclaw.cli.config_change import gateway_runs
    from openclaw.cli.probe import probe

    if not gateway_runs(patient.context, patient.snapshot):
        yield Finding(
            check_id="gateway.down",
            severity="info",
            title="The gateway does not run",
            detail="No process has its lock.",
            fix=patient.context.command("openclaw gateway"),
        )
        return
    options = Namespace(url=None, token=None, password=None, tls_fingerprint=None, timeout=3000)
    target = local_target(patient.context, options, patient.snapshot)
    told = probe(patient.context, target, timeout_ms=3000, questions=("health",))
    if not told.ok:
        yield Finding(
            check_id="gateway.unreachable",
            severity="critical",
            title="The gateway runs and does not answer",
            detail=told.error or "unknown",
            fix=patient.context.command("openclaw gateway status --deep"),
        )
    problem = dig(told.answers, "health", "configProblem")
    if problem:
        yield Finding(
            check_id="gateway.config_not_followed",
            severity="warn",
            title="The gateway goes on with an older configuration",
            detail=str(problem),
            fix=patient.context.command("openclaw doctor --fix"),
        )


CHECKS = (
    Check(name="variables", look=variables),
    Check(name="state", look=state),
    Check(name="start", look=start),
    Check(name="security", look=security),
    Check(name="database", look=database, limit=15.0),
    Check(name="port", look=port, limit=15.0),
    Check(name="service", look=service, limit=15.0),
    Check(name="service file", look=service_file, limit=15.0),
    Check(name="lingering", look=lingering, limit=10.0),
    Check(name="workspace", look=workspace),
    Check(name="plugins", look=plugins),
    Check(name="gateway", look=gateway, limit=10.0),
)
