"""
``openclaw update status``: how the program was installed, and whether there is a newer one (``cli.md`` 16). Nothing is
updated: whoever installed it does that, and restarts the gateway.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openclaw
from openclaw.cli.arguments import Arguments
from openclaw.cli.context import Context
from openclaw.cli.exits import UsageError, unknown_command
from openclaw.cli.tables import table, table_width
from openclaw.cli.target import dig, read_config
from openclaw.daemon.runner import Runner, SystemRunner

_SECONDS = 3.0
_MOST_SECONDS = 3600.0
#: What turns git to another repository: ``git rev-parse --local-env-vars``.
_ELSEWHERE = frozenset(
    f"GIT_{name}"
    for name in (
        *("ALTERNATE_OBJECT_DIRECTORIES", "CONFIG", "CONFIG_PARAMETERS", "CONFIG_COUNT", "OBJECT_DIRECTORY", "DIR"),
        *("WORK_TREE", "IMPLICIT_WORK_TREE", "GRAFT_FILE", "INDEX_FILE", "NO_REPLACE_OBJECTS", "REPLACE_REF_BASE"),
        *("PREFIX", "SHALLOW_FILE", "COMMON_DIR", "NAMESPACE"),
    )
)


def run(context: Context, arguments: Sequence[str]) -> int:
    """
    :return: the exit code.
    """
    parser = Arguments("update", "Whether there is a newer version.", "update status [--json] [--timeout <s>]")
    parser.option("--json", action="store_true", help="print JSON")
    parser.option("--timeout", metavar="<s>", default=f"{_SECONDS:g}", help="how long to look, in seconds")
    options, words = parser.split(arguments)
    if not words:
        raise UsageError("update needs a subcommand: status")
    if words[0] != "status":
        raise unknown_command(words[0], ("status",), parent="update")
    parser.check_words(words[1:], ())
    report = status(context, _seconds(options.timeout))
    if options.json:
        context.json(report)
        return 0
    context.line(context.paint("OpenClaw update status", "bold"))
    rows = [("Install", _install_row(report)), ("Channel", report["channel"]["label"]), ("Update", _update_row(report))]
    for line in table(("Item", "Value"), rows, table_width(context.out)):
        context.line(line)
    if report["availability"]["available"]:
        root = report["update"]["root"]
        restart = context.command("openclaw gateway restart")
        context.line(f"Update: git -C {context.short(root)} pull --ff-only, then: {restart}")
    return 0


def _seconds(text: str) -> float:
    if not text.isdecimal() or float(text) <= 0:
        raise UsageError("--timeout must be a positive integer (seconds)")
    return min(float(text), _MOST_SECONDS)


def status(context: Context, limit: float) -> dict[str, Any]:
    """
    The shape of ``update status --json``.

    :param limit: seconds that looking elsewhere may take.
    """
    channel = dig(read_config(context, lenient=True).config, "update", "channel")
    value, source = (channel, "config") if channel else ("stable", "default")
    update = installation()
    if update["installKind"] == "git":
        update["git"] = checkout(update["root"], SystemRunner(environ=_quiet(context), limit=limit))
    behind = dig(update, "git", "behind")
    return {
        "update": update,
        "channel": {"value": value, "source": source, "label": f"{value} ({source})", "config": channel},
        "availability": {
            "available": bool(behind),
            "hasGitUpdate": bool(behind),
            "hasRegistryUpdate": False,
            "latestVersion": None,
            "gitBehind": behind,
        },
    }


def installation() -> dict[str, Any]:
    """
    Where the program is, and what put it there.
    """
    root = Path(openclaw.__file__).resolve().parent.parent
    kind = "git" if (root / ".git").exists() else "package"
    return {"root": str(root), "installKind": kind, "packageManager": "pip", "registry": {"latestVersion": None}}


def _quiet(context: Context) -> dict[str, str]:
    """
    A git that asks nobody for a password, and looks at the checkout, wherever it is called from.
    """
    environ = {name: value for name, value in context.environ.items() if name not in _ELSEWHERE}
    return {"GIT_SSH_COMMAND": "ssh -oBatchMode=yes", **environ, "GIT_TERMINAL_PROMPT": "0"}


def checkout(root: str, run: Runner) -> dict[str, Any]:
    """
    How a checkout stands to where it came from.

    :param root: its directory.
    :param run: runs git.
    :return: ``behind`` and ``ahead`` count commits; ``None`` where that is not known.
    """

    def git(*words: str) -> str | None:
        done = run("git", "-C", root, *words)
        return done.output.strip() if done.code == 0 else None

    upstream = git("rev-parse", "--abbrev-ref", "--symbolic-full-name", "@{upstream}")
    fetched = git("fetch", "--quiet", "--no-tags") is not None if upstream else None
    counts = (git("rev-list", "--left-right", "--count", "HEAD...@{upstream}") or "").split() if upstream else []
    ahead, behind = map(int, counts) if len(counts) == 2 else (None, None)
    changed = git("status", "--porcelain", "--untracked-files=no")
    return {
        "root": root,
        "sha": git("rev-parse", "HEAD"),
        "tag": git("describe", "--tags", "--exact-match"),
        "branch": git("rev-parse", "--abbrev-ref", "HEAD"),
        "upstream": upstream,
        "dirty": None if changed is None else changed != "",
        "ahead": ahead,
        "behind": behind,
        "fetchOk": fetched,
    }


def _install_row(report: dict[str, Any]) -> str:
    update = report["update"]
    git = update.get("git")
    parts = [f"{openclaw.__version__} ({update['installKind']})"]
    if git and git["sha"] is None:
        parts.append("git cannot be asked")
    elif git:
        parts += [f"branch {git['branch']}", f"{git['upstream']}"] if git["upstream"] else [f"branch {git['branch']}"]
        parts += ["changed by hand"] if git["dirty"] else []
    return " · ".join([*parts, update["root"]])


def _update_row(report: dict[str, Any]) -> str:
    git = report["update"].get("git")
    if git is None:
        return "not looked for: ask what installed it, such as pip"
    if git["sha"] is None:
        return "unknown: git cannot be asked"
    if git["behind"] is None:
        return "unknown: the branch follows no other"
    looked = "" if git["fetchOk"] else " (as of the last fetch: it could not be asked now)"
    return (f"{git['behind']} commits behind" if git["behind"] else "up to date") + looked
