"""
``openclaw cron``: jobs that run by the clock.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from openclaw.cli.arguments import Arguments, add_client_options, positive
from openclaw.cli.context import Context, age
from openclaw.cli.cron_options import EDIT, JOB, add_job_options, new_job, patch_of, wrong
from openclaw.cli.exits import UsageError, unknown_command
from openclaw.cli.rpc import call
from openclaw.cli.tables import plain

_USAGE = """\
cron status|list [--all]
       openclaw cron add --name <name> --at|--every|--cron <when> --system-event|--message <text> [options]
       openclaw cron edit <id> [options]
       openclaw cron rm|enable|disable <id>
       openclaw cron run <id> [--force]
       openclaw cron runs --id <id> [--limit <n>]"""
_ALIASES = {"create": "add", "remove": "rm", "delete": "rm"}
_WORDS: Mapping[str, tuple[str, ...]] = {
    "status": (),
    "list": (),
    "add": (),
    "edit": ("id",),
    "rm": ("id",),
    "enable": ("id",),
    "disable": ("id",),
    "run": ("id",),
    "runs": (),
}
_OWN = ("all", "force", "id", "limit")
_TAKES: Mapping[str, tuple[str, ...]] = {
    "list": ("all",),
    "add": JOB,
    "edit": (*JOB, *EDIT),
    "run": ("force",),
    "runs": ("id", "limit"),
}

#: Milliseconds; a run may take as long as a turn of an agent does.
_TIMEOUT = 10_000
_RUN_TIMEOUT = 660_000

_COLUMNS = {"ID": 36, "Name": 24, "Schedule": 32, "Next": 10, "Last": 10, "Status": 9, "Target": 9, "Agent": 10}
_OFF = "warning: cron scheduler is disabled in the Gateway; jobs are saved but will not run automatically."
_ON = "Re-enable with `cron.enabled: true` (or unset OPENCLAW_SKIP_CRON) and restart the Gateway."


def run(context: Context, arguments: Sequence[str]) -> int:
    """
    :return: the exit code.
    """
    parser = Arguments("cron", "Jobs that run by the clock.", _USAGE)
    add_client_options(parser, timeout=None)
    parser.option("--timeout", metavar="<ms>", type=positive, help=f"default {_TIMEOUT}; of run {_RUN_TIMEOUT}")
    parser.option("--all", action="store_true", help="list: those that are off, too")
    parser.option("--force", action="store_true", help="run: also when it is not due")
    parser.option("--id", metavar="<id>", help="runs: of which job")
    parser.option("--limit", metavar="<n>", type=positive, help="runs: how many (50)")
    add_job_options(parser)
    options, words = parser.split(arguments)
    given = words.pop(0) if words else "list"
    name = _ALIASES.get(given, given)
    if name not in _WORDS:
        raise unknown_command(given, [*_WORDS, *_ALIASES], parent="cron")
    parser.command = f"cron {given}"
    parser.check_words(words, _WORDS[name])
    parser.check_options(options, *(one for one in (*_OWN, *JOB, *EDIT) if one not in _TAKES.get(name, ())))
    options.words = words
    if options.timeout is None:
        options.timeout = _RUN_TIMEOUT if name == "run" else _TIMEOUT
    commands: dict[str, Callable[[Context, Namespace], None]] = {
        "status": lambda context, options: context.json(call(context, options, "cron.status", {})),
        "list": _list,
        "add": _add,
        "edit": _edit,
        "rm": lambda context, options: context.json(call(context, options, "cron.remove", {"id": options.words[0]})),
        "enable": lambda context, options: _change(context, options, {"enabled": True}),
        "disable": lambda context, options: _change(context, options, {"enabled": False}),
        "run": _run,
        "runs": _runs,
    }
    commands[name](context, options)
    return 0


def _add(context: Context, options: Namespace) -> None:
    context.json(call(context, options, "cron.add", new_job(options, context.now())))
    _warn(context, options)


def _edit(context: Context, options: Namespace) -> None:
    patch = patch_of(options, context.now())
    if not patch:
        raise wrong("Nothing to change: give at least one option")
    _change(context, options, patch)


def _change(context: Context, options: Namespace, patch: Mapping[str, Any]) -> None:
    context.json(call(context, options, "cron.update", {"id": options.words[0], "patch": patch}))
    _warn(context, options)


def _warn(context: Context, options: Namespace) -> None:
    """
    Tell of a scheduler that is off.
    """
    status = call(context, options, "cron.status", {})
    if status.get("enabled") is False:
        context.problem(_OFF)
        context.problem(_ON)
        context.problem(f"store: {context.short(status.get('storePath') or '')}")


def _run(context: Context, options: Namespace) -> None:
    mode = "force" if options.force else "due"
    context.json(call(context, options, "cron.run", {"id": options.words[0], "mode": mode}))


def _runs(context: Context, options: Namespace) -> None:
    if not options.id:
        raise UsageError("required option '--id <id>' not specified")
    context.json(call(context, options, "cron.runs", {"id": options.id, "limit": options.limit or 50}))


def _list(context: Context, options: Namespace) -> None:
    listed = call(context, options, "cron.list", {"includeDisabled": options.all})
    if options.json:
        context.json(listed)
        return
    jobs = listed.get("jobs") or []
    if not jobs:
        context.line("No cron jobs.")
        return
    context.line(context.paint(_row(list(_COLUMNS)), "bold"))
    now = context.now() * 1000
    for job in jobs:
        context.line(_row(_cells(job, now)))


def _row(cells: Sequence[str]) -> str:
    fitted = zip(cells, _COLUMNS.values(), strict=True)
    return " ".join(_fitting(cell, width) for cell, width in fitted).rstrip()


def _fitting(cell: str, width: int) -> str:
    shown = plain(cell)
    return f"{shown if len(shown) <= width else shown[: width - 1] + '…':<{width}}"


def _cells(job: Mapping[str, Any], now: float) -> list[str]:
    state = job.get("state") or {}
    due, last = state.get("nextRunAtMs"), state.get("lastRunAtMs")
    if not job.get("enabled"):
        status = "disabled"
    else:
        status = "running" if state.get("runningAtMs") else state.get("lastStatus") or "idle"
    return [
        str(job.get("id")),
        str(job.get("name")),
        schedule_text(job.get("schedule") or {}),
        "-" if due is None or not job.get("enabled") else f"in {age(due - now)}",
        "-" if last is None else f"{age(now - last)} ago",
        status,
        str(job.get("sessionTarget")),
        str(job.get("agentId") or "default"),
    ]


def schedule_text(schedule: Mapping[str, Any]) -> str:
    """
    When a job is due, for people.
    """
    kind = schedule.get("kind")
    if kind == "at":
        moment = datetime.fromtimestamp(min(schedule["atMs"], 253_370_764_800_000) / 1000, UTC)
        return f"at {moment:%Y-%m-%d %H:%M}Z"
    if kind == "every":
        return f"every {age(schedule['everyMs'])}"
    zone = schedule.get("tz")
    return f"cron {schedule.get('expr')}" + (f" @ {zone}" if zone else "")
