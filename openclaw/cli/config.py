"""
``openclaw config``: read or change the configuration file.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from openclaw.cli.arguments import Arguments
from openclaw.cli.config_change import bring_back, change, valid
from openclaw.cli.context import Context
from openclaw.cli.exits import CONFIGURATION, CommandFailed, UsageError, unknown_command
from openclaw.config.backups import BACKUPS, Backup, NoBackup, backups
from openclaw.config.dotted import parse_path, typed_path, value_at
from openclaw.config.editor import EditRefused, PathNotFound, set_value, unset_value
from openclaw.config.issues import ConfigInvalid, Issue
from openclaw.config.loader import load
from openclaw.config.tokens import Json5Error, decode, parse

_USAGE = """\
config
       openclaw config get <path> [--json]
       openclaw config set <path> <value> [--json]
       openclaw config unset <path>
       openclaw config plan <file|-> [--json]
       openclaw config plan <path> <value> [--json]
       openclaw config file [--json]
       openclaw config backups [--json]
       openclaw config undo [<number>]"""
_WORDS = {
    "get": ("path",),
    "set": ("path", "value"),
    "unset": ("path",),
    "plan": ("file or path", "value"),
    "file": (),
    "backups": (),
    "undo": ("number",),
}


def run(context: Context, arguments: Sequence[str]) -> int:
    """
    :return: the exit code.
    """
    parser = Arguments("config", "Read or change the configuration file.", _USAGE)
    parser.option(
        "--json", action="store_true", help="get, file, backups, plan: print JSON; set: the value must be JSON5"
    )
    options, words = parser.split(arguments)
    if not words:
        from openclaw.cli.configure import run as configure

        return configure(context, arguments)
    if words[0] not in _WORDS:
        raise unknown_command(words[0], _WORDS, parent="config")
    name = words.pop(0)
    parser.command = f"config {name}"
    parser.check_words(words, _WORDS[name], optional=1 if name in ("undo", "plan") else 0)
    if name in ("unset", "undo"):
        parser.check_options(options, "json")
    commands = {
        "get": _get,
        "set": _set,
        "unset": _unset,
        "plan": _plan,
        "file": _file,
        "backups": _backups,
        "undo": _undo,
    }
    commands[name](context, words, json_only=options.json)
    return 0


def _get(context: Context, words: Sequence[str], *, json_only: bool) -> None:
    try:
        value = value_at(valid(context).config, parse_path(words[0]))
    except EditRefused as error:
        raise _refused(error, words[0]) from error
    if json_only or isinstance(value, dict | list):
        context.json(value)
    else:
        context.line(value if isinstance(value, str) else json.dumps(value))


def _set(context: Context, words: Sequence[str], *, json_only: bool) -> None:
    path, text = words
    value = _value(text, json_only)
    try:
        parts = typed_path(parse_path(path))
        done = change(context, lambda found: set_value(found, parts, value))
    except ConfigInvalid as error:
        raise _rejected(error) from error
    except EditRefused as error:
        raise _refused(error, path) from error
    context.line(f"Updated {path}. {when(done.waits(parts), done.restarts)}")


def _unset(context: Context, words: Sequence[str], *, json_only: bool) -> None:
    try:
        parts = typed_path(parse_path(words[0]))
        done = change(context, lambda found: unset_value(found, parts))
    except ConfigInvalid as error:
        raise _rejected(error) from error
    except EditRefused as error:
        raise _refused(error, words[0]) from error
    context.line(f"Removed {words[0]}. {when(done.waits(parts), done.restarts)}")


def when(waits: bool, restarts: bool = False) -> str:
    """
    What has to happen before a change counts, for people.

    :param restarts: whether the gateway does that by itself.
    """
    if waits and restarts:
        return "The running gateway restarts to follow it."
    return "Restart the gateway to apply." if waits else "The running gateway follows it."


def _plan(context: Context, words: Sequence[str], *, json_only: bool) -> None:
    from openclaw.cli.config_plan import show_plan

    try:
        show_plan(context, words, _value(words[1], json_only=False) if len(words) == 2 else None, as_json=json_only)
    except ConfigInvalid as error:
        raise _rejected(error) from error
    except EditRefused as error:
        raise _refused(error, words[0]) from error


def _file(context: Context, words: Sequence[str], *, json_only: bool) -> None:
    snapshot = load(context.environ, context.home)
    if json_only:
        context.json({"path": str(snapshot.path), "exists": snapshot.exists, "valid": snapshot.valid})
    else:
        context.line(str(snapshot.path))


def _backups(context: Context, words: Sequence[str], *, json_only: bool) -> None:
    found = backups(load(context.environ, context.home).path)
    if json_only:
        context.json([_backup(one) for one in found])
        return
    if not found:
        context.line("No backups.")
    for one in found:
        context.line(f"{one.number}  {one.written.astimezone():%Y-%m-%d %H:%M:%S}  {context.short(one.path)}")


def _backup(one: Backup) -> dict[str, Any]:
    return {"number": one.number, "path": str(one.path), "writtenAtMs": int(one.written.timestamp() * 1000)}


def _undo(context: Context, words: Sequence[str], *, json_only: bool) -> None:
    text = words[0] if words else "1"
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= BACKUPS):
        raise UsageError(f"number must be from 1 to {BACKUPS}")
    try:
        done = bring_back(context, int(text))
    except NoBackup as error:
        raise CommandFailed(str(error)) from error
    except ConfigInvalid as error:
        raise _rejected(error) from error
    context.line(f"Brought back backup {text}; what was there is backup 1 now. {when(done.waiting is None)}")
    if done.waiting and not done.restarts:
        context.line(f"Restart the gateway to apply: {', '.join(done.waiting)}")


def _value(text: str, json_only: bool) -> Any:
    try:
        parse(text)
        return decode(text)
    except Json5Error as error:
        if json_only:
            raise CommandFailed(f"Error: Failed to parse JSON5 value: {error}") from error
        return text


def _rejected(error: ConfigInvalid) -> CommandFailed:
    told = [f"{issue.path or '<root>'}: {issue.message}" for issue in error.issues]
    wanted = [
        f"Did you mean {issue.expected}?"
        if issue.message.startswith("Unrecognized")
        else f"Expected {issue.path}: {issue.expected}"
        for issue in error.issues
        if _helps(issue)
    ]
    return CommandFailed("\n".join([f"Error: Config validation failed: {'; '.join(told)}", *wanted]), CONFIGURATION)


def _helps(issue: Issue) -> bool:
    """
    Whether what was expected says more than the message does.
    """
    return issue.expected is not None and f"expected {issue.expected}," not in issue.message


def _refused(error: EditRefused, path: str) -> CommandFailed:
    if isinstance(error, PathNotFound):
        return CommandFailed(f"Config path not found: {path}")
    return CommandFailed(f"Error: {error}")
