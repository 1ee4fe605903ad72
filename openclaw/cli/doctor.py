"""
``openclaw doctor``; so far only ``--export``.
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
    :raise UsageError: nothing was asked for.
    """
    parser = Arguments("doctor", "Write what the gateway keeps in the files of earlier versions.")
    parser.option("--export", metavar="<dir>", help="an empty directory to write to")
    parser.option("--json", action="store_true", help="for scripts")
    options = parser.take(arguments)
    if not options.export:
        raise UsageError("required option '--export <dir>' not specified")

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
