"""
``openclaw doctor``: what is wrong here, why, and what to type; ``--fix``, and ``--export``.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from openclaw.cli.arguments import Arguments
from openclaw.cli.context import Context
from openclaw.cli.exits import CONFIGURATION, CommandFailed, UsageError
from openclaw.config.paths import expand, state_dir, workspace_dir

_MARKS = {"critical": "✗", "warn": "!", "info": "·"}


def run(context: Context, arguments: Sequence[str]) -> int:
    """
    :return: the exit code.
    :raise UsageError: two things were asked for.
    """
    parser = Arguments("doctor", "Check configuration, state, database, ports, service and gateway.")
    parser.option(
        "--fix", "--repair", action="store_true", help="carry old keys to where they belong, close what is open"
    )
    parser.option("--generate-gateway-token", action="store_true", help="make a token if there is no secret")
    parser.option("--deep", action="store_true", help="look at the services of the whole system, too")
    parser.option("--non-interactive", action="store_true", help="accepted: nothing is asked anyway")
    parser.option("--yes", action="store_true", help="accepted: nothing is asked anyway")
    parser.option("--export", metavar="<dir>", help="the files of earlier versions, in an empty directory")
    parser.option("--json", action="store_true", help="for scripts")
    options = parser.take(arguments)
    if options.export and options.fix:
        raise UsageError("--export and --fix are done one after the other")
    return _export(context, options) if options.export else _examine(context, options)


def _examine(context: Context, options: Namespace) -> int:
    from openclaw.cli import checkup
    from openclaw.cli.repair import check, tell

    repaired = check(context, fix=options.fix)
    made = options.generate_gateway_token and _make_token(context)
    if made:
        repaired = check(context, fix=False)
    patient = checkup.Patient(context=context, snapshot=repaired.snapshot, deep=options.deep)
    closed = [_close(path, mode) for path, mode in checkup.open_to_others(patient)] if options.fix else []
    findings = checkup.examine(patient, checkup.CHECKS)
    if options.json:
        told = [finding.payload() for finding in findings]
        context.json({**repaired.payload(), "findings": told, "fixed": closed, "tokenMade": made})
    else:
        tell(context, repaired, fixed=options.fix)
        for line in (*(["Made gateway.auth.token."] if made else []), *(f"Fixed: {one}" for one in closed)):
            context.line(line)
        for finding in findings:
            context.line(f"{_MARKS[finding.severity]} {finding.title}: {finding.detail}")
            if finding.fix is not None:
                context.line(f"  Fix: {finding.fix}")
        context.line("Doctor complete.")
    return 0 if repaired.snapshot.valid else CONFIGURATION


def _make_token(context: Context) -> bool:
    """
    :return: whether one was needed.
    """
    import secrets

    from openclaw.cli.checkup import has_secret
    from openclaw.cli.config_change import change, valid
    from openclaw.config.editor import set_value

    if has_secret(valid(context)):
        return False
    token = secrets.token_hex(24)
    change(context, lambda text: set_value(text, ("gateway", "auth", "token"), token))
    return True


def _close(path: Path, mode: int) -> str:
    try:
        path.chmod(mode)
    except OSError as error:
        raise CommandFailed(f"{path} cannot be closed to others: {error.strerror}") from error
    return f"chmod {mode:o} {path}"


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
