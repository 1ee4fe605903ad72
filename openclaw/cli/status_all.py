"""
``openclaw status --all``: what to paste where somebody helps. It holds no secret.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openclaw.cli.context import Context, age
from openclaw.cli.ports import inspect
from openclaw.cli.service_report import last_entries, log_path
from openclaw.cli.tables import plain, table
from openclaw.cli.target import dig, local_port
from openclaw.config.paths import state_dir
from openclaw.config.sentinel import NAME as SENTINEL

if TYPE_CHECKING:
    from openclaw.cli.status import Picture

_LOG_LINES = 10
_LONGEST_LINE = 200


def agent_lines(context: Context, agents: Mapping[str, Any], width: int) -> Iterator[str]:
    """
    The agents as a table.

    :param agents: as in ``status --json``.
    """
    rows = [
        (
            agent["id"],
            "pending" if agent["bootstrapPending"] else "done",
            agent["sessionsCount"],
            age(agent["lastActiveAgeMs"]),
            context.short(str(agent["sessionsPath"] or "")),
        )
        for agent in agents["agents"]
    ]
    yield ""
    yield context.paint("Agents", "bold")
    yield from table(("Agent", "Bootstrap", "Sessions", "Active", "Store"), rows, width)


def diagnosis_lines(context: Context, picture: Picture) -> Iterator[str]:
    """
    What could be in the way, a line each.
    """
    snapshot, probe = picture.snapshot, picture.probe
    yield ""
    yield context.paint("Diagnosis (read-only)", "bold")
    if picture.target is not None:
        yield from picture.target.lines()
    missing = "" if snapshot.exists else " (missing)"
    yield f"{_mark(snapshot.valid)} Config: {context.short(snapshot.path)}{missing}"
    for issue in (*snapshot.issues, *snapshot.warnings):
        yield f"  - {issue.path or '<root>'}: {issue.message}"
    if dig(snapshot.config, "gateway", "mode") != "remote":
        use = inspect(local_port(snapshot))
        connected = probe is not None and probe.connected
        # A port that nobody holds is a gateway that does not run; one that somebody else holds keeps it from running.
        yield f"{_mark((use.status == 'busy') is connected)} {use.lines()[0]}"
        listeners = use.lines()[1 : 1 + len(use.listeners)]
        # What to do about it is of no use where the gateway answers.
        yield from (f"  {line}" for line in (listeners if connected else use.lines()[1:]))
    reached = "not configured" if probe is None else "ok" if probe.ok else str(probe.error)
    yield f"{_mark(probe is not None and probe.ok)} Gateway: {reached}"
    yield f"{_mark(not picture.findings)} Security: {len(picture.findings)} findings"
    state = state_dir(context.environ, context.home)
    if (state / SENTINEL).exists():
        yield "! A note of a restart waits for the gateway's next start"
    yield from _log_lines(context, log_path(context, snapshot, state))


def _log_lines(context: Context, path: Path) -> Iterator[str]:
    """
    What the gateway has told last; secrets are taken out where it is written.
    """
    entries = last_entries(path)[-_LOG_LINES:]
    yield f"{_mark(bool(entries))} Log: {context.short(path)}{'' if entries else ' (empty or missing)'}"
    for entry in entries:
        where = f"[{entry.subsystem}] " if entry.subsystem else ""
        message = entry.message.partition("\n")[0]
        told = f"{entry.time} {entry.level} {where}{message}"[:_LONGEST_LINE]
        yield f"  {plain(told)}"


def _mark(good: bool) -> str:
    return "✓" if good else "!"
