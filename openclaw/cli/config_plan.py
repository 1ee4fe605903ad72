"""
``openclaw config plan``: what a change of the configuration would do to a running gateway.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from openclaw.cli.config_change import valid
from openclaw.cli.context import Context
from openclaw.cli.exits import CommandFailed
from openclaw.config.dotted import parse_path, typed_path
from openclaw.config.editor import set_value
from openclaw.config.files import NEW_FILE
from openclaw.config.live import Plan, Rule, plan
from openclaw.config.loader import Snapshot, evaluate
from openclaw.config.writer import check_change

_OUTCOMES = {
    "applied": "The running gateway follows it; nothing restarts.",
    "restart": "The running gateway restarts by itself.",
    "ignored": "The running gateway takes no notice of it (gateway.reload.mode={mode}); restart it to apply.",
}


def show_plan(context: Context, words: Sequence[str], value: object, *, as_json: bool) -> None:
    """
    Print the plan of a change, which is not made.

    :param words: a file with the new configuration, ``-`` for standard input; or a path, whose new value is ``value``.
    :raise ConfigurationRefused: the configuration is not valid as it is.
    :raise ConfigInvalid: it would not be.
    """
    now = valid(context)
    text = _read(context, words[0]) if len(words) == 1 else _changed(now, words[0], value)
    then = evaluate(text, now.path, context.environ, context.home)
    check_change(now, then)
    told = plan(now.config, then.config, then.require().gateway.reload.mode)
    if as_json:
        context.json(_payload(told))
        return
    if not told.changes:
        context.line("Nothing changes.")
        return
    width = max(map(len, told.changes))
    for name, rule in told.changes.items():
        context.line(f"{name:{width}}  {_effect(rule)}")
    context.line(_OUTCOMES[told.outcome].format(mode=told.mode))


def _read(context: Context, name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else (context.directory / Path(name).expanduser()).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandFailed(f"{name} cannot be read: {error}") from error


def _changed(now: Snapshot, path: str, value: object) -> str:
    return set_value(NEW_FILE if now.raw is None else now.raw, typed_path(parse_path(path)), value)


def _effect(rule: Rule) -> str:
    if rule.effect == "restart":
        return "needs a restart"
    return f"at once ({rule.action})" if rule.action else "at once, from the next use on"


def _payload(told: Plan) -> dict[str, object]:
    changes = [
        {"path": name, "effect": rule.effect, **({"action": rule.action} if rule.action else {})}
        for name, rule in told.changes.items()
    ]
    return {"mode": told.mode, "outcome": told.outcome, "changes": changes}
