"""
``openclaw doctor`` for the configuration file: what is wrong with it, and ``--fix`` for old keys.
"""

from __future__ import annotations

from shlex import quote
from typing import Any

from attrs import frozen

from openclaw.cli.context import Context
from openclaw.cli.target import invalid_config
from openclaw.config.editor import set_value
from openclaw.config.loader import Snapshot, load
from openclaw.config.migrate import CannotMigrate, migrate
from openclaw.config.writer import commit, last_good_path


@frozen(kw_only=True)
class Repaired:
    """
    What is to be said of the file.

    :ivar changes: what was done, or would be, in words.
    """

    snapshot: Snapshot
    changes: list[str]

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


def check(context: Context, *, fix: bool) -> Repaired:
    """
    Look at the configuration, and carry old keys to their places when asked to.
    """
    snapshot = load(context.environ, context.home)
    moved, changes = _plan(context, snapshot)
    if fix and changes:
        text = set_value(snapshot.raw or "", (), moved)
        # Only a file that is whole afterwards is written: half a repair is none.
        commit(snapshot.path, new_text=text, expected_hash=snapshot.hash, environ=context.environ, home=context.home)
        snapshot = load(context.environ, context.home)
    return Repaired(snapshot=snapshot, changes=changes)


def _plan(context: Context, snapshot: Snapshot) -> tuple[dict[str, Any], list[str]]:
    if not isinstance(snapshot.parsed, dict) or not snapshot.raw:
        return {}, []
    try:
        return migrate(snapshot.parsed)
    except CannotMigrate as error:
        context.problem(str(error))
        return {}, []


def tell(context: Context, repaired: Repaired, *, fixed: bool) -> None:
    """
    Tell people what ``check`` has found.
    """
    snapshot, changes = repaired.snapshot, repaired.changes
    path = context.short(snapshot.path)
    for change in changes:
        context.line(f"- {change}")
    if changes and fixed:
        context.line(f"Updated {path}")
        context.line(f"Backup: {path}.bak")
    elif changes:
        context.line(context.command('Run "openclaw doctor --fix" to apply changes.'))
    for warning in snapshot.warnings:
        context.problem(f"Config warning: {warning.path or '<root>'}: {warning.message}")
    if snapshot.valid:
        context.line(f"Config OK: {path}" if snapshot.exists else f"Config OK: {path} (missing)")
        return
    # Without the last two lines: they name this command.
    context.problem("\n".join(invalid_config(context, snapshot)[:-2]))
    if not changes:
        context.problem("Nothing here can be repaired automatically: edit the file at the places above.")
        kept = last_good_path(snapshot.path)
        if kept.exists():
            back = f"cp {quote(str(kept))} {quote(str(snapshot.path))}"
            context.problem(f"Or go back to the last one that could be used: {back}")
