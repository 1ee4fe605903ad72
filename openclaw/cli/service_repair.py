"""
The service in ``openclaw doctor``: what is wrong with its file, and the repair, which is that of ``gateway install
--force`` (``service.md`` 8.2 and 8.3).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from attrs import frozen

from openclaw.cli.context import Context
from openclaw.cli.repairs import Repair
from openclaw.cli.target import dig, local_port
from openclaw.config.loader import Snapshot, referenced
from openclaw.config.paths import is_true
from openclaw.daemon.actions import Action, Remove, ServiceFailed, Write, carry_out
from openclaw.daemon.audit import AGGRESSIVE, AuditIssue, audit, custom_edits
from openclaw.daemon.base import Supervised, Surroundings, SystemService
from openclaw.daemon.manage import TOKEN, make_spec, program, service_for, stop_seconds, surroundings
from openclaw.daemon.runner import SystemRunner

CUSTOM = "Custom or unexpected service edits detected. Rerun with --force to overwrite."


@frozen(kw_only=True)
class ServiceLook:
    """
    The service, and what the audit says of it.

    :ivar skipped: why it is left alone.
    """

    around: Surroundings
    service: SystemService
    found: Supervised
    issues: Sequence[AuditIssue] = ()
    skipped: str | None = None


def look(context: Context, snapshot: Snapshot) -> ServiceLook:
    """
    Ask the supervisor, and compare with the configuration and this installation.
    """
    around = surroundings(context.environ, context.home, run=SystemRunner(environ=context.environ, limit=5))
    service = service_for(around)
    found = service.inspect()
    skipped = None
    if is_true(context.environ.get("OPENCLAW_NIX_MODE")):
        skipped = "Nix mode detected; skip service updates."
    elif dig(snapshot.config, "gateway", "mode") == "remote":
        skipped = "Gateway mode is remote; skipped local service audit."
    if skipped is not None or found.command is None:
        return ServiceLook(around=around, service=service, found=found, skipped=skipped)
    token = dig(snapshot.config, "gateway", "auth", "token")
    issues = audit(
        found,
        around,
        port=local_port(snapshot) if snapshot.valid else None,
        stop_seconds=stop_seconds(snapshot.config) if snapshot.valid else None,
        program=program(around.environ),
        token=token,
    )
    return ServiceLook(around=around, service=service, found=found, issues=issues)


def service_repairs(
    context: Context, snapshot: Snapshot, seen: ServiceLook, *, force: bool
) -> tuple[list[Repair], list[str]]:
    """
    :param snapshot: the configuration as it will be when the service is repaired.
    :param force: also take away what somebody has added to the service file.
    :return: the repairs, and what to tell of what is not one.
    """
    if seen.skipped is not None:
        return [], [seen.skipped] if seen.found.command is not None else []
    repairs = [_retire(context, seen, path) for path in seen.service.legacy()]
    if not seen.issues:
        # To write the service anew would do that, too.
        return [*repairs, *([_linger(seen)] if ends_at_logout(seen.service, seen.around) else [])], []
    if not snapshot.valid:
        return repairs, ["The service file is repaired once the configuration can be used."]
    token = None
    if not dig(snapshot.config, "gateway", "auth", "token"):
        # It is nowhere else: without it the gateway would refuse to start.
        token = seen.found.environment.get(TOKEN)
    try:
        seen.service.check()
        actions = seen.service.install(
            make_spec(seen.around, snapshot.config, local_port(snapshot), token, referenced(snapshot))
        )
    except ServiceFailed as error:
        return repairs, [f"The service file cannot be repaired: {error}", *error.hints]
    custom = _custom(seen, snapshot, actions)
    if not force and (custom or any(issue.level == AGGRESSIVE for issue in seen.issues)):
        return repairs, [CUSTOM, *custom]
    return [*repairs, _rewrite(context, seen, actions, token)], []


def ends_at_logout(service: SystemService, around: Surroundings) -> bool:
    """
    Whether the service runs only as long as its user is logged in, where that can be helped.
    """
    if not around.platform.startswith("linux") or not service.is_loaded():
        return False
    return "Linger=no" in around.run("loginctl", "show-user", around.user, "-p", "Linger").output


def _linger(seen: ServiceLook) -> Repair:
    def act() -> Sequence[str]:
        lines, warnings = seen.service.prepare()
        return [*lines, *warnings]

    return Repair(
        name="lingering",
        what=f"Enable systemd lingering for {seen.around.user}, which --undo leaves",
        why="the gateway ends when the last login of this user does",
        act=act,
        confirmed=True,
    )


def _custom(seen: ServiceLook, snapshot: Snapshot, actions: Sequence[Action]) -> list[str]:
    """
    What somebody has made of the service file that would be lost.
    """
    path = seen.service.path
    if path.is_symlink():
        return [f"{path} is a link: something else looks after it."]
    text = next((one.text for one in actions if isinstance(one, Write) and one.path == path), "")
    block = dig(snapshot.config, "env") or {}
    found = custom_edits(seen.found, text, {*block, *(block.get("vars") or {})})
    if not found:
        return []
    return [f"It has: {', '.join(found)}. In a drop-in they would stay: systemctl --user edit {seen.service.name}"]


def _rewrite(context: Context, seen: ServiceLook, actions: Sequence[Action], token: str | None) -> Repair:
    from openclaw.doctor.diff import service_draft

    legacy = seen.service.legacy()
    touches: list[Path] = []
    drafts = []
    for action in actions:
        if isinstance(action, Write) or (isinstance(action, Remove) and action.path not in legacy):
            touches.append(action.path)
        if isinstance(action, Write) and not action.secret:
            drafts.append(service_draft(context.short(action.path), seen.found.text, action.text))

    def act() -> Sequence[str]:
        from openclaw.cli.service import install

        done = install(context, token=token, force=True)
        return [*done.lines, *done.warnings]

    return Repair(
        name="service",
        what="Update gateway service config to the recommended defaults, and restart the gateway",
        why="; ".join(f"{one.message.rstrip('.')}{f' ({one.detail})' if one.detail else ''}" for one in seen.issues),
        details=[line for action in actions for line in _steps(action, legacy)],
        touches=touches,
        drafts=drafts,
        act=act,
        confirmed=True,
    )


def _steps(action: Action, legacy: Sequence[Path]) -> list[str]:
    """
    What is done besides. What becomes of earlier services is told by their own repairs, and of texts by the diff.
    """
    lines = action.lines()[:1]
    return [] if any(path.name in line or path.stem in line for path in legacy for line in lines) else lines


def _retire(context: Context, seen: ServiceLook, path: Path) -> Repair:
    def act() -> Sequence[str]:
        from openclaw.doctor.trash import Trash

        # Unlike a look, a stop may take its time.
        run = SystemRunner(environ=context.environ)
        carry_out(seen.service.retire(path), run)
        trash = Trash.of(context.home, context.environ, seen.around.platform)
        where = trash.take(path, datetime.fromtimestamp(context.now()).astimezone())
        carry_out(seen.service.reread(), run)
        return [f"Legacy gateway removed: {path.name} is in {context.short(where)}"]

    return Repair(
        name="legacy-service",
        what=f"Disable {path.name}, and move it to the trash",
        why="it starts the gateway that this one follows",
        details=[line for action in seen.service.retire(path) for line in action.lines()],
        touches=[path],
        act=act,
        confirmed=True,
    )


def take_up(context: Context, paths: Sequence[Path]) -> Iterator[str]:
    """
    Let the supervisor follow service files that were put back.

    :return: what was done, and what there is to do.
    :raise ServiceFailed: the service does not come back.
    """
    around = surroundings(context.environ, context.home)
    service = service_for(around)
    others = [path for path in paths if path.parent == service.path.parent and path != service.path]
    if not others and service.path not in paths:
        return
    running = service.inspect().runtime["status"] == "running"
    carry_out(service.reread(), around.run)
    if service.path in paths and running:
        carry_out(service.stop(), around.run)
        carry_out(service.start(), around.run)
        yield from service.told("start")
    for path in others:
        enable = f"systemctl --user enable --now {path.name}"
        command = f"launchctl bootstrap gui/$UID {path}" if around.platform == "darwin" else enable
        yield f"{path.name} is back, and not started. To start it: {command}"
