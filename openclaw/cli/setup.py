"""
``openclaw setup``: a configuration that names the workspace, and the workspace.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from openclaw.cli.arguments import Arguments
from openclaw.cli.context import Context
from openclaw.cli.target import dig, read_config
from openclaw.config.devdefaults import ensure_dev_config
from openclaw.config.files import make_private_directory
from openclaw.config.loader import Snapshot
from openclaw.config.paths import config_path, expand, state_dir, workspace_dir
from openclaw.config.writer import set_key

_KEY = "agents.defaults.workspace"


def run(context: Context, arguments: Sequence[str]) -> int:
    """
    :return: the exit code.
    """
    parser = Arguments("setup", "Write a configuration and the agent's workspace.")
    parser.option("--workspace", metavar="<dir>", help="where the agent's files are")
    parser.option("--wizard", action="store_true", help="ask, as onboard does")
    parser.option("--non-interactive", action="store_true", help="as onboard --non-interactive")
    parser.option("--accept-risk", action="store_true", help="of onboard")
    for name in ("mode", "remote-url", "remote-token"):
        parser.option(f"--{name}", metavar="<value>", help="of onboard")
    options = parser.take(arguments)
    if any((options.wizard, options.non_interactive, options.mode, options.remote_url, options.remote_token)):
        from openclaw.cli.onboard import run as onboard

        return onboard(context, [word for word in arguments if word != "--wizard"])
    wanted = None if options.workspace is None else expand(options.workspace, context.home)
    if context.environ.get("OPENCLAW_PROFILE", "").strip().lower() == "dev":
        # The development gateway needs a token to start, and nobody to choose it.
        path = config_path(context.environ, context.home)
        ensure_dev_config(path, workspace=wanted or workspace_dir(context.environ, context.home))
    snapshot = read_config(context)
    workspace = wanted or workspace_dir(context.environ, context.home, snapshot.model)
    context.line(_configure(context, snapshot, workspace))

    from openclaw.agent.workspace import ensure_workspace

    if dig(snapshot.config, "agents", "defaults", "skipBootstrap") is True:
        make_private_directory(workspace)
    else:
        ensure_workspace(workspace)
    context.line(f"Workspace OK: {context.short(workspace)}")
    state = state_dir(context.environ, context.home)
    make_private_directory(state)
    context.line(f"Sessions OK: {context.short(state / 'openclaw.sqlite3')}")
    return 0


def _configure(context: Context, snapshot: Snapshot, workspace: Path) -> str:
    """
    Name the workspace in the file.

    :return: what was done.
    """
    path = context.short(snapshot.path)
    named = dig(snapshot.config, "agents", "defaults", "workspace")
    if isinstance(named, str) and expand(named, context.home) == workspace:
        return f"Config OK: {path}"
    set_key(snapshot, _KEY, str(workspace), environ=context.environ, home=context.home)
    return f"Updated {path} (set {_KEY})" if snapshot.exists else f"Wrote {path}"
