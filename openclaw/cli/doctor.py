"""
``openclaw doctor``: what is wrong here, why, and what to type; ``--fix`` and ``--undo``; ``--isolation``; ``--export``.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from openclaw.cli.arguments import Arguments
from openclaw.cli.context import Context
from openclaw.cli.exits import CONFIGURATION, FAILED, UsageError
from openclaw.config.paths import expand, state_dir, workspace_dir

if TYPE_CHECKING:
    from openclaw.cli.audit import Finding
    from openclaw.cli.repair import Examined
    from openclaw.cli.repairs import Done, Repair

_MARKS = {"critical": "✗", "warn": "!", "info": "·"}
#: The titles, by the beginnings of checks' names; the first that fits.
_BOXES = (
    ("environment.", "Environment"),
    ("gateway.mode_unset", "Gateway"),
    ("gateway.no_secret", "Gateway auth"),
    ("gateway.down", "Gateway"),
    ("gateway.unreachable", "Gateway connection"),
    ("gateway.config_not_followed", "Config"),
    ("gateway.", "Security"),
    ("fs.", "State integrity"),
    ("state.", "State integrity"),
    ("database.", "State integrity"),
    ("port.", "Gateway port"),
    ("service.stopped", "Gateway runtime"),
    ("service.other", "Other gateway-like services detected"),
    ("service.linger", "Systemd"),
    ("service.", "Gateway service config"),
    ("workspace.", "Workspace"),
    ("", "Doctor warnings"),
)
_ASKED = "It is done for who says yes: on a terminal, or with --fix --yes."


def run(context: Context, arguments: Sequence[str]) -> int:
    """
    :return: the exit code.
    :raise UsageError: two things were asked for.
    """
    options = _parser().take(arguments)
    options.fix = options.fix or options.yes
    modes = ("export", "undo", "fix", "isolation")
    asked = [name for name in modes if getattr(options, name)]
    if len(asked) > 1:
        raise UsageError(f"{' and '.join(f'--{name}' for name in asked)} are done one after the other")
    if options.isolation:
        from openclaw.cli.isolation import run as compare

        return compare(context, options)
    if options.undo:
        return _undo(context, options)
    return _export(context, options) if options.export else _examine(context, options)


def _parser() -> Arguments:
    parser = Arguments("doctor", "Check configuration, state, database, ports, service and gateway.")
    parser.option("--fix", "--repair", action="store_true", help="show what can be repaired, ask, keep it, and do it")
    parser.option("--yes", action="store_true", help="repair without asking")
    parser.option("--force", action="store_true", help="also what somebody has changed in the service file is replaced")
    parser.option("--dry-run", action="store_true", help="with --fix: only show it")
    parser.option("--undo", action="store_true", help="take the last repair back")
    parser.option("--generate-gateway-token", action="store_true", help="make a token if there is no secret")
    parser.option("--deep", action="store_true", help="look at the services of the whole system, too")
    parser.option("--isolation", action="store_true", help="whether anything is shared with other gateways here")
    parser.option("--no-workspace-suggestions", action="store_true", help="do not look at the agent's workspace")
    parser.option("--non-interactive", action="store_true", help="ask nothing, and repair only what is safe")
    parser.option("--export", metavar="<dir>", help="the files of earlier versions, in an empty directory")
    parser.option("--json", action="store_true", help="for scripts; asks nothing")
    return parser


def _examine(context: Context, options: Namespace) -> int:
    from openclaw.cli import checkup
    from openclaw.cli.repair import examine_config, tell
    from openclaw.cli.repairs import Done

    examined = examine_config(context)
    repairs, notes = _plan(context, examined, force=options.force)
    done = _repair(context, options, repairs) if options.fix else Done()
    made = options.generate_gateway_token and _make_token(context)
    changes = examined.changes
    if made or done.applied:
        examined = examine_config(context)
    patient = checkup.Patient(context=context, snapshot=examined.snapshot, deep=options.deep)
    checks = [one for one in checkup.CHECKS if one.name != "workspace" or not options.no_workspace_suggestions]
    findings = checkup.examine(patient, checks)
    if options.json:
        told = {**examined.payload(), "changes": changes, "findings": [one.payload() for one in findings]}
        told |= {"plan": [one.payload() for one in repairs], "notes": notes, **done.payload(), "tokenMade": made}
        context.json(told)
    else:
        if made:
            context.line("Made gateway.auth.token.")
        tell(context, examined)
        _tell_findings(context, findings)
        if not options.fix:
            _offer(context, repairs)
        for note in notes:
            context.line(note)
        context.line("Doctor complete.")
    if not examined.snapshot.valid:
        return CONFIGURATION
    return FAILED if done.problems else 0


def _plan(context: Context, examined: Examined, *, force: bool) -> tuple[list[Repair], list[str]]:
    """
    :return: what can be repaired, and what to say of what cannot.
    """
    from openclaw.cli import service_repair
    from openclaw.cli.checkup import Patient, closing
    from openclaw.cli.repair import config_repair

    repairs = [config_repair(context, examined), closing(Patient(context=context, snapshot=examined.snapshot))]
    try:
        seen = service_repair.look(context, examined.snapshot)
        after = examined.mended or examined.snapshot
        services, notes = service_repair.service_repairs(context, after, seen, force=force)
    except Exception as error:
        # A system that is broken in a way that nobody has thought of; there is more to repair than the service.
        services, notes = [], [f"The service cannot be looked at: {type(error).__name__}: {error}"]
    return [*(one for one in repairs if one is not None), *services], notes


def _repair(context: Context, options: Namespace, repairs: Sequence[Repair]) -> Done:
    from openclaw.cli.repairs import Done, carry_out, show
    from openclaw.cli.terminal import confirm, has_terminal

    if not options.json and repairs:
        show(context, repairs)
    if options.dry_run or not repairs:
        return Done(skipped={one.name: "dry run" for one in repairs})
    agreed = options.yes and not options.non_interactive
    if not (options.yes or options.non_interactive or options.json) and has_terminal(context):
        if not confirm(context, "Apply these repairs now?"):
            context.line("Nothing was changed.")
            return Done(skipped={one.name: "not confirmed" for one in repairs})
        agreed = True
    done = carry_out(context, [one for one in repairs if agreed or not one.confirmed])
    left = [one for one in repairs if one.confirmed and not agreed]
    done.skipped = {one.name: _ASKED for one in left}
    if not options.json:
        _tell_done(context, done, left)
    return done


def _tell_done(context: Context, done: Done, left: Sequence[Repair]) -> None:
    for line in done.lines:
        context.line(line)
    for line in done.problems:
        context.problem(f"Not repaired: {line}")
    for one in left:
        context.line(f"Not done: {one.what}. {_ASKED}")
    if done.backup is not None:
        context.line(f"Kept what was there: {context.short(done.backup)}")
        context.line(f"Take it back: {context.command('openclaw doctor --undo')}")


def _tell_findings(context: Context, findings: Sequence[Finding]) -> None:
    """
    Under the titles by which the reference groups them (``service.md`` 8.3).
    """
    boxes: dict[str, list[Finding]] = {}
    for finding in findings:
        title = next(title for start, title in _BOXES if finding.check_id.startswith(start))
        boxes.setdefault(title, []).append(finding)
    for title, inside in boxes.items():
        context.line(context.paint(title, "bold"))
        for finding in inside:
            context.line(f"{_MARKS[finding.severity]} {finding.title}: {finding.detail}")
            if finding.fix is not None:
                context.line(f"  Fix: {finding.fix}")


def _offer(context: Context, repairs: Sequence[Repair]) -> None:
    for one in repairs:
        for line in one.details if one.name == "config" else [one.what]:
            context.line(f"- {line}")
    if repairs:
        context.line(context.command('Run "openclaw doctor --fix" to apply changes.'))


def _make_token(context: Context) -> bool:
    """
    :return: whether one was needed.
    """
    import secrets

    from openclaw.cli.checkup_start import has_secret
    from openclaw.cli.config_change import change, valid
    from openclaw.config.editor import set_value

    if has_secret(valid(context)):
        return False
    token = secrets.token_hex(24)
    change(context, lambda text: set_value(text, ("gateway", "auth", "token"), token))
    return True


def _undo(context: Context, options: Namespace) -> int:
    """
    :raise CannotUndo: there is nothing to undo, or it was changed meanwhile.
    """
    from openclaw.cli.service_repair import take_up
    from openclaw.config.loader import load
    from openclaw.config.writer import locked
    from openclaw.doctor.undo import last

    record = last(state_dir(context.environ, context.home))
    config = load(context.environ, context.home).path.resolve()
    with locked(config) if config in record.paths else nullcontext():
        back = record.undo(datetime.fromtimestamp(context.now(), UTC))
    lines = list(take_up(context, back))
    if options.json:
        context.json({"ok": True, "repairs": record.told["repairs"], "restored": [str(path) for path in back]})
        return 0
    for repair in record.told["repairs"]:
        context.line(f"Taken back: {repair}")
    for line in [*(f"Restored {context.short(path)}" for path in back), *lines]:
        context.line(line)
    return 0


def _export(context: Context, options: Namespace) -> int:
    from openclaw.doctor.export import export

    database = state_dir(context.environ, context.home) / "openclaw.sqlite3"
    given = options.export
    path = expand(given, context.home) if given.startswith("~") else context.directory / given
    counts = export(database, path, str(workspace_dir(context.environ, context.home)))
    if options.json:
        context.json({"ok": True, "path": str(path), "counts": counts.numbers})
    else:
        context.line(f"Exported {counts} to {context.short(path)}")
    return 0
