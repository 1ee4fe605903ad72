"""
``openclaw backup``: one archive of what a gateway keeps, checked, and put back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from openclaw.cli.arguments import Arguments
from openclaw.cli.context import Context
from openclaw.cli.exits import CommandFailed, UsageError
from openclaw.cli.terminal import answered, has_terminal, prompter
from openclaw.config.paths import expand
from openclaw.doctor.backup import make
from openclaw.doctor.places import Places
from openclaw.doctor.restore import restore, verify

_USAGE = """\
backup [--output <file>] [--json]
       openclaw backup verify <file> [--json]
       openclaw backup restore <file> --yes [--json]"""


def run(context: Context, arguments: Sequence[str]) -> int:
    """
    :return: the exit code.
    """
    parser = Arguments("backup", "Keep everything in one archive, and put it back.", _USAGE)
    parser.option("--output", metavar="<file>", help="where to (default: here, named by the time)")
    parser.option("--yes", action="store_true", help="restore: put what is there into the trash")
    parser.option("--json", action="store_true", help="for scripts")
    options, words = parser.split(arguments)
    try:
        if not words:
            return _make(context, options.output, as_json=options.json)
        parser.check_options(options, "output")
        if words[0] not in ("verify", "restore"):
            raise UsageError(f"unknown subcommand '{words[0]}' of 'backup'")
        parser.check_words(words[1:], ("file",))
        path = _path(context, words[1])
        if words[0] == "restore":
            return _restore(context, path, yes=options.yes, as_json=options.json)
        told = verify(path)
    except (OSError, sqlite3.Error) as error:
        raise CommandFailed(f"Backup failed: {error}") from error
    count = len(told.files)
    if options.json:
        report = {"ok": True, "createdAt": told.created_at, "program": told.program, "files": count}
        context.json({**report, "path": str(path)})
    else:
        context.line(f"Backup OK: {count} files of {told.created_at}")
    return 0


def _path(context: Context, given: str) -> Path:
    return expand(given, context.home) if given.startswith("~") else context.directory / given


def _make(context: Context, given: str | None, *, as_json: bool) -> int:
    now = datetime.fromtimestamp(context.now()).astimezone()
    target = _path(context, given or f"openclaw-backup-{now:%Y-%m-%d-%H%M%S}.tar.gz")
    made = make(Places.of(context.environ, context.home), target, now)
    if as_json:
        outside = [str(path) for path in made.outside]
        context.json({"ok": True, "path": str(target), "files": made.files, "outside": outside})
        return 0
    context.line(f"Wrote {context.short(target)} ({made.files} files). It holds secrets: keep it as such.")
    for path in made.outside:
        context.line(f"Not in it, since it is elsewhere: {context.short(path)}")
    return 0


def _restore(context: Context, path: Path, *, yes: bool, as_json: bool) -> int:
    if not yes:
        if as_json or not has_terminal(context):
            raise CommandFailed("What is there now would go to the trash: confirm with --yes.")
        if not answered(prompter(context).confirm("What is there now goes to the trash. Go on?", initial=False)):
            raise CommandFailed("Nothing was changed.")
    environ, home = context.environ, context.home
    moved = restore(path, Places.of(environ, home), home=home, environ=environ, now=context.now)
    if as_json:
        context.json({"ok": True, "moved": [str(one) for one in moved]})
        return 0
    for one in moved:
        context.line(f"Moved to the trash: {context.short(one)}")
    context.line(f"Restored {context.short(path)}")
    return 0
