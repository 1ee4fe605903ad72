"""
What setting up writes into the configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openclaw.cli.config_change import Change, change
from openclaw.cli.context import Context
from openclaw.config.dotenv import read_dotenv
from openclaw.config.editor import set_value
from openclaw.config.environment import with_env_block
from openclaw.config.files import NEW_FILE
from openclaw.config.loader import Snapshot, evaluate, missing
from openclaw.config.paths import config_path, state_dir
from openclaw.config.writer import check_change
from openclaw.wizard.setup import marks


def write_changes(context: Context, changes: Mapping[str, Any], command: str, mode: str) -> Change:
    """
    Write dotted keys in one step, with who did it.

    :param command: the command that did.
    :param mode: ``local`` or ``remote``.
    :raise ConfigError: nothing was written.
    """
    return change(context, lambda text: _edited(text, {**changes, **marks(command, mode, context.now())}))


def check_alone(context: Context, changes: Mapping[str, Any], command: str, mode: str) -> None:
    """
    See that a configuration that is made of nothing else can be used, before what is there goes.

    :raise ConfigError: it cannot.
    """
    path = config_path(context.environ, context.home)
    text = _edited(NEW_FILE, {**changes, **marks(command, mode, context.now())})
    environ = anew(context)
    check_change(missing(path, environ, context.home), evaluate(text, path, environ, context.home))


def anew(context: Context) -> dict[str, str]:
    """
    The environment without what only the ``.env`` of the state directory has brought into it.
    """
    told = _state_variables(context)
    return {name: value for name, value in context.environ.items() if told.get(name) != value}


def lasting(context: Context, snapshot: Snapshot) -> dict[str, str]:
    """
    The variables that a gateway has whoever starts it: of the state directory's ``.env``, and of the configuration.

    :param snapshot: without a file when everything is made anew.
    """
    return with_env_block(_state_variables(context) if snapshot.exists else {}, snapshot.config)


def _state_variables(context: Context) -> dict[str, str]:
    """
    Those of the ``.env`` of the state directory.
    """
    return read_dotenv(state_dir(context.environ, context.home) / ".env")


def _edited(text: str, changes: Mapping[str, Any]) -> str:
    for path, value in changes.items():
        text = set_value(text, tuple(path.split(".")), value)
    return text
