"""
What ``openclaw doctor`` looks at of plugins.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from openclaw.cli.audit import Finding

if TYPE_CHECKING:
    from openclaw.cli.checkup import Patient


def plugins(patient: Patient) -> Iterator[Finding]:
    """
    Those that the configuration names, and nobody has installed. None is loaded for that.
    """
    from importlib.metadata import entry_points

    from openclaw.config.model_plugins import GROUP

    config = patient.snapshot.model
    wanted = config.plugins.wanted if config is not None else []
    there = {plugin.name for plugin in entry_points(group=GROUP)} if wanted else set()
    for name in wanted:
        if name not in there:
            yield Finding(
                check_id="plugins.missing",
                severity="warn",
                title=f"plugin not found: {name}",
                detail="The gateway starts without it. Install the package that has it, for the same Python.",
                fix=patient.context.command(f"openclaw config unset plugins.entries.{name}"),
            )
