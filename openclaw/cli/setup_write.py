"""
What setting up writes into the configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openclaw.cli.config_change import Change, change
from openclaw.cli.context import Context
from openclaw.config.editor import set_value
from openclaw.wizard.setup import marks


def write_changes(context: Context, changes: Mapping[str, Any], command: str, mode: str) -> Change:
    """
    Write dotted keys in one step, with who did it.

    :param command: the command that did.
    :param mode: ``local`` or ``remote``.
    :raise ConfigError: nothing was written.
    """
    wanted = {**changes, **marks(command, mode, context.now())}

    def edit(text: str) -> str:
        for path, value in wanted.items():
            text = set_value(text, tuple(path.split(".")), value)
        return text

    return change(context, edit)
