"""
``openclaw config``: read or change the configuration file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from openclaw.cli.arguments import Arguments
from openclaw.cli.context import Context
from openclaw.cli.exits import CONFIGURATION, CommandFailed, ConfigurationRefused, UsageError, unknown_command
from openclaw.config.dotted import parse_path, value_at
from openclaw.config.editor import EditRefused, PathNotFound
from openclaw.config.issues import ConfigInvalid, Issue
from openclaw.config.loader import Snapshot, load
from openclaw.config.tokens import Json5Error, decode, parse
from openclaw.config.writer import HashMismatch, set_key, unset_key

_USAGE = "config get <path> [--json] | set <path> <value> [--json] | unset <path> | file [--json]"
#: How often a change that came too late is made again.
_ATTEMPTS = 50
_WORDS = {"get": ("path",), "set": ("path", "value"), "unset": ("path",), "file": ()}


def run(context: Context, arguments: Sequence[str]) -> int:
    """
    :return: the exit code.
    """
    parser = Arguments("config", "Read or change the configuration file.", _USAGE)
    parser.option("--json", action="store_true", help="get, file: print JSON; set: the value must be JSON5")
    options, words = parser.split(arguments)
    if not words:
        raise UsageError(f"missing subcommand\nUsage: openclaw {_USAGE}")
    if words[0] not in _WORDS:
        raise unknown_command(words[0], _WORDS, parent="config")
    name = words.pop(0)
    parser.command = f"config {name}"
    parser.check_words(words, _WORDS[name])
    if name == "unset":
        parser.check_options(options, "json")
    commands = {"get": _get, "set": _set, "unset": _unset, "file": _file}
    commands[name](context, words, json_only=options.json)
    return 0


def _get(context: Context, words: Sequence[str], *, json_only: bool) -> None:
    try:
        value = value_at(_valid(context).config, parse_path(words[0]))
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
        _edit(context, lambda found: set_key(found, path, value, environ=context.environ, home=context.home))
    except ConfigInvalid as error:
        raise _rejected(error) from error
    except EditRefused as error:
        raise _refused(error, path) from error
    context.line(f"Updated {path}. Restart the gateway to apply.")


def _unset(context: Context, words: Sequence[str], *, json_only: bool) -> None:
    try:
        _edit(context, lambda found: unset_key(found, words[0], environ=context.environ, home=context.home))
    except ConfigInvalid as error:
        raise _rejected(error) from error
    except EditRefused as error:
        raise _refused(error, words[0]) from error
    context.line(f"Removed {words[0]}. Restart the gateway to apply.")


def _file(context: Context, words: Sequence[str], *, json_only: bool) -> None:
    snapshot = load(context.environ, context.home)
    if json_only:
        context.json({"path": str(snapshot.path), "exists": snapshot.exists, "valid": snapshot.valid})
    else:
        context.line(str(snapshot.path))


def _edit(context: Context, change: Callable[[Snapshot], object]) -> None:
    """
    Change the file, again and again while others are faster: what is asked for is one key, whatever else they write.

    :raise HashMismatch: they were faster every time.
    """
    for _ in range(_ATTEMPTS):
        try:
            change(_valid(context))
        except HashMismatch:
            continue
        return
    change(_valid(context))


def _value(text: str, json_only: bool) -> Any:
    try:
        parse(text)
        return decode(text)
    except Json5Error as error:
        if json_only:
            raise CommandFailed(f"Error: Failed to parse JSON5 value: {error}") from error
        return text


def _valid(context: Context) -> Snapshot:
    snapshot = load(context.environ, context.home)
    if not snapshot.valid:
        lines = [f"Config invalid at {context.short(snapshot.path)}."]
        lines += [f"- {issue.line()}" for issue in snapshot.issues]
        hint = f"Run `{context.command('openclaw doctor')}` to repair, then retry."
        raise ConfigurationRefused("\n".join([*lines, hint]))
    return snapshot


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
