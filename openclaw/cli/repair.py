"""
``openclaw doctor`` for the configuration file: what is wrong with it, and the repair of old keys.
"""

from __future__ import annotations

from shlex import quote
from typing import Any

from attrs import field, frozen

from openclaw.cli.context import Context
from openclaw.cli.repairs import Repair
from openclaw.cli.target import invalid_config
from openclaw.config.editor import set_value
from openclaw.config.issues import ConfigInvalid
from openclaw.config.loader import Snapshot, evaluate, load
from openclaw.config.migrate import CannotMigrate, migrate
from openclaw.config.writer import check_change, commit, last_good_path


@frozen(kw_only=True)
class Examined:
    """
    What is to be said of the file.

    :ivar changes: what there is to do to old keys, in words.
    :ivar mended: what the file would say with that done; ``None`` when there is nothing to do, or it cannot be done.
    :ivar hindrance: why it cannot be done.
    """

    snapshot: Snapshot
    changes: list[str] = field(factory=list)
    mended: Snapshot | None = None
    hindrance: str | None = None

    def payload(self) -> dict[str, Any]:
        """
        The shape of ``doctor --json``, without its findings.
        """
        issues = [issue.payload() for issue in self.snapshot.issues]
        return {
            "path": str(self.snapshot.path),
            "valid": self.snapshot.valid,
            "changes": self.changes,
            "issues": issues,
        }


def examine_config(context: Context) -> Examined:
    """
    Look at the configuration, and at what carrying old keys to their places would make of it.
    """
    snapshot = load(context.environ, context.home)
    if not isinstance(snapshot.parsed, dict) or not snapshot.raw:
        return Examined(snapshot=snapshot)
    try:
        moved, changes = migrate(snapshot.parsed)
    except CannotMigrate as error:
        return Examined(snapshot=snapshot, hindrance=str(error))
    if not changes:
        return Examined(snapshot=snapshot)
    text = set_value(snapshot.raw, (), moved)
    mended = evaluate(text, snapshot.path, context.environ, context.home)
    try:
        check_change(snapshot, mended)
    except ConfigInvalid as error:
        # Only a file that is whole afterwards is written: half a repair is none.
        why = str(error) if mended.valid else "Old keys are moved once the rest of the file is right."
        return Examined(snapshot=snapshot, changes=changes, hindrance=why)
    return Examined(snapshot=snapshot, changes=changes, mended=mended)


def config_repair(context: Context, examined: Examined) -> Repair | None:
    """
    Old keys carried to their places.
    """
    before, after = examined.snapshot, examined.mended
    if after is None:
        return None

    def act() -> list[str]:
        text, path = after.raw or "", before.path
        commit(path, new_text=text, expected_hash=before.hash, environ=context.environ, home=context.home)
        return [f"Updated {context.short(path)}", f"Backup: {context.short(path)}.bak"]

    from openclaw.doctor.diff import config_draft

    return Repair(
        name="config",
        what="Carry old configuration keys to where they belong now",
        why="the gateway does not start with them",
        details=examined.changes,
        touches=[before.path.resolve()],
        drafts=[config_draft(context.short(before.path), before, after)],
        act=act,
    )


def tell(context: Context, examined: Examined) -> None:
    """
    Tell people how the file is.
    """
    snapshot = examined.snapshot
    path = context.short(snapshot.path)
    for warning in snapshot.warnings:
        context.problem(f"Config warning: {warning.path or '<root>'}: {warning.message}")
    if examined.hindrance is not None:
        context.problem(examined.hindrance)
    if snapshot.valid:
        context.line(f"Config OK: {path}" if snapshot.exists else f"Config OK: {path} (missing)")
        return
    # Without the last two lines: they name this command.
    context.problem("\n".join(invalid_config(context, snapshot)[:-2]))
    if examined.mended is None:
        context.problem("Nothing here can be repaired automatically: edit the file at the places above.")
        kept = last_good_path(snapshot.path)
        if kept.exists():
            back = f"cp {quote(str(kept))} {quote(str(snapshot.path))}"
            context.problem(f"Or go back to the last one that could be used: {back}")
