"""
``openclaw gateway run``: check that the gateway may start, then become it.
"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from openclaw.cli.context import Context
from openclaw.cli.exits import TRY_AGAIN, CommandFailed, UsageError, code_for
from openclaw.cli.target import local_port, read_config
from openclaw.config.devdefaults import ensure_dev_config
from openclaw.config.paths import config_path, gateway_port, state_dir, workspace_dir
from openclaw.config.start import OptionInvalid, StartOptions, check, read_options
from openclaw.errors import OpenClawError

#: What the reference has and this version does not: nobody may think that it is being done.
MISSING = {
    "raw_stream": "this version keeps no log of what the model streams; --verbose --ws-log full shows the events",
    "raw_stream_path": "this version keeps no log of what the model streams; --verbose --ws-log full shows the events",
}


def run(context: Context, options: Namespace) -> int:
    """
    :return: the exit code of the gateway, after it has ended.
    :raise OpenClawError: it must not start with these options or this configuration.
    """
    dev = options.dev or context.environ.get("OPENCLAW_PROFILE", "").strip().lower() == "dev"
    _refuse_missing(options)
    if options.reset and not dev:
        raise OptionInvalid("Use --reset with --dev.")
    if options.compact:
        options.ws_log = "compact"
    told = read_options(vars(options))
    if dev:
        if options.reset:
            _reset(context, told, force=options.force)
        make_dev_config(context)
    snapshot = read_config(context)
    start = check(snapshot, told, context.environ)
    if options.token:
        context.environ["OPENCLAW_GATEWAY_TOKEN"] = options.token
    port = gateway_port(told.port, snapshot.environment, start.config)
    if options.force and not options.reset:
        _free(context, port, options.force)

    from openclaw.gateway.run import run_gateway

    # What follows is the gateway's own output: nothing of ours may come late.
    context.out.flush()
    try:
        # One that was asked to leave still has its runs to end.
        return run_gateway(told, context.environ, forced=options.force > 0)
    except OpenClawError as error:
        if code_for(error) != TRY_AGAIN:
            raise
        from openclaw.cli.start_failure import lines

        raise CommandFailed("\n".join(lines(context, error, port)), TRY_AGAIN) from error


def _refuse_missing(options: Namespace) -> None:
    for name, why in MISSING.items():
        if getattr(options, name):
            raise UsageError(f"--{name.replace('_', '-')} is not here yet: {why}")


def make_dev_config(context: Context) -> None:
    """
    A development gateway needs no preparation: what is missing is made here, after ``--reset`` all of it.
    """
    path = config_path(context.environ, context.home)
    workspace = _dev_workspace(context)
    if ensure_dev_config(path, workspace=workspace, with_agent=True):
        context.line(f"Dev config ready: {context.short(path)}")
        from openclaw.agent.workspace import ensure_workspace

        ensure_workspace(workspace, first_run=False)
        context.line(f"Dev workspace ready: {context.short(workspace)}")


def _dev_workspace(context: Context) -> Path:
    """
    Not that of the default profile, where ``gateway --dev`` may run, too.
    """
    profile = context.environ.get("OPENCLAW_PROFILE", "").strip()
    named = profile and profile.lower() != "default"
    return workspace_dir(context.environ if named else {"OPENCLAW_PROFILE": "dev"}, context.home)


def _reset(context: Context, told: StartOptions, *, force: int) -> None:
    from openclaw.doctor.reset import reset

    if force:
        _free(context, told.port or local_port(read_config(context, lenient=True)), force)
    moved = reset(
        state_dir(context.environ, context.home),
        config_path(context.environ, context.home),
        _dev_workspace(context),
        home=context.home,
        environ=context.environ,
        now=context.now,
    )
    for old, new in moved:
        context.line(f"Moved to the trash: {context.short(old)} (now {context.short(new)})")


def _free(context: Context, port: int, force: int) -> None:
    from openclaw.cli.config_change import lock_owner
    from openclaw.cli.ports import free_port

    for line in free_port(port, own=lock_owner(context), others=force > 1):
        context.line(line)
