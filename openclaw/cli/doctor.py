"""
``openclaw doctor``: the configuration file and its old keys, and ``--export``.
"""

from __future__ import annotations

from collections.abc import Sequence

from openclaw.cli.arguments import Arguments
from openclaw.cli.context import Context
from openclaw.cli.exits import UsageError
from openclaw.config.paths import expand, state_dir, workspace_dir


def run(context: Context, arguments: Sequence[str]) -> int:
    """
    :return: the exit code.
    :raise UsageError: two things were asked for.
    """
    parser = Arguments("doctor", "Check the configuration, or write what the gateway keeps in files.")
    parser.option("--fix", "--repair", action="store_true", help="carry old keys to where they belong now")
    parser.option("--non-interactive", action="store_true", help="accepted: nothing is asked anyway")
    parser.option("--yes", action="store_true", help="accepted: nothing is asked anyway")
    parser.option("--export", metavar="<dir>", help="the files of earlier versions, in an empty directory")
    parser.option("--json", action="store_true", help="for scripts")
    options = parser.take(arguments)
    if options.export and options.fix:
        raise UsageError("--export and --fix are done one after the other")
    if not options.export:
        from openclaw.cli.repair import check

        return check(context, fix=options.fix, json=options.json)

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
