"""
From the options of ``openclaw cron add`` and ``cron edit`` to what the gateway is asked for.
"""

from __future__ import annotations

from argparse import Namespace
from datetime import UTC, datetime
from typing import Any

from openclaw.cli.arguments import Arguments, positive
from openclaw.cli.exits import CommandFailed, UsageError
from openclaw.config.durations import duration_ms

#: Options that only a turn of an agent has, by member of its payload.
_TURN = {
    "message": "message",
    "thinking": "thinking",
    "model": "model",
    "timeout_seconds": "timeoutSeconds",
    "deliver": "deliver",
    "channel": "channel",
    "to": "to",
    "best_effort_deliver": "bestEffortDeliver",
}
_POST = {
    "post_prefix": "postToMainPrefix",
    "post_mode": "postToMainMode",
    "post_max_chars": "postToMainMaxChars",
}

JOB = (
    *("name", "description", "disabled", "delete_after_run", "agent", "session", "wake", "at", "every", "cron", "tz"),
    *("misfire", "system_event", *_TURN, *_POST),
)
EDIT = ("enable", "disable", "keep_after_run", "clear_agent", "no_deliver", "no_best_effort_deliver")


def add_job_options(parser: Arguments) -> None:
    """
    What a job can be.
    """
    parser.option("--name", metavar="<name>", help="what it is called")
    parser.option("--description", metavar="<text>", help="what it is for")
    parser.option("--disabled", action="store_true", default=None, help="add: it is off at first")
    parser.option(
        "--delete-after-run", action="store_true", default=None, help="gone once it has run for its only time"
    )
    parser.option("--agent", metavar="<id>", help="whose it is (the default agent)")
    parser.option("--session", metavar="<main|isolated>", help="where it runs (main)")
    parser.option("--wake", metavar="<now|next-heartbeat>", help="when the main session hears of it (next-heartbeat)")
    parser.option("--at", metavar="<when>", help="once: a time such as 2026-12-01T08:00Z, or a span such as 20m")
    parser.option("--every", metavar="<span>", help="again and again: 10m, 1h, 1d")
    parser.option("--cron", metavar="<expression>", help="by a cron expression, or a name such as @daily")
    parser.option("--tz", metavar="<zone>", help="of the expression, such as Europe/Vienna (the gateway's)")
    parser.option("--misfire", metavar="<skip|once|all>", help="what becomes of times that were missed")
    parser.option("--system-event", metavar="<text>", help="tells the main session this")
    parser.option("--message", metavar="<text>", help="has an agent take a turn with this")
    parser.option("--thinking", metavar="<level>", help="of the turn")
    parser.option("--model", metavar="<model>", help="of the turn")
    parser.option("--timeout-seconds", metavar="<n>", type=positive, help="of the turn")
    parser.option("--deliver", action="store_true", default=None, help="sends the answer to a channel")
    parser.option("--channel", metavar="<channel>", help="which one (last)")
    parser.option("--to", metavar="<whom>", help="to whom")
    parser.option("--best-effort-deliver", action="store_true", default=None, help="a failed delivery is no failure")
    parser.option("--post-prefix", metavar="<text>", help="what the main session is told begins with this (Cron)")
    parser.option("--post-mode", metavar="<summary|full>", help="how much it is told (summary)")
    parser.option("--post-max-chars", metavar="<n>", type=positive, help="of the full text (8000)")
    parser.option("--enable", action="store_true", default=None, help="edit: it is on")
    parser.option("--disable", action="store_true", default=None, help="edit: it is off")
    parser.option("--keep-after-run", action="store_true", default=None, help="edit: it stays")
    parser.option("--clear-agent", action="store_true", default=None, help="edit: it is the default agent's")
    parser.option("--no-deliver", action="store_true", default=None, help="edit: the answer is not sent")
    parser.option("--no-best-effort-deliver", action="store_true", default=None, help="edit: a failed delivery counts")


def wrong(text: str) -> CommandFailed:
    """
    The refusal of options that make no sense.
    """
    return CommandFailed(f"Error: {text}")


def new_job(options: Namespace, now: float) -> dict[str, Any]:
    """
    Parameters of ``cron.add``.

    :param now: seconds since the epoch.
    :raise CommandFailed: the options make no sense together.
    """
    if not options.name:
        raise UsageError("required option '--name <name>' not specified")
    schedule = _schedule(options, now)
    if schedule is None:
        raise wrong("Choose exactly one schedule: --at, --every, or --cron")
    session, wake = _session(options) or "main", _wake(options) or "next-heartbeat"
    if (options.system_event is None) == (options.message is None):
        raise wrong("Choose exactly one payload: --system-event or --message")
    if session == "main" and options.system_event is None:
        raise wrong("Main jobs require --system-event (systemEvent).")
    if session == "isolated" and options.message is None:
        raise wrong("Isolated jobs require --message (agentTurn).")
    payload = _payload(options)
    job = {
        "name": options.name,
        "enabled": not options.disabled,
        "deleteAfterRun": bool(options.delete_after_run),
        "schedule": schedule,
        "sessionTarget": session,
        "wakeMode": wake,
        "payload": payload,
    }
    optional = {"description": options.description, "agentId": options.agent, "misfire": _misfire(options)}
    isolation = _isolation(options)
    if isolation and session == "isolated":
        job["isolation"] = isolation
    return job | {name: value for name, value in optional.items() if value is not None}


def patch_of(options: Namespace, now: float) -> dict[str, Any]:
    """
    The patch of ``cron.update``.

    :raise CommandFailed: the options make no sense together.
    """
    if options.enable and options.disable:
        raise wrong("Choose --enable or --disable, not both")
    if options.system_event is not None and options.message is not None:
        raise wrong("Choose at most one payload: --system-event or --message")
    found: dict[str, Any] = {
        "name": options.name,
        "description": options.description,
        "enabled": True if options.enable else False if options.disable or options.disabled else None,
        "deleteAfterRun": False if options.keep_after_run else options.delete_after_run,
        "schedule": _schedule(options, now),
        "sessionTarget": _session(options),
        "wakeMode": _wake(options),
        "payload": _payload(options),
        "isolation": _isolation(options),
        "misfire": _misfire(options),
        "agentId": options.agent,
    }
    patch = {name: value for name, value in found.items() if value is not None}
    return {**patch, "agentId": None} if options.clear_agent else patch


def _schedule(options: Namespace, now: float) -> dict[str, Any] | None:
    chosen = [name for name in ("at", "every", "cron") if getattr(options, name) is not None]
    if len(chosen) > 1:
        raise wrong("Choose exactly one schedule: --at, --every, or --cron")
    if options.tz is not None and chosen != ["cron"]:
        raise wrong("--tz is only valid with --cron")
    if options.at is not None:
        return {"kind": "at", "atMs": _moment(options.at, now)}
    if options.every is not None:
        every = duration_ms(options.every, unit=None)
        if not every:
            raise wrong("Invalid --every; use e.g. 10m, 1h, 1d")
        return {"kind": "every", "everyMs": every}
    if options.cron is not None:
        return {"kind": "cron", "expr": options.cron, **({} if options.tz is None else {"tz": options.tz})}
    return None


def _moment(text: str, now: float) -> int:
    span = duration_ms(text.strip().lstrip("+"), unit=None)
    if span is not None:
        return int(now * 1000) + span
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise wrong("Invalid --at; use ISO time or duration like 20m") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _session(options: Namespace) -> str | None:
    return _one_of(options.session, ("main", "isolated"), "--session must be main or isolated")


def _wake(options: Namespace) -> str | None:
    return _one_of(options.wake, ("now", "next-heartbeat"), "--wake must be now or next-heartbeat")


def _misfire(options: Namespace) -> str | None:
    return _one_of(options.misfire, ("skip", "once", "all"), "--misfire must be skip, once or all")


def _one_of(value: str | None, allowed: tuple[str, ...], text: str) -> str | None:
    if value is not None and value not in allowed:
        raise wrong(text)
    return value


def _payload(options: Namespace) -> dict[str, Any] | None:
    if options.system_event is not None:
        return {"kind": "systemEvent", "text": options.system_event}
    turn = {member: getattr(options, name) for name, member in _TURN.items()}
    if options.no_deliver:
        turn["deliver"] = False
    if options.no_best_effort_deliver:
        turn["bestEffortDeliver"] = False
    turn = {member: value for member, value in turn.items() if value is not None}
    return {"kind": "agentTurn", **turn} if turn else None


def _isolation(options: Namespace) -> dict[str, Any] | None:
    _one_of(options.post_mode, ("summary", "full"), "--post-mode must be summary or full")
    found = {member: getattr(options, name) for name, member in _POST.items()}
    return {member: value for member, value in found.items() if value is not None} or None
