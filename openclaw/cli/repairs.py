"""
Repairs of ``openclaw doctor``: shown as a plan with its diffs, asked for, kept for ``--undo``, and only then done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen

from openclaw.cli.context import Context
from openclaw.cli.exits import CommandFailed
from openclaw.config.paths import state_dir
from openclaw.errors import OpenClawError

if TYPE_CHECKING:
    from openclaw.doctor.diff import Draft


@frozen(kw_only=True)
class Repair:
    """
    One thing that can be done.

    :ivar name: for scripts.
    :ivar details: what it consists of, for people.
    :ivar touches: files that it may change, and directories whose mode it may.
    :ivar drafts: what becomes of the files that can be shown.
    :ivar act: does it; what it gives is told.
    :ivar confirmed: it is done only for somebody who has said yes to it.
    """

    name: str
    what: str
    why: str
    details: Sequence[str] = ()
    touches: Sequence[Path] = ()
    drafts: Sequence[Draft] = ()
    act: Callable[[], Sequence[str]]
    confirmed: bool = False

    def lines(self) -> Iterator[str]:
        """
        For people.
        """
        yield self.what
        yield f"  Why: {self.why}"
        yield from (f"  - {detail}" for detail in self.details)

    def payload(self) -> dict[str, Any]:
        """
        The shape of ``doctor --json``.
        """
        return {
            "id": self.name,
            "what": self.what,
            "why": self.why,
            "details": list(self.details),
            "files": [str(path) for path in self.touches],
            "diff": [line for draft in self.drafts for line in draft.lines()],
            "needsYes": self.confirmed,
        }


@define
class Done:
    """
    What became of a plan.

    :ivar backup: where what was there is kept.
    :ivar applied: names of the repairs that were done.
    :ivar skipped: names of those that were not, with the reason.
    :ivar lines: what to tell of it.
    :ivar problems: what went wrong.
    """

    backup: Path | None = None
    applied: list[str] = field(factory=list)
    skipped: dict[str, str] = field(factory=dict)
    lines: list[str] = field(factory=list)
    problems: list[str] = field(factory=list)

    def payload(self) -> dict[str, Any]:
        """
        The shape of ``doctor --json``.
        """
        skipped = [{"id": name, "why": why} for name, why in self.skipped.items()]
        backup = None if self.backup is None else str(self.backup)
        told = {"applied": self.applied, "skipped": skipped, "backup": backup, "failed": self.problems}
        return {**told, "fixed": self.lines}


def show(context: Context, repairs: Sequence[Repair]) -> None:
    """
    Tell what would be done, why, and what becomes of each file.
    """
    context.line("Doctor changes")
    for number, repair in enumerate(repairs, start=1):
        for line in repair.lines():
            context.line(f"{number}. {line}" if not line.startswith(" ") else f" {line}")
    for repair in repairs:
        for draft in repair.drafts:
            for line in draft.lines():
                context.line(line)


def carry_out(context: Context, repairs: Sequence[Repair]) -> Done:
    """
    Keep what is there, then do it all; a repair that fails does not keep the others from being done.

    :raise CommandFailed: it cannot be kept; nothing was changed.
    """
    from openclaw.doctor.undo import begin

    done = Done()
    if not repairs:
        return done
    touched = [path for repair in repairs for path in repair.touches]
    state, when = state_dir(context.environ, context.home), datetime.fromtimestamp(context.now(), UTC)
    what = [repair.what for repair in repairs if repair.touches]
    try:
        record = begin(state, touched, what, when) if touched else None
    except OSError as error:
        raise CommandFailed(f"Nothing was changed, since it cannot be kept for --undo: {error}") from error
    for repair in repairs:
        try:
            done.lines += repair.act()
            done.applied.append(repair.name)
        except (OpenClawError, OSError) as error:
            done.problems.append(f"{repair.what}: {error}")
    if record is not None:
        done.backup = record.directory
        record.end()
    return done
